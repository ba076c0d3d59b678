import Analysis
import Interface
import Workbench

/// Draws the Roofline view: what the machine can do, the steps, and the whole verdict of the one at the cursor.
struct StepTable: InquiryTable {
  let steps: StepRows
  let peaks: Peaks?
  let keys: KeyLabels
  let scroll: Scroll
  let isFocused: Bool

  /// The part of the pane that the table takes: below it there is room for every row's verdict.
  func area(in area: Rect) -> Rect {
    let longest = steps.rows.map { CharacterWidth.of(Self.sentence($0)) }.max() ?? 0
    return area.inset(top: 1, bottom: area.height < 8 ? 0 : longest <= area.width ? 1 : 2)
  }

  private static func sentence(_ row: Roofline.Row) -> String { "\(row.kernel): \(row.verdict)" }

  /// The verdict without the percentage that stands beside it.
  private static func shortVerdict(_ row: Roofline.Row) -> String {
    guard row.verdict.first?.isNumber ?? false, let colon = row.verdict.firstIndex(of: ":") else {
      return row.verdict
    }
    return String(row.verdict[row.verdict.index(after: colon)...].drop { $0 == " " })
  }

  var table: Table {
    Table(
      columns: [
        Column("step", minimum: 14, maximum: 60, growth: 4),
        Column("kernel", minimum: 10, maximum: 20, growth: 3, dropOrder: 2),
        Column("ms", align: .right, minimum: 7),
        Column("GOP/s", align: .right, minimum: 6, dropOrder: 1),
        Column("GB/s", align: .right, minimum: 6, dropOrder: 4),
        Column("op/byte", align: .right, minimum: 7, dropOrder: 5),
        Column("% roof", align: .right, minimum: 6),
        Column("verdict", minimum: 20, maximum: 60, growth: 5, dropOrder: 3),
      ], rowCount: steps.rows.count, scroll: scroll, isFocused: isFocused, showsGutter: true)
  }

  func isMarked(_ row: Int, _ marked: Set<String>) -> Bool { !marked.isDisjoint(with: steps.rows[row].nodes) }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    let total = steps.shown?.variant?.latencyMs ?? 0
    return { cell(steps.rows[$0], $1, width: $2, total: total) }
  }

  func sentences(_ row: Int, width: Int) -> [String] {
    Fitting.wrap(Self.sentence(steps.rows[row]), to: width)
  }

  /// What stands where there are no rows.
  var emptiness: String {
    guard let shown = steps.shown else {
      return "There is no candidate: \(keys["new"]) makes one, \(keys["layers.other-steps"]) shows float32."
    }
    guard shown.variant == nil else {
      return "No step matches the filter. \(keys["layers.clear"]) clears it."
    }
    switch shown.status {
    case .notAsked, .done:
      return "The steps of \(shown.title) are not measured: \(keys["layers.time"]) measures them."
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return "Measuring the steps of \(shown.title) …\(share) They appear when it is done."
    case .failed(let message): return "\(shown.title): \(message). \(keys["layers.time"]) tries again."
    }
  }

  /// What is under way or wrong, else what the machine can do.
  func header(width: Int) -> [Run] {
    if let notice = steps.shown.flatMap({
      InquiryNotice.runs(
        $0.status, title: $0.title, doing: "measuring", isStale: $0.isStale,
        again: "\(keys["layers.time"]) measures again")
    }) {
      return notice
    }
    guard let peaks, let memory = peaks.memory.last else { return [] }
    let float32 = Numbers.significant(peaks.gops(of: peaks.float32)) + " GFLOP/s"
    let int8 = Numbers.significant(peaks.gops(of: peaks.int8)) + " GOP/s"
    let reads = Numbers.significant(peaks.gbs(of: memory)) + " GB/s"
    let threads = Words.plural(peaks.threads, "thread")
    let forms = [
      "peak \(float32) · int8 \(int8) · memory \(reads), \(threads)",
      "peak \(float32) · \(int8) · \(reads), \(threads)", "peak \(float32) · \(int8) · \(reads)",
    ]
    func fitting(_ room: Int) -> String? { forms.first { CharacterWidth.of($0) <= room } }
    guard (steps.shown?.variant?.steps ?? []).contains(where: peaks.areOutrun) else {
      return [Run(fitting(width) ?? forms[2], .muted)]
    }
    // Where both do not fit, the peaks are what cannot be trusted.
    let warning = "peaks disturbed by other work: \(keys["layers.time"]) again"
    let peakRuns = fitting(width - CharacterWidth.of(warning) - 2).map { [Run($0 + "  ", .muted)] } ?? []
    return peakRuns + [Run(warning, .warn)]
  }

  private func cell(_ row: Roofline.Row, _ column: Int, width: Int, total: Double) -> [Run] {
    let isStale = steps.shown?.isStale ?? false
    // What takes under a hundredth of the time is not worth a look.
    let plain: Style = isStale ? .stale : row.ms < total / 100 ? .muted : .text
    func number(_ text: String?, _ style: Style) -> [Run] {
      guard let text else { return [Run(Numbers.none, .muted)] }
      return [Run((isStale ? "~" : "") + text, isStale ? .stale : style)]
    }
    switch column {
    case 0:
      return [Run(Fitting.cutMiddle(row.name, to: width), steps.layer(of: row) == nil ? .muted : plain)]
    case 1: return [Run(Fitting.cutMiddle(row.kernel, to: width), .muted)]
    case 2: return number(row.ms < 10 ? Numbers.fixed(row.ms, 4) : Numbers.milliseconds(row.ms), plain)
    case 3: return number(row.gops.map { Numbers.fixed($0, 1) }, plain)
    case 4: return number(Numbers.fixed(row.gbs, 1), plain)
    case 5: return number(row.intensity.map { Numbers.fixed($0, 1) }, .muted)
    case 6: return number(Numbers.percent(row.fraction, 0), row.fraction >= 0.7 ? .good : plain)
    default: return [Run(Self.shortVerdict(row), .muted)]
    }
  }
}
