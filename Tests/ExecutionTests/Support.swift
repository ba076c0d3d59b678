import CKernels
import Execution
import Foundation
import Graph
import Operators
import Tensors
import Testing

/// The folder of models and data that the project is tested with but does not contain.
enum Shared {
  static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["LATHE_SHARED"] { return URL(fileURLWithPath: path) }
    return URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared")
  }()

  static let exists = FileManager.default.fileExists(atPath: folder.appendingPathComponent("models").path)

  static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}

/// Reproducible numbers.
struct Random {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// Between −1 and 1.
  mutating func float() -> Float { Float(Int64(next() >> 40)) / Float(1 << 23) - 1 }

  mutating func tensor(_ shape: Shape, scale: Float = 1, offset: Float = 0) -> Tensor {
    Tensor((0..<shape.elementCount).map { _ in float() * scale + offset }, shape: shape)
  }
}

/// A graph written node by node.
struct Draft {
  var graph = Graph()
  var inputs: [ValueName: Tensor] = [:]
  var random: Random

  init(_ seed: UInt64 = 1) { random = Random(seed) }

  mutating func input(_ name: ValueName, _ tensor: Tensor) -> ValueName {
    graph.inputs.append(ValueInfo(name: name, type: tensor.type, dimensions: tensor.shape.map { .fixed($0) }))
    inputs[name] = tensor
    return name
  }

  mutating func input(_ name: ValueName, _ shape: Shape, scale: Float = 1, offset: Float = 0) -> ValueName {
    input(name, random.tensor(shape, scale: scale, offset: offset))
  }

  mutating func constant(_ tensor: Tensor) -> ValueName {
    let name = "constant\(graph.constants.count)"
    graph.constants[name] = tensor
    return name
  }

  mutating func weights(_ shape: Shape, scale: Float = 0.5) -> ValueName {
    constant(random.tensor(shape, scale: scale))
  }

  mutating func integers(_ values: [Int], shape: Shape? = nil) -> ValueName {
    constant(Tensor(values.map { Int64($0) }, shape: shape ?? [values.count]))
  }

  /// Adds a node named after its output and returns its first output.
  @discardableResult
  mutating func node(_ type: String, _ inputs: [ValueName?], _ attributes: Attributes = [:], outputs: Int = 1)
    throws
    -> ValueName
  {
    let domain = type.contains("QuantizeDequantize") ? "lathe" : ""
    let op = try #require(Catalog.find(domain: domain, type: type), "the catalogue has \(type)")
    let name = "\(type)\(graph.nodes.count)"
    let names = (0..<outputs).map { $0 == 0 ? name : "\(name).\($0)" }
    graph.nodes.append(
      Node(name: name, op: try op.init(attributes: attributes), inputs: inputs, outputs: names))
    return name
  }

  mutating func output(_ name: ValueName) {
    graph.outputs.append(ValueInfo(name: name, type: nil, dimensions: nil))
  }

  var shapes: [ValueName: Shape] { inputs.mapValues(\.shape) }
}

/// The levels this processor can run.
let levels: [ck_level] = (0..<CK_LEVELS).map { ck_level(UInt32($0)) }.filter { ck_supported($0) != 0 }

/// max|a − b| / max|b|.
func relativeDifference(_ a: Tensor, _ b: Tensor) -> Float {
  let (x, y) = (a.floats, b.floats)
  let largest = y.reduce(Float(0)) { max($0, abs($1)) }
  let worst = zip(x, y).reduce(Float(0)) { $1.0 == $1.1 ? $0 : max($0, abs($1.0 - $1.1)) }
  return worst.isNaN ? .infinity : worst / max(largest, 1e-20)
}

extension Program {
  /// What the program computes, by output.
  static func outputs(_ encoded: EncodedGraph, _ draft: Draft, threads: Int = 1, level: ck_level? = nil)
    throws
    -> [ValueName: Tensor]
  {
    let program = try compile(
      encoded, CompileOptions(inputShapes: draft.shapes, threads: threads, level: level))
    return try program.run(draft.inputs)
  }
}

func bytes(_ tensor: Tensor) -> [UInt8] { tensor.withBytes { Array($0) } }
