import Execution
import Graph
import Operators
import Tensors

/// What a layer multiplies its weights with, at some positions of every sample: rows of `[groups, features]`.
struct LayerRows {
  let layer: LayerMatrix
  let count: Int
  private let values: [Float]

  /// Most bytes that the rows of one layer take.
  private static let byteLimit = 64 << 20
  private static let countLimit = 1 << 15

  /// Positions of each sample that are taken.
  static func positions(_ layer: LayerMatrix, of positions: Int, samples: Int) -> Int {
    let rows = min(byteLimit / (4 * layer.groups * layer.features), countLimit)
    return min(max(rows / max(samples, 1), 1), positions)
  }

  /// - Parameters:
  ///   - graph: the network that `stream` has computed up to the layer.
  ///   - seed: chooses the positions, the same of two networks.
  init(_ layer: LayerMatrix, _ graph: Graph, _ stream: SampleStream, seed: UInt64) throws {
    self.layer = layer
    guard let node = graph.nodes.first(where: { $0.name == layer.node }),
      let input = layer.role.activation.flatMap({ node.inputs[$0] })
    else { throw QuantizationError("layer \"\(layer.node)\" is not in its simulation") }
    var writer = NodeWriter(for: graph)
    let name = layer.patches(of: input, node.op, &writer)
    var graph = graph
    graph.constants.merge(writer.constants) { $1 }
    var random = SplitMix64(seed: seed)
    var values: [Float] = []
    try stream.forEachBatch(graph, writer.nodes, outputs: [name]) { batch, computed in
      guard let patches = computed[name] else { return }
      let samples = stream.batches[batch].samples.count
      let isImage = patches.shape.count == 4
      let positions = isImage ? patches.shape[3] : patches.shape[0] / samples
      let wanted = Self.positions(layer, of: positions, samples: stream.samples)
      let length = layer.groups * layer.features
      patches.withElements(of: Float.self) { elements in
        for sample in 0..<samples {
          let places = wanted < positions ? random.permutation(positions) : Array(0..<positions)
          for place in places.prefix(wanted) {
            // Images hold the positions of a feature together, products the features of a position.
            let start = sample * positions * length + (isImage ? place : place * length)
            for index in 0..<length { values.append(elements[start + index * (isImage ? positions : 1)]) }
          }
        }
      }
    }
    guard values.allSatisfy(\.isFinite) else {
      throw QuantizationError("layer \"\(layer.node)\": its inputs hold NaN or infinity")
    }
    self.values = values
    count = values.count / (layer.groups * layer.features)
  }

  /// Some rows as `[groups, rows, features]`.
  func batch(_ rows: some Collection<Int>) -> Tensor {
    let (groups, features) = (layer.groups, layer.features)
    return Tensor(of: Float.self, shape: [groups, rows.count, features]) { out in
      values.withUnsafeBufferPointer { values in
        for (place, row) in rows.enumerated() {
          for group in 0..<groups {
            let (to, from) = ((group * rows.count + place) * features, (row * groups + group) * features)
            for feature in 0..<features { out[to + feature] = values[from + feature] }
          }
        }
      }
    }
  }
}

/// The squared distance of a layer's outputs from others, and how it changes with the weights.
///
/// Weights are `[groups, features, rows of a group]`, outputs `[groups, rows, rows of a group]`.
struct LayerDistance {
  /// Rows looked at together.
  let rows: Int
  private let layer: LayerMatrix
  private let forward: Program
  private let backward: Program

  /// - Parameters:
  ///   - bias: of the layer, one element for each row of its weights.
  ///   - clamp: bounds of what follows the layer.
  init(
    _ layer: LayerMatrix, bias: Tensor?, clamp: (lower: Float, upper: Float)?, rows: Int, threads: Int
  ) throws {
    (self.layer, self.rows) = (layer, rows)
    let shapes: [ValueName: Shape] = [
      "x": [layer.groups, rows, layer.features], "w": [layer.groups, layer.features, layer.groupRows],
      "t": [layer.groups, rows, layer.groupRows],
    ]
    func program(_ inputs: [ValueName], _ output: ValueName, _ writer: NodeWriter) throws -> Program {
      var graph = Graph()
      graph.inputs = inputs.map {
        ValueInfo(name: $0, type: .float32, dimensions: shapes[$0]?.map { .fixed($0) })
      }
      graph.outputs = [ValueInfo(name: output, type: .float32, dimensions: nil)]
      writer.finish(&graph)
      return try compile(
        EncodedGraph(graph: graph),
        CompileOptions(inputShapes: shapes.filter { inputs.contains($0.key) }, threads: threads))
    }
    var writer = NodeWriter(fresh: FreshNames(besides: shapes.keys))
    var y = writer.add(MatMul(), ["x", "w"], "product")
    if let bias, bias.count == layer.rows {
      let spread = Tensor(bias.array(of: Float.self), shape: [layer.groups, 1, layer.groupRows])
      y = writer.add(Add(), [y, writer.constant(spread, "bias")], "sum")
    }
    if let clamp {
      let bounds = [clamp.lower, clamp.upper].map { writer.constant(Tensor(scalar: $0), "bound") }
      y = writer.add(Clip(), [y] + bounds, "clamped")
    }
    forward = try program(["x", "w"], y, writer)
    var error = writer.add(Sub(), [y, "t"], "error")
    if let clamp {
      error = writer.add(ClampGradient(lower: clamp.lower, upper: clamp.upper), [y, error], "passed")
    }
    let columns = writer.add(Transpose([0, 2, 1]), ["x"], "columns")
    backward = try program(["x", "w", "t"], writer.add(MatMul(), [columns, error], "gradient"), writer)
  }

  private func tensor(_ weights: [Float]) -> Tensor {
    Tensor(weights, shape: [layer.groups, layer.features, layer.groupRows])
  }

  /// The outputs at every row, `[row][output channel]`.
  func outputs(_ inputs: LayerRows, weights: [Float]) throws -> [Float] {
    var result = [Float](repeating: 0, count: inputs.count * layer.rows)
    let weights = tensor(weights)
    for start in stride(from: 0, to: inputs.count, by: rows) {
      // The last batch repeats rows of the one before.
      let first = min(start, inputs.count - rows)
      let found = try forward.run(["x": inputs.batch(first..<first + rows), "w": weights])
      for y in found.values {
        y.withElements(of: Float.self) { y in
          for row in 0..<rows {
            for channel in 0..<layer.rows {
              let (group, place) = (channel / layer.groupRows, channel % layer.groupRows)
              result[(first + row) * layer.rows + channel] =
                y[
                  (group * rows + row) * layer.groupRows + place]
            }
          }
        }
      }
    }
    return result
  }

  /// Half of the gradient of the summed squared distance from `targets` at the rows chosen, by the weights.
  ///
  /// - Returns: good until the next call.
  func gradient(
    _ inputs: LayerRows, _ targets: [Float], _ chosen: ArraySlice<Int>, weights: [Float]
  ) throws -> Tensor {
    let wanted = Tensor(of: Float.self, shape: [layer.groups, rows, layer.groupRows]) { out in
      targets.withUnsafeBufferPointer { targets in
        for (place, row) in chosen.enumerated() {
          for channel in 0..<layer.rows {
            let group = channel / layer.groupRows
            out[(group * rows + place) * layer.groupRows + channel % layer.groupRows] =
              targets[row * layer.rows + channel]
          }
        }
      }
    }
    try backward.load(["x": inputs.batch(chosen), "w": tensor(weights), "t": wanted])
    try backward.execute()
    guard let gradient = try backward.views().values.first else {
      throw QuantizationError("layer \"\(layer.node)\": no gradient")
    }
    return gradient
  }
}
