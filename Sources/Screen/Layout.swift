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

  package var header: Rect
  package var places: [Place]
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
  package init(size: Size, focus: PaneKind, tab: PaneKind, plot: PaneKind = .histogram, zoom: Zoom) {
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
  package static let plots: [PaneKind] = [.histogram, .training]

  private mutating func fullLayout(_ body: Rect, _ focus: PaneKind, _ plot: PaneKind, _ zoom: Zoom) {
    let isLeft = [.layers, .config, .log].contains(focus)
    let share = zoom == .half ? (isLeft ? 2 : 1) : 0
    let columns = body.columns([
      .share(share == 0 ? 5 : share == 2 ? 6 : 4, minimum: 44),
      .share(share == 0 ? 7 : share == 2 ? 5 : 8, minimum: 50),
    ])
    let left = columns[0].rows([
      .share(12, minimum: 8), .fixed(13), .share(6, minimum: 4),
    ])
    let right = columns[1].rows([
      .share(11, minimum: 8), .share(11, minimum: 7), .fixed(6),
    ])
    let middle = right[1].columns([.share(1, minimum: 20), .share(1, minimum: 20)])
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
    let shared: [PaneKind] = [.compare, .pareto, .histogram, .jobs, .log, .training]
    let isLower = shared.contains(focus)
    let rows = body.rows([
      .share(zoom == .half && isLower ? 1 : 13, minimum: 7),
      .share(zoom == .half && isLower ? 2 : 9, minimum: 6),
    ])
    let wide = zoom == .half && !isLower
    let upper = rows[0].columns([
      .share(wide && focus == .config ? 4 : 6, minimum: 34),
      .share(wide && focus == .config ? 6 : 4, minimum: 30),
    ])
    places = [
      Place(shown: .layers, tabs: [.layers], area: upper[0]),
      Place(shown: .config, tabs: [.config], area: upper[1]),
      Place(shown: isLower ? focus : shared.contains(tab) ? tab : .compare, tabs: shared, area: rows[1]),
    ]
  }

  package func place(of kind: PaneKind) -> Place? { places.first { $0.shown == kind } }
}
