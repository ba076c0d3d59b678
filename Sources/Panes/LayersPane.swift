import Foundation
import Graph
import Interface
import Quantization
import Workbench
import Workflows

/// The layers of the model under the current candidate.
package struct LayersPane: CommandedPane {
  package static let kind = PaneKind.layers

  /// What the rows are ordered by.
  package enum Sort: String, Sendable, CaseIterable {
    case order, name, op, mode, size, saved, macs
  }

  private var scroll = Scroll()
  package private(set) var filter = ""
  private var field: TextField?
  private var sort = Sort.order
  private var isDescending = false
  /// Where a range of marks began.
  private var anchor: Int?

  package init() {}

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case mark
    case range
    case markAll
    case unmark
    case filter
    case nextMatch(Int)
    case clear
    case sort
    case reverse
    case zoom
  }

  package static let commands = CommandTable<PaneContext<LayersPane>, Step>(
    Motions.commands("layers") { .move($0) } + [
      Command(
        "layers.mark", keys: [.space], title: "mark",
        explanation: "Mark or unmark the layer and go to the next.",
        group: "Layers", hint: 20, action: .mark, availability: hasLayers),
      Command(
        "layers.range", keys: [.character("v")], title: "range",
        explanation: "Begin a range of marks here, or mark from where it began to here.", group: "Layers",
        action: .range, availability: hasLayers),
      Command(
        "layers.mark-all", keys: [.character("a")], title: "all",
        explanation: "Mark every layer that the filter shows.", group: "Layers", hint: 24, action: .markAll,
        availability: hasLayers),
      Command(
        "layers.unmark", keys: [.character("A")], title: "none", explanation: "Take all marks away.",
        group: "Layers", action: .unmark,
        availability: { .when(!$0.state.marked.isEmpty, else: "No layer is marked.") }),
      Command(
        "layers.filter", keys: [.character("/")], title: "filter",
        explanation: "Show only layers whose name or operator contains what is typed.", group: "Layers",
        hint: 10,
        action: .filter, availability: hasLayers),
      Command(
        "layers.next", keys: [.character("N")], title: "previous marked",
        explanation: "Go to the previous marked layer.", group: "Layers", action: .nextMatch(-1),
        availability: { .when(!$0.state.marked.isEmpty, else: "No layer is marked.") }),
      Command(
        "layers.clear", keys: [.escape], title: "clear", explanation: "Clear the filter, then the marks.",
        group: "Layers", action: .clear,
        availability: {
          $0.pane.filter.isEmpty && $0.state.marked.isEmpty && $0.pane.anchor == nil
            ? .hidden : .available
        }),
      Command(
        "layers.sort", keys: [.character("o")], title: "sort", explanation: "Order by the next column.",
        group: "Layers", hint: 40, action: .sort, availability: hasLayers),
      Command(
        "layers.reverse", keys: [.character("O")], title: "reverse", explanation: "Reverse the order.",
        group: "Layers", action: .reverse, availability: hasLayers),
      Command(
        "layers.zoom", keys: [.enter], title: "zoom", explanation: "Show the layers alone, or go back.",
        group: "Layers", action: .zoom, availability: hasLayers),
    ])

  private static let hasLayers: @Sendable (PaneContext<LayersPane>) -> Availability = {
    .when(!($0.state.project?.model.layers.isEmpty ?? true), else: "The model has no layers to quantize.")
  }

  /// The rows shown: filtered and sorted.
  package func rows(_ state: State) -> [LayerView] {
    var rows = state.layerViews
    if !filter.isEmpty {
      rows.removeAll { !Filter.matches(filter, "\($0.facts.name) \($0.facts.operatorName)") }
    }
    let ascending: [LayerView]
    switch sort {
    case .order: ascending = rows
    case .name: ascending = rows.sorted { $0.facts.name < $1.facts.name }
    case .op: ascending = rows.sorted { $0.facts.operatorName < $1.facts.operatorName }
    case .mode: ascending = rows.sorted { Words.bits($0) < Words.bits($1) }
    case .size: ascending = rows.sorted { $0.bytesBefore < $1.bytesBefore }
    case .saved: ascending = rows.sorted { $0.bytesBefore - $0.bytesAfter < $1.bytesBefore - $1.bytesAfter }
    case .macs: ascending = rows.sorted { $0.facts.macs < $1.facts.macs }
    }
    return isDescending ? ascending.reversed() : ascending
  }

  package mutating func follow(_ state: State) {
    let rows = rows(state)
    if let layer = state.layer, let place = rows.firstIndex(where: { $0.facts.name == layer }) {
      scroll.cursor = place
    }
  }

  package mutating func handle(_ key: Key, _ state: State, size: Size) -> PaneResult {
    guard var editing = field else { return command(key, state, size: size) }
    switch key {
    case .escape:
      field = nil
      filter = ""
    case .enter: field = nil
    default:
      guard editing.handle(key) else { return .ignored }
      field = editing
      filter = editing.text
    }
    scroll = Scroll()
    return .done(selection(state))
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let rows = rows(state)
    switch step {
    case .move(let motion):
      scroll.move(motion, count: rows.count, visible: Swift.max(size.height - 1, 1))
      return selection(state)
    case .mark:
      guard rows.indices.contains(scroll.cursor) else { return [] }
      let marks = state.marked.symmetricDifference([rows[scroll.cursor].facts.name])
      scroll.move(.down, count: rows.count, visible: Swift.max(size.height - 1, 1))
      return [.act(.setMarks(marks))] + selection(state)
    case .range:
      guard let from = anchor else {
        anchor = scroll.cursor
        return [.toast(Toast(.info, "Range begins here; v again marks to the cursor."))]
      }
      anchor = nil
      let range = Swift.min(from, scroll.cursor)...Swift.max(from, scroll.cursor)
      let names = range.filter(rows.indices.contains).map { rows[$0].facts.name }
      return [.act(.setMarks(state.marked.union(names)))]
    case .markAll: return [.act(.setMarks(state.marked.union(rows.map(\.facts.name))))]
    case .unmark: return [.act(.setMarks([]))]
    case .filter:
      field = TextField(filter)
      return []
    case .nextMatch(let direction):
      let marked = rows.indices.filter { state.marked.contains(rows[$0].facts.name) }
      let next =
        direction > 0
        ? marked.first { $0 > scroll.cursor } ?? marked.first
        : marked.last { $0 < scroll.cursor } ?? marked.last
      guard let next else { return [] }
      scroll.move(.to(next), count: rows.count, visible: Swift.max(size.height - 1, 1))
      return selection(state)
    case .clear:
      anchor = nil
      if filter.isEmpty { return [.act(.setMarks([]))] }
      filter = ""
      return selection(state)
    case .sort:
      let all = Sort.allCases
      sort = all[((all.firstIndex(of: sort) ?? 0) + 1) % all.count]
      isDescending = [.size, .saved, .macs].contains(sort)
      return selection(state)
    case .reverse:
      isDescending.toggle()
      return selection(state)
    case .zoom: return [.zoom]
    }
  }

  private func selection(_ state: State) -> [PaneOutput] {
    let rows = rows(state)
    return [.act(.selectLayer(rows.indices.contains(scroll.cursor) ? rows[scroll.cursor].facts.name : nil))]
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let table = table(state, count: rows(state).count, isFocused: true)
    switch mouse.kind {
    case .wheelUp: return update(.move(.by(-3)), state, size: area.size)
    case .wheelDown: return update(.move(.by(3)), state, size: area.size)
    case .press(.left):
      if table.isHeader(mouse.at, in: area) { return update(.sort, state, size: area.size) }
      guard let row = table.row(at: mouse.at, in: area) else { return [] }
      guard row == scroll.cursor else { return update(.move(.to(row)), state, size: area.size) }
      return [.act(.setMarks(state.marked.symmetricDifference([rows(state)[row].facts.name])))]
    default: return []
    }
  }

  package func note(_ state: State) -> [Run] {
    if let field { return [Run("/", .key), Run(field.text + "▏", .input)] }
    let sorting = "sort:\(sort.rawValue)\(isDescending ? "↓" : "")"
    return filter.isEmpty ? [Run(sorting, .muted)] : [Run("/\(filter)  ", .key), Run(sorting, .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    let rows = rows(state)
    let marks = state.marked.isEmpty ? "" : "\(state.marked.count) marked  "
    return [Run("\(marks)\(rows.isEmpty ? 0 : scroll.cursor + 1)/\(rows.count)", .muted)]
  }

  private func table(_ state: State, count: Int, isFocused: Bool) -> Table {
    Table(
      columns: [
        Column("name", minimum: 16, maximum: 60, growth: 6),
        Column("operator", minimum: 8, maximum: 14, growth: 1, dropOrder: 3),
        Column("output", minimum: 12, maximum: 16, growth: 1, dropOrder: 5),
        Column("MAC", align: .right, minimum: 7, dropOrder: 4),
        Column("mode", minimum: 4),
        Column("W/A", minimum: 5),
        Column("share", minimum: 6, maximum: 10, growth: 1, dropOrder: 2),
        Column("KiB", align: .right, minimum: 6),
        Column("→ q", align: .right, minimum: 6),
      ], rowCount: count, scroll: scroll, isFocused: isFocused, showsGutter: true)
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    let rows = rows(state)
    guard !rows.isEmpty else {
      let text =
        state.project == nil
        ? (state.opening.map { "opening \(($0 as NSString).lastPathComponent) …" } ?? "no model is open")
        : filter.isEmpty
          ? "The model has no layers to quantize." : "No layer matches /\(filter). esc clears it."
      canvas.put(text, x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    let total = Swift.max(rows.reduce(0) { $0 + $1.bytesBefore }, 1)
    let table = table(state, count: rows.count, isFocused: isFocused)
    let nameWidth = table.slots(width: area.width).first?.width ?? 0
    table.draw(on: &canvas, in: area, isMarked: { state.marked.contains(rows[$0].facts.name) }) {
      row, column in
      Self.cell(rows[row], column, total: total, filter: filter, width: nameWidth)
    }
  }

  private static func cell(_ row: LayerView, _ column: Int, total: Int, filter: String, width: Int) -> [Run] {
    let facts = row.facts
    let mode = row.resolved?.effective.mode ?? .float
    let plain: Style = mode == .float ? .muted : .text
    switch column {
    case 0:
      let name = Fitting.cutMiddle(facts.name, to: row.isChanged ? width - 2 : width)
      let runs = filter.isEmpty ? [Run(name, plain)] : Filter.highlight(name, query: filter, plain)
      return row.isChanged ? runs + [Run(" *", .warn)] : runs
    case 1: return [Run(facts.operatorName, .muted)]
    case 2: return [Run(facts.outputShape?.map(String.init).joined(separator: "x") ?? "-", .muted)]
    case 3: return [Run(facts.macs > 0 ? Numbers.count(facts.macs) : "-", .muted)]
    case 4: return [Run(Words.shortMode(mode), plain)]
    case 5: return [Run(Words.bits(row), plain)]
    case 6:
      let share = Double(facts.bytes) / Double(total)
      return [Run(Bars.horizontal(share, width: 10), .gradient(.histogram, share))]
    case 7: return [Run(facts.bytes > 0 ? Numbers.kibibytes(facts.bytes) : "-", .muted)]
    default:
      return [
        Run(
          facts.bytes > 0 ? Numbers.kibibytes(row.bytesAfter) : "-",
          row.bytesAfter < facts.bytes ? .good : .muted)
      ]
    }
  }
}
