import Execution
import Foundation
import Graph
import Quantization
import Tensors

/// What encoding a layer does to its output: sums of squares over elements and samples.
package struct LayerNoise: Sendable, Hashable {
  /// f(x).
  package var signal = 0.0
  /// f_q(x) − f(x), with the input in float32: what the weights do.
  package var weights = 0.0
  /// f_q(Qx) − f(x).
  package var total = 0.0

  /// 10·log10(signal / total); `nil` where nothing errs or there is nothing to err.
  package var sqnrDb: Double? { total > 0 && signal > 0 ? 10 * log10(signal / total) : nil }

  /// What the weights do, as a share of the signal.
  package var weightShare: Double { signal > 0 ? weights / signal : 0 }

  /// What is left of the whole for encoding the input; errors of weights and input hardly meet.
  package var activationShare: Double { signal > 0 ? Swift.max(total - weights, 0) / signal : 0 }
}

/// One layer cut out of a network, with what it reads in float32 on some samples.
struct LayerProbe: Sendable {
  /// A graph of the layer's node alone, for one batch.
  private let graph: Graph
  private let infos: [ValueName: OperandInfo]
  private let node: String
  private let source: CachedInputs

  /// - Parameters:
  ///   - node: the layer's.
  ///   - network: the graph it is in.
  ///   - known: what is known of every value, for one batch.
  ///   - batches: values of the network by batch, those the layer reads among them.
  /// - Returns: `nil` where a size depends on data.
  init?(
    _ node: Node, in network: Graph, known: [ValueName: OperandInfo], batches: [[ValueName: Tensor]]
  ) throws {
    guard let output = node.outputs.first.flatMap({ $0 }) else { return nil }
    let read = Self.reads(node, known)
    guard !read.isEmpty, read.allSatisfy({ known[$0]?.shape != nil }) else { return nil }
    graph = network.slice(from: known.filter { read.contains($0.key) }, to: [output])
    infos = try graph.infer()
    self.node = node.name
    source = CachedInputs(
      batches: batches.map { $0.filter { read.contains($0.key) } },
      each: read.compactMap { known[$0]?.shape?.first }.first ?? 1)
  }

  /// The computed values a node reads.
  static func reads(_ node: Node, _ known: [ValueName: OperandInfo]) -> Set<ValueName> {
    Set(node.inputs.compactMap { $0 }.filter { known[$0]?.constant == nil })
  }

  /// The layer as a recipe has it, with the input's range from `observations`.
  func encoded(_ planned: PlannedLayer, _ observations: Observations?, threads: Int) throws -> EncodedGraph {
    try quantize(
      graph, infos: infos, recipe: planned.recipe(samples: source.count), calibration: source,
      observations: observations, threads: threads, report: { _, _ in }
    ).encoded
  }

  /// Runs the layer in float32, with quantized weights, and as it is encoded.
  func noise(_ encoded: EncodedGraph, threads: Int) throws -> LayerNoise {
    var weights = encoded
    weights.biases = [:]
    weights.activations = [:]
    weights.layers = encoded.layers.mapValues { _ in LayerEncoding(mode: .weightOnly) }
    let float = try program(graph, threads)
    let whole = try program(simulated(encoded), threads)
    let isWeightOnly = encoded.layers[node]?.mode == .weightOnly
    let rounded = isWeightOnly || encoded.weights.isEmpty ? nil : try program(simulated(weights), threads)
    var noise = LayerNoise()
    for batch in source.batches {
      let y = try Self.run(float, batch)
      noise.signal += Self.energy(y, nil, threads: threads)
      let total = Self.energy(y, try Self.run(whole, batch), threads: threads)
      noise.total += total
      if let rounded {
        noise.weights += Self.energy(y, try Self.run(rounded, batch), threads: threads)
      } else if isWeightOnly {
        noise.weights += total
      }
    }
    return noise
  }

  private func program(_ graph: Graph, _ threads: Int) throws -> Program {
    try compile(EncodedGraph(graph: graph), CompileOptions(inputShapes: [:], threads: threads))
  }

  private static func run(_ program: Program, _ batch: [ValueName: Tensor]) throws -> Tensor? {
    try program.load(batch)
    try program.execute()
    return try program.views().values.first
  }

  /// Σ (a − b)², or of a alone.
  private static func energy(_ a: Tensor?, _ b: Tensor?, threads: Int) -> Double {
    guard let a else { return 0 }
    return a.withElements(of: Float.self) { a in
      guard let b else { return energy(a, nil, threads) }
      return b.withElements(of: Float.self) { energy(a, $0, threads) }
    }
  }

  /// Elements that are summed in single precision before they join the others.
  private static let block = 1024

  private static func energy(
    _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>?, _ threads: Int
  ) -> Double {
    let blocks = (a.count + block - 1) / block
    // In the order of the elements, whatever the number of threads.
    return [Double](unsafeUninitializedCapacity: blocks) { sums, count in
      nonisolated(unsafe) let (sums, a, b) = (sums, a, b)
      parallel(blocks, grain: 32, threads: threads) { indices in
        for index in indices {
          let elements = index * block..<Swift.min((index + 1) * block, a.count)
          let part = UnsafeBufferPointer(rebasing: a[elements])
          sums[index] = energy(part, b.map { UnsafeBufferPointer(rebasing: $0[elements]) })
        }
      }
      count = blocks
    }.reduce(0, +)
  }

  private static func energy(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>?) -> Double {
    typealias Lanes = SIMD8<Float>
    let bytes = UnsafeRawBufferPointer(a)
    let others = b.map { UnsafeRawBufferPointer($0) }
    var sum = Lanes.zero
    let whole = a.count / Lanes.scalarCount * Lanes.scalarCount
    for place in stride(from: 0, to: whole, by: Lanes.scalarCount) {
      let offset = place * MemoryLayout<Float>.stride
      var distance = bytes.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
      if let others { distance -= others.loadUnaligned(fromByteOffset: offset, as: Lanes.self) }
      sum += distance * distance
    }
    return (whole..<a.count).reduce(Double(sum.sum())) { sum, place in
      let distance = a[place] - (b?[place] ?? 0)
      return sum + Double(distance * distance)
    }
  }
}

/// Values that were computed before, as samples to calibrate a part of a network with.
private struct CachedInputs: CalibrationSource {
  let batches: [[ValueName: Tensor]]
  /// Length of the first axis of a batch, which the graph fixes.
  let each: Int

  var count: Int { batches.count * each }

  func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] { batches[range.lowerBound / each] }
}
