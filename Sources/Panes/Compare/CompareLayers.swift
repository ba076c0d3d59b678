import Graph
import Interface
import Quantization
import Workbench
import Workflows

/// The layers that the current candidate has otherwise than the one it is held against.
struct CompareLayers: CompareView {
  struct Row {
    var before: LayerView
    var after: LayerView
    var meaning: (before: LayerMeaning, after: LayerMeaning)

    var name: String { after.facts.name }
  }

  let rows: [Row]
  let scroll: Scroll
  private let before: String
  private let after: String?
  private let layerCount: Int
  /// What recipes differ in beside layers.
  private let others: [String]
  private let costs: LayerCostColumn
  private let costColumn: Column?
  private let isFocused: Bool
  private let keys: KeyLabels

  init(_ state: State, scroll: Scroll = Scroll(), isFocused: Bool = false) {
    let (old, new) = (state.compared, state.currentEntry)
    after = new?.title
    before = old?.title ?? "float32"
    let views = new.map { state.layerViews(of: $0) } ?? []
    let olds = Dictionary(
      state.layerViews(of: old).map { ($0.facts.name, $0) }, uniquingKeysWith: { first, _ in first })
    layerCount = views.count
    rows = views.compactMap { after in
      guard let before = olds[after.facts.name] else { return nil }
      let meaning = (before: LayerMeaning(before, old?.recipe), after: LayerMeaning(after, new?.recipe))
      return meaning.before == meaning.after ? nil : Row(before: before, after: after, meaning: meaning)
    }
    others = old.flatMap { old in new.map { Self.others(old.recipe, $0.recipe) } } ?? []
    costs = LayerCostColumn(state)
    costColumn = LayerCostColumn.column(state)
    self.scroll = scroll
    self.isFocused = isFocused
    keys = state.keys
  }

  /// What two recipes have otherwise that is of no single layer.
  private static func others(_ a: Recipe, _ b: Recipe) -> [String] {
    [
      a.calibration == b.calibration ? nil : "calibration", a.inputs == b.inputs ? nil : "inputs",
      a.smoothing == b.smoothing ? nil : "smoothing", a.training == b.training ? nil : "training",
      a.choices == b.choices ? nil : "choices",
    ].compactMap { $0 }
  }

  private static func letter(_ title: String) -> String {
    title.split(separator: " ").first.map(String.init) ?? title
  }

  var table: Table {
    Table(
      columns: [
        Column("layer", minimum: 14, maximum: 60, growth: 5),
        Column(Self.letter(before), minimum: 14, maximum: 22, growth: 2),
        Column(after.map(Self.letter) ?? "", minimum: 14, maximum: 22, growth: 2),
        Column("KiB", align: .right, minimum: 7, dropOrder: 2),
        Column("→ KiB", align: .right, minimum: 7, dropOrder: 1),
      ]
        + (costColumn.map { [Column($0.title, align: .right, minimum: $0.minimum, dropOrder: 3)] } ?? []),
      rowCount: rows.count, scroll: scroll, isFocused: isFocused, showsGutter: true)
  }

  func isMarked(_ row: Int, _ marked: Set<String>) -> Bool { marked.contains(rows[row].name) }

  var emptiness: String {
    guard let after else { return keys.noCandidate }
    let rest = others.isEmpty ? "" : " Their recipes differ in \(Words.all(others))."
    return "\(before) and \(after) have every layer alike.\(rest)"
  }

  func header(width: Int) -> [Run] {
    let (old, new) = rows.reduce((0, 0)) { ($0.0 + $1.before.bytesAfter, $0.1 + $1.after.bytesAfter) }
    let size = ": \(Numbers.kibibytes(old)) → \(Numbers.kibibytes(new)) KiB"
    let short = "\(Self.letter(before)) → \(after.map(Self.letter) ?? "")"
    let count = "\(rows.count) of \(Words.plural(layerCount, "layer"))"
    let rest = others.isEmpty ? "" : ", and \(Words.all(others))"
    let forms = [
      "\(before) → \(after ?? ""): \(count) differ\(rest)\(size)",
      "\(before) → \(after ?? ""): \(count) differ\(size)", "\(short): \(count) differ\(rest)\(size)",
      "\(short): \(count) differ\(size)", "\(short): \(count) differ",
    ]
    return [Run(forms.first { CharacterWidth.of($0) <= width } ?? forms[4], .muted)]
  }

  private static func has(_ layer: LayerView) -> String {
    guard let settings = layer.resolved?.effective, settings.mode != .float else {
      return Words.shortMode(.float)
    }
    let mode = "\(Words.shortMode(settings.mode)) \(Words.bits(layer))"
    guard layer.resolved?.kind == .weighted else { return mode }
    return "\(mode) \(settings.weights.format ?? settings.weights.method.rawValue)"
  }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    { row, column, width in
      let row = rows[row]
      switch column {
      case 0: return [Run(Fitting.cutMiddle(row.name, to: width))]
      case 1: return [Run(Self.has(row.before), .muted)]
      case 2: return [Run(Self.has(row.after))]
      case 3: return [Self.size(row.before)]
      case 4: return [Self.size(row.after)]
      default: return costs.cell(row.name)
      }
    }
  }

  /// A layer without weights has no size.
  private static func size(_ layer: LayerView) -> Run {
    layer.bytesAfter == 0 ? Run(Numbers.none, .muted) : Run(Numbers.kibibytes(layer.bytesAfter))
  }

  func sentences(_ row: Int, width: Int) -> [String] {
    let meaning = rows[row].meaning
    let changes = meaning.after.changes(from: meaning.before).joined(separator: ", ")
    return Fitting.wrap("\(rows[row].name): \(changes)", to: width)
  }
}
