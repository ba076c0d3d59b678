import Workbench
import Workflows

/// The rows of the table of layers: filtered and sorted.
struct LayerRows: Sendable {
  /// What the rows are worked out from, once for each change of it.
  struct Question: Sendable, Equatable {
    var matcher: LayerMatcher
    var sort: LayersPane.Sort
    var isDescending: Bool
  }

  let rows: [LayerView]
  /// The layer of each row.
  let names: [String?]
  /// Layers that match, of all.
  let matching: Int
  let total: Int
  /// float32 bytes of the layers that match.
  let bytes: Int
  private let places: [String: Int]

  init(_ question: Question) {
    let matcher = question.matcher
    let matches = matcher.test()
    let found = matcher.views.filter {
      matches($0.facts.name, $0.facts.operatorName, $0.facts.name)
    }
    let ascending = question.sort.sorted(found, matcher.figures)
    rows = question.isDescending ? ascending.reversed() : ascending
    names = rows.map(\.facts.name)
    matching = found.count
    total = matcher.views.count
    bytes = found.reduce(0) { $0 + $1.bytesBefore }
    places = Dictionary(
      rows.enumerated().map { ($0.element.facts.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  /// The row of a layer.
  func place(of layer: String) -> Int? { places[layer] }
}

extension LayersPane.Sort {
  fileprivate func sorted(_ views: [LayerView], _ figures: LayerFigures) -> [LayerView] {
    switch self {
    case .order: views
    case .name: views.sorted { $0.facts.name < $1.facts.name }
    case .op: views.sorted { $0.facts.operatorName < $1.facts.operatorName }
    case .mode: ordered(views) { Words.bits($0) }
    case .size: views.sorted { $0.bytesBefore < $1.bytesBefore }
    case .saved: ordered(views) { $0.bytesBefore - $0.bytesAfter }
    case .macs: views.sorted { $0.facts.macs < $1.facts.macs }
    case .cost: ordered(views) { figures.ranking[$0.facts.name] ?? -.infinity }
    }
  }

  /// By a key that is worked out once for each.
  private func ordered<Key: Comparable>(_ views: [LayerView], by key: (LayerView) -> Key) -> [LayerView] {
    views.map { (key: key($0), view: $0) }.sorted { $0.key < $1.key }.map(\.view)
  }
}
