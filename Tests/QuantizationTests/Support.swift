import Foundation
import Graph
import Operators
import Quantization
import Synchronization
import Tensors
import Testing

/// A graph written node by node.
struct GraphWriter {
  var graph = Graph()
  var seed: UInt64 = 1

  mutating func input(_ name: String, _ shape: Shape) {
    graph.inputs.append(ValueInfo(name: name, type: .float32, dimensions: shape.map { .fixed($0) }))
  }

  mutating func output(_ name: String) {
    graph.outputs.append(ValueInfo(name: name, type: .float32, dimensions: nil))
  }

  mutating func node(
    _ type: String, _ name: String, _ inputs: [String?], attributes: Attributes = [:],
    outputs: [String]? = nil
  ) throws {
    let op = try #require(Catalog.find(domain: "", type: type))
    graph.nodes.append(
      Node(
        name: name, op: try op.init(attributes: attributes), inputs: inputs,
        outputs: outputs ?? [name + "_out"]))
  }

  /// Random numbers in −1…1, the same every time.
  mutating func random(_ shape: Shape) -> Tensor {
    Tensor(
      (0..<shape.elementCount).map { _ in
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: seed >> 32)) / Float(Int32.max)
      }, shape: shape)
  }

  /// A convolution of 3 × 3 with a bias, size kept.
  mutating func conv(_ name: String, _ input: String, _ inputs: Int, _ outputs: Int, group: Int = 1) throws {
    graph.constants[name + "_w"] = random([outputs, inputs / group, 3, 3])
    graph.constants[name + "_b"] = random([outputs])
    try node(
      "Conv", name, [input, name + "_w", name + "_b"],
      attributes: ["pads": .ints([1, 1, 1, 1]), "kernel_shape": .ints([3, 3]), "group": .int(group)])
  }

  mutating func gemm(_ name: String, _ input: String, _ inputs: Int, _ outputs: Int) throws {
    graph.constants[name + "_w"] = random([outputs, inputs])
    graph.constants[name + "_b"] = random([outputs])
    try node("Gemm", name, [input, name + "_w", name + "_b"], attributes: ["transB": .int(1)])
  }
}

/// Random samples for the inputs of a graph.
struct RandomSource: CalibrationSource {
  var shapes: [ValueName: Shape]
  var count: Int
  /// A sample that holds NaN.
  var broken: Int?

  func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
    shapes.mapValues { shape in
      var elements: [Float] = []
      for sample in range {
        var writer = GraphWriter(seed: UInt64(sample) &* 7919 &+ 17)
        elements += writer.random(shape).array(of: Float.self)
        if sample == broken { elements[elements.count - 1] = .nan }
      }
      return Tensor(elements, shape: [range.count] + shape)
    }
  }
}

/// The shared files, where they are.
enum Shared {
  static let path: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    var places = [root.appendingPathComponent("shared").path]
    if let given = ProcessInfo.processInfo.environment["LATHE_SHARED"] { places.insert(given, at: 0) }
    return places.first { FileManager.default.fileExists(atPath: $0 + "/models") }
  }()
}

extension Observer {
  mutating func observe(_ values: [Float]) {
    values.withUnsafeBufferPointer { buffer in
      let span = Span(_unsafeElements: buffer)
      observe(span, extremes: Extremes(span))
    }
  }
}

/// Whether tests run under a sanitizer, whose own time and memory are in what they measure.
let isSanitized = ProcessInfo.processInfo.environment["LATHE_SANITIZER"] != nil
