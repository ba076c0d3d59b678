import Analysis
import Foundation
import Interface
import Quantization
import Screen
import Testing
import Workbench
import Workflows

@testable import Panes

private let size = Size(width: 120, height: 36)

/// Names of the fixture's layers that a query lets through, under candidate B: weight-only at 4 bits, the stem float.
private func matching(_ query: String, _ prepare: (inout State) throws -> Void = { _ in }) throws -> [String]
{
  var state = try fixtureState(fixtureModel())
  try prepare(&state)
  let query = try LayerQuery(query)
  return state.layerViews.filter {
    query.matches(
      $0.facts.name, kind: $0.facts.operatorName, LayerRecord(view: $0, figures: state.layerFigures))
  }.map(\.facts.name)
}

private let all = [
  "stem/conv", "block/depthwise", "block/pointwise", "block/add", "pool", "flatten", "dense",
]

@Test(arguments: [
  ("", all), ("BLOCK", ["block/depthwise", "block/pointwise", "block/add"]),
  ("block conv", ["block/depthwise", "block/pointwise"]),
  ("block op:conv", ["block/depthwise", "block/pointwise"]), ("conv$", []), ("/conv$/", ["stem/conv"]),
  ("/CONV$/ !stem", []), ("/^(stem|dense)/", ["stem/conv", "dense"]),
  (#"/stem\/c/"#, ["stem/conv"]), ("/k d|k p/", []), ("/e$/ gemm", ["dense"]),
  ("bits<8", ["block/depthwise", "block/pointwise", "dense"]), ("bits=32", ["stem/conv"]),
  ("bits:32", ["stem/conv"]), ("op:conv !bits<8", ["stem/conv"]),
  ("mode:weight-only size>=1k", ["block/pointwise"]), ("size>1000", ["stem/conv", "block/pointwise"]),
  ("size<=0.5625k !pool mode:weight", ["block/depthwise"]), ("macs>0.05M", ["stem/conv", "block/pointwise"]),
  ("after<300 bits=4 !op:Gemm", ["block/depthwise", "block/pointwise"]), ("rule=1", ["stem/conv"]),
  ("params>400", ["stem/conv"]),
  // Nothing is measured: neither a comparison nor its negation holds.
  ("sens>0", []), ("!sens>0", []), ("snr<99", []), ("!snr<99", []),
])
func queriesFindLayers(query: String, expected: [String]) throws {
  #expect(try matching(query) == expected)
}

@Test func figuresAreAskedForOnceTheyAreMeasured() throws {
  func costs(_ state: inout State) throws {
    _ = state.update(.measureCosts)
    var report = try #require(state.project).kurtosisRanking()
    (report.metric, report.isEstimate) = (.accuracy, false)
    for (index, delta) in [-0.031, -0.004].enumerated() {
      let text = #"{"weightBits": 4, "activationBits": 4, "top1Delta": \#(delta)}"#
      report.layers[index].costs = [
        try JSONDecoder().decode(SensitivityReport.Cost.self, from: Data(text.utf8))
      ]
    }
    _ = state.update(.costsFound(report))
    #expect(state.layerFigures.ranking[report.layers[0].name] == 3.1, "in points")
  }
  #expect(try matching("sens>3", costs).count == 1)
  #expect(try matching("sens>0.1", costs).count == 2)
  #expect(try matching("!sens>3", costs).count == 1, "the others have no figure")
  // A guess is no figure, but what it is guessed from is one.
  func guess(_ state: inout State) throws {
    _ = state.update(.costsFound(try #require(state.project).kurtosisRanking()))
  }
  #expect(try matching("sens>0", guess) == [])
  #expect(try matching("kurtosis>0", guess).contains("dense"))
  func blame(_ state: inout State) throws {
    _ = state.update(.showBlame(true))
    _ = state.update(.blamed(try #require(state.blame.inquiries.asked.first), fixtureBlame()))
  }
  // Total error of 0.41, 3.83 and 13.37 % of the output's energy; that of the stem, which is exact, has no ratio.
  #expect(try matching("snr<15", blame) == ["block/pointwise", "dense"])
  #expect(try matching("snr>20 op:Conv", blame) == ["block/depthwise"])
}

@Test(arguments: [
  ("bits<", "bits < needs a number (found the end, expected 8, 0.5, 10k or 2M)"),
  ("bits<=x", "bits <= needs a number (found x, expected 8, 0.5, 10k or 2M)"),
  ("size>10q", "size > needs a number (found 10q, expected 8, 0.5, 10k or 2M)"),
  ("op<3", "op is text (found <, expected :)"),
  ("op:", "op: is empty (found the end, expected a part of it)"),
  ("! b", "! stands alone (expected a word, field or /regex/ right after it)"),
  ("/abc", "/abc is not closed (found the end, expected /)"),
  ("//", "// is empty (expected an expression between the /)"),
  ("/a/b", "/a/ is followed by b (expected a blank)"),
])
func queriesThatCannotBeReadSayWhatIsWrong(query: String, problem: String) {
  #expect(throws: LayerQuery.Problem(text: problem, before: "pool")) { try LayerQuery("pool  " + query) }
}

@Test func unknownFieldsAndBrokenExpressionsAreNamed() {
  do {
    _ = try LayerQuery("colour:red")
    Issue.record("read")
  } catch {
    #expect(error.text.hasPrefix("colour is no field (expected op mode "))
    for field in LayerField.all { #expect(error.text.contains(field.name)) }
  }
  do {
    _ = try LayerQuery("/(/")
    Issue.record("read")
  } catch { #expect(error.text.hasPrefix("/(/ is no regular expression: ")) }
}

@Test func everyFieldIsReadByItsName() throws {
  for field in LayerField.all {
    if case .text = field.value {
      _ = try LayerQuery("\(field.name):a")
    } else {
      for sign in ["<", "<=", ">", ">=", "=", ":"] { _ = try LayerQuery("!\(field.name)\(sign)-1.5k") }
    }
    #expect(field.explanation.contains(field.name), "with an example")
  }
  #expect(Set(LayerField.all.map(\.name)).count == LayerField.all.count)
}

// MARK: On the screen

@Test(arguments: [
  ("filter-query-80x24", 80, 24, "/ text:\"op:Conv bits<8\""),
  ("filter-problem-80x24", 80, 24, "/ text:\"op:Conv bits<\""),
  ("filter-problem-60x16", 60, 16, "/ text:colour:red"),
  ("filter-accepted-80x24", 80, 24, "/ text:\"op:Conv bits<8\" enter"),
  ("filter-empty-120x36", 120, 36, "/"), ("filter-fields-120x36", 120, 36, "/ tab"),
])
func filterFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func whatCannotBeReadKeepsTheRowsBefore() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  func text() -> String { screen.draw(state, size: size).text() }
  _ = play("/ text:op:Conv", &screen, &state, size)
  #expect(text().contains("3 of 7") && !text().contains("dense  "))
  _ = play("text:\" bits<\"", &screen, &state, size)
  #expect(text().contains("bits < needs a number") && text().contains("3 of 7"))
  _ = play("enter", &screen, &state, size)
  #expect(text().contains("bits < needs a number"), "enter does not accept it")
  _ = play("8 enter", &screen, &state, size)
  #expect(text().contains("2 of 7") && !text().contains("needs a number"))
  _ = play("/ C-u", &screen, &state, size)
  #expect(text().contains("7 of 7"))
  _ = play("text:zzz enter", &screen, &state, size)
  #expect(text().contains("No layer matches /zzz. esc clears it."))
  _ = play("esc", &screen, &state, size)
  #expect(!text().contains("of 7"))
}

@Test func theCursorStaysOnItsLayerWhenTheFilterGoes() throws {
  for keys in ["/ text:dense enter esc", "/ text:dense esc", "F / text:dense enter esc"] {
    var state = try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    _ = play("A " + keys, &screen, &state, size)
    let text = screen.draw(state, size: size).text()
    #expect(state.layer == "dense" && !text.contains("of 7"))
    #expect(text.contains("▸   dense") || text.contains("▸ dense"))
  }
}

@Test func upAndDownRecallFilters() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  func bar() -> String {
    screen.draw(state, size: size).lines().first { $0.contains(" of 7") && $0.contains("┃/") } ?? ""
  }
  _ = play("/ text:block enter / C-u text:pool enter / C-u text:dense", &screen, &state, size)
  _ = play("up", &screen, &state, size)
  #expect(bar().contains("/pool ") && bar().contains("1 of 7"))
  _ = play("up up", &screen, &state, size)
  #expect(bar().contains("/block ") && bar().contains("3 of 7"), "the oldest stays")
  _ = play("down down down", &screen, &state, size)
  #expect(bar().contains("/dense ") && bar().contains("1 of 7"), "what was being typed comes back")
}

@Test func aFieldIsChosenFromAList() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("/ text:block tab text:operator enter text:Add", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("/block op:Add") && text.contains("1 of 7") && state.layer == "block/add")
  var other = fixtureScreen()
  _ = play("? text:kurtosis enter", &other, &state, size)
  #expect(other.draw(state, size: size).text().contains("/kurtosis<"), "from the help too")
  #expect(!Screen.commandTables.flatMap(\.rows).contains { $0.keys.isEmpty }, "lists of keys have keys")
}

@Test func stepsAreFilteredByTheirLayers() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play("w", &screen, &state, size)
  try answerSteps(&state)
  _ = play("/ text:mode:weight enter", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  try expectGolden("filter-steps-120x36", text)
  #expect(text.contains("3 of 6") && !text.contains("conv stem"))
}
