import Evaluation
import Interface
import Workbench
import Workflows

/// What views of a candidate's answers have in common: whose they are, and what stands there without them.
struct CompareAnswers {
  /// `nil` without a candidate.
  let title: String?
  let answers: Answers?
  private let shown: Shown?
  private let names: [String]

  init(_ state: State) {
    let entry = state.currentEntry
    title = entry?.title
    shown = entry.map { state.shown($0) }
    answers = shown?.answers
    names = state.project?.classNames ?? []
  }

  /// Number and name of a class.
  func name(_ label: Int) -> String {
    names.indices.contains(label) ? "\(label) \(names[label])" : "\(label)"
  }

  private var inquiry: Inquiry {
    switch shown?.status {
    case .queued: .waiting(nil)
    case .running(let fraction): .waiting(fraction)
    case .training: .waiting(nil)
    case .failed(let message): .failed(message)
    case .done: .done
    case .notRun, nil: .notAsked
    }
  }

  /// What is under way or wrong, or that the answers are of an older recipe.
  var notice: [Run]? {
    title.flatMap {
      InquiryNotice.runs(
        inquiry, title: $0, doing: "measuring", isStale: shown?.isStale ?? false, again: "measures again")
    }
  }

  /// Why there is nothing to see; `nil` where there are answers of class scores.
  var emptiness: String? {
    guard let title else { return "There is no candidate: n makes one." }
    switch inquiry {
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return "Measuring \(title) …\(share) Its answers appear when it is done."
    case .failed(let message) where answers == nil: return "\(title): \(message). r tries again."
    default: break
    }
    guard let answers else {
      return shown?.trial == nil
        ? "\(title) is not measured: r measures it."
        : "\(title) was measured before its answers were kept: r measures it."
    }
    return answers.classCount == 0 ? "The model's output is not a row of class scores." : nil
  }

  static let noLabels = "The data has no labels, so that no answer is right or wrong."

  static func points(_ delta: Double) -> Run {
    Run(Numbers.points(delta, 1), delta < 0 ? .bad : delta > 0 ? .good : .muted)
  }
}

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

extension CompareAnswers {
  /// How many samples are answered otherwise, and what that did.
  func moved(width: Int) -> String {
    guard let answers, let title else { return "" }
    let all = "\(answers.moves.count) of \(answers.evaluated.count) samples"
    guard answers.isLabelled else { return "\(title) answers \(all) otherwise" }
    let (lost, gained) = (answers.count(.lost), answers.count(.gained))
    let forms = [
      "\(title) answers \(all) otherwise: \(lost) right→wrong, \(gained) wrong→right, \(answers.count(.otherWrong)) wrong→other",
      "\(all) answered otherwise: \(lost) lost, \(gained) gained", "\(all): \(lost) lost, \(gained) gained",
    ]
    return forms.first { CharacterWidth.of($0) <= width } ?? forms[2]
  }
}

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
