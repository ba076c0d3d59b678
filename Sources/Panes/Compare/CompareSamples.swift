import Evaluation
import Interface
import Workbench

/// The samples that the candidate gets wrong and float32 does not, what it is surest of first; without labels all that it
/// answers otherwise.
struct CompareSamples: CompareView {
  let scroll: Scroll
  private let source: CompareAnswers
  private let rows: [Move]
  private let isFocused: Bool

  init(_ state: State, scroll: Scroll, isFocused: Bool) {
    source = CompareAnswers(state)
    let moves = source.emptiness == nil ? source.answers?.moves ?? [] : []
    rows = moves.filter { $0.kind ?? .lost == .lost }.sorted {
      ($1.candidateMargin, $0.sample) < ($0.candidateMargin, $1.sample)
    }
    self.scroll = scroll
    self.isFocused = isFocused
  }

  var table: Table {
    Table(
      columns: [
        Column("sample", align: .right, minimum: 7),
        // What float32 says of these is the label.
        Column(
          source.answers?.isLabelled ?? false ? "label = float32" : "float32", minimum: 9, maximum: 20,
          growth: 2),
        Column("margin", align: .right, minimum: 6),
        Column("candidate", minimum: 9, maximum: 20, growth: 2),
        Column("margin", align: .right, minimum: 6),
      ], rowCount: rows.count, scroll: scroll, isFocused: isFocused, showsGutter: true)
  }

  var emptiness: String {
    source.emptiness
      ?? "\(source.title ?? "") gets every sample right that float32 gets right\(gained)."
  }

  private var gained: String {
    let count = source.answers?.count(.gained) ?? 0
    return count == 0 ? "" : ", and \(count) that it does not"
  }

  func header(width: Int) -> [Run] {
    if let notice = source.notice { return notice }
    guard source.answers?.isLabelled ?? false else { return [Run(source.moved(width: width), .muted)] }
    let reverse = source.answers?.count(.gained) ?? 0
    let title = source.title ?? ""
    let forms = [
      "\(rows.count) that float32 gets right and \(title) wrong, \(reverse) the other way; margin: lead in probability",
      "\(rows.count) right in float32 and wrong in \(title), \(reverse) the other way",
      "\(rows.count) right→wrong, \(reverse) wrong→right",
    ]
    return [Run(forms.first { CharacterWidth.of($0) <= width } ?? forms[2], .muted)]
  }

  private static func margin(_ value: Float) -> Run { Run(Numbers.fixed(Double(value), 2), .muted) }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    { row, column, width in
      let move = rows[row]
      switch column {
      case 0: return [Run("\(move.sample)")]
      case 1: return [Run(Fitting.cut(source.name(move.float32), to: width))]
      case 2: return [Self.margin(move.float32Margin)]
      case 3: return [Run(Fitting.cut(source.name(move.candidate), to: width))]
      default: return [Self.margin(move.candidateMargin)]
      }
    }
  }

  func sentences(_ row: Int, width: Int) -> [String] {
    let move = rows[row]
    let label = move.label.map { " (class \(source.name($0)))" } ?? ""
    func lead(_ margin: Float) -> String { Numbers.fixed(Double(margin), 2) }
    return Fitting.wrap(
      "sample \(move.sample)\(label): float32 says \(source.name(move.float32)) by \(lead(move.float32Margin)), \(source.title ?? "") says \(source.name(move.candidate)) by \(lead(move.candidateMargin))",
      to: width)
  }
}
