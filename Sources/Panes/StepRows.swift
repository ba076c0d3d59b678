import Analysis
import Interface
import Workbench
import Workflows

/// What the rows of the Roofline view are ordered by.
struct StepSort: Sendable {
  enum Key: String, CaseIterable {
    case order, time, roof
  }

  private(set) var key = Key.order
  var isDescending = false

  /// Goes to the next key, in the direction that shows first what matters: the slowest, the farthest from the roof.
  mutating func next() {
    let all = Key.allCases
    key = all[((all.firstIndex(of: key) ?? 0) + 1) % all.count]
    isDescending = key == .time
  }

  func sorted(_ rows: [Roofline.Row]) -> [Roofline.Row] {
    let ascending =
      switch key {
      case .order: rows
      case .time: rows.sorted { $0.ms < $1.ms }
      case .roof: rows.sorted { $0.fraction < $1.fraction }
      }
    return isDescending ? ascending.reversed() : ascending
  }
}

/// The rows of the Roofline view as the Layers pane has them: filtered, sorted, beside the layers they belong to.
struct StepRows {
  /// `nil` where there is no candidate.
  let shown: ShownSteps?
  let rows: [Roofline.Row]
  /// Steps there are, whether they match or not.
  let total: Int
  private let isLayer: @Sendable (String) -> Bool

  /// `nil` where the usual table of layers is seen.
  init?(_ state: State, filter: String, sort: StepSort) {
    guard state.steps.view != nil else { return nil }
    shown = state.shownSteps
    let matcher = LayerMatcher(filter, state)
    let list = state.layerList
    let isLayer: @Sendable (String) -> Bool = { list[$0] != nil }
    let steps = shown?.variant?.steps ?? []
    let matches = matcher.test()
    rows = sort.sorted(
      steps.filter { matches($0.name, $0.kernel, Self.layer(of: $0, isLayer)) })
    total = steps.count
    self.isLayer = isLayer
  }

  /// The layer that gives a step its kernel, else one that fuses into it; `nil` for a conversion.
  func layer(of row: Roofline.Row) -> String? { Self.layer(of: row, isLayer) }

  static func layer(of row: Roofline.Row, _ isLayer: (String) -> Bool) -> String? {
    ([row.name] + row.nodes).first { row.nodes.contains($0) && isLayer($0) }
  }

  /// Where the cursor goes so that the step under it belongs to a layer; where it is, when it does or none does.
  func cursor(at layer: String?, from cursor: Int) -> Int {
    guard let layer, !(rows.indices.contains(cursor) && rows[cursor].nodes.contains(layer)) else {
      return cursor
    }
    return rows.firstIndex { self.layer(of: $0) == layer } ?? rows.firstIndex { $0.nodes.contains(layer) }
      ?? cursor
  }

  /// The layer of the step at the cursor, or of the nearest before it that has one.
  func layer(near cursor: Int) -> String? {
    rows.prefix(cursor + 1).reversed().lazy.compactMap(layer).first
      ?? rows.lazy.compactMap(layer).first
  }
}
