import Analysis
import Evaluation
import Interface
import Workbench
import Workflows

/// What the figures of one column of the comparison are told of: float32, or a candidate.
struct CompareColumn: Sendable {
  /// `nil` for float32.
  var entry: CandidateEntry?
  var shown: Shown?
  var trial: Trial?
  /// float32 as measured beside it.
  var float32: Trial?
  var difference: ShownDifference?
  var quantizedMacs: Double?

  init(float32: Trial?, _ state: State) {
    trial = float32
    self.float32 = float32
    difference = state.difference(of: nil)
    quantizedMacs = 0
  }

  init(_ entry: CandidateEntry, float32: Trial?, _ state: State) {
    self.entry = entry
    let shown = state.shown(entry)
    self.shown = shown
    trial = shown.trial
    self.float32 = float32
    difference = state.difference(of: entry)
    // Measuring may choose modes; before it, the recipe says them.
    let measured = shown.isStale || shown.prediction != nil ? nil : shown.trial?.quantizedMacs
    quantizedMacs = measured ?? entry.quantizedMacs
  }

  /// What was timed: a simulated candidate has no speed.
  var timed: Trial? { trial.flatMap { $0.execution == .simulated ? nil : $0 } }

  var paired: ShownDifference.Paired? {
    if case .measured(let paired, _) = difference { paired } else { nil }
  }
}

/// One row of the comparison: its title, and its text and number for every column.
struct CompareFigure: Sendable {
  typealias Column = CompareColumn

  /// What a figure's marks depend on.
  enum Kind: Sendable {
    case measured, latency, difference
    /// A prediction tells it exactly.
    case exact
    /// Follows from the recipe as it is: never marked.
    case recipe
  }

  let title: String
  private let kind: Kind
  /// Drawn even when no column has it.
  let isAlways: Bool
  /// Says nothing where the data has no labels.
  let needsLabels: Bool
  /// What columns are ordered by.
  private let number: @Sendable (Column) -> Double?
  /// For a candidate that is not measured.
  private let predicted: @Sendable (Column) -> Double?
  private let format: @Sendable (Double) -> String
  /// As measured; `nil` is the formatted number.
  private let words: (@Sendable (Column) -> [Run]?)?

  init(
    _ title: String, _ kind: Kind = .measured, isAlways: Bool = false, needsLabels: Bool = false,
    number: @escaping @Sendable (Column) -> Double? = { _ in nil },
    predicted: @escaping @Sendable (Column) -> Double? = { _ in nil },
    format: @escaping @Sendable (Double) -> String = { Numbers.significant($0) },
    text: (@Sendable (Column) -> [Run]?)? = nil
  ) {
    self.title = title
    self.kind = kind
    self.isAlways = isAlways
    self.needsLabels = needsLabels
    self.number = number
    self.predicted = predicted
    self.format = format
    words = text
  }

  /// As measured.
  func text(_ column: Column) -> [Run]? {
    if let words { return words(column) }
    return number(column).map { [Run(format($0))] }
  }

  /// The number that orders a column, predicted where that is what is shown.
  func order(_ column: Column) -> Double? { predictedNumber(column) ?? number(column) }

  private func predictedNumber(_ column: Column) -> Double? {
    column.shown?.prediction == nil ? nil : predicted(column)
  }

  func exists(in column: Column) -> Bool { text(column) != nil || predictedNumber(column) != nil }

  /// The text with the mark of what it is: predicted or provisional (`≈`), of an older recipe (`~`).
  func cell(_ column: Column) -> [Run] {
    if let value = predictedNumber(column) {
      return (kind == .exact ? [] : [Run("≈", .info)]) + [Run(format(value))]
    }
    guard let runs = text(column) else { return [Run(Numbers.none, .muted)] }
    if kind == .recipe || runs.first?.style == .muted { return runs }
    if column.shown?.isProvisional ?? false { return [Run("≈", .info)] + runs }
    return isStale(column) ? [Run("~", .stale)] + runs.map { Run($0.text, .stale) } : runs
  }

  private func isStale(_ column: Column) -> Bool {
    if kind == .difference, case .measured(_, let isStale) = column.difference { return isStale }
    guard let shown = column.shown else { return false }
    return shown.isStale || kind == .latency && shown.latencyIsStale
  }
}

extension CompareFigure {
  private static func range(_ range: ClosedRange<Double>) -> [Run] {
    [Run("\(Numbers.points(range.lowerBound))…\(Numbers.points(range.upperBound))")]
  }

  @Sendable private static func percent(_ value: Double) -> String { Numbers.percent(value) }
  @Sendable private static func kibibytes(_ value: Double) -> String { Numbers.kibibytes(Int(value)) }

  /// What a decision needs first comes first, so that it is seen in a low pane too.
  static let all: [CompareFigure] = accuracy + cost + quality + [note]

  private static let note = CompareFigure(
    "note", .recipe,
    text: { column in
      guard let note = column.entry?.note, !note.isEmpty else { return nil }
      return [Run(note, .info)]
    })

  private static let accuracy: [CompareFigure] = [
    CompareFigure("perplexity", number: { $0.trial?.perplexity }, format: { Numbers.fixed($0, 3) }),
    CompareFigure(
      "Δ perplexity", number: { $0.trial?.perplexityDelta },
      text: { column in
        guard let delta = column.trial?.perplexityDelta, let ratio = column.trial?.perplexityRatio else {
          return nil
        }
        let style: Style = ratio <= 1.005 ? .good : ratio > 1.02 ? .bad : .warn
        return [Run((delta < 0 ? "" : "+") + Numbers.fixed(delta, 3), style)]
      }),
    CompareFigure(
      "Δ 95 %", number: { $0.trial?.perplexityDeltaCi95?.last },
      text: { column in
        guard let ends = column.trial?.perplexityDeltaCi95, ends.count == 2 else { return nil }
        return [Run("\(Numbers.fixed(ends[0], 2))…\(Numbers.fixed(ends[1], 2))")]
      }),
    CompareFigure(
      "accuracy %", isAlways: true, needsLabels: true, number: { $0.trial?.top1 },
      predicted: { column in
        column.shown?.prediction?.top1Delta.flatMap { delta in column.float32?.top1.map { $0 + delta } }
      }, format: percent),
    CompareFigure(
      "Δ points", .difference, isAlways: true, needsLabels: true, number: { $0.paired?.delta },
      predicted: { if case .predicted(let delta) = $0.difference { delta } else { nil } },
      format: { Numbers.points($0) },
      text: { column in
        if case .needs(let id) = column.difference { return [Run("r on \(id.letter)", .muted)] }
        if column.difference == .reference { return column.trial?.top1 == nil ? nil : [Run("ref", .muted)] }
        return column.paired.map { paired in
          let style: Style = paired.delta >= -0.005 ? .good : paired.delta < -0.02 ? .bad : .warn
          return [Run(Numbers.points(paired.delta), style)]
        }
      }),
    CompareFigure(
      "95 %", .difference, number: { $0.paired?.interval95.lowerBound },
      text: { $0.paired.map { range($0.interval95) } }),
  ]

  private static let cost: [CompareFigure] = [
    CompareFigure(
      "weights KiB", .exact, isAlways: true, number: { $0.trial.map { Double($0.weightBytes) } },
      predicted: { $0.shown?.prediction.map { Double($0.weightBytes) } }, format: kibibytes),
    CompareFigure(
      "ratio", .exact, isAlways: true,
      number: { $0.entry == nil ? $0.trial.map { _ in 1 } : $0.trial?.compression },
      predicted: { $0.shown?.prediction?.compression }, format: { Numbers.ratio($0) }),
    CompareFigure(
      "speed-up", .latency, isAlways: true, number: speedup,
      predicted: { $0.shown?.prediction?.speedup }, format: { Numbers.ratio($0) },
      text: { column in
        guard let ratio = speedup(column) else { return simulated(column) }
        let style: Style = column.entry == nil ? .text : ratio > 1.05 ? .good : ratio < 0.95 ? .bad : .warn
        return [Run(Numbers.ratio(ratio), style)]
      }),
    CompareFigure(
      "p50 ms", .latency, isAlways: true, number: { $0.timed?.latencyMs?.median },
      predicted: { $0.shown?.prediction?.latencyMs }, format: { Numbers.milliseconds($0) },
      text: { column in
        column.timed?.latencyMs.map { [Run(Numbers.milliseconds($0.median))] } ?? simulated(column)
      }),
    CompareFigure("status", .recipe, isAlways: true, text: { $0.shown.map(status) }),
    CompareFigure(
      "n", .difference, number: { column in column.paired.map { Double($0.samples) } },
      format: { Numbers.fixed($0, 0) }),
    CompareFigure(
      "speed 95 %", .latency, number: { $0.timed?.speedupCi95?.first },
      text: { column in
        guard let interval = column.timed?.speedupCi95, interval.count == 2 else { return nil }
        return [Run("\(Numbers.fixed(interval[0], 2))…\(Numbers.fixed(interval[1], 2))×")]
      }),
    CompareFigure(
      "MAC quant %", .recipe, isAlways: true, number: { $0.quantizedMacs },
      format: { Numbers.percent($0, 1) }),
    CompareFigure(
      "energy mJ", .latency, number: { column in column.timed?.energyJoules.map { $0 * 1000 } }),
  ]

  private static let quality: [CompareFigure] = [
    CompareFigure(
      "agreement %", number: { $0.trial?.agreement }, predicted: { $0.shown?.prediction?.agreement },
      format: percent),
    CompareFigure(
      "SQNR dB", number: { $0.trial?.sqnrDb }, predicted: { $0.shown?.prediction?.sqnrDb },
      format: { Numbers.fixed($0, 1) }),
    CompareFigure("RMS Δp %", number: { $0.trial?.rmsDeltaP }, format: percent),
    CompareFigure("loss", number: { $0.trial?.loss }, format: { Numbers.fixed($0, 4) }),
    CompareFigure(
      "KL", number: { $0.trial?.kl }, predicted: { $0.shown?.prediction?.kl },
      format: { Numbers.significant($0, 2) }),
    CompareFigure(
      "McNemar p", .difference, number: { $0.paired?.pValue }, format: { Numbers.significant($0, 2) }),
    CompareFigure(
      "worst class", number: { $0.trial?.worstClass?.top1Delta },
      text: { column in
        column.trial?.worstClass.map {
          [Run("\($0.label): \(Numbers.points($0.top1Delta, 1)) of \($0.samples)")]
        }
      }),
    CompareFigure(
      "its 95 %", number: { $0.trial?.worstClass?.top1DeltaCi95.first },
      text: { column in
        guard let interval = column.trial?.worstClass?.top1DeltaCi95, interval.count == 2 else { return nil }
        return [Run("\(Numbers.points(interval[0], 1))…\(Numbers.points(interval[1], 1))")]
      }),
    CompareFigure("top-5 %", number: { $0.trial?.top5 }, format: percent),
    CompareFigure(
      "bits/weight", .exact, number: { $0.trial?.bitsPerWeight },
      predicted: { $0.shown?.prediction?.bitsPerWeight }, format: { Numbers.fixed($0, 2) }),
    CompareFigure(
      "memory KiB", number: { $0.trial?.peakMemoryBytes.map(Double.init) }, format: kibibytes),
    CompareFigure("file KiB", number: { $0.trial?.sizeBytes.map(Double.init) }, format: kibibytes),
  ]

  @Sendable private static func speedup(_ column: Column) -> Double? {
    column.entry == nil ? column.timed?.latencyMs.map { _ in 1 } : column.timed?.speedup
  }

  /// What stands where a speed would, of a candidate that is simulated.
  private static func simulated(_ column: Column) -> [Run]? {
    column.trial?.execution == .simulated ? [Run("sim", .muted)] : nil
  }

  @Sendable private static func status(_ shown: Shown) -> [Run] {
    let badge = shown.trial.map { [Run($0.execution == .simulated ? "sim " : "int ", .muted)] } ?? []
    switch shown.status {
    case .notRun: return badge + [Run(shown.isStale ? "r reruns" : "r runs it", .muted)]
    case .queued: return badge + [Run("queued", .info)]
    case .running(let fraction): return badge + [Run(Numbers.percent(fraction, 0) + " %", .info)]
    case .training(let epoch, let epochs): return badge + [Run("epoch \(epoch)/\(epochs)", .info)]
    case .done: return badge + [Run("✓ done", .good)]
    case .failed: return badge + [Run("✗ failed", .bad)]
    }
  }
}
