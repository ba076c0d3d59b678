import Interface
import Panes

/// Where everything is: a function of the size and of what the user chose to see.
package struct Layout: Sendable, Hashable {
  package enum Zoom: Sendable, Hashable {
    case normal
    /// The focused pane takes half of the screen.
    case half
    /// The focused pane takes it all.
    case full
  }

  /// A pane with its frame; several panes that share a place are tabs, of which one shows.
  package struct Place: Sendable, Hashable {
    package var shown: PaneKind
    package var tabs: [PaneKind]
    package var area: Rect
  }

  /// A line between panes that can be moved.
  package struct Divider: Sendable, Hashable {
    package var split: Proportions.Split
    /// Between panes side by side.
    package var isVertical: Bool
    /// The two lines of frames that meet there.
    package var grip: Rect
    /// Where what is divided begins, and how long it is.
    var start: Int
    var length: Int
    /// Cells before the line, and how few and many there may be so that no pane gets too small.
    var before: Int
    var allowed: ClosedRange<Int>

    /// The first column or row after the line.
    package var position: Int { start + before }

    /// The share before the line once it begins at a column or row, or as near as it may.
    package func share(at position: Int) -> Double {
      let before = Swift.min(Swift.max(position - start, allowed.lowerBound), allowed.upperBound)
      return (Double(before)) / Double(Swift.max(length, 1))
    }
  }

  package var header: Rect
  package var places: [Place]
  package private(set) var dividers: [Divider] = []
  private let proportions: Proportions
  package var status: Rect
  package var footer: Rect
  /// What is missing when the screen is too small for panes.
  package var isTooSmall: Bool

  package static let minimum = Size(width: 60, height: 16)
  static let twoColumns = Size(width: 80, height: 24)
  static let full = Size(width: 110, height: 30)

  /// - Parameters:
  ///   - focus: the pane with the keyboard, which is always seen.
  ///   - tab: the pane last looked at among those that share a place.
  ///   - plot: the one of `plots` last looked at.
  ///   - proportions: lines that were moved; where a pane takes half of the screen they stay where they are.
  package init(
    size: Size, focus: PaneKind, tab: PaneKind, plot: PaneKind = .histogram, zoom: Zoom,
    proportions: Proportions = Proportions()
  ) {
    self.proportions = proportions
    let screen = Rect(x: 0, y: 0, width: size.width, height: size.height)
    header = screen.row(0)
    footer = screen.row(size.height - 1)
    status = screen.row(size.height - 2)
    places = []
    isTooSmall = size.width < Self.minimum.width || size.height < Self.minimum.height
    guard !isTooSmall else { return }
    let body = screen.inset(top: 1, bottom: 2)
    if zoom == .full {
      places = [Place(shown: focus, tabs: [focus], area: body)]
    } else if size.width >= Self.full.width, size.height >= Self.full.height {
      fullLayout(body, focus, plot, zoom)
    } else if size.width >= Self.twoColumns.width, size.height >= Self.twoColumns.height {
      twoColumnLayout(body, focus, tab, zoom)
    } else {
      places = [Place(shown: focus, tabs: PaneKind.allCases, area: body)]
    }
  }

  /// Panes that share the place of the histogram where every other one has its own.
  package static let plots: [PaneKind] = [.histogram, .training, .roofline]

  private mutating func fullLayout(_ body: Rect, _ focus: PaneKind, _ plot: PaneKind, _ zoom: Zoom) {
    let isLeft = [.layers, .config, .log].contains(focus)
    let share = zoom == .half ? (isLeft ? 2 : 1) : 0
    let isFixed = zoom == .half
    let columns = divide(
      body, isVertical: true, isFixed: isFixed, [.columns],
      [
        Part(.share(share == 0 ? 5 : share == 2 ? 6 : 4, minimum: 44), least: 34),
        Part(.share(share == 0 ? 7 : share == 2 ? 5 : 8, minimum: 50), least: 42),
      ])
    let left = divide(
      columns[0], isVertical: false, isFixed: isFixed, [.layersFromConfig, .configFromLog],
      [
        Part(.share(12, minimum: 8), least: 6), Part(.fixed(13), least: 5),
        Part(.share(6, minimum: 4), least: 4),
      ])
    let right = divide(
      columns[1], isVertical: false, isFixed: isFixed, [.compareFromPlots, .plotsFromJobs],
      [
        Part(.share(11, minimum: 8), least: 6), Part(.share(11, minimum: 7), least: 7),
        Part(.fixed(6), least: 4),
      ])
    let middle = divide(
      right[1], isVertical: true, isFixed: isFixed, [.paretoFromHistogram],
      [Part(.share(1, minimum: 20), least: 20), Part(.share(1, minimum: 20), least: 20)])
    places = [
      Place(shown: .layers, tabs: [.layers], area: left[0]),
      Place(shown: .config, tabs: [.config], area: left[1]),
      Place(shown: .compare, tabs: [.compare], area: right[0]),
      Place(shown: .pareto, tabs: [.pareto], area: middle[0]),
      Place(shown: Self.plots.contains(focus) ? focus : plot, tabs: Self.plots, area: middle[1]),
      Place(shown: .jobs, tabs: [.jobs], area: right[2]),
      Place(shown: .log, tabs: [.log], area: left[2]),
    ]
  }

  private mutating func twoColumnLayout(_ body: Rect, _ focus: PaneKind, _ tab: PaneKind, _ zoom: Zoom) {
    let shared: [PaneKind] = [.compare, .pareto, .histogram, .jobs, .log, .training, .roofline]
    let isLower = shared.contains(focus)
    let rows = divide(
      body, isVertical: false, isFixed: zoom == .half, [.upperFromTabs],
      [
        Part(.share(zoom == .half && isLower ? 1 : 13, minimum: 7), least: 6),
        Part(.share(zoom == .half && isLower ? 2 : 9, minimum: 6), least: 6),
      ])
    let wide = zoom == .half && !isLower
    let upper = divide(
      rows[0], isVertical: true, isFixed: zoom == .half, [.layersBesideConfig],
      [
        Part(.share(wide && focus == .config ? 4 : 6, minimum: 34), least: 30),
        Part(.share(wide && focus == .config ? 6 : 4, minimum: 30), least: 26),
      ])
    places = [
      Place(shown: .layers, tabs: [.layers], area: upper[0]),
      Place(shown: .config, tabs: [.config], area: upper[1]),
      Place(shown: isLower ? focus : shared.contains(tab) ? tab : .compare, tabs: shared, area: rows[1]),
    ]
  }

  // MARK: Lines between panes

  /// One of several parts: what it takes by itself, and the least that moving a line leaves it.
  private struct Part {
    var extent: Extent
    var least: Int

    init(_ extent: Extent, least: Int) {
      self.extent = extent
      self.least = least
    }
  }

  /// Parts side by side or one below the other, with the lines between them where the user put them.
  private mutating func divide(
    _ area: Rect, isVertical: Bool, isFixed: Bool, _ splits: [Proportions.Split], _ parts: [Part]
  ) -> [Rect] {
    let length = isVertical ? area.width : area.height
    let sizes = Extent.divide(length, among: parts.map(\.extent))
    guard !isFixed else { return Self.rects(area, sizes, isVertical) }
    /// Cells before each line.
    var lines: [Int] = []
    for (index, split) in splits.enumerated() {
      let usual = sizes[...index].reduce(0, +)
      let wanted = proportions[split].map { Int(($0 * Double(length)).rounded()) } ?? usual
      let most = length - parts[(index + 1)...].reduce(0) { $0 + $1.least }
      lines.append(Swift.max(Swift.min(wanted, most), (lines.last ?? 0) + parts[index].least))
    }
    let ends = [0] + lines + [length]
    let start = isVertical ? area.x : area.y
    for (index, split) in splits.enumerated() {
      let at = start + lines[index]
      dividers.append(
        Divider(
          split: split, isVertical: isVertical,
          grip: isVertical
            ? Rect(x: at - 1, y: area.y, width: 2, height: area.height)
            : Rect(x: area.x, y: at - 1, width: area.width, height: 2), start: start, length: length,
          before: lines[index],
          allowed: ends[index]
            + parts[index].least...Swift.max(
              ends[index + 2] - parts[index + 1].least, ends[index] + parts[index].least)))
    }
    return Self.rects(area, zip(ends.dropFirst(), ends).map { $0 - $1 }, isVertical)
  }

  private static func rects(_ area: Rect, _ sizes: [Int], _ isVertical: Bool) -> [Rect] {
    isVertical ? area.columns(sizes.map { .fixed($0) }) : area.rows(sizes.map { .fixed($0) })
  }

  /// The line under the pointer; the one between columns where two meet.
  package func divider(at point: Point) -> Divider? {
    dividers.filter { $0.grip.contains(point) }.first(where: \.isVertical)
      ?? dividers.first { $0.grip.contains(point) }
  }

  /// The line that makes a pane wider or higher, and which way it has to go for that: the one on its right or below it,
  /// else the other.
  package func divider(of kind: PaneKind, isVertical: Bool) -> (divider: Divider, way: Int)? {
    guard let area = place(of: kind)?.area else { return nil }
    let near = dividers.filter { $0.isVertical == isVertical && !$0.grip.intersection(area).isEmpty }
    if let after = near.first(where: { $0.position == (isVertical ? area.maxX : area.maxY) }) {
      return (after, 1)
    }
    return near.first { $0.position == (isVertical ? area.x : area.y) }.map { ($0, -1) }
  }

  package func place(of kind: PaneKind) -> Place? { places.first { $0.shown == kind } }
}
