/// The choices that no other beats in both cost and gain.
package enum ParetoFront {
  /// Indices of the front, by rising cost; of equal choices only the first.
  package static func indices(_ points: [(cost: Double, gain: Double)]) -> [Int] {
    var best = -Double.infinity
    let order = points.indices.sorted {
      (points[$0].cost, -points[$0].gain, $0) < (points[$1].cost, -points[$1].gain, $1)
    }
    return order.filter { index in
      guard points[index].gain > best else { return false }
      best = points[index].gain
      return true
    }
  }
}
