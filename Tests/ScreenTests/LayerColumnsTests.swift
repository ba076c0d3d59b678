import Foundation
import Interface
import Quantization
import Screen
import Testing
import Workbench
import Workflows

@testable import Panes

private let wide = Size(width: 200, height: 60)

private func open(_ keys: String = "", _ size: Size = wide) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play(keys, &screen, &state, size)
  return (screen, state)
}

/// The row of a layer, or the header, from the name on.
private func row(_ name: String, _ screen: Screen, _ state: State, _ size: Size = wide) throws -> String {
  try #require(
    screen.draw(state, size: size).lines().dropFirst(2).first {
      $0.dropFirst(3).drop { $0 == " " }.hasPrefix(name)
    })
}

@Test(arguments: [
  ("columns-dialog-80x24", 80, 24, "C j space"), ("columns-dialog-120x36", 120, 36, "C G o o"),
  ("columns-zoomed-200x60", 200, 60, "+ + C / G k k space esc"),
])
func columnFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  let (screen, state) = try open(keys, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func columnsComeAndGo() throws {
  var (screen, state) = try open("+ +")
  #expect(try !row("name", screen, state).contains("saved"))
  _ = play("C j j j j j j j j j space", &screen, &state, wide)
  #expect(screen.draw(state, size: wide).text().contains("[x] saved"))
  _ = play("esc", &screen, &state, wide)
  #expect(try row("name", screen, state).contains(" saved "))
  #expect(try row("dense", screen, state).contains(" 0.5 "), "0.66 KiB become 0.16")
  _ = play("C space esc", &screen, &state, wide)
  #expect(try row("name", screen, state).contains("operator"), "the name stays; nothing else changed")
  _ = play(": text:\"hide operator\" enter", &screen, &state, wide)
  #expect(try !row("name", screen, state).contains("operator"), "by the palette too")
}

@Test func aColumnThatIsAskedForOutlastsOthers() throws {
  let size = Size(width: 80, height: 24)
  var (screen, state) = try open("", size)
  #expect(try !row("name", screen, state, size).contains("asked → got"))
  _ = play("C G space space o esc", &screen, &state, size)
  #expect(try row("name", screen, state, size).contains("asked → got"))
}

@Test func aHeaderSortsAndTurnsRound() throws {
  var (screen, state) = try open("+ +")
  func names() -> [String] {
    screen.draw(state, size: wide).lines()[3...].prefix(7).map {
      String($0.dropFirst(3).prefix { $0 != " " })
    }
  }
  func click(_ title: String) throws {
    let header = try row("name", screen, state)
    let column = try #require(header.range(of: title))
    let x = header.distance(from: header.startIndex, to: column.lowerBound)
    _ = screen.handle(.mouse(Mouse(at: Point(x: x, y: 2), .press(.left))), &state)
  }
  try click("MAC")
  #expect(names().first == "stem/conv" && names()[1] == "block/pointwise")
  #expect(try row("name", screen, state).contains("MAC▾"))
  try click("MAC")
  #expect(names().last == "stem/conv" && names()[5] == "block/pointwise")
  #expect(try row("name", screen, state).contains("MAC▴"))
  try click("operator")
  #expect(try row("name", screen, state).contains("operator▴"))
  #expect(names().first == "block/add")
  let before = names()
  try click("output")
  #expect(names() == before, "it has no order")
}

@Test func whatWasAskedAndWhatTakesEffect() throws {
  let (screen, state) = try open("+ +")
  let depthwise = try row("block/depthwise", screen, state)
  #expect(
    depthwise.contains("wght 4/32 g32 → chan: one input feature per output, noth"))
  #expect(try row("stem/conv", screen, state).contains("fp32") && !depthwise.contains("1 stem/conv"))
  #expect(try row("stem/conv", screen, state).contains("1 stem/conv"))
  #expect(depthwise.contains("defaults"))
  // A sum has no weights: nothing is asked of it here, and nothing changes.
  #expect(
    try row("block/add", screen, state).contains("defaults") && !row("block/add", screen, state).contains("→")
  )
}

@Test func clippedSharesAreShownOnceKnown() throws {
  var (screen, state) = try open("+ + : text:\"show clip W\" enter : text:\"show clip in\" enter")
  let header = try row("name", screen, state)
  #expect(header.contains("clip W %") && header.contains("clip in %"))
  #expect(state.layerFigures.clipped["dense"] == nil)
  let recipe = try #require(state.currentEntry).recipe.key
  _ = screen.apply(.clippingFound(recipe, ["dense": 0.0123]), &state)
  #expect(try row("dense", screen, state).contains(" 1.23 "))
  let grid = LayerDetail.Grid(lower: -1, upper: 1, step: 0.1, levels: 21, clipped: 0.25, sqnrDb: 20)
  _ = screen.apply(.selectLayer("dense"), &state)
  var detail = LayerDetail(layer: "dense", recipe: recipe)
  detail.weightGrid = grid
  _ = screen.apply(.showDetail(detail), &state)
  #expect(try row("dense", screen, state).contains(" 25.0 "))
  _ = play("/ text:clip>20 enter", &screen, &state, wide)
  #expect(state.layer == "dense" && screen.draw(state, size: wide).text().contains("1 of 7"))
  // Of another form of the recipe nothing is known.
  _ = screen.apply(.edit(layers: ["dense"], change: SettingsChange(weightBits: 3), title: "3 bits"), &state)
  #expect(state.layerFigures.clipped.isEmpty)
  _ = screen.apply(.clippingFound(Recipe(name: "gone"), ["dense": 0.5]), &state)
  #expect(state.layerFigures.clipped.isEmpty)
}

@Test func everyColumnIsNamedOnceAndDrawsEveryLayer() throws {
  let state = try fixtureState(fixtureModel())
  #expect(Set(LayerColumn.all.map(\.id)).count == LayerColumn.all.count)
  let context = LayerColumn.Context(
    figures: state.layerFigures, costs: LayerCostColumn(state), rules: [], total: 0, barWidth: 6)
  for column in LayerColumn.all {
    for view in state.layerViews {
      #expect(!column.cell(LayerRecord(view: view, figures: state.layerFigures), context).isEmpty)
    }
  }
}
