import Graph
import Operators
import Tensors

/// The weight of a layer as rows by features, whatever its operator: each group of a convolution multiplies the patches
/// of its channels, a product of matrices its rows.
struct LayerMatrix {
  let node: String
  let weight: ValueName
  let role: WeightRole
  let shape: Shape
  let groups: Int
  /// Output channels, over all groups.
  let rows: Int
  /// Weights of one row.
  let features: Int
  private let rowStride: Int
  private let featureStride: Int

  /// `nil` for an operator that is no convolution or product with a matrix.
  init?(_ node: String, _ role: WeightRole, _ encoded: EncodedGraph) {
    guard let found = encoded.graph.nodes.first(where: { $0.name == node }), role.activation != nil,
      let weight = found.inputs[role.input], encoded.weights[weight] != nil,
      let shape = encoded.graph.constants[weight]?.shape
    else { return nil }
    (self.node, self.weight, self.role, self.shape) = (node, weight, role, shape)
    isMatrix = !(found.op is Conv)
    if let conv = found.op as? Conv {
      groups = conv.groups
      rows = shape[0]
      features = shape.dropFirst().reduce(1, *)
      (rowStride, featureStride) = (features, 1)
    } else if found.op is Gemm || found.op is MatMul, shape.count == 2 {
      groups = 1
      rows = shape[role.channelAxis]
      features = shape[role.featureAxis]
      (rowStride, featureStride) = role.channelAxis == 0 ? (features, 1) : (1, rows)
    } else {
      return nil
    }
    guard rows > 0, features > 0, rows % groups == 0 else { return nil }
  }

  /// Whether it is a plain matrix, whose groups of scales run along the features.
  let isMatrix: Bool

  /// Rows of one group.
  var groupRows: Int { rows / groups }

  /// The place of a weight in its tensor.
  func element(row: Int, feature: Int) -> Int { row * rowStride + feature * featureStride }

  /// The places in the tensor of the weights as `[groups, features, rows of a group]`.
  var elements: [Int] {
    (0..<groups).flatMap { group in
      (0..<features).flatMap { feature in
        (0..<groupRows).map { element(row: group * groupRows + $0, feature: feature) }
      }
    }
  }

  /// What the layer multiplies with its rows: float32 `[samples, groups, features, positions]` of a convolution, the
  /// patches it reads, which are what it gives with one-hot filters; `[positions, features]` of a product.
  ///
  /// - Parameters:
  ///   - op: the layer's operator.
  ///   - input: the value it reads.
  func patches(of input: ValueName, _ op: any Operator, _ writer: inout NodeWriter) -> ValueName {
    guard op is Conv else { return writer.reshape(input, to: [-1, features]) }
    let filters = Tensor(of: Float.self, shape: [groups * features] + shape.dropFirst()) { out in
      for filter in 0..<groups * features { out[filter * features + filter % features] = 1 }
    }
    let patches = writer.add(
      op, [input, writer.constant(filters, "\(weight).one-hot")], "\(weight).patches")
    return writer.reshape(patches, to: [0, groups, features, -1])
  }

  /// Bytes of the patches of as many positions.
  func patchBytes(positions: Int) -> Int { 4 * groups * features * positions }
}
