import Evaluation
import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workbench
import Workflows

func project() throws -> Project {
  let graph = Graph(
    name: "tiny",
    inputs: [ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(64)])],
    outputs: [ValueInfo(name: "y", type: .float32, dimensions: [.free("N"), .fixed(8)])],
    constants: ["w": Tensor((0..<512).map { Float($0 % 13) - 6 }, shape: [64, 8])],
    nodes: [Node(name: "dense", op: try MatMul(attributes: [:]), inputs: ["x", "w"], outputs: ["y"])])
  return try Project(model: try Model(source: graph, path: "tiny.onnx", format: "onnx"), threads: 1)
}

func opened() throws -> State {
  var state = State()
  _ = state.update(.opened(try project(), nil))
  return state
}

func measurement(_ name: String) -> Workflows.Measurement {
  Workflows.Measurement(
    float32: Trial(name: "float32", execution: .float, weightBytes: 2048, packedBytes: 2048),
    candidates: [Trial(name: name, execution: .integer, weightBytes: 600, packedBytes: 600)], roles: "",
    fraction: 1, answers: [Answers(classCount: 0, evaluated: SampleSet([]), classes: [], moves: [])])
}

@Test func openingMakesAFirstCandidate() throws {
  let state = try opened()
  #expect(state.candidates.count == 1 && state.layer == "dense")
  #expect(state.currentEntry?.resolution["dense"]?.effective.mode == .static)
}

@Test func openingKeepsWhatTheLogSaidBefore() throws {
  var state = State()
  _ = state.update(.note("graph: dots is no form of graphs", .warning))
  _ = state.update(.opened(try project(), nil))
  #expect(state.log.first?.text == "graph: dots is no form of graphs" && state.log.count == 2)
}

@Test func anEditMakesResultsStaleAndUndoMakesThemFresh() throws {
  var state = try opened()
  let id = try #require(state.current)
  let recipe = try #require(state.currentEntry).recipe
  let effects = state.update(.measured(id, recipe: recipe, measurement("a")))
  #expect(effects.contains(.save))
  #expect(state.shown(try #require(state.currentEntry)).status == .done)
  _ = state.update(.edit(layers: ["dense"], change: SettingsChange(weightBits: 4), title: "4-bit weights"))
  let stale = state.shown(try #require(state.currentEntry))
  #expect(stale.isStale && stale.status == .notRun)
  _ = state.update(.undo)
  #expect(state.shown(try #require(state.currentEntry)).status == .done)
  _ = state.update(.redo)
  #expect(state.shown(try #require(state.currentEntry)).isStale)
  #expect(state.history.done.map(\.title) == ["4-bit weights"])
}

@Test func renamingKeepsResults() throws {
  var state = try opened()
  let id = try #require(state.current)
  _ = state.update(.measured(id, recipe: try #require(state.currentEntry).recipe, measurement("a")))
  _ = state.update(.rename(id, "mine"))
  #expect(state.shown(try #require(state.currentEntry)).status == .done)
  #expect(state.update(.run(id)).isEmpty, "nothing is measured twice")
}

@Test func notesStayWithTheirCandidate() throws {
  var state = try opened()
  let id = try #require(state.current)
  #expect(state.update(.setNote(id, "keeps the stem")).contains(.save))
  #expect(state.update(.setNote(id, "keeps the stem")).isEmpty, "nothing changes")
  _ = state.update(.duplicate(id))
  #expect(state.candidates.map(\.note) == ["keeps the stem", ""])
  let written = try JSONEncoder().encode(state.session)
  var restored = State()
  _ = restored.update(.opened(try project(), try JSONDecoder().decode(Session.self, from: written)))
  #expect(restored.candidates.map(\.note) == ["keeps the stem", ""])
  _ = state.update(.setNote(id, ""))
  #expect(state.entry(id)?.note == "" && state.history.done.last?.title == "note on A static-int8")
  _ = state.update(.undo)
  #expect(state.entry(id)?.note == "keeps the stem")
}

@Test func whatTheComparisonShowsStaysWithTheSession() throws {
  var state = try opened()
  var choice = CompareChoice()
  choice.hidden = ["KL", "p90 ms"]
  choice.order = CompareChoice.Order(row: "size KiB")
  choice.order?.isReversed = true
  #expect(state.update(.setCompare(choice)) == [.save] && state.isUnsaved)
  #expect(state.update(.setCompare(choice)).isEmpty, "nothing changes")
  let written = try JSONEncoder().encode(state.session)
  var restored = State()
  _ = restored.update(.opened(try project(), try JSONDecoder().decode(Session.self, from: written)))
  #expect(restored.compare == choice)
  #expect(restored.update(.setCompare(CompareChoice())) == [.save])
  #expect(!String(decoding: try JSONEncoder().encode(restored.session), as: UTF8.self).contains("compare"))
}

@Test func aDeletedCandidateComesBackWithItsResult() throws {
  var state = try opened()
  let id = try #require(state.current)
  _ = state.update(.measured(id, recipe: try #require(state.currentEntry).recipe, measurement("a")))
  _ = state.update(.delete(id))
  #expect(state.candidates.isEmpty && state.current == nil)
  _ = state.update(.undo)
  #expect(state.current == id)
  #expect(state.shown(try #require(state.currentEntry)).trial?.weightBytes == 600)
}

@Test func lateFiguresOfAChangedRecipeAreNotShown() throws {
  var state = try opened()
  let id = try #require(state.current)
  let recipe = try #require(state.currentEntry).recipe
  _ = state.update(.edit(layers: ["dense"], change: SettingsChange(mode: .float), title: "float"))
  _ = state.update(.partial(id, recipe: recipe, measurement("a")))
  #expect(state.live.isEmpty)
}

@Test func aFailedJobSaysWhy() throws {
  var state = try opened()
  let id = try #require(state.current)
  _ = state.update(.started(JobID(1), id))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A", state: .failed("no data"))))
  #expect(state.shown(try #require(state.currentEntry)).status == .failed("no data"))
  #expect(state.log.last?.text == "A: no data")
}

@Test func aSessionComesBackAsItWas() throws {
  var state = try opened()
  let id = try #require(state.current)
  _ = state.update(.measured(id, recipe: try #require(state.currentEntry).recipe, measurement("a")))
  _ = state.update(.add(try #require(Presets["weight-int4"]).recipe))
  _ = state.update(.edit(layers: ["dense"], change: SettingsChange(weightBits: 3), title: "3 bits"))
  _ = state.update(.setMarks(["dense"]))
  _ = state.update(.setBaseline(id))
  let folder = NSTemporaryDirectory() + "lathe-session-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let conditions = SessionStore.Conditions(
    model: "m", data: "d", numerics: 1, machine: .current(threads: 1))
  do {
    let store = SessionStore(folder: folder, conditions: conditions)
    #expect(store.load() == nil)
    try store.save(state.session)
    try store.append(try #require(state.entry(id)).recipe.key, try #require(state.trials.values.first))
    let second = SessionStore(folder: folder, conditions: conditions)
    #expect(second.readOnlyReason != nil, "one writer at a time")
  }
  // A torn last line, as a crash leaves it.
  let path = folder + "/trials.jsonl"
  let torn = (try String(contentsOfFile: path, encoding: .utf8)) + "{\"recipe\": \"lat"
  try torn.write(toFile: path, atomically: false, encoding: .utf8)
  let store = SessionStore(folder: folder, conditions: conditions)
  let session = try #require(store.load())
  #expect(store.warnings.count == 1)
  var restored = State()
  _ = restored.update(.opened(try project(), session))
  #expect(restored.candidates.map(\.recipe) == state.candidates.map(\.recipe))
  #expect(restored.current == state.current && restored.baseline == id && restored.marked == ["dense"])
  #expect(restored.shown(try #require(restored.entry(id))).status == .done)
}
