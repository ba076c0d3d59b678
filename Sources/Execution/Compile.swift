import CKernels
import Graph
import Tensors

/// The program of a graph for fixed input shapes: integer kernels where encodings say so, float32 elsewhere.
///
/// - Errors: `ExecutionError` for a level this processor lacks, input shapes that are missing or do not fit, or
///   encodings that only a simulation can run; `NodeError` where a node does not fit its operands.
package func compile(_ encoded: EncodedGraph, _ options: CompileOptions) throws -> Program {
  let reasons = encoded.simulationReasons
  guard reasons.isEmpty else { throw ExecutionError.needsSimulation(reasons) }
  let level = options.level ?? ck_best().pointee.level
  guard let kernels = KernelTables.table(options.level) else {
    throw ExecutionError.unsupportedLevel(String(cString: ck_level_name(level)))
  }
  var given: [ValueName: OperandInfo] = [:]
  for input in encoded.graph.inputs {
    guard
      let shape = options.inputShapes[input.name] ?? input.shape ?? encoded.graph.constants[input.name]?.shape
    else {
      throw ExecutionError.inputShape(input.name, "its shape must be given, because the model leaves it open")
    }
    // Beyond this, bytes and sums of bytes would overflow; what the machine holds is checked once memory is planned.
    guard let count = shape.checkedElementCount, count <= 1 << 48 else {
      throw ExecutionError.inputShape(input.name, "shape \(shape.shapeText) is impossible")
    }
    guard let type = input.type ?? encoded.graph.constants[input.name]?.type else {
      throw ExecutionError.inputShape(input.name, "its element type is not declared")
    }
    given[input.name] = OperandInfo(type: type, shape: shape)
  }
  let prepared = try prepared(encoded, inputs: given)
  let infos = try prepared.graph.infer(inputs: given)
  var compiler = Compiler(prepared, infos: infos, kernels: kernels, threads: Swift.max(1, options.threads))
  compiler.cache = options.cache
  try compiler.lowerAll()
  return try compiler.program(level: level, unordered: options.unordered)
}

extension EncodedGraph {
  /// Why this graph cannot run on integer kernels; empty where it can.
  package var simulationReasons: [String] {
    var reasons: [String] = []
    for name in activations.keys.sorted() {
      guard let encoding = activations[name], ByteCodes(encoding) == nil else { continue }
      reasons.append(
        encoding.scales.count > 1
          ? "activation \"\(name)\" has \(encoding.scales.count) scales"
          : "activation \"\(name)\" has \(encoding.scheme.bits) bits")
    }
    for name in weights.keys.sorted() {
      if let weights = weights[name], weights.encoding.scheme.bits > 8 {
        reasons.append("weight \"\(name)\" has \(weights.encoding.scheme.bits) bits")
      }
    }
    for (name, layer) in layers.sorted(by: { $0.key < $1.key }) where layer.mode == .dynamic {
      if layer.dynamicBits > 8 {
        reasons.append("layer \"\(name)\" has \(layer.dynamicBits)-bit activations")
      }
    }
    return reasons
  }
}

/// Kernel tables at addresses that do not change.
private enum KernelTables {
  static func table(_ level: ck_level?) -> UnsafePointer<ck_table>? {
    guard let level else { return ck_best() }
    return all.first { $0.level == level }?.table
  }

  private struct Entry: @unchecked Sendable {
    let level: ck_level
    let table: UnsafePointer<ck_table>
  }

  private static let all: [Entry] = (0..<CK_LEVELS).compactMap { number in
    let level = ck_level(UInt32(number))
    let table = UnsafeMutablePointer<ck_table>.allocate(capacity: 1)
    table.initialize(to: ck_table())
    return ck_table_for(level, table) != 0 ? Entry(level: level, table: UnsafePointer(table)) : nil
  }
}
