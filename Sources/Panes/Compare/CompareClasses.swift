import Evaluation
import Interface
import Workbench

/// Accuracy of float32 and of the current candidate class by class, the largest loss first.
struct CompareClasses: CompareView {
  let scroll: Scroll
  private let source: CompareAnswers
  private let rows: [ClassChange]
  private let isFocused: Bool

  init(_ state: State, scroll: Scroll, isFocused: Bool) {
    source = CompareAnswers(state)
    rows =
      source.emptiness == nil
      ? (source.answers?.classes ?? []).sorted { ($0.top1Delta, $0.label) < ($1.top1Delta, $1.label) } : []
    self.scroll = scroll
    self.isFocused = isFocused
  }

  var table: Table {
    Table(
      columns: [
        Column("class", minimum: 8, maximum: 30, growth: 4),
        Column("n", align: .right, minimum: 6),
        Column("float32 %", align: .right, minimum: 9, dropOrder: 2),
        Column("cand. %", align: .right, minimum: 7, dropOrder: 1),
        Column("Δ points", align: .right, minimum: 8),
        Column("95 %", align: .right, minimum: 13),
      ], rowCount: rows.count, scroll: scroll, isFocused: isFocused, showsGutter: true)
  }

  var emptiness: String { source.emptiness ?? CompareAnswers.noLabels }

  func header(width: Int) -> [Run] {
    if let notice = source.notice { return notice }
    let title = source.title ?? ""
    let worse = rows.count { $0.top1Delta < 0 }
    let forms = [
      "\(title): \(worse) of \(rows.count) classes lose, \(rows.count { $0.top1Delta > 0 }) gain; intervals are paired",
      "\(title): \(worse) of \(rows.count) classes lose", "\(worse) of \(rows.count) classes lose",
    ]
    return [Run(forms.first { CharacterWidth.of($0) <= width } ?? forms[2], .muted)]
  }

  private static func interval(_ change: ClassChange) -> String {
    change.top1DeltaCi95.map { Numbers.points($0, 1) }.joined(separator: "…")
  }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    { row, column, width in
      let change = rows[row]
      switch column {
      case 0: return [Run(Fitting.cut(source.name(change.label), to: width))]
      case 1: return [Run("\(change.samples)", .muted)]
      case 2: return [Run(Numbers.percent(change.float32Top1, 1))]
      case 3: return [Run(Numbers.percent(change.float32Top1 + change.top1Delta, 1))]
      case 4: return [CompareAnswers.points(change.top1Delta)]
      default: return [Run(Self.interval(change), .muted)]
      }
    }
  }

  func sentences(_ row: Int, width: Int) -> [String] {
    let change = rows[row]
    let own = (source.answers?.moves ?? []).filter { $0.label == change.label }
    let (lost, gained) = (own.count { $0.kind == .lost }, own.count { $0.kind == .gained })
    return Fitting.wrap(
      "class \(source.name(change.label)): of \(Words.plural(change.samples, "sample")) \(lost) are lost and \(gained) gained",
      to: width)
  }
}
