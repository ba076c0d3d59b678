import Execution
import Graph
import Tensors

/// A network computed a layer at a time: of every batch it keeps the values that nodes still to come read, so that
/// nothing is computed twice while weights are rounded one layer after another.
///
/// Where those values would take more than `memoryLimit`, only the network's inputs are kept, and every step begins
/// there.
struct SampleStream {
  /// Most bytes of values kept between steps.
  static let memoryLimit = 1 << 30

  let threads: Int
  /// Bytes of the values kept, at their most.
  let keptBytes: Int
  /// The samples of each batch, and what is known of them.
  private(set) var batches: [(samples: Range<Int>, values: [ValueName: Tensor])]
  private let keepsValues: Bool
  private var position = 0

  /// - Parameters:
  ///   - samples: how many are wanted of the source.
  ///   - batch: samples that are computed at once; fewer where the graph's inputs demand it.
  init(
    _ graph: Graph, infos: [ValueName: OperandInfo], source: any CalibrationSource, samples: Int, batch: Int,
    threads: Int
  ) throws {
    self.threads = threads
    let count = min(samples, source.count)
    let size = graph.samplesPerBatch ?? batch
    batches = try stride(from: 0, to: count, by: size).compactMap { start in
      let range = start..<min(start + size, count)
      // A graph of a fixed batch takes no part of one.
      if graph.samplesPerBatch != nil && range.count < size && start > 0 { return nil }
      return (range, try source.batch(range))
    }
    keptBytes = graph.largestCut(infos) * count
    keepsValues = keptBytes <= Self.memoryLimit
  }

  /// Whether nodes that were computed are computed again for those that follow.
  var readsAgain: Bool { !keepsValues }

  var samples: Int { batches.last?.samples.upperBound ?? 0 }

  /// Computes what nodes from `end` on read of those before it.
  ///
  /// - Parameter graph: the graph of before, with the same nodes; constants that nodes from `end` on read may differ.
  mutating func advance(_ graph: Graph, to end: Int) throws {
    guard end > position else { return }
    if keepsValues {
      let kept = Set(graph.valuesCrossing(end))
      let wanted = kept.subtracting(graph.valuesCrossing(position))
      var known: [[ValueName: Tensor]] = []
      try forEachBatch(graph, Array(graph.nodes[position..<end]), outputs: wanted) { index, computed in
        known.append(batches[index].values.filter { kept.contains($0.key) }.merging(computed) { $1 })
      }
      for index in known.indices { batches[index].values = known[index] }
    }
    position = end
  }

  /// Runs nodes on what comes before the place the network has been computed to.
  ///
  /// - Parameters:
  ///   - graph: as for `advance`, with the constants that `nodes` read.
  ///   - body: takes the batch's index and the outputs.
  func forEachBatch(
    _ graph: Graph, _ nodes: [Node], outputs: Set<ValueName>,
    _ body: (Int, [ValueName: Tensor]) throws -> Void
  ) throws {
    var part = Graph(constants: graph.constants, nodes: nodes)
    if !keepsValues { part.nodes = graph.nodes[..<position] + nodes }
    part.outputs = outputs.sorted().map { ValueInfo(name: $0, type: nil, dimensions: nil) }
    let read = part.freeValues.union(outputs)
    var program: (shapes: [ValueName: Shape], run: Program)?
    for (index, batch) in batches.enumerated() {
      let inputs = batch.values.filter { read.contains($0.key) }
      let shapes = inputs.mapValues(\.shape)
      if program?.shapes != shapes {
        program = nil
        part.inputs = inputs.sorted { $0.key < $1.key }.map { name, tensor in
          ValueInfo(name: name, type: tensor.type, dimensions: tensor.shape.map { .fixed($0) })
        }
        let options = CompileOptions(inputShapes: shapes, threads: threads)
        program = (shapes, try compile(EncodedGraph(graph: part), options))
      }
      guard let program else { continue }
      try body(index, try program.run.run(inputs))
    }
  }
}

extension Graph {
  /// Samples per batch that the inputs demand; `nil` for as many as one likes.
  var samplesPerBatch: Int? {
    for input in inputs where constants[input.name] == nil {
      if case .fixed(let size)? = input.dimensions?.first { return Swift.max(size, 1) }
    }
    return nil
  }

  /// Samples that the shapes of these infos are for.
  func samplesInferred(_ infos: [ValueName: OperandInfo]) -> Int {
    inputs.lazy.compactMap { infos[$0.name]?.shape?.first }.first ?? 1
  }

  /// Bytes for each sample of the values that cross between two nodes, where they are most.
  func largestCut(_ infos: [ValueName: OperandInfo]) -> Int {
    let given = samplesInferred(infos)
    let (producers, consumers) = (producers, consumers)
    var change = [Int](repeating: 0, count: nodes.count + 1)
    for (value, readers) in consumers where constants[value] == nil {
      guard let last = readers.max(), let info = infos[value], let shape = info.shape else { continue }
      change[producers[value].map { $0 + 1 } ?? 0] += info.type.byteCount(shape.elementCount)
      change[last + 1] -= info.type.byteCount(shape.elementCount)
    }
    var (bytes, most) = (0, 0)
    for step in change {
      bytes += step
      most = Swift.max(most, bytes)
    }
    return most / Swift.max(given, 1)
  }
}
