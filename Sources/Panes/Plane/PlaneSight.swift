import Interface

/// The part of a plane that is in sight: all there is until it was looked at closer.
struct PlaneSight: Sendable {
  /// What both axes cover.
  typealias Reaches = (x: Chart.Reach, y: Chart.Reach)

  /// `nil` is all there is.
  private var x: ClosedRange<Double>?
  private var y: ClosedRange<Double>?
  /// Where the pointer holds the plane.
  private var held: Point?

  var isWhole: Bool { x == nil && y == nil }

  mutating func fit() { (x, y) = (nil, nil) }
  mutating func fitX() { x = nil }
  mutating func fitY() { y = nil }

  /// What is in sight of all there is.
  func seen(of whole: Reaches) -> Reaches {
    func reach(_ range: ClosedRange<Double>?, _ whole: Chart.Reach) -> Chart.Reach {
      range.map { Chart.Reach(Chart.Axis(whole.isLog ? .log : .linear, range: $0), over: []) } ?? whole
    }
    return (reach(x, whole.x), reach(y, whole.y))
  }

  mutating func zoom(by factor: Double, around at: Chart.Position, in whole: Reaches) {
    let seen = seen(of: whole)
    show(
      (
        seen.x.scaled(by: factor, around: at.x, inside: whole.x),
        seen.y.scaled(by: factor, around: at.y, inside: whole.y)
      ), of: whole)
  }

  mutating func pan(_ across: Double, _ upward: Double, in whole: Reaches) {
    let seen = seen(of: whole)
    show((seen.x.moved(by: across, inside: whole.x), seen.y.moved(by: upward, inside: whole.y)), of: whole)
  }

  /// Brings a position into sight.
  mutating func bring(_ at: Chart.Position, in whole: Reaches) {
    let seen = seen(of: whole)
    show((seen.x.showing(at.x, inside: whole.x), seen.y.showing(at.y, inside: whole.y)), of: whole)
  }

  /// What the pointer does to the plane: the wheel looks closer, dragging moves it.
  mutating func handle(_ mouse: Mouse, _ frame: Chart.Frame, in whole: Reaches) {
    let plot = frame.plot
    switch mouse.kind {
    case .wheelUp where plot.contains(mouse.at):
      zoom(by: PlaneStep.zoomIn, around: frame.position(of: mouse.at), in: whole)
    case .wheelDown where plot.contains(mouse.at):
      zoom(by: 1 / PlaneStep.zoomIn, around: frame.position(of: mouse.at), in: whole)
    case .press(.left): held = plot.contains(mouse.at) ? mouse.at : nil
    case .drag(.left):
      guard let from = held else { return }
      held = mouse.at
      pan(
        -Double(mouse.at.x - from.x) / Double(max(plot.width, 1)),
        Double(mouse.at.y - from.y) / Double(max(plot.height, 1)), in: whole)
    case .release: held = nil
    default: break
    }
  }

  private mutating func show(_ seen: Reaches, of whole: Reaches) {
    func range(_ seen: Chart.Reach, _ whole: Chart.Reach) -> ClosedRange<Double>? {
      seen.magnification(in: whole) > 1.000_001 ? seen.range : nil
    }
    x = range(seen.x, whole.x)
    y = range(seen.y, whole.y)
  }
}
