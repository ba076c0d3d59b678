import Graph
import Interface
import Quantization
import Workbench
import Workflows

/// A column of the table of layers: what it shows of a layer or a scope, and how it sorts.
struct LayerColumn: Sendable {
  /// What cells need beside their row.
  struct Context {
    let figures: LayerFigures
    let costs: LayerCostColumn
    let rules: [Rule]
    /// float32 bytes of all layers shown.
    let total: Int
    /// Of the column of shares.
    let barWidth: Int
  }

  /// Stable, for commands.
  let id: String
  let title: String
  /// For the list of columns.
  let explanation: String
  /// What is seen unless the user decides otherwise.
  var isUsual = true
  /// Sorted in this direction first.
  var isLargestFirst = false
  var readsFigures = false
  var joining = LayerSort.Joining.first
  /// `nil` where it cannot be shown now.
  let column: @Sendable (State) -> Column?
  /// `nil` where there is no order.
  var sort: (@Sendable (LayerRecord) -> LayerSort.Key?)?
  let cell: @Sendable (LayerRecord, Context) -> [Run]
  /// What the layers below have in common, or come to.
  var scope: @Sendable (LayerTree.Scope, Context) -> [Run] = { _, _ in [] }

  static func named(_ id: String) -> LayerColumn? { all.first { $0.id == id } }

  private static func fixed(_ column: Column) -> @Sendable (State) -> Column? { { _ in column } }

  private static func figure(_ text: String?) -> [Run] { [Run(text ?? Numbers.none, .muted)] }

  private static func kibibytes(_ bytes: Int) -> String? { bytes > 0 ? Numbers.kibibytes(bytes) : nil }

  private static func share(_ bytes: Int, _ context: Context) -> [Run] {
    let share = Double(bytes) / Double(Swift.max(context.total, 1))
    return [Run(Bars.horizontal(share, width: context.barWidth), .gradient(.histogram, share))]
  }

  private static func after(_ after: Int, _ before: Int) -> [Run] {
    [Run(before > 0 ? Numbers.kibibytes(after) : Numbers.none, after < before ? .good : .muted)]
  }

  private static func clipped(_ share: Double?) -> [Run] {
    [Run(Words.percent(share), share ?? 0 > 0.01 ? .warn : .muted)]
  }

  /// From left to right; the first, the name, is always seen.
  ///
  /// A new column is an entry here.
  static let all: [LayerColumn] = [
    LayerColumn(
      id: "name", title: "name", explanation: "Name; * where a layer has not what was asked.",
      column: fixed(Column("name", minimum: 16, maximum: 60, growth: 6)), sort: { .text($0.name) },
      // Drawn by the pane: it knows the tree.
      cell: { layer, _ in [Run(layer.name)] }),
    LayerColumn(
      id: "op", title: "operator", explanation: "Operator, as ONNX spells it.",
      column: fixed(Column("operator", minimum: 8, maximum: 14, growth: 1, dropOrder: 3)),
      sort: { .text($0.view.facts.operatorName) },
      cell: { layer, _ in [Run(layer.view.facts.operatorName, .muted)] },
      scope: { scope, _ in [Run(scope.operatorName ?? "", .muted)] }),
    LayerColumn(
      id: "output", title: "output", explanation: "Shape of the output.",
      column: fixed(Column("output", minimum: 12, maximum: 16, growth: 1, dropOrder: 5)),
      cell: { layer, _ in
        figure(layer.view.facts.outputShape?.map(String.init).joined(separator: "x"))
      }),
    LayerColumn(
      id: "macs", title: "MAC", explanation: "Multiply-adds of one sample.", isLargestFirst: true,
      joining: .sum, column: fixed(Column("MAC", align: .right, minimum: 7, dropOrder: 4)),
      sort: { .number(Double($0.view.facts.macs)) },
      cell: { layer, _ in figure(layer.view.facts.macs > 0 ? Numbers.count(layer.view.facts.macs) : nil) },
      scope: { scope, _ in figure(scope.macs > 0 ? Numbers.count(scope.macs) : nil) }),
    LayerColumn(
      id: "mode", title: "mode", explanation: "Mode that takes effect.",
      column: fixed(Column("mode", minimum: 4)), sort: { .text(Words.shortMode($0.mode)) },
      cell: { layer, _ in [Run(Words.shortMode(layer.mode), layer.mode == .float ? .muted : .text)] },
      scope: { scope, _ in [Run(scope.mode.map(Words.shortMode) ?? "mix", .muted)] }),
    LayerColumn(
      id: "bits", title: "W/A", explanation: "Bits of weights and activations.",
      column: fixed(Column("W/A", minimum: 5)), sort: { .text(Words.bits($0.view)) },
      cell: { layer, _ in [Run(Words.bits(layer.view), layer.mode == .float ? .muted : .text)] },
      scope: { scope, _ in [Run(scope.bits ?? "mix", .muted)] }),
    LayerColumn(
      id: "share", title: "share", explanation: "Its part of the bytes shown, as float32.",
      column: fixed(Column("share", minimum: 6, maximum: 10, growth: 1, dropOrder: 2)),
      cell: { share($0.view.bytesBefore, $1) }, scope: { share($0.bytesBefore, $1) }),
    LayerColumn(
      id: "size", title: "KiB", explanation: "KiB of weights and bias as float32.", isLargestFirst: true,
      joining: .sum, column: fixed(Column("KiB", align: .right, minimum: 6)),
      sort: { .number(Double($0.view.bytesBefore)) },
      cell: { layer, _ in figure(kibibytes(layer.view.bytesBefore)) },
      scope: { scope, _ in figure(kibibytes(scope.bytesBefore)) }),
    LayerColumn(
      id: "after", title: "→ q", explanation: "KiB under the candidate.", isLargestFirst: true, joining: .sum,
      column: fixed(Column("→ q", align: .right, minimum: 6)), sort: { .number(Double($0.view.bytesAfter)) },
      cell: { layer, _ in after(layer.view.bytesAfter, layer.view.bytesBefore) },
      scope: { scope, _ in after(scope.bytesAfter, scope.bytesBefore) }),
    LayerColumn(
      id: "saved", title: "saved", explanation: "KiB that the candidate saves.", isUsual: false,
      isLargestFirst: true, joining: .sum,
      column: fixed(Column("saved", align: .right, minimum: 6, dropOrder: 7)),
      sort: { .number(Double($0.view.bytesBefore - $0.view.bytesAfter)) },
      cell: { layer, _ in figure(kibibytes(layer.view.bytesBefore - layer.view.bytesAfter)) },
      scope: { scope, _ in figure(kibibytes(scope.bytesBefore - scope.bytesAfter)) }),
    LayerColumn(
      id: "cost", title: "cost",
      explanation: "What quantizing the layer alone costs, as measured or guessed.",
      isLargestFirst: true, readsFigures: true, joining: .largest, column: { LayerCostColumn.column($0) },
      sort: { layer in layer.figures.ranking[layer.name].map { .number($0) } },
      cell: { $1.costs.cell($0.name) }),
    LayerColumn(
      id: "clip", title: "clip W %",
      explanation: "Share of the weights that codes cut off, of layers looked at.",
      isUsual: false, isLargestFirst: true, readsFigures: true, joining: .largest,
      column: fixed(Column("clip W %", align: .right, minimum: 8, dropOrder: 8)),
      sort: { layer in layer.figures.clipped[layer.name]?.weights.map { .number($0) } },
      cell: { clipped($1.figures.clipped[$0.name]?.weights) }),
    LayerColumn(
      id: "clipin", title: "clip in %",
      explanation: "Share of the input that codes cut off, as calibration saw it.", isUsual: false,
      isLargestFirst: true, readsFigures: true, joining: .largest,
      column: fixed(Column("clip in %", align: .right, minimum: 9, dropOrder: 8)),
      sort: { layer in layer.figures.clipped[layer.name]?.input.map { .number($0) } },
      cell: { clipped($1.figures.clipped[$0.name]?.input) }),
    LayerColumn(
      id: "rule", title: "rule", explanation: "The rule of the recipe that decided.",
      column: fixed(Column("rule", minimum: 10, maximum: 24, growth: 1, dropOrder: 9)),
      sort: { .number(Double($0.view.resolved?.rule ?? -1)) },
      cell: { layer, context in
        guard let resolved = layer.view.resolved else { return figure(nil) }
        guard let rule = resolved.rule, context.rules.indices.contains(rule) else {
          return [Run("defaults", .muted)]
        }
        return [Run("\(rule + 1) ", .text), Run(Words.match(context.rules[rule].match), .muted)]
      }),
    LayerColumn(
      id: "scheme", title: "asked → got", explanation: "The scheme asked for, what takes effect, and why.",
      column: fixed(Column("asked → got", minimum: 14, maximum: 90, growth: 12, dropOrder: 10)),
      // Those that have not what was asked together.
      sort: { layer in
        .text(layer.view.resolved.map { Words.schemes($0).got == nil ? "" : $0.reasons.joined() } ?? "")
      },
      cell: { layer, _ in
        guard let resolved = layer.view.resolved else { return figure(nil) }
        let (asked, got) = Words.schemes(resolved)
        let change = got.map { [Run(" → ", .muted), Run($0, .warn)] } ?? []
        let reasons = resolved.reasons.joined(separator: "; ")
        return [Run(asked, .muted)] + change + (reasons.isEmpty ? [] : [Run(": \(reasons)", .warn)])
      }),
  ]
}

extension LayerRecord {
  /// What takes effect.
  fileprivate var mode: Mode { settings?.mode ?? .float }
}

/// Which columns the user has chosen.
struct LayerColumns: Sendable, Equatable {
  /// Against what is usual.
  private var hidden: Set<String> = []
  private var added: Set<String> = []

  func isShown(_ column: LayerColumn) -> Bool {
    column.isUsual ? !hidden.contains(column.id) : added.contains(column.id)
  }

  mutating func toggle(_ id: String) {
    guard let column = LayerColumn.named(id), column.id != LayerColumn.all[0].id else { return }
    if isShown(column) {
      hidden.insert(id)
      added.remove(id)
    } else {
      hidden.remove(id)
      // What was asked for outlasts what is merely usual, where room is short.
      added.insert(id)
    }
  }

  /// The columns that are shown where there is room.
  func shown(_ state: State) -> [(column: LayerColumn, layout: Column)] {
    LayerColumn.all.compactMap { column in
      guard isShown(column), var layout = column.column(state) else { return nil }
      if !added.isEmpty, column.id != LayerColumn.all[0].id {
        layout.dropOrder = added.contains(column.id) ? 1 : layout.dropOrder + 2
      }
      return (column, layout)
    }
  }
}
