/// The whole range that was seen.
package struct MinMaxObserver: Observer {
  package private(set) var seen = Extremes()

  package init() {}

  package mutating func observe(_ values: Span<Float>, extremes: Extremes) { seen.merge(extremes) }
  package mutating func merge(_ later: MinMaxObserver) { seen.merge(later.seen) }
  package func range(bits: Int, symmetric: Bool) -> ClosedRange<Float> { seen.lowest...seen.highest }
}
