import Interface
import Testing

@Suite struct LayoutTests {
  @Test func fixedAndShares() {
    #expect(Extent.divide(100, among: [.fixed(10), .share(1), .share(2)]) == [10, 30, 60])
    #expect(Extent.divide(101, among: [.share(1), .share(1)], gap: 1) == [50, 50])
    #expect(Extent.divide(10, among: [.share(1, minimum: 8), .share(9)]) == [8, 2])
    #expect(Extent.divide(3, among: [.fixed(2), .fixed(2), .share(1)]) == [2, 1, 0])
    #expect(Extent.divide(0, among: [.fixed(2), .share(1, minimum: 5)]) == [0, 0])
    #expect(Extent.divide(5, among: []) == [])
  }

  @Test func sharesUseEverythingAndNothingMore() {
    for total in 0...60 {
      for minimum in [0, 3, 30] {
        let extents: [Extent] = [.fixed(3), .share(1, minimum: minimum), .share(2), .share(3, minimum: 5)]
        let sizes = Extent.divide(total, among: extents, gap: 1)
        #expect(sizes.reduce(0, +) == max(0, total - 3))
        #expect(sizes.allSatisfy { $0 >= 0 })
      }
    }
  }

  @Test func rowsAndColumnsStayInside() {
    for width in 0...12 {
      let area = Rect(x: 2, y: 1, width: width, height: 4)
      for part in area.columns([.share(1), .fixed(3), .share(2)], gap: 1) + area.rows([.fixed(1), .share(1)])
      {
        #expect(part.isEmpty || area.intersection(part) == part)
      }
    }
  }

  @Test func rectangles() {
    let area = Rect(x: 1, y: 2, width: 10, height: 4)
    #expect(area.inset(by: 1) == Rect(x: 2, y: 3, width: 8, height: 2))
    #expect(area.inset(by: 9).isEmpty)
    #expect(area.centered(Size(width: 4, height: 2)) == Rect(x: 4, y: 3, width: 4, height: 2))
    #expect(area.centered(Size(width: 99, height: 99)) == area)
    #expect(area.row(1) == Rect(x: 1, y: 3, width: 10, height: 1))
    #expect(area.row(4).isEmpty)
    #expect(area.contains(Point(x: 10, y: 5)) && !area.contains(Point(x: 11, y: 5)))
    #expect(area.intersection(Rect(x: 20, y: 0, width: 3, height: 3)).isEmpty)
  }
}
