import Analysis
import Testing

@Test func theFrontIsWhatNothingBeats() {
  var state: UInt64 = 7
  func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 60)
  }
  for _ in 0..<200 {
    let points = (0..<6).map { _ in (cost: next(), gain: next()) }
    let front = ParetoFront.indices(points)
    for index in points.indices {
      let beaten = points.indices.contains { other in
        let (a, b) = (points[other], points[index])
        let isNoWorse = a.cost <= b.cost && a.gain >= b.gain
        return isNoWorse && (a.cost < b.cost || a.gain > b.gain || other < index)
      }
      #expect(front.contains(index) == !beaten)
    }
    #expect(zip(front, front.dropFirst()).allSatisfy { points[$0].cost < points[$1].cost })
  }
}
