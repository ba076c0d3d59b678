import Graph
import Tensors

/// Elements brought to mean 0 (unless `isRootMeanSquare`) and variance 1 over some of their axes, as graph, and the
/// gradient through that.
struct NormalizedForm {
  /// The elements n = (x − mean) / deviation.
  let normalized: ValueName
  /// 1 / deviation, in a shape that broadcasts to x.
  private let inverse: ValueName
  private let isRootMeanSquare: Bool
  private let mean: (ValueName, inout GraphBuilder) throws -> ValueName

  /// - Parameter mean: adds the means over the axes, in a shape that broadcasts to x.
  init(
    _ x: ValueName, epsilon: Float, isRootMeanSquare: Bool = false, _ builder: inout GraphBuilder,
    mean: @escaping (ValueName, inout GraphBuilder) throws -> ValueName
  ) throws {
    self.mean = mean
    self.isRootMeanSquare = isRootMeanSquare
    let centred = isRootMeanSquare ? x : try builder.difference(x, mean(x, &builder))
    let variance = try mean(builder.product(centred, centred), &builder)
    inverse = try builder.add(Reciprocal(), builder.add(Sqrt(), builder.sum(variance, epsilon)))
    normalized = try builder.product(centred, inverse)
  }

  /// The gradient ∂x = (h − mean(h) − n · mean(h · n)) / deviation from h = ∂loss/∂n; without mean(h) where none is
  /// taken out.
  func gradient(_ h: ValueName, _ builder: inout GraphBuilder) throws -> ValueName {
    let along = try builder.product(normalized, mean(builder.product(h, normalized), &builder))
    let centred = isRootMeanSquare ? h : try builder.difference(h, mean(h, &builder))
    return try builder.product(builder.difference(centred, along), inverse)
  }
}
