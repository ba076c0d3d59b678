import Graph

/// The families that make layers and move data: convolution, pooling, normalisation, recurrence, attention, shape and
/// data movement, quantization.
extension Catalog {
  static let layerOperators: [any Operator.Type] = []
}
