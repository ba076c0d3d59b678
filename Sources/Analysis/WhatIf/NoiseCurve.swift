import Foundation

/// What the noise of one layer costs the network, between measured points.
///
/// While noise is small its cost grows with its power (KL is quadratic in the error of the outputs); where it is large,
/// more slowly. So between points the logarithms are interpolated, below the least point cost is proportional to the
/// noise, and above the greatest it goes on as between the last two.
package struct NoiseCurve: Sendable {
  /// Share of the signal at the layer's output, and what the network loses by it.
  package struct Point: Sendable, Hashable {
    package var noise: Double
    package var cost: Double

    package init(noise: Double, cost: Double) {
      self.noise = noise
      self.cost = cost
    }
  }

  private let points: [Point]

  /// - Parameter points: in any order; those without noise or cost say nothing.
  package init(_ points: [Point]) {
    self.points = points.filter { $0.noise > 0 && $0.cost > 0 }.sorted {
      ($0.noise, $0.cost) < ($1.noise, $1.cost)
    }
  }

  package func cost(_ noise: Double) -> Double {
    guard noise > 0, let first = points.first, let last = points.last else { return 0 }
    if noise <= first.noise { return first.cost * noise / first.noise }
    guard let index = points.firstIndex(where: { $0.noise >= noise }) else {
      let slope = points.count > 1 ? Self.slope(points[points.count - 2], last) : 1
      return last.cost * pow(noise / last.noise, Swift.min(Swift.max(slope, 0), 1))
    }
    let (a, b) = (points[index - 1], points[index])
    guard b.noise > a.noise else { return b.cost }
    return a.cost * pow(noise / a.noise, Self.slope(a, b))
  }

  private static func slope(_ a: Point, _ b: Point) -> Double {
    a.noise < b.noise ? log(b.cost / a.cost) / log(b.noise / a.noise) : 1
  }
}
