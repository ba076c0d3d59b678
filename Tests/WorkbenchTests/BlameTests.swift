import Analysis
import Jobs
import Quantization
import Testing
import Workbench

private let report = BlameReport(blame: Blame(layers: [], samples: 3), roles: "")

/// A workbench with the blame of its candidate asked for.
private func asked() throws -> (State, BlameSubject) {
  var state = try opened()
  let subject = BlameSubject(
    candidate: try #require(state.current), recipe: try #require(state.currentEntry).recipe.key)
  #expect(state.update(.showBlame(true)) == [.blame(subject, title: "A static-int8")])
  return (state, subject)
}

private func isQuestion(_ effect: Effect) -> Bool {
  if case .blame = effect { true } else { false }
}

@Test func blameIsAskedForOnceAndKept() throws {
  var (state, subject) = try asked()
  #expect(state.shownBlame?.status == .waiting(nil))
  _ = state.update(.showBlame(false))
  #expect(state.shownBlame == nil && state.update(.showBlame(true)).isEmpty)
  _ = state.update(.blamed(subject, report))
  _ = state.update(.blameStarted(JobID(1), subject))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A", state: .done)))
  #expect(state.shownBlame?.status == .done && state.shownBlame?.report?.blame.samples == 3)
  #expect(state.update(.findBlame) == [.blame(subject, title: "A static-int8")], "again, when told to")
}

@Test func blameOfAnEditedRecipeIsStale() throws {
  var (state, subject) = try asked()
  _ = state.update(.blameStarted(JobID(1), subject))
  _ = state.update(.blamed(subject, report))
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A", state: .done)))
  let edit = Action.edit(layers: ["dense"], change: SettingsChange(weightBits: 4), title: "4 bits")
  #expect(!state.update(edit).contains(where: isQuestion))
  #expect(state.shownBlame?.isStale == true && state.shownBlame?.report != nil)
  #expect(state.update(.add(try #require(Presets["weight-int4"]).recipe)).contains(where: isQuestion))
  _ = state.update(.showBlame(false))
  #expect(!state.update(.add(try #require(Presets["dynamic-int8"]).recipe)).contains(where: isQuestion))
}

@Test func aFailedBlameIsToldEvenWhenItCameFirst() throws {
  var (state, subject) = try asked()
  _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "A blame", state: .failed("NaN"))))
  _ = state.update(.blameStarted(JobID(1), subject))
  #expect(state.shownBlame?.status == .failed("NaN") && state.log.last?.text == "A blame: NaN")
}

@Test func blameOfAnotherModelIsDropped() throws {
  var (state, subject) = try asked()
  _ = state.update(.opened(try project(), nil))
  _ = state.update(.blamed(subject, report))
  #expect(state.blame.reports.isEmpty && !state.blame.isShown)
}
