import CKernels
import Graph
import Tensors

/// What a program is compiled for.
package struct CompileOptions: Sendable {
  /// Every graph input, fully fixed.
  package var inputShapes: [ValueName: Shape]
  package var threads: Int
  /// Level of the kernels; `nil` for the best of this machine (or the one `LATHE_CPU` names).
  package var level: ck_level?
  /// Float outputs whose samples may come with their elements in any order, which saves bringing them into theirs.
  package var unordered: Set<ValueName>
  /// Where attention keeps keys and values from one run to the next; `nil` where a run sees its own tokens only.
  ///
  /// The inputs of a run are then the tokens that follow those it holds.
  package var cache: KeyValueCache?

  package init(
    inputShapes: [ValueName: Shape], threads: Int = 1, level: ck_level? = nil, unordered: Set<ValueName> = [],
    cache: KeyValueCache? = nil
  ) {
    self.inputShapes = inputShapes
    self.threads = threads
    self.level = level
    self.unordered = unordered
    self.cache = cache
  }
}

/// What keeps a graph from being compiled or a program from running.
package enum ExecutionError: Error, Equatable, CustomStringConvertible {
  case unsupportedLevel(String)
  case inputShape(ValueName, String)
  case node(String, operatorName: String, reason: String)
  case needsSimulation([String])
  case missingInput(ValueName)
  case unknownInput(ValueName, expected: [ValueName])
  case inputType(ValueName, found: String, expected: String)
  case output(ValueName, String)
  case memory(bytes: Int, available: Int)

  package var description: String {
    switch self {
    case .unsupportedLevel(let name): "this processor cannot run kernels of level \(name)"
    case .inputShape(let name, let reason): "input \"\(name)\": \(reason)"
    case .node(let name, let op, let reason): "node \"\(name)\" (\(op)): \(reason)"
    case .needsSimulation(let reasons):
      "cannot run on integer kernels: \(reasons.joined(separator: "; ")). Run it simulated."
    case .missingInput(let name): "input \"\(name)\" is missing"
    case .unknownInput(let name, let expected):
      "there is no input \"\(name)\" (expected \(expected.map { "\"\($0)\"" }.joined(separator: ", ")))"
    case .inputType(let name, let found, let expected):
      "input \"\(name)\" has elements of type \(found), expected \(expected)"
    case .output(let name, let reason): "output \"\(name)\": \(reason)"
    case .memory(let bytes, let available):
      "the activations need \(bytes >> 20) MiB, and this machine has \(available >> 20). Give smaller inputs or a smaller batch."
    }
  }
}
