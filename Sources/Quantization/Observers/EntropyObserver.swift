import Foundation

/// The range whose coarse distribution tells most about the fine one (DESIGN "Entropy"; TensorRT's calibration).
///
/// - 2 048 bins of |x| from 0 to the largest magnitude. For each i = max(128, L)…2048: P = the first i bins with all
///   that lies above added to the last; Q = the first i bins merged into L levels, each spread evenly over its bins that
///   are not empty. Both normalised and smoothed: p′ = (1 − 1e-4)·p + 1e-4 / i.
/// - The threshold T is the upper edge of bin i with the smallest KL(P′‖Q′), the larger i where equal.
/// - L = 2^(bits−1) levels for a tensor of both signs, 2^bits for one sign. A range of both signs is ±T, inside of
///   what was seen. Above 10 bits: the whole range.
package struct EntropyObserver: HistogramObserver {
  package static let binCount = 2048
  static let smoothing = 1e-4

  package var histogram = MagnitudeHistogram()
  package var seen = Extremes()

  package init() {}

  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> {
    let whole = seen.lowest...seen.highest
    guard bits <= widestSearchedBits, seen.magnitude > 0 else { return whole }
    let isTwoSided = seen.lowest < 0 && (seen.highest > 0 || symmetric)
    let magnitude = Double(seen.magnitude)
    let bins = histogram.rebinned(Self.binCount, lower: 0, upper: magnitude, magnitudes: true)
    let last = Self.threshold(bins, levels: 1 << (isTwoSided || symmetric ? bits - 1 : bits))
    let threshold = Float(magnitude * Double(last) / Double(Self.binCount))
    return max(-threshold, seen.lowest)...min(threshold, seen.highest)
  }

  /// The number of bins to keep.
  package static func threshold(_ bins: [Double], levels: Int) -> Int {
    var below = [0.0]
    var filled = [0]
    for count in bins {
      below.append((below.last ?? 0) + count)
      filled.append((filled.last ?? 0) + (count > 0 ? 1 : 0))
    }
    let total = below[bins.count]
    var best = (divergence: Double.infinity, kept: bins.count)
    for kept in (max(128, levels)...max(bins.count, max(128, levels))).reversed() where kept <= bins.count {
      guard below[kept] > 0 else { break }
      let divergence = divergence(bins, kept: kept, levels: levels, below, filled, total)
      if divergence < best.divergence { best = (divergence, kept) }
    }
    return best.kept
  }

  /// KL(P′‖Q′) with the first `kept` bins, to which bins empty in both add nothing.
  private static func divergence(
    _ bins: [Double], kept: Int, levels: Int, _ below: [Double], _ filled: [Int], _ total: Double
  ) -> Double {
    let floor = smoothing / Double(kept)
    let (p, q) = ((1 - smoothing) / total, (1 - smoothing) / below[kept])
    let outliers = total - below[kept]
    var sum = 0.0
    var start = 0
    for level in 0..<levels {
      let end = (level + 1) * kept / levels
      let count = filled[end] - filled[start]
      if count > 0 {
        let logarithm = log(q * (below[end] - below[start]) / Double(count) + floor)
        for bin in start..<end where bins[bin] > 0 && bin < kept - 1 {
          let value = p * bins[bin] + floor
          sum += value * (log(value) - logarithm)
        }
      }
      start = end
    }
    let final = p * (bins[kept - 1] + outliers) + floor
    guard bins[kept - 1] + outliers > 0 else { return sum }
    // The last bin: with the outliers in P; in Q only where it was not empty.
    var share = floor
    if bins[kept - 1] > 0 {
      let start = (levels - 1) * kept / levels
      share += q * (below[kept] - below[start]) / Double(filled[kept] - filled[start])
    }
    return sum + final * (log(final) - log(share))
  }
}
