import Analysis
import Foundation
import Interface
import Workbench
import Workflows

/// The layers of the model under the current candidate.
package struct LayersPane: CommandedPane {
  package static let kind = PaneKind.layers

  var scroll = Scroll()
  var filter = LayerFilter()
  var folding = LayerFolding()
  var sort = LayerSort()
  var columns = LayerColumns()
  var stepSort = StepSort()
  var blameSort = BlameSort()
  /// The layer whose channels the Blame view shows, and where its layers were left.
  private var opened: (layer: String, scroll: Scroll)?
  /// Where a range of marks began.
  var anchor: Int?
  private let treeMemo = Memo<LayerTree.Question, LayerTree>()
  private let rowMemo = Memo<LayerRows.Question, LayerRows>()
  private let blameMemo = Memo<BlameRows.Question, [Blame.Layer]>()

  package init() {}

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case mark
    case range
    case markAll
    /// Mark all of the operator at the cursor.
    case markAlike
    case unmark
    case filter
    /// Start the filter with a field.
    case filterBy(String)
    case nextMatch(Int)
    case tree
    /// Close the scope at the cursor.
    case close
    case open
    /// Close every scope, or open every one.
    case closeAll(Bool)
    case clear
    case sort
    /// By a column, or backwards where it sorts already.
    case sortBy(String?)
    case reverse
    case chooseColumns
    /// Show or hide one.
    case column(String)
    case zoom
    case showSteps(StepTimes.View?)
    case otherSteps
    case timeSteps
    case measureCosts
    case showBlame(Bool)
    /// Show the channels of the layer at the cursor, or go back.
    case openLayer(Bool)
    case findBlame
  }

  package static let commands = CommandTable<PaneContext<LayersPane>, Step>(
    Motions.commands("layers") { .move($0) } + channelCommands + [
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
        "layers.mark-alike", keys: [.character("&")], title: "alike",
        explanation: "Mark every layer shown that has the operator of the one under the cursor.",
        group: "Layers", action: .markAlike,
        availability: {
          .when(
            $0.pane.operatorAtCursor($0.state) != nil,
            else: "Under the cursor is no layer whose operator could be taken.")
        }),
      Command(
        "layers.unmark", keys: [.character("A")], title: "none", explanation: "Take all marks away.",
        group: "Layers", action: .unmark,
        availability: { .when(!$0.state.marked.isEmpty, else: "No layer is marked.") }),
      Command(
        "layers.filter", keys: [.character("/")], title: "filter",
        explanation: "Show layers that match words, /regex/, fields like op:Conv bits<8, or not: !word.",
        group: "Layers", hint: 10, action: .filter, availability: hasLayers),
      Command(
        "layers.next", keys: [.character("N")], title: "previous marked",
        explanation: "Go to the previous marked layer.", group: "Layers", action: .nextMatch(-1),
        availability: { .when(!$0.state.marked.isEmpty, else: "No layer is marked.") }),
      Command(
        "layers.clear", keys: [.escape], title: "clear", explanation: "Clear the filter, then the marks.",
        group: "Layers", replaces: ["layers.table", "layers.blame-table"], action: .clear,
        availability: {
          $0.pane.filter.query.isEmpty && $0.state.marked.isEmpty && $0.pane.anchor == nil
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
      Command(
        "layers.costs", keys: [.character("s")], title: "costs",
        explanation: "Measure what quantizing each layer alone costs, at 8 and at 4 bits.", group: "Layers",
        action: .measureCosts,
        availability: {
          guard case .available = hasLayers($0) else { return hasLayers($0) }
          return .when(!$0.state.costs.isAsked, else: "They are being measured.")
        }),
    ] + treeCommands + rooflineCommands + blameCommands + columnCommands + fieldCommands)

  static let hasLayers: @Sendable (PaneContext<LayersPane>) -> Availability = {
    .when(!($0.state.project?.model.layers.isEmpty ?? true), else: "The model has no layers to quantize.")
  }

  /// The rows of the table of layers, worked out once for each change of what they show.
  func rows(_ state: State) -> LayerRows {
    let question = LayerRows.Question(
      tree: LayerTree.Question(
        matcher: LayerMatcher(filter.query, state), sort: sort,
        figures: sort.readsFigures ? state.layerFigures : LayerFigures(), isTree: folding.isTree),
      closed: folding.closed(isFiltered: !filter.query.isEmpty))
    return rowMemo.answer(question) {
      let tree = treeMemo.answer(question.tree) { LayerTree(question.tree) }
      return LayerRows(tree, closed: question.closed)
    }
  }

  /// How often rows were worked out.
  var rowsWorkedOut: Int { rowMemo.answers }

  /// The layer of each row shown; `nil` for a step that belongs to none.
  func layers(_ state: State) -> [String?] {
    blame(state)?.names ?? steps(state).map { steps in steps.rows.map(steps.layer) }
      ?? rows(state).names
  }

  /// The rows of the Roofline view; `nil` where the usual table is seen.
  func steps(_ state: State) -> StepRows? {
    StepRows(state, filter: filter.query, sort: stepSort)
  }

  /// The rows of the Blame view; `nil` where another table is seen.
  func blame(_ state: State) -> BlameRows? {
    BlameRows(state, filter: filter.query, sort: blameSort, opened: opened?.layer, memo: blameMemo)
  }

  /// Whether the Blame view shows a layer's channels.
  var isLayerOpen: Bool { opened != nil }

  package mutating func follow(_ state: State) {
    if let layer = opened?.layer {
      let isSeen = state.shownBlame?.report?.blame[layer: layer] != nil
      if !isSeen || state.layer != layer { closeLayer() }
    }
    if let blame = blame(state) {
      scroll.cursor = blame.cursor(at: state.layer, from: scroll.cursor)
      return
    }
    if let steps = steps(state) {
      scroll.cursor = steps.cursor(at: state.layer, from: scroll.cursor)
      return
    }
    if let layer = state.layer, let place = rows(state).place(of: layer) { scroll.cursor = place }
  }

  package mutating func handle(_ key: Key, _ state: State, size: Size) -> PaneResult {
    guard filter.field != nil else { return command(key, state, size: size) }
    switch filter.handle(key) {
    case .ignored: return .ignored
    case .done: return .done([])
    case .chooseField: return .done([.open(fieldMenu(state))])
    case .givenUp:
      clearFilter(state)
      return .done([.act(.selectLayer(state.layer))])
    case .changed:
      folding.openMatches()
      scroll = Scroll()
      return .done(selection(state))
    }
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let layers = layers(state)
    let inside = Rect(x: 0, y: 0, width: size.width, height: size.height)
    let visible = Swift.max(tableArea(inside, state).height - 1, 1)
    switch step {
    case .move(let motion):
      scroll.move(motion, count: layers.count, visible: visible)
      return selection(state)
    case .mark:
      guard layers.indices.contains(scroll.cursor) else { return [] }
      let marks = toggledMarks(at: scroll.cursor, state)
      scroll.move(.down, count: layers.count, visible: visible)
      return (marks.map { [.act(.setMarks($0))] } ?? []) + selection(state)
    case .range:
      guard let from = anchor else {
        anchor = scroll.cursor
        return [
          .toast(Toast(.info, "Range begins here; \(state.keys["layers.range"]) again marks to the cursor."))
        ]
      }
      anchor = nil
      let range = Swift.min(from, scroll.cursor)...Swift.max(from, scroll.cursor)
      let names = range.filter(layers.indices.contains).flatMap { self.names(at: $0, state) }
      return [.act(.setMarks(state.marked.union(names)))]
    case .markAll: return [.act(.setMarks(state.marked.union(shownNames(state))))]
    case .markAlike:
      guard let wanted = operatorAtCursor(state) else { return [] }
      let alike = shownNames(state).filter { state.layerList[$0]?.facts.operatorName == wanted }
      return [
        .act(.setMarks(state.marked.union(alike))),
        .toast(Toast(.info, "marked \(Words.plural(alike.count, wanted))")),
      ]
    case .unmark: return [.act(.setMarks([]))]
    case .filter:
      filter.edit()
      return []
    case .filterBy(let name):
      filter.edit(adding: name)
      return []
    case .nextMatch(let direction):
      let list = rows(state).rows
      let marked = layers.indices.filter { place in
        // A closed scope stands for what it hides.
        if isTable(state), let scope = list[place].scope {
          return !list[place].isOpen && scope.names.contains(where: state.marked.contains)
        }
        return layers[place].map(state.marked.contains) ?? false
      }
      let next =
        direction > 0
        ? marked.first { $0 > scroll.cursor } ?? marked.first
        : marked.last { $0 < scroll.cursor } ?? marked.last
      guard let next else { return [] }
      scroll.move(.to(next), count: layers.count, visible: visible)
      return selection(state)
    case .clear:
      anchor = nil
      if filter.query.isEmpty { return [.act(.setMarks([]))] }
      clearFilter(state)
      return [.act(.selectLayer(state.layer))]
    case .sort where state.blame.isShown:
      blameSort.next(ofChannels: isLayerOpen)
      return selection(state)
    case .reverse where state.blame.isShown:
      blameSort.isReversed.toggle()
      return selection(state)
    case .sort where state.steps.view != nil:
      stepSort.next()
      return selection(state)
    case .reverse where state.steps.view != nil:
      stepSort.isDescending.toggle()
      return selection(state)
    case .sort:
      sort.choose(nextSort(state, width: size.width))
      return selection(state)
    case .sortBy(let column):
      sort.choose(column)
      return selection(state)
    case .reverse:
      sort.isDescending.toggle()
      return selection(state)
    case .chooseColumns: return [.open(ColumnsDialog(columns: columns, sort: sort))]
    case .column(let id):
      columns.toggle(id)
      return []
    case .tree, .close, .open, .closeAll:
      fold(step, state, visible: visible)
      return selection(state)
    case .zoom: return [.zoom]
    case .showSteps(let view):
      // A step without a layer leaves none selected; the table of layers always has one.
      return [.act(.showSteps(view))] + (view == nil ? selectNear(state) : [])
    case .otherSteps: return [.act(.showSteps(state.steps.view == .float32 ? .candidate : .float32))]
    case .timeSteps: return [.act(.timeSteps(state.steps.view ?? .candidate))]
    case .measureCosts: return [.act(.measureCosts)]
    case .showBlame(let isShown):
      closeLayer()
      return [.act(.showBlame(isShown))] + selectNear(state)
    case .openLayer(false):
      closeLayer()
      return []
    case .openLayer:
      guard layers.indices.contains(scroll.cursor), let layer = layers[scroll.cursor] else { return [] }
      opened = (layer, scroll)
      scroll = Scroll()
      return [.act(.selectLayer(layer))]
    case .findBlame: return [.act(.findBlame)]
    }
  }

  /// Whether the table of layers is seen, not another view.
  func isTable(_ state: State) -> Bool { state.steps.view == nil && !state.blame.isShown }

  /// Shows everything again; the cursor stays on its row.
  private mutating func clearFilter(_ state: State) {
    let list = rows(state)
    let id = list.rows.indices.contains(scroll.cursor) ? list.rows[scroll.cursor].id : ""
    filter.clear()
    if isTable(state) { scroll.cursor = rows(state).place(near: id) ?? scroll.cursor }
  }

  mutating func closeLayer() {
    if let left = opened?.scroll { scroll = left }
    opened = nil
  }

  /// Selects the layer of the step at the cursor, or near it, where none is selected.
  private func selectNear(_ state: State) -> [PaneOutput] {
    guard state.layer == nil, let layer = steps(state)?.layer(near: scroll.cursor) else { return [] }
    return [.act(.selectLayer(layer))]
  }

  private func selection(_ state: State) -> [PaneOutput] {
    let layers = layers(state)
    // While a job looks for them there are no rows, and the layer stays selected.
    if layers.isEmpty, state.steps.view != nil || state.blame.isShown { return [] }
    return [.act(.selectLayer(layers.indices.contains(scroll.cursor) ? layers[scroll.cursor] : nil))]
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let layers = layers(state)
    let table =
      blameTable(state, isFocused: true)?.table ?? stepTable(state, isFocused: true)?.table
      ?? table(state, count: layers.count, isFocused: true)
    let inside = tableArea(area, state)
    guard mouse.at.y < area.maxY - filter.height(in: area) else { return [] }
    switch mouse.kind {
    case .wheelUp: return update(.move(.by(-3)), state, size: area.size)
    case .wheelDown: return update(.move(.by(3)), state, size: area.size)
    case .press(.left):
      if table.isHeader(mouse.at, in: inside) {
        guard isTable(state) else { return update(.sort, state, size: area.size) }
        let shown = columns.shown(state)
        guard let place = table.column(at: mouse.at, in: inside), shown[place].column.sort != nil else {
          return []
        }
        return update(.sortBy(shown[place].column.id), state, size: area.size)
      }
      guard let row = table.row(at: mouse.at, in: inside) else { return [] }
      guard row == scroll.cursor else { return update(.move(.to(row)), state, size: area.size) }
      if isTable(state), rows(state).rows[row].scope != nil {
        let isOpen = rows(state).rows[row].isOpen
        return update(isOpen ? .close : .open, state, size: area.size)
      }
      return toggledMarks(at: row, state).map { [.act(.setMarks($0))] } ?? []
    default: return []
    }
  }

  package var isTyping: Bool { filter.field != nil }

  /// The part of the pane that the table takes; the filter stands below it while it is typed.
  private func tableArea(_ area: Rect, _ state: State) -> Rect {
    let area = area.inset(bottom: filter.height(in: area))
    return blameTable(state, isFocused: false)?.area(in: area)
      ?? stepTable(state, isFocused: false)?.area(in: area) ?? area
  }

  func stepTable(_ state: State, isFocused: Bool) -> StepTable? {
    steps(state).map {
      StepTable(steps: $0, peaks: state.steps.peaks, keys: state.keys, scroll: scroll, isFocused: isFocused)
    }
  }

  func blameTable(_ state: State, isFocused: Bool) -> BlameTable? {
    blame(state).map { BlameTable(rows: $0, keys: state.keys, scroll: scroll, isFocused: isFocused) }
  }

  func table(_ state: State, count: Int, isFocused: Bool) -> Table {
    let shown = columns.shown(state)
    return Table(
      columns: shown.map(\.layout), rowCount: count, scroll: scroll, isFocused: isFocused,
      showsGutter: true, sortColumn: sort.column.flatMap { id in shown.firstIndex { $0.column.id == id } },
      sortsDescending: sort.isDescending)
  }

  /// What sorts after what does now: the order of the graph, then the columns that are seen.
  private func nextSort(_ state: State, width: Int) -> String? {
    let shown = columns.shown(state)
    let seen = table(state, count: 0, isFocused: false).slots(width: width).map { shown[$0.column].column }
    let ids = [nil] + seen.filter { $0.sort != nil }.map { Optional($0.id) }
    return ids[((ids.firstIndex(of: sort.column) ?? 0) + 1) % ids.count]
  }
}
