/// A constant in integers: one code per element, each in an `int8` (symmetric) or `uint8` (affine) of its own,
/// whatever the width; packing is the business of kernels and files.
package struct EncodedTensor: Sendable {
  /// `int8` or `uint8`, the shape of the float tensor it replaces.
  package let codes: Tensor
  package let encoding: Encoding
  /// Of a block format: the bytes as files hold them, uint8 `[rows, bytes of a row]`.
  package let blocks: Tensor?

  package init(codes: Tensor, encoding: Encoding, blocks: Tensor? = nil) {
    precondition(codes.type == .int8 || codes.type == .uint8)
    self.blocks = blocks
    self.codes = codes
    self.encoding = encoding
  }

  /// Shape of the scales: the tensor's shape with every axis 1, except the channel axis (kept), and for groups
  /// the group axis (⌈size / group⌉) and all remaining axes (kept: groups run per tap).
  package static func scaleShape(of shape: Shape, encoding: Encoding) -> Shape {
    switch encoding.scheme.granularity {
    case .tensor: return shape.map { _ in 1 }
    case .channel: return shape.indices.map { $0 == encoding.channelAxis ? shape[$0] : 1 }
    case .group(let size):
      return shape.indices.map { $0 == encoding.groupAxis ? (shape[$0] + size - 1) / size : shape[$0] }
    }
  }
}
