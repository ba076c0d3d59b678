import Analysis
import Foundation
import Graph
import Interface
import Quantization
import Workbench
import Workflows

extension LayersPane {
  package func note(_ state: State) -> [Run] {
    // What the filter asks and how many answer is more than fits beside anything else.
    if !filter.query.isEmpty, filter.field == nil {
      return [
        Run("/\(Fitting.cut(filter.query, to: 14)) ", .key), Run(matches(state), .info),
      ]
    }
    let isSteps = state.steps.view != nil
    let key = isSteps ? stepSort.key.rawValue : sort.title
    let sorting = "sort:\(key)\((isSteps ? stepSort.isDescending : sort.isDescending) ? "↓" : "")"
    if let shown = state.shownBlame {
      let blamed = Fitting.cut(shown.title, to: 16) + "  "
      return [Run(blamed, .text), Run(blameSort.text(ofChannels: isLayerOpen), .muted)]
    }
    let whose = state.shownSteps.map { Fitting.cut($0.title, to: 16) + "  " } ?? ""
    return [Run(whose, .text), Run(sorting, .muted)]
  }

  /// How many rows match, of all: `12 of 50`.
  private func matches(_ state: State) -> String {
    let rows = rows(state)
    let (found, total) =
      blame(state).map { ($0.layers.count, $0.total) } ?? steps(state).map { ($0.rows.count, $0.total) }
      ?? (rows.tree.layers.count, rows.tree.total)
    return "\(found) of \(total)"
  }

  package func foot(_ state: State) -> [Run] {
    let count = layers(state).count
    let time = state.shownSteps.flatMap { shown in
      shown.variant.map { "\(shown.isStale ? "~" : "")\(Numbers.milliseconds($0.latencyMs)) ms  " }
    }
    let marks = state.marked.isEmpty ? "" : "\(state.marked.count) marked  "
    return [Run("\(time ?? "")\(marks)\(count == 0 ? 0 : scroll.cursor + 1)/\(count)", .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    filter.draw(on: &canvas, in: area, matches: matches(state))
    let area = area.inset(bottom: filter.height(in: area))
    if let blame = blameTable(state, isFocused: isFocused) {
      return blame.draw(on: &canvas, in: area, marked: state.marked)
    }
    if let steps = stepTable(state, isFocused: isFocused) {
      return steps.draw(on: &canvas, in: area, marked: state.marked)
    }
    let list = rows(state)
    let rows = list.rows
    guard !rows.isEmpty else {
      let text =
        state.project == nil
        ? (state.opening.map { "opening \(($0 as NSString).lastPathComponent) …" }
          ?? "No model is open: \(state.keys["open"]) opens one.")
        : filter.query.isEmpty
          ? "The model has no layers to quantize."
          : "No layer matches /\(filter.query). \(state.keys["layers.clear"]) clears it."
      for (row, line) in Fitting.wrap(text, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
      return
    }
    let table = table(state, count: rows.count, isFocused: isFocused)
    let words = filter.words
    let shown = columns.shown(state)
    let slots = table.slots(width: area.width)
    let nameWidth = slots.first?.width ?? 0
    let context = LayerColumn.Context(
      figures: state.layerFigures, costs: LayerCostColumn(state),
      rules: state.currentEntry?.recipe.rules ?? [],
      total: list.tree.bytes,
      barWidth: slots.first { shown[$0.column].column.id == "share" }?.width ?? 0)
    let isMarked = { (row: Int) in
      rows[row].layer.map { state.marked.contains($0.facts.name) }
        ?? (!state.marked.isEmpty && rows[row].names.allSatisfy(state.marked.contains))
    }
    table.draw(on: &canvas, in: area, isMarked: isMarked) { row, column in
      if column == 0 {
        return Self.name(rows[row], list.prefix(rows[row], width: nameWidth), words: words, width: nameWidth)
      }
      switch rows[row].item {
      case .layer(let view, _):
        return shown[column].column.cell(LayerRecord(view: view, figures: context.figures), context)
      case .scope(let scope): return shown[column].column.scope(scope, context)
      }
    }
  }

  /// A name, in the tree behind its lines.
  private static func name(_ row: LayerRows.Row, _ prefix: String, words: String, width: Int) -> [Run] {
    let room = Swift.max(width - CharacterWidth.of(prefix), 0)
    let start = prefix.isEmpty ? [] : [Run(prefix, .border)]
    switch row.item {
    case .scope(let scope):
      let count = " \(scope.names.count)"
      return start + [
        Run(Fitting.cutMiddle(scope.label, to: room - count.count), .title), Run(count, .muted),
      ]
    case .layer(let layer, let label):
      let plain: Style = layer.resolved?.effective.mode ?? .float == .float ? .muted : .text
      let name = Fitting.cutMiddle(label, to: layer.isChanged ? room - 2 : room)
      let runs = words.isEmpty ? [Run(name, plain)] : Filter.highlight(name, query: words, plain)
      return start + runs + (layer.isChanged ? [Run(" *", .warn)] : [])
    }
  }
}
