import Interface
import Panes
import Workbench

extension Screen {
  /// What the pointer does outside of dialogs.
  ///
  /// A click into another pane focuses it, and the next one acts; the wheel turns what is under it.
  mutating func handle(_ mouse: Mouse, _ state: inout State) -> [Request] {
    let layout = layout
    guard !layout.isTooSmall else { return [] }
    if held != nil { return drag(mouse, layout) }
    if case .press(.left) = mouse.kind {
      if let id = commandID(at: mouse.at, layout, state) { return run(id: id, &state) }
      if let place = layout.places.first(where: { $0.area.contains(mouse.at) }),
        mouse.at.y == place.area.y, let kind = tabKind(at: mouse.at, place)
      {
        show(kind)
        return []
      }
      if let divider = layout.divider(at: mouse.at) {
        held = (divider.split, divider.position - (divider.isVertical ? mouse.at.x : mouse.at.y))
      }
    }
    guard let place = layout.places.first(where: { $0.area.contains(mouse.at) }) else { return [] }
    if case .press(.left) = mouse.kind, place.shown != focus {
      show(place.shown)
      return []
    }
    let index = place.shown.rawValue - 1
    return perform(panes[index].handle(mouse, state, in: place.area.inset(by: 1)), &state)
  }

  /// The command whose hint is under the pointer, in the footer or beside the running job.
  func commandID(at point: Point, _ layout: Layout, _ state: State) -> String? {
    if layout.footer.contains(point) {
      let hints = footerHints(state)
      return Footer(hints).hint(at: point, in: layout.footer).map { hints[$0].id }
    }
    guard layout.status.contains(point) else { return nil }
    var x = layout.status.maxX - statusHints(state).reduce(0) { $0 + Fitting.width(of: $1.runs) }
    for hint in statusHints(state) {
      let width = Fitting.width(of: hint.runs)
      if (x..<x + width).contains(point.x) { return hint.id }
      x += width
    }
    return nil
  }

  // MARK: lines between panes

  private mutating func drag(_ mouse: Mouse, _ layout: Layout) -> [Request] {
    guard let (split, offset) = held, let divider = layout.dividers.first(where: { $0.split == split }) else {
      held = nil
      return []
    }
    switch mouse.kind {
    case .drag(.left):
      let at = (divider.isVertical ? mouse.at.x : mouse.at.y) + offset
      if at != divider.position { proportions[split] = divider.share(at: at) }
      return []
    case .release, .press:
      held = nil
      return [.keep(proportions)]
    default: return []
    }
  }

  /// Makes the focused pane wider or higher.
  mutating func resize(_ by: Int, isVertical: Bool, _ state: State) -> [Request] {
    guard let (divider, way) = layout.divider(of: focus, isVertical: isVertical) else {
      let reason =
        zoom != .normal
        ? "The pane is zoomed; - goes back."
        : isVertical ? "The pane is as wide as the screen." : "The pane is as high as the screen."
      say(Toast(.info, reason), state)
      return []
    }
    let share = divider.share(at: divider.position + by * way)
    guard share != divider.share(at: divider.position) else {
      say(Toast(.info, "No pane gets smaller than that."), state)
      return []
    }
    proportions[divider.split] = share
    return [.keep(proportions)]
  }

  mutating func resetLayout(_ state: State) -> [Request] {
    proportions = Proportions()
    say(Toast(.info, "Panes have the sizes they came with."), state)
    return [.keep(proportions)]
  }

  // MARK: graphs

  mutating func nextGraphForm(_ state: State) {
    guard glyphs.characters == .unicode else {
      say(Toast(.info, "With ASCII characters alone there is one form of graphs."), state)
      return
    }
    let all = Glyphs.Plot.allCases
    let place = all.firstIndex(of: glyphs.plot) ?? 0
    glyphs.plot = all[(place + 1) % all.count]
    say(Toast(.info, "Graphs are drawn in \(glyphs.plot.title)."), state)
  }
}
