import Foundation

/// How much accuracy a network loses whose distance from float32 is known: drop = c · (1 − exp(−(cost / κ)^β)).
///
/// It rises from nothing to c, what guessing loses. κ and β are those of the least squared distance from measured
/// networks among 80 × 26 values.
package struct DropCurve: Sendable, Hashable, Codable {
  package struct Point: Sendable, Hashable {
    /// Predicted.
    package var cost: Double
    /// Measured, 0…1.
    package var drop: Double

    package init(cost: Double, drop: Double) {
      self.cost = cost
      self.drop = drop
    }
  }

  private var ceiling: Double
  private var scale: Double
  private var exponent: Double

  /// - Parameters:
  ///   - points: at least one that costs something.
  ///   - ceiling: top-1 of float32 less that of guessing, 0…1.
  package init?(_ points: [Point], ceiling: Double) {
    let points = points.filter { $0.cost > 0 && $0.cost.isFinite }
    guard ceiling > 0, !points.isEmpty else { return nil }
    self.ceiling = ceiling
    (scale, exponent) = (1, 1)
    var least = Double.infinity
    for step in 0..<80 {
      let scale = pow(10, -3 + 5 * Double(step) / 79)
      for exponent in stride(from: 0.4, through: 1.65, by: 0.05) {
        let error = points.reduce(0) { sum, point in
          let distance = Self.drop(point.cost, ceiling, scale, exponent) - point.drop
          return sum + distance * distance
        }
        if error < least { (least, self.scale, self.exponent) = (error, scale, exponent) }
      }
    }
  }

  /// 0…1.
  package func drop(_ cost: Double) -> Double { Self.drop(cost, ceiling, scale, exponent) }

  private static func drop(_ cost: Double, _ ceiling: Double, _ scale: Double, _ exponent: Double) -> Double {
    cost > 0 ? ceiling * (1 - exp(-pow(cost / scale, exponent))) : 0
  }
}
