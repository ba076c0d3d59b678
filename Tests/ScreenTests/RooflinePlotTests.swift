import Analysis
import Interface
import Jobs
import Screen
import Testing
import Workbench
import Workflows

@testable import Panes

private let size = Size(width: 80, height: 24)
private let wide = Size(width: 120, height: 36)

private func picture(_ pane: RooflinePane, _ state: State, _ glyphs: Glyphs = .unicode) -> [String] {
  var canvas = Canvas(size, glyphs: glyphs)
  pane.draw(on: &canvas, in: canvas.bounds, state, isFocused: true)
  return canvas.lines()
}

/// Where the cursor is drawn.
private func cursor(_ pane: RooflinePane, _ state: State) -> Point? {
  var canvas = Canvas(size)
  pane.draw(on: &canvas, in: canvas.bounds, state, isFocused: true)
  for y in 0..<size.height {
    for x in 0..<size.width where canvas[x, y].style.attributes.contains(.selected) {
      return Point(x: x, y: y)
    }
  }
  return nil
}

/// The made-up machine: what a step may do at most is the lower of its arithmetic's peak and the speed of the L2, which
/// holds both programs, times its operations a byte.
@Test func everyPointLiesUnderTheRoofThatItsShareTells() throws {
  let (_, state) = try fixtureRooflineView(size)
  let points = RooflinePoints(state, [.float32, .candidate])
  #expect(points.points.count == 8 && points.placeless == 3, "pool twice, and the input's codes")
  for point in points.points {
    let peak = point.id.view == .float32 ? 234.0 : 938
    let roof = Swift.min(peak, 236 * point.at.x)
    #expect(point.row.fraction < 1 && point.at.y < roof, "\(point.row.name)")
    #expect(abs(point.attainable - roof) < roof * 1e-9, "\(point.row.name): \(point.attainable), \(roof)")
  }
  #expect(points.point(of: "block/add")?.row.name == "block/pointwise", "the sum is computed there")
}

/// F(4×4, 3×3) does a quarter of the products, and both axes tell what is done.
@Test func aWinogradStepLiesWhereItsOwnProductsPutIt() throws {
  let peaks = fixtureReport().peaks
  let roofline = Roofline(peaks, workingSet: 1000)
  func row(_ kernel: String) -> Roofline.Row {
    roofline.row(
      BenchTable.Step(name: "a", nodes: ["a"], kernel: kernel, ms: 0.01, macs: 400_000, bytes: 1000))
  }
  let (plain, winograd) = (try #require(row("conv f32").place), try #require(row("winograd f32").place))
  #expect(abs(plain.gops - 80) < 1e-9 && abs(plain.intensity - 800) < 1e-9)
  #expect(abs(winograd.gops - 20) < 1e-9 && abs(winograd.intensity - 200) < 1e-9)
}

@Test func theCursorReachesEveryStepBothWays() throws {
  let (_, state) = try fixtureRooflineView(size)
  let count = RooflinePoints(state, [.float32, .candidate]).points.count
  for (back, forth) in [(PlaneStep.Direction.left, PlaneStep.Direction.right), (.down, .up)] {
    var pane = RooflinePane()
    for _ in 0..<count { _ = pane.update(.plane(.move(back)), state, size: size) }
    var seen: [String] = []
    for _ in 0..<count {
      seen.append(picture(pane, state).suffix(4).joined())
      _ = pane.update(.plane(.move(forth)), state, size: size)
    }
    #expect(Set(seen).count == count)
    var returned: [String] = []
    for _ in 0..<count {
      returned.append(picture(pane, state).suffix(4).joined())
      _ = pane.update(.plane(.move(back)), state, size: size)
    }
    #expect(returned == seen.reversed())
  }
}

@Test func aStepLeadsToItsLayer() throws {
  var (screen, state) = try fixtureRooflineView(size)
  #expect(state.layer == "block/pointwise")
  _ = play("9 + +", &screen, &state, size)
  // The cursor begins at the layer that is selected.
  #expect(screen.draw(state, size: size).text().contains("● block/pointwise"))
  _ = play("l l", &screen, &state, size)
  #expect(!screen.draw(state, size: size).text().contains("● block/pointwise"))
  _ = play("enter", &screen, &state, size)
  #expect(screen.focus == .layers && state.steps.view == nil && state.layer != "block/pointwise")
  let there = state.layer
  _ = play("9 h h h h h h h h L", &screen, &state, size)
  #expect(screen.focus == .layers && state.layer != there)
}

@Test func theStepsAreMeasuredFromThePlotToo() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  screen.keyMap = KeyMap(["roofline.measure": [.character("K")]])
  _ = play("9 + +", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("the machine allows: K"))
  let requests = play("K", &screen, &state, size)
  let subject = try #require(state.steps.inquiries.asked.first)
  #expect(requests == [.effect(.timeSteps(subject, title: "B weight-int4"))])
  #expect(screen.draw(state, size: size).text().contains("Measuring the steps of B weight-int4 …"))
  #expect(play("K", &screen, &state, size).isEmpty && state.steps.view == nil)
  try answerSteps(&state)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("attainable") && text.contains("int8") && text.contains("memory"))
  // Without a candidate float32 is measured alone.
  for _ in 0..<4 { _ = play("d", &screen, &state, size) }
  _ = play("K", &screen, &state, size)
  #expect(state.steps.inquiries.asked == [.float32])
}

@Test func whoseStepsAreDrawnCanBeChosen() throws {
  let (_, state) = try fixtureRooflineView(size)
  var pane = RooflinePane()
  func drawn() -> Set<Character> { Set(picture(pane, state).joined()).intersection(["●", "○"]) }
  func note() -> String { pane.note(state).map(\.text).joined() }
  #expect(drawn() == ["●", "○"] && note().hasPrefix("f32 + candidate"))
  _ = pane.update(.whose, state, size: size)
  #expect(drawn() == ["●"] && note().hasPrefix("candidate"))
  _ = pane.update(.whose, state, size: size)
  #expect(drawn() == ["○"] && note().hasPrefix("float32"))
}

@Test func anEditedCandidatesStepsAreStale() throws {
  var (screen, state) = try fixtureRooflineView(size)
  _ = play("B 9 +", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("~ as before the last change; r measures again") && text.contains("~B"))
}

@Test func theTableOfStepsBringsItsPlot() throws {
  var (screen, state) = try fixtureRooflineView(wide)
  #expect(screen.draw(state, size: wide).text().contains("9 Roofline"))
  _ = play("w", &screen, &state, wide)
  #expect(screen.draw(state, size: wide).text().contains("5 Histogram"))
}

@Test func thePlotIsDrawnInEveryForm() throws {
  let (_, state) = try fixtureRooflineView(size)
  func plot(_ glyphs: Glyphs) -> String { picture(RooflinePane(), state, glyphs).prefix(16).joined() }
  func hasDots(_ text: String) -> Bool {
    text.unicodeScalars.contains { (0x2801..<0x2900).contains($0.value) }
  }
  let quarters = Set("▘▝▀▖▌▞▛▗▚▐▜▄▙▟")
  let (block, braille) = (plot(Glyphs(.unicode, plot: .block)), plot(Glyphs(.unicode, plot: .braille)))
  #expect(!quarters.isDisjoint(with: block) && !hasDots(block))
  #expect(quarters.isDisjoint(with: braille) && hasDots(braille))
  let ascii = plot(.ascii)
  #expect(ascii.allSatisfy(\.isASCII) && ascii.contains("....") && ascii.contains("int8"))
  // Every size has a picture, however little fits.
  for width in stride(from: 1, through: 80, by: 13) {
    for height in stride(from: 1, through: 24, by: 5) {
      var canvas = Canvas(Size(width: width, height: height))
      RooflinePane().draw(on: &canvas, in: canvas.bounds, state, isFocused: true)
      #expect(canvas.lines().count == height)
    }
  }
}

@Test func theMouseFindsAStepAndZooms() throws {
  let (_, state) = try fixtureRooflineView(size)
  var pane = RooflinePane()
  let area = Rect(x: 0, y: 0, width: size.width, height: size.height)
  for _ in 0..<3 { _ = pane.update(.plane(.move(.left)), state, size: size) }
  let target = try #require(cursor(pane, state))
  pane = RooflinePane()
  let press = Mouse(at: target, .press(.left))
  #expect(cursor(pane, state) != target)
  #expect(pane.handle(press, state, in: area).isEmpty && cursor(pane, state) == target)
  guard case .run(id: "jump")? = pane.handle(press, state, in: area).first else {
    Issue.record("the second click goes to the layer")
    return
  }
  _ = pane.handle(Mouse(at: target, .wheelUp), state, in: area)
  #expect(pane.foot(state).map(\.text).joined().contains("of 8 in sight"))
  _ = pane.handle(Mouse(at: target, .wheelDown), state, in: area)
  #expect(pane.foot(state).map(\.text).joined() == "8 steps, 3 more move data only")
}
