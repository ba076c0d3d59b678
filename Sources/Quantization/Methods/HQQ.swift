import Foundation
import Tensors

/// Half-quadratic quantization: scales and zero points for which few weights are far from their codes, by the weights
/// alone.
///
/// What is made small is Σ |w − ŵ|^p of each cell. The error is split off, e = shrink(w − ŵ), which leaves least squares
/// for w − e; the two are solved in turn, the coupling β growing. Errors count in steps of the scale, so that the result
/// does not depend on the size of the weights. The authors keep the scale and find a real zero point. Here zero points
/// are codes, where they move nothing but the ends of the range; so the scale is found in the same way after them, and
/// alone where the encoding is symmetric.
///
/// The best round is kept, of which the first is rounding to nearest: no cell ends with a larger error than that.
/// - Source: Badri & Shaji, *Half-quadratic quantization of large machine learning models*, 2023, with its numbers.
enum HQQ {
  static let iterations = 20
  static let power = 0.7
  static let beta = 10.0
  static let growth = 1.01

  /// sign(x) · max(|x| − |x|^(p−1) / β, 0): what makes |e|^p + β/2 · (e − x)² small, nearly.
  static func shrunk(_ x: Double, beta: Double) -> Double {
    let size = abs(x)
    guard size > 0 else { return 0 }
    return (x < 0 ? -1 : 1) * max(size - pow(size, power - 1) / beta, 0)
  }
}

extension WeightEncoder {
  /// The best numbers that twenty rounds reach from `start`.
  func splitHalfQuadratically(
    _ start: WeightScales, _ weights: UnsafeBufferPointer<Float>
  ) -> WeightScales {
    var (best, current) = (start, start)
    var least = [Double](repeating: .infinity, count: start.scales.count)
    var beta = HQQ.beta
    for iteration in 0...HQQ.iterations {
      let fits = fits(weights, current, beta: beta)
      for cell in fits.indices where !start.isZero[cell] {
        if fits[cell].error < least[cell] {
          least[cell] = fits[cell].error
          best.scales[cell] = current.scales[cell]
          best.zeroPoints[cell] = current.zeroPoints[cell]
        }
        guard iteration < HQQ.iterations else { continue }
        let (scale, zero) = fits[cell].solved(current.scales[cell], current.zeroPoints[cell], scheme)
        current.scales[cell] = scale
        current.zeroPoints[cell] = zero
      }
      beta *= HQQ.growth
    }
    return best
  }

  private func fits(
    _ weights: UnsafeBufferPointer<Float>, _ numbers: WeightScales, beta: Double
  ) -> [CellFit] {
    var fits = [CellFit](repeating: CellFit(), count: numbers.scales.count)
    fits.withUnsafeMutableBufferPointer { fits in
      forEachRounded(weights, numbers) { index, cell, steps in
        fits[cell].add(weights[index], steps, numbers.scales[cell], beta)
      }
    }
    return fits
  }
}

/// Sums over a cell: of q, the codes without the zero point, and t, the weights without the error split off.
private struct CellFit {
  /// Σ |w − ŵ|^p.
  var error = 0.0
  private var count = 0.0
  private var codes = 0.0
  private var targets = 0.0
  private var squares = 0.0
  private var products = 0.0

  mutating func add(_ weight: Float, _ steps: Float, _ scale: Float, _ beta: Double) {
    let (w, q, s) = (Double(weight), Double(steps), Double(scale))
    let distance = w - Double(steps * scale)
    error += distance == 0 ? 0 : pow(abs(distance), HQQ.power)
    let t = w - HQQ.shrunk(distance / s, beta: beta) * s
    count += 1
    codes += q
    targets += t
    squares += q * q
    products += q * t
  }

  /// The zero point that fits the codes to the targets, rounded, then the scale that does.
  func solved(_ scale: Float, _ zero: Int32, _ scheme: Scheme) -> (scale: Float, zero: Int32) {
    var moved = 0.0
    if scheme.symmetry == .affine {
      let wanted = Double(zero) + (codes - targets / Double(scale)) / count
      let (lowest, highest) = (Double(scheme.codes.lowerBound), Double(scheme.codes.upperBound))
      moved = min(max(wanted.rounded(.toNearestOrEven), lowest), highest) - Double(zero)
    }
    let squares = squares - 2 * moved * codes + moved * moved * count
    let products = products - moved * targets
    let new = Float(products / squares)
    // No codes but zero, or none of the sign: the scale stays.
    let isUsable = squares > 0 && new.isNormal && (new < 0) == (scale < 0)
    return (isUsable ? new : scale, zero + Int32(moved))
  }
}
