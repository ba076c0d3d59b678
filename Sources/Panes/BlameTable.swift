import Analysis
import Graph
import Interface
import Workbench

/// Draws the Blame view: the layers with their errors, or one layer's channels and worst samples; below them the row at
/// the cursor in words.
struct BlameTable: InquiryTable {
  let rows: BlameRows
  let keys: KeyLabels
  let scroll: Scroll
  let isFocused: Bool

  private var isStale: Bool { rows.shown?.isStale ?? false }

  /// The part of the pane that the table takes.
  func area(in area: Rect) -> Rect {
    let below = area.height < 8 ? 0 : rows.opened == nil ? 2 : 3
    return area.inset(top: 1, bottom: below)
  }

  private static let errors = [
    Column("weights", align: .right, minimum: 7),
    Column("activ.", align: .right, minimum: 6),
    Column("inherit", align: .right, minimum: 7),
    Column("total", align: .right, minimum: 6, dropOrder: 1),
    Column("alone", align: .right, minimum: 6, dropOrder: 2),
  ]

  var table: Table {
    let first =
      rows.opened == nil
      ? [
        Column("layer", minimum: 13, maximum: 60, growth: 6),
        Column("operator", minimum: 8, maximum: 14, growth: 1, dropOrder: 5),
        Column("mode", minimum: 4, dropOrder: 4),
        Column("adds", minimum: 6, maximum: 16, growth: 2, dropOrder: 3),
      ]
      : [
        Column("channel", align: .right, minimum: 7),
        Column("share %", align: .right, minimum: 7, dropOrder: 4),
        Column("of what it adds", minimum: 6, maximum: 40, growth: 2, dropOrder: 3),
      ]
    return Table(
      columns: first + Self.errors, rowCount: rows.count, scroll: scroll, isFocused: isFocused,
      showsGutter: true)
  }

  func isMarked(_ row: Int, _ marked: Set<String>) -> Bool {
    rows.opened == nil && marked.contains(rows.layers[row].name)
  }

  func cells() -> (_ row: Int, _ column: Int, _ width: Int) -> [Run] {
    // Bars are as long as the row's part of the largest.
    let longest =
      rows.opened == nil
      ? rows.layers.compactMap { $0.energies.ratio($0.energies.added) }.max() ?? 0
      : rows.channels.map(\.share).max() ?? 0
    return { row, column, width in
      rows.opened == nil
        ? cell(rows.layers[row], column, width: width, longest: longest)
        : cell(rows.channels[row], column, width: width, longest: longest)
    }
  }

  /// What stands where there are no rows.
  var emptiness: String {
    guard let shown = rows.shown else { return keys.noCandidate }
    guard shown.report == nil else {
      return "No layer matches the filter. \(keys["layers.clear"]) clears it."
    }
    switch shown.status {
    case .notAsked, .done:
      return "What causes the error of \(shown.title) is not known: \(keys["layers.find-blame"]) finds out."
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return "Tracing the error of \(shown.title) …\(share) It appears layer by layer when it is done."
    case .failed(let message): return "\(shown.title): \(message). \(keys["layers.find-blame"]) tries again."
    }
  }

  /// What is under way or wrong, else what the figures are.
  func header(width: Int) -> [Run] {
    if let notice = rows.shown.flatMap({
      InquiryNotice.runs(
        $0.status, title: $0.title, doing: "tracing", isStale: $0.isStale,
        again: "\(keys["layers.find-blame"]) traces again")
    }) {
      return notice
    }
    let samples = Words.plural(rows.shown?.report?.blame.samples ?? 0, "sample")
    let whose = rows.opened.map { "\(Fitting.cutMiddle($0.name, to: 24)): " } ?? ""
    let unit = rows.opened == nil ? "the layer's float32 output" : "the channel's float32 output"
    let forms = [
      "\(whose)energy of the error in % of that of \(unit), \(samples)",
      "\(whose)error energy in % of float32's, \(samples)", "\(whose)error in % of float32, \(samples)",
      "\(whose)error in %",
    ]
    return [Run(forms.first { CharacterWidth.of($0) <= width } ?? forms[3], .muted)]
  }

  /// The row at the cursor in words, and a layer's worst samples.
  func sentences(_ row: Int, width: Int) -> [String] {
    guard let opened = rows.opened else {
      let layer = rows.layers[row]
      return Fitting.wrap("\(layer.name): \(Self.sentence(layer.energies))", to: width)
    }
    let channel = rows.channels[row]
    let worst = opened.worst.map {
      "\($0.index) (\(Words.percent($0.energies.ratio($0.energies.total))) %)"
    }
    // As many samples as two lines hold.
    let samples = (0...worst.count).reversed().lazy.map { count in
      Fitting.wrap("worst samples: \(worst.prefix(count).joined(separator: ", "))", to: width)
    }.first { $0.count <= 2 }
    let whole = "channel \(channel.number): \(Self.sentence(channel.energies))"
    let short = "channel \(channel.number): \(Self.parts(channel.energies))"
    return [CharacterWidth.of(whole) <= width ? whole : short] + (worst.isEmpty ? [] : samples ?? [])
  }

  private static func parts(_ energies: Blame.Energies) -> String {
    func percent(_ sum: Double) -> String { Words.percent(energies.ratio(sum)) }
    return "adds \(percent(energies.added)) %, inherits \(percent(energies.inherited)) %"
  }

  private static func sentence(_ energies: Blame.Energies) -> String {
    func decibels(_ sum: Double) -> String {
      energies.sqnrDb(sum).map { "\(Numbers.fixed($0, 1)) dB" } ?? "no error"
    }
    return parts(energies) + "; in all \(decibels(energies.total)), alone \(decibels(energies.alone))"
  }

  private func cell(_ layer: Blame.Layer, _ column: Int, width: Int, longest: Double) -> [Run] {
    let plain: Style = isStale ? .stale : layer.mode == .float ? .muted : .text
    switch column {
    case 0: return [Run(Fitting.cutMiddle(layer.name, to: width), plain)]
    case 1: return [Run(layer.operatorName, .muted)]
    case 2: return [Run(Words.shortMode(layer.mode), plain)]
    case 3:
      return bar(layer.energies.ratio(layer.energies.added) ?? longest, longest: longest, width: width)
    default: return error(layer.energies, column - 4, plain)
    }
  }

  private func cell(_ channel: BlameRows.Channel, _ column: Int, width: Int, longest: Double) -> [Run] {
    let plain: Style = isStale ? .stale : .text
    switch column {
    case 0: return [Run("\(channel.number)", plain)]
    case 1: return [Run(Numbers.percent(channel.share, 1), plain)]
    case 2: return bar(channel.share, longest: longest, width: width)
    default: return error(channel.energies, column - 3, plain)
    }
  }

  private func bar(_ value: Double, longest: Double, width: Int) -> [Run] {
    let share = longest > 0 ? value / longest : 0
    return [Run(Bars.horizontal(share, width: width), isStale ? .stale : .gradient(.sensitivity, share))]
  }

  private func error(_ energies: Blame.Energies, _ column: Int, _ style: Style) -> [Run] {
    let sum =
      switch column {
      case 0: energies.weights
      case 1: energies.activations
      case 2: energies.inherited
      case 3: energies.total
      default: energies.alone
      }
    return [Run(Words.percent(energies.ratio(sum)), sum == 0 ? .muted : style)]
  }
}
