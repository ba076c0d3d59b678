import Foundation
import Interface
import Quantization
import Screen
import Testing
import Workbench
import Workflows

@testable import Panes

private let size = Size(width: 120, height: 36)

private func open(_ names: [String] = []) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  if !names.isEmpty {
    state = State()
    _ = state.update(.opened(try Project(model: chainModel(names), threads: 2), nil))
  }
  return (fixtureScreen(), state)
}

/// What the rows of the table say, from the name on, without lines of the tree.
private func rows(_ screen: Screen, _ state: State) -> [String] {
  let lines = screen.draw(state, size: Size(width: 120, height: 36)).lines()
  return lines.dropFirst(3).prefix { !$0.hasPrefix("┗") }.compactMap { line in
    let name = line.dropFirst(3).prefix(22).drop { " │├─└".contains($0) }
    let words = name.split(separator: "  ").first ?? ""
    return words.isEmpty || words.hasPrefix(" ") ? nil : words.trimmingCharacters(in: .whitespaces)
  }
}

@Test(arguments: [
  ("tree-80x24", 80, 24, "F g h"),
  ("tree-zoomed-120x36", 120, 36, "F + + ("), ("tree-filter-120x36", 120, 36, "F / text:op:conv"),
])
func treeFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try open()
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func theAsciiTreeHasOnlyAscii() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(.ascii)
  _ = play("F", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().allSatisfy { $0.isASCII })
}

/// Names, and the tree they make: scopes end in their separator, each level is in brackets.
@Test(arguments: [
  (["a", "b"], "a b"), (["a/b", "a/c", "d"], "a/[b c] d"), (["a/b", "c"], "a/b c"),
  (["m.x.1.p", "m.x.1.q", "m.x.2.p"], "m.x.[1.[p q] 2.p]"), (["/m/a/c", "/m/a/d", "/m/b"], "/m/[a/[c d] b]"),
  (["a/b", "a", "a/c"], "a/[b c] a"), (["x.", "x.y", "x.z"], "x. x.[y z]"),
  (["a/b.c", "a/b.d", "a/e"], "a/[b.[c d] e]"),
])
func namesMakeATree(names: [String], expected: String) throws {
  let (_, state) = try open(names)
  let tree = LayerTree(
    LayerTree.Question(
      matcher: LayerMatcher("", state), sort: LayerSort(), figures: LayerFigures(), isTree: true))
  func text(_ places: [Int], _ above: String) -> String {
    places.map { place in
      switch tree.nodes[place].item {
      case .layer(let view, let label):
        #expect(above + label == view.facts.name)
        return label
      case .scope(let scope):
        #expect(tree.nodes[place].children.count > 1, "an only child")
        #expect(scope.id.hasPrefix(above + scope.label) && scope.names.allSatisfy { $0.hasPrefix(scope.id) })
        return scope.id.dropFirst(above.count) + "[" + text(tree.nodes[place].children, scope.id) + "]"
      }
    }.joined(separator: " ")
  }
  #expect(text(tree.roots, "") == expected)
}

@Test func scopesCloseAndOpen() throws {
  var (screen, state) = try open()
  _ = play("F", &screen, &state, size)
  #expect(
    rows(screen, state) == [
      "stem/conv", "▾ block 3", "depthwise *", "pointwise *", "add", "pool", "flatten", "dense *",
    ])
  #expect(state.layer == "block/pointwise", "the cursor stays on its layer")
  _ = play("h", &screen, &state, size)
  #expect(state.layer == nil && rows(screen, state).count == 8, "up to the scope")
  _ = play("h", &screen, &state, size)
  #expect(rows(screen, state) == ["stem/conv", "▸ block 3", "pool", "flatten", "dense *"])
  _ = play("l", &screen, &state, size)
  #expect(rows(screen, state).count == 8)
  _ = play("l", &screen, &state, size)
  #expect(state.layer == "block/depthwise", "into the scope")
  _ = play("(", &screen, &state, size)
  #expect(rows(screen, state)[1] == "▸ block 3" && state.layer == nil, "on the scope that hides the layer")
  _ = play(")", &screen, &state, size)
  #expect(rows(screen, state).count == 8)
  _ = play("F", &screen, &state, size)
  #expect(rows(screen, state).contains("block/add") && state.layer == "block/depthwise")
}

@Test func aScopeRowSumsUpWhatIsBelow() throws {
  var (screen, state) = try open()
  _ = play("F ( + +", &screen, &state, size)
  let line = try #require(screen.draw(state, size: size).lines().first { $0.contains("▸ block 3") })
  // 144 and 256 weights: 1 600 bytes; 65 536 + 36 864 multiply-adds of one sample.
  #expect(line.contains(" 1.6 ") && line.contains(" 102 k ") && line.contains(" mix "))
}

@Test func marksOnAScopeAreOfAllBelow() throws {
  var (screen, state) = try open()
  let block: Set = ["block/depthwise", "block/pointwise", "block/add"]
  _ = play("A F ( g j space", &screen, &state, size)
  #expect(state.marked == block)
  #expect(screen.draw(state, size: size).lines().contains { $0.contains("✱▸ block 3") })
  _ = play("g j space", &screen, &state, size)
  #expect(state.marked.isEmpty)
  _ = play(") g j j space g j space", &screen, &state, size)
  #expect(state.marked == block, "one of them was marked: all are now")
  _ = play("A ( g v j v", &screen, &state, size)
  #expect(state.marked == block.union(["stem/conv"]))
  _ = play("A / text:op:conv enter a", &screen, &state, size)
  #expect(state.marked == ["stem/conv", "block/depthwise", "block/pointwise"], "closed ones too")
}

@Test func filtersOpenWhatTheyFind() throws {
  var (screen, state) = try open()
  _ = play("F ( / text:wise", &screen, &state, size)
  #expect(rows(screen, state).prefix(3) == ["▾ block 2", "depthwise *", "pointwise *"])
  _ = play("enter g h", &screen, &state, size)
  #expect(rows(screen, state) == ["▸ block 2"])
  _ = play("esc", &screen, &state, size)
  #expect(rows(screen, state)[1] == "▸ block 3", "closed as before")
}

@Test func sortingIsAmongSiblings() throws {
  var (screen, state) = try open(["a.x.p", "a.x.q", "a.b", "c"])
  _ = play("F", &screen, &state, size)
  #expect(rows(screen, state) == ["▾ a 3", "▾ x 2", "p", "q", "b", "c"])
  _ = play("O", &screen, &state, size)
  #expect(rows(screen, state) == ["c", "▾ a 3", "b", "▾ x 2", "q", "p"])
  _ = play("o", &screen, &state, size)
  #expect(rows(screen, state) == ["▾ a 3", "b", "▾ x 2", "p", "q", "c"], "by name")
  _ = play("o o o", &screen, &state, size)
  #expect(rows(screen, state) == ["▾ a 3", "▾ x 2", "q", "p", "b", "c"], "by size, largest first")
}

@Test func aClickOnTheCursorsScopeClosesIt() throws {
  var (screen, state) = try open()
  _ = play("F", &screen, &state, size)
  let row = Mouse(at: Point(x: 8, y: 4), .press(.left))
  _ = screen.handle(.mouse(row), &state)
  #expect(state.layer == nil && rows(screen, state).count == 8)
  _ = screen.handle(.mouse(row), &state)
  #expect(rows(screen, state).count == 5)
}
