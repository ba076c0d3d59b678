import Foundation

/// What layers cost together that cost so much alone: (Σ cᵖ)^(1/p).
///
/// KL is quadratic in the error of the outputs, so costs of independent errors add up (p = 1), and those of errors that
/// point the same way grow as the square of their sum (p = ½). Deep networks with residual sums lie between, plain ones
/// near 1; so p is fitted to whole networks. One layer alone costs what it costs, whatever p.
package struct LayerSum: Sendable, Hashable {
  /// A whole network.
  package struct Point: Sendable, Hashable {
    /// Of its layers alone.
    package var layers: [Double]
    /// Of all together, as measured.
    package var cost: Double

    package init(layers: [Double], cost: Double) {
      self.layers = layers
      self.cost = cost
    }
  }

  package private(set) var exponent = 1.0

  package init() {}

  /// The exponent among 0.4, 0.45 … 1 whose costs are nearest to those measured, by the squared distance of logarithms.
  package init(_ points: [Point]) {
    var least = Double.infinity
    for step in 0...12 {
      let candidate = LayerSum(exponent: 1 - 0.05 * Double(step))
      let error = points.reduce(0) { sum, point in
        let predicted = candidate.cost(point.layers)
        guard predicted > 0, point.cost > 0 else { return sum }
        return sum + pow(log(predicted / point.cost), 2)
      }
      if error < least { (least, self) = (error, candidate) }
    }
  }

  private init(exponent: Double) { self.exponent = exponent }

  package func cost(_ layers: [Double]) -> Double {
    pow(layers.reduce(0) { $0 + pow($1, exponent) }, 1 / exponent)
  }
}
