import Analysis
import Foundation
import Jobs
import Quantization
import Testing
import Workbench
import Workflows

private func report(_ names: [String] = ["float32", "candidate"]) -> BenchReport {
  let arithmetic = Peaks.Arithmetic(oneThreadGops: 100, allThreadsGops: 100)
  return BenchReport(
    machine: Machine(cpu: "c", features: [], threads: 1),
    peaks: Peaks(
      threads: 1, float32: arithmetic, int8: arithmetic,
      memory: [Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 10, allThreadsGbs: 10)]),
    tables: names.map {
      BenchTable(
        name: $0, latencyMs: 1, workingSet: 100,
        steps: [
          BenchTable.Step(name: "dense", nodes: ["dense"], kernel: "gemm f32", ms: 1, macs: 512, bytes: 64)
        ])
    })
}

/// A workbench with its candidate's steps asked for, and the subject of the question.
private func asked() throws -> (State, StepSubject) {
  var state = try opened()
  let subject = StepSubject.candidate(
    try #require(state.current), try #require(state.currentEntry).recipe.key)
  #expect(state.update(.showSteps(.candidate)) == [.timeSteps(subject, title: "A static-int8")])
  return (state, subject)
}

@Test func stepsAreAskedForOnce() throws {
  var (state, subject) = try asked()
  #expect(state.shownSteps?.status == .waiting(nil))
  #expect(state.update(.showSteps(nil)).isEmpty && state.shownSteps == nil)
  #expect(state.update(.showSteps(.candidate)).isEmpty)
  #expect(state.update(.showSteps(.float32)).isEmpty, "float32 is timed in turn with the candidate")
  _ = state.update(.stepsTimed(subject, report()))
  _ = state.update(.stepsStarted(JobID(1), subject))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A", state: .done)))
  #expect(state.shownSteps?.status == .done && state.shownSteps?.variant?.name == "float32")
  #expect(state.update(.showSteps(.candidate)).isEmpty)
  #expect(state.shownSteps?.variant?.name == "candidate" && state.steps.peaks?.threads == 1)
  #expect(
    state.update(.timeSteps(.candidate)) == [.timeSteps(subject, title: "A static-int8")],
    "again, when told to")
}

@Test func stepsOfAnEditedRecipeAreStale() throws {
  var (state, subject) = try asked()
  _ = state.update(.stepsStarted(JobID(1), subject))
  _ = state.update(.stepsTimed(subject, report()))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A", state: .done)))
  let edit = Action.edit(layers: ["dense"], change: SettingsChange(weightBits: 4), title: "4 bits")
  #expect(state.update(edit).allSatisfy { if case .timeSteps = $0 { false } else { true } })
  #expect(state.shownSteps?.isStale == true && state.shownSteps?.status == .notAsked)
  #expect(state.update(.timeSteps(.candidate)).count == 1)
  #expect(state.shownSteps?.variant != nil, "the older rows stay while they are timed anew")
  _ = state.update(.undo)
  #expect(state.shownSteps?.isStale == false && state.shownSteps?.status == .done)
}

@Test func aCandidateThatComesIntoViewIsTimed() throws {
  var (state, _) = try asked()
  func asks(_ action: Action) -> Bool {
    state.update(action).contains { if case .timeSteps = $0 { true } else { false } }
  }
  let first = try #require(state.current)
  #expect(asks(.add(try #require(Presets["weight-int4"]).recipe)))
  #expect(!asks(.select(first)), "it is being timed")
  #expect(!asks(.showSteps(nil)))
  #expect(!asks(.add(try #require(Presets["dynamic-int8"]).recipe)), "the view is closed")
}

@Test func aFailureIsShownEvenWhenItCameFirst() throws {
  var (state, subject) = try asked()
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A steps", state: .failed("simulated"))))
  _ = state.update(.stepsStarted(JobID(1), subject))
  #expect(state.shownSteps?.status == .failed("simulated"))
  #expect(state.log.last?.text == "A steps: simulated")
  #expect(state.update(.showSteps(.float32)).count == 1, "float32 can be timed alone")
  _ = state.update(.stepsStarted(JobID(2), .float32))
  _ = state.update(.jobChanged(JobStatus(id: JobID(2), title: "float32 steps", state: .cancelled)))
  #expect(state.shownSteps?.status == .failed("cancelled"))
}

@Test func stepsOfAnotherModelAreDropped() throws {
  var (state, subject) = try asked()
  _ = state.update(.opened(try project(), nil))
  _ = state.update(.stepsTimed(subject, report()))
  #expect(state.steps.float32 == nil && state.steps.recipes.isEmpty)
}
