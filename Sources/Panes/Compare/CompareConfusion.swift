import Evaluation
import Interface
import Workbench

/// How answers moved from a class of float32's to another of the candidate's, the most frequent first.
struct CompareConfusion: CompareView {
  let scroll: Scroll
  private let source: CompareAnswers
  private let rows: [Confusion]
  private let isFocused: Bool

  init(_ state: State, scroll: Scroll, isFocused: Bool) {
    source = CompareAnswers(state)
    rows = source.emptiness == nil ? source.answers?.confusion ?? [] : []
    self.scroll = scroll
    self.isFocused = isFocused
  }

  private var isLabelled: Bool { source.answers?.isLabelled ?? false }

  var table: Table {
    let counts = [
      Column("right→wrong", align: .right, minimum: 11), Column("wrong→right", align: .right, minimum: 11),
      Column("wrong→other", align: .right, minimum: 11, dropOrder: 1),
    ]
    return Table(
      columns: [
        Column("float32", minimum: 9, maximum: 24, growth: 3),
        Column("→ candidate", minimum: 11, maximum: 24, growth: 3),
        Column("n", align: .right, minimum: 6),
      ] + (isLabelled ? counts : []), rowCount: rows.count, scroll: scroll, isFocused: isFocused,
      showsGutter: true)
  }

  var emptiness: String {
    source.emptiness ?? "\(source.title ?? "") answers every sample as float32 does."
  }

  func header(width: Int) -> [Run] {
    if let notice = source.notice { return notice }
    return [Run(source.moved(width: width), .muted)]
  }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    { row, column, width in
      let pair = rows[row]
      switch column {
      case 0: return [Run(Fitting.cut(source.name(pair.float32), to: width))]
      case 1: return [Run(Fitting.cut(source.name(pair.candidate), to: width))]
      case 2: return [Run("\(pair.count)")]
      case 3: return [Run("\(pair.lost)", pair.lost > 0 ? .bad : .muted)]
      case 4: return [Run("\(pair.gained)", pair.gained > 0 ? .good : .muted)]
      default: return [Run("\(pair.otherWrong)", .muted)]
      }
    }
  }

  func sentences(_ row: Int, width: Int) -> [String] {
    let pair = rows[row]
    return Fitting.wrap(
      "\(Words.plural(pair.count, "sample")) that float32 takes for \(source.name(pair.float32)) and \(source.title ?? "") for \(source.name(pair.candidate))",
      to: width)
  }
}
