/// A published way to hold weights: blocks of a fixed number of neighbours along a row, each with its own scales.
///
/// Rows are rows of input features; a row is a whole number of blocks. Bytes are exactly those of the published format.
package protocol BlockFormat: Sendable {
  /// As recipes and files write it: `Q4_K`.
  var name: String { get }
  /// Weights in a block.
  var elements: Int { get }
  /// Bytes of a block.
  var bytes: Int { get }

  /// The reals of `count` weights, a whole number of blocks.
  func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>)

  /// Encodes one row of `count` weights, a whole number of blocks.
  ///
  /// - Parameter importance: what the squared error of each of the `count` weights counts; `nil` for the format's plain
  ///   encoder.
  func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer)

  /// The widest code of `unpack`, and how many neighbours share a scale there; `nil` for formats whose reals are no
  /// evenly spaced codes (NF4, MXFP4, codebooks).
  var uniform: (bits: Int, group: Int)? { get }

  /// Whether `unpack` gives minimums, and codes from 0 up: of affine uniform formats.
  var hasMinimums: Bool { get }

  /// What kernels compute with: real = scale · code + minimum; only where there is `uniform`.
  ///
  /// - Parameters:
  ///   - codes: `count` of them, 0…2^bits − 1 where the format `hasMinimums`, else −2^(bits−1)…2^(bits−1) − 1.
  ///   - scales: one for each `uniform.group` neighbours; minimums likewise, all 0 without `hasMinimums`.
  func unpack(
    _ blocks: UnsafeRawPointer, count: Int, codes: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>)
}

extension BlockFormat {
  /// 8 · bytes / elements.
  package var bitsPerWeight: Double { 8 * Double(bytes) / Double(elements) }
}
