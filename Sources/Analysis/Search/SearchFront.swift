import Foundation
import Quantization

/// What a search has found so far: the predicted front, and on it and beside it the networks that were measured.
package struct SearchFront: Sendable, Hashable, Codable {
  package struct Point: Sendable, Hashable {
    /// Which option each group of layers has; tells points apart.
    package var picks: [Int]
    package var recipe: Recipe
    /// Layers by option.
    package var layers: [String: Int]
    package var bytes: Int
    /// Time over float32's, where layers were timed.
    package var latencyRatio: Double?
    /// Whether that is of the network itself, not added up from its layers.
    package var isTimed = false
    /// Sum of what the layers cost alone: KL in nats, or noise over signal for networks without classes.
    package var predicted: Double
    /// On the samples that choose; `nil` for a prediction.
    package var measured: SearchReport.Distance?
    /// The same as `predicted`, measured.
    package var distance: Double?
    /// The result of the search.
    package var isChosen = false

    package init(
      picks: [Int], recipe: Recipe, layers: [String: Int], bytes: Int, latencyRatio: Double? = nil,
      predicted: Double
    ) {
      self.picks = picks
      self.recipe = recipe
      self.layers = layers
      self.bytes = bytes
      self.latencyRatio = latencyRatio
      self.predicted = predicted
    }

    /// `11×W4 9×W8`.
    package var layersText: String { SearchReport.text(layers) }
  }

  package var goal: SearchGoal
  /// Whether the front is drawn over time instead of size.
  package var overTime: Bool
  package var floatBytes: Int
  /// Whether costs are KL in nats, else noise over signal.
  package var hasClasses: Bool
  /// The bound on what it is drawn over, as a share of float32's.
  package var budget: Double?
  /// Smallest first.
  package var points: [Point] = []

  package init(
    goal: SearchGoal, overTime: Bool, floatBytes: Int, hasClasses: Bool = true, budget: Double? = nil
  ) {
    self.goal = goal
    self.overTime = overTime
    self.floatBytes = floatBytes
    self.hasClasses = hasClasses
    self.budget = budget
  }

  /// What a point takes of what the front is drawn over, as a share of float32's.
  package func share(_ point: Point) -> Double {
    overTime ? point.latencyRatio ?? 1 : Double(point.bytes) / Double(Swift.max(floatBytes, 1))
  }

  /// Puts a point in its place, instead of an older one of the same network.
  package mutating func put(_ point: Point) {
    points.removeAll { $0.picks == point.picks }
    let place = points.firstIndex { share($0) > share(point) } ?? points.count
    points.insert(point, at: place)
  }

  /// What predictions have to be multiplied by: the median over the points that were measured.
  ///
  /// Errors of layers meet, mostly in the same way along the front.
  package var correction: Double {
    let ratios = points.compactMap { point in
      point.predicted > 0 ? point.distance.map { $0 / point.predicted } : nil
    }.sorted()
    return ratios.isEmpty ? 1 : ratios[ratios.count / 2]
  }

  /// The cost of a point: measured, else predicted and corrected.
  package func cost(_ point: Point) -> Double { point.distance ?? point.predicted * correction }

  /// Index of the point with the least cost within a share of what float32 takes; the smallest where none is.
  package func best(within budget: Double) -> Int? {
    let correction = correction
    let inside = points.indices.filter { share(points[$0]) <= budget * (1 + 1e-9) }
    guard !inside.isEmpty else { return points.isEmpty ? nil : 0 }
    return inside.min { a, b in
      (points[a].distance ?? points[a].predicted * correction)
        < (points[b].distance ?? points[b].predicted * correction)
    }
  }
}
