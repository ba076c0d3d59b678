/// Ranges one below the other on a common scale: `├──███──┤`, a line from end to end and a box in it.
package struct ChannelStrip: Sendable {
  package struct Row: Hashable, Sendable {
    /// From end to end.
    package var line: ClosedRange<Double>
    /// What most of it lies in.
    package var box: ClosedRange<Double>
    package var style: Style

    package init(line: ClosedRange<Double>, box: ClosedRange<Double>, _ style: Style) {
      self.line = line
      self.box = box
      self.style = style
    }
  }

  package var range: ClosedRange<Double>

  package init(range: ClosedRange<Double>) { self.range = range }

  /// The column of a value, `width` columns wide; what lies outside is at the edge.
  package func column(_ value: Double, width: Int) -> Int {
    let length = range.upperBound - range.lowerBound
    guard length > 0, value.isFinite, width > 0 else { return 0 }
    let place = (value - range.lowerBound) / length * Double(width - 1)
    return Int(min(max(place, 0), Double(width - 1)).rounded())
  }

  /// One row as pieces that are `width` columns wide together.
  package func runs(_ row: Row, width: Int) -> [Run] {
    guard width > 0 else { return [] }
    var characters = [Character](repeating: " ", count: width)
    let (left, right) = (column(row.line.lowerBound, width: width), column(row.line.upperBound, width: width))
    for x in left...max(left, right) { characters[x] = "─" }
    let box =
      column(
        row.box.lowerBound, width: width)...max(
        column(row.box.lowerBound, width: width), column(row.box.upperBound, width: width))
    for x in box { characters[x] = "█" }
    if left < box.lowerBound { characters[left] = "├" }
    if right > box.upperBound { characters[right] = "┤" }
    return [Run(String(characters), row.style)]
  }

  /// The ends of the scale, and zero where it lies between them.
  package func scale(width: Int) -> String {
    var text = Array(repeating: Character(" "), count: max(width, 0))
    func put(_ label: String, at start: Int) {
      guard start >= 0, start + label.count <= width else { return }
      for (offset, character) in label.enumerated() { text[start + offset] = character }
    }
    let ends = [range.lowerBound, range.upperBound].map { Numbers.significant($0, 2) }
    let zero = column(0, width: width)
    if range.contains(0), zero > ends[0].count, zero < width - ends[1].count - 1 { put("0", at: zero) }
    put(ends[0], at: 0)
    put(ends[1], at: width - ends[1].count)
    return String(text)
  }
}
