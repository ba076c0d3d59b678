/// A uniform format of blocks of 32 whose scale, and minimum if it has one, are float16.
///
/// Without importance the reference's encoder says scale and codes; with it they are searched.
protocol SmallBlocks: UniformBlocks {
  static var search: HalfScaleSearch { get }

  /// Writes a block; `codes` hold the low byte of each.
  func pack(
    scale: Float, minimum: Float, codes: UnsafePointer<UInt8>, into block: UnsafeMutableRawPointer)

  /// Scale, minimum and codes as the reference has them.
  func reference(_ x: UnsafePointer<Float>, into codes: UnsafeMutablePointer<UInt8>) -> (
    scale: Float, minimum: Float
  )
}

extension SmallBlocks {
  package var elements: Int { 32 }
  package var hasMinimums: Bool { Self.search.hasMinimums }
  var group: Int { 32 }

  /// d = x of the largest magnitude / −2^(bits−1), q = ⌊x / d + 2^(bits−1) + ½⌋; (max − min) / (2^bits − 1) and the
  /// same from the minimum where there is one.
  func reference(_ x: UnsafePointer<Float>, into codes: UnsafeMutablePointer<UInt8>) -> (
    scale: Float, minimum: Float
  ) {
    let range = CodeRange.affine(bits)
    let (low, high) = extremes(x, 32)
    let half = (range.highest + 1) / 2
    let (scale, minimum) =
      hasMinimums ? ((high - low) / range.highest, low) : (firstExtreme(x, 32, low, high) / -half, 0)
    let inverse = reciprocal(scale)
    let shift = hasMinimums ? 0.5 : half + 0.5
    // In the low byte, where the code is, 256 − half is −half.
    let unit = hasMinimums ? roundingUnit : roundingUnit + 256 - half
    for i in stride(from: 0, to: 32, by: 4) {
      let position = range.clamp((x.quad(i) - minimum) * inverse + shift)
      let near = (position + roundingUnit) - roundingUnit
      let whole = near.replacing(with: near - 1, where: near .> position)
      lowBytes(whole + unit, into: codes + i)
    }
    return (scale, minimum)
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 32 == 0, "\(name) holds whole blocks of 32")
    let search = Self.search
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 64) { floats in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { bytes in
        guard let scratch = floats.baseAddress, let codes = bytes.baseAddress else { return }
        for block in 0..<count / 32 {
          let x = row + 32 * block
          let (scale, minimum) =
            importance.map {
              search.find(x, importance: $0 + 32 * block, count: 32, scratch: scratch, into: codes)
            } ?? reference(x, into: codes)
          pack(scale: scale, minimum: minimum, codes: codes, into: blocks + self.bytes * block)
        }
      }
    }
  }
}
