import Evaluation
import Foundation
import Graph
import Jobs
import Quantization
import Testing
import Workbench
import Workflows

/// Answers of a candidate to `samples`: those in `lost` wrong where float32 is right, those in `gained` the other way.
func madeUpAnswers(_ samples: Range<Int> = 0..<100, lost: [Int] = [], gained: [Int] = []) -> Answers {
  let change = PairedDifference(samples: samples.count, lost: lost.count, gained: gained.count)
  func move(_ sample: Int, isLost: Bool) -> Move {
    Move(
      sample: sample, label: isLost ? 3 : 5, float32: 3, candidate: 5, float32Margin: 0.5,
      candidateMargin: 0.25)
  }
  return Answers(
    classCount: 8, evaluated: SampleSet(samples),
    classes: [
      ClassChange(
        label: 3, samples: samples.count, float32Top1: 0.9, top1Delta: change.delta,
        top1DeltaCi95: [change.interval95.lowerBound, change.interval95.upperBound])
    ],
    moves: (lost.map { move($0, isLost: true) } + gained.map { move($0, isLost: false) })
      .sorted { $0.sample < $1.sample })
}

/// A measurement whose figures are those of the answers.
func measurement(_ name: String, _ answers: Answers) -> Workflows.Measurement {
  var result = measurement(name)
  let change = PairedDifference(
    samples: answers.evaluated.count, lost: answers.count(.lost), gained: answers.count(.gained))
  result.float32.top1 = 0.9
  result.candidates[0].samples = change.samples
  result.candidates[0].top1 = 0.9 + change.delta
  result.candidates[0].top1Delta = change.delta
  result.candidates[0].top1DeltaCi95 = [change.interval95.lowerBound, change.interval95.upperBound]
  result.answers = [answers]
  return result
}

@Suite struct BaselineTests {
  private let first = madeUpAnswers(0..<100, lost: [1, 2, 3])
  private let second = madeUpAnswers(10..<100, lost: [2, 50], gained: [60])

  /// Candidates A and B, both measured.
  private func both() throws -> (State, CandidateID, CandidateID) {
    var state = try opened()
    let a = try #require(state.current)
    _ = state.update(.measured(a, recipe: try #require(state.entry(a)).recipe, measurement("a", first)))
    _ = state.update(.add(try #require(Presets["weight-int4"]).recipe))
    let b = try #require(state.current)
    _ = state.update(.measured(b, recipe: try #require(state.entry(b)).recipe, measurement("b", second)))
    return (state, a, b)
  }

  @Test func fromFloat32TheyAreAsMeasured() throws {
    let (state, a, _) = try both()
    let expected = PairedDifference(samples: 100, lost: 3, gained: 0)
    guard case .measured(let paired, false) = state.difference(of: state.entry(a)) else {
      Issue.record("it is measured")
      return
    }
    #expect(
      paired.delta == expected.delta && paired.interval95 == expected.interval95 && paired.samples == 100)
    #expect(state.difference(of: nil) == .reference)
  }

  /// On 90 common samples A loses 0 of {1, 2, 3}, which lie before them; B loses 50 and gains 60.
  @Test func fromACandidateTheyArePairedOnCommonSamples() throws {
    var (state, a, b) = try both()
    _ = state.update(.setBaseline(a))
    let expected = PairedDifference(samples: 90, lost: 1, gained: 1)
    guard case .measured(let paired, false) = state.difference(of: state.entry(b)) else {
      Issue.record("it is measured")
      return
    }
    #expect(paired.samples == 90 && paired.delta == expected.delta)
    #expect(paired.interval95 == expected.interval95 && paired.pValue == expected.pValue)
    #expect(state.difference(of: state.entry(a)) == .reference)
    // float32 from A is A from float32 the other way round.
    guard case .measured(let back, false) = state.difference(of: nil) else {
      Issue.record("it is measured")
      return
    }
    let forth = PairedDifference(samples: 100, lost: 0, gained: 3)
    #expect(abs(back.delta - forth.delta) < 1e-12)
    #expect(abs(back.interval95.lowerBound - forth.interval95.lowerBound) < 1e-12)
  }

  @Test func aStaleBaselineMakesDifferencesStale() throws {
    var (state, a, b) = try both()
    _ = state.update(.setBaseline(a))
    _ = state.update(.select(a))
    _ = state.update(.edit(layers: ["dense"], change: SettingsChange(weightBits: 5), title: "5 bits"))
    guard case .measured(_, true) = state.difference(of: state.entry(b)) else {
      Issue.record("it is stale")
      return
    }
  }

  /// What was measured before answers were kept can be measured again; what has them is not.
  @Test func withoutAnswersItIsMeasuredAgain() throws {
    var state = try opened()
    let id = try #require(state.current)
    let recipe = try #require(state.currentEntry).recipe
    var old = measurement("a", first)
    old.answers = []
    _ = state.update(.measured(id, recipe: recipe, old))
    #expect(state.shown(try #require(state.currentEntry)).status == .done)
    #expect(state.update(.run(id)) == [.run(id, recipe)])
    _ = state.update(.measured(id, recipe: recipe, measurement("a", first)))
    #expect(state.update(.run(id)).isEmpty)
  }

  /// Which of the two has to be measured again is told; while that goes on there is nothing.
  @Test func whatLacksAnswersIsNamed() throws {
    var (state, a, b) = try both()
    _ = state.update(.setBaseline(a))
    let recipe = try #require(state.entry(a)).recipe
    var old = measurement("a", first)
    old.answers = []
    _ = state.update(.measured(a, recipe: recipe, old))
    #expect(state.difference(of: state.entry(b)) == .needs(a))
    #expect(state.difference(of: nil)?.delta != nil, "from float32 it is known")
    _ = state.update(.started(JobID(3), a))
    _ = state.update(.jobChanged(JobStatus(id: JobID(3), title: "A", state: .running)))
    _ = state.update(.partial(a, recipe: recipe, old))
    #expect(state.difference(of: state.entry(b)) == nil)
  }

  @Test func layersAreHeldAgainstTheBaselineOrTheOneBefore() throws {
    var (state, a, b) = try both()
    #expect(state.compared?.id == a)
    _ = state.update(.setBaseline(b))
    #expect(state.compared?.id == a, "the baseline is not held against itself")
    _ = state.update(.select(a))
    #expect(state.compared?.id == b)
    _ = state.update(.setBaseline(nil))
    #expect(state.compared == nil)
    let float = state.layerViews(of: nil)
    #expect(float.count == 1 && float[0].resolved?.effective.mode == .float)
    #expect(float[0].bytesAfter == 2048 && state.layerViews(of: state.entry(b))[0].bytesAfter < 600)
  }

  /// Sessions come back with answers; a line of an older one has none.
  @Test func answersAreKeptInTheSession() throws {
    let (state, a, _) = try both()
    let folder = NSTemporaryDirectory() + "lathe-answers-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let conditions = SessionStore.Conditions(
      model: "m", data: "d", numerics: 1, machine: .current(threads: 1))
    let recipe = try #require(state.entry(a)).recipe.key
    func reopened() throws -> Session {
      try #require(SessionStore(folder: folder, conditions: conditions).load())
    }
    do {
      let store = SessionStore(folder: folder, conditions: conditions)
      try store.save(state.session)
      try store.append(recipe, try #require(state.trials[recipe]))
    }
    #expect(try reopened().trials[recipe]?.answers == first)
    let path = folder + "/trials.jsonl"
    let line = try String(contentsOfFile: path, encoding: .utf8)
    let start = try #require(line.range(of: "\"answers\":"))
    let end = try #require(line.range(of: "\"float32\":{", range: start.upperBound..<line.endIndex))
    try (line[..<start.lowerBound] + line[end.lowerBound...]).write(
      toFile: path, atomically: true, encoding: .utf8)
    let old = try reopened()
    #expect(old.trials[recipe]?.trial.top1 == 0.9 - 0.03 && old.trials[recipe]?.answers == nil)
  }
}
