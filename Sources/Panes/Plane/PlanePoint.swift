import Interface

/// What has a place on a plane.
protocol PlanePoint {
  associatedtype ID: Hashable
  var id: ID { get }
  var at: Chart.Position { get }
}

extension Array where Element: PlanePoint {
  /// The point that comes next along an axis, so that both ways along either one reach every point.
  ///
  /// Of points at the same place later ones lie to the right and above.
  func next(from id: Element.ID, _ direction: PlaneStep.Direction, in whole: PlaneSight.Reaches) -> Element? {
    let isSideways = direction == .left || direction == .right
    let order = indices.compactMap { index -> (first: Double, second: Double, index: Int)? in
      guard let x = whole.x.fraction(self[index].at.x), let y = whole.y.fraction(self[index].at.y) else {
        return nil
      }
      return (isSideways ? x : y, isSideways ? y : x, index)
    }.sorted { $0 < $1 }
    guard let here = order.firstIndex(where: { self[$0.index].id == id }) else { return nil }
    let next = here + (direction == .right || direction == .up ? 1 : -1)
    return order.indices.contains(next) ? self[order[next].index] : nil
  }

  /// The point at or beside a cell.
  func nearest(to cell: Point, _ frame: Chart.Frame) -> Element? {
    let near = compactMap { point -> (point: Element, distance: Int)? in
      guard let at = frame.cell(of: point.at) else { return nil }
      let distance = Swift.max(abs(at.x - cell.x), abs(at.y - cell.y))
      return distance <= 1 ? (point, distance) : nil
    }
    return near.min { $0.distance < $1.distance }?.point
  }

  /// The points in sight.
  func inSight(_ seen: PlaneSight.Reaches) -> Int {
    count { seen.x.place($0.at.x) != nil && seen.y.place($0.at.y) != nil }
  }
}
