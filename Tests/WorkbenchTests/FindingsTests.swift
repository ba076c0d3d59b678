import Analysis
import Foundation
import Jobs
import Quantization
import Testing
import Workbench
import Workflows

/// What costs of layers and a search come to, in the session.
@Suite struct FindingsTests {
  private func conditions(
    model: String = "m", data: String = "d", numerics: Int = 1, threads: Int = 1
  ) -> SessionStore.Conditions {
    .init(
      model: model, data: data, numerics: numerics,
      machine: Machine(cpu: "c", features: [], threads: threads))
  }

  private func folder() -> String { NSTemporaryDirectory() + "lathe-findings-\(UUID().uuidString)" }

  /// Does what effects ask of a session.
  private func perform(_ effects: [Effect], _ state: State, in folder: String) throws {
    let store = SessionStore(folder: folder, conditions: conditions())
    for effect in effects {
      switch effect {
      case .keepFindings(let findings): try store.keep(findings)
      case .save: try store.save(state.session)
      default: break
      }
    }
  }

  private func reopened(_ folder: String, _ conditions: SessionStore.Conditions) throws -> State {
    var state = State()
    let session = SessionStore(folder: folder, conditions: conditions).load()
    _ = state.update(.opened(try project(), session))
    return state
  }

  private func costs(_ state: State) throws -> SensitivityReport {
    var report = try #require(state.project).kurtosisRanking()
    (report.metric, report.isEstimate) = (.kl, false)
    let cost = #"{"weightBits": 4, "activationBits": 4, "kl": 0.125}"#
    report.layers[0].costs = [
      try JSONDecoder().decode(SensitivityReport.Cost.self, from: Data(cost.utf8))
    ]
    return report
  }

  private func front(latency: Double? = nil) throws -> SearchFront {
    var front = SearchFront(goal: .size, overTime: false, floatBytes: 4000, budget: 0.5)
    for bytes in [700, 900] {
      var point = SearchFront.Point(
        picks: [bytes], recipe: try #require(Presets["weight-int4"]).recipe, layers: ["W4": 1], bytes: bytes,
        latencyRatio: latency, predicted: 0.1)
      point.isChosen = bytes == 900
      point.distance = bytes == 900 ? 0.25 : nil
      front.put(point)
    }
    return front
  }

  /// Searches, as the shell would tell it.
  private func search(_ state: inout State, _ front: SearchFront) -> [Effect] {
    let request = SearchRequest()
    _ = state.update(.search(request))
    _ = state.update(.searchStarted(JobID(4), request))
    _ = state.update(.searchFound(request, front))
    return state.update(.jobChanged(JobStatus(id: JobID(4), title: "search", state: .done)))
  }

  @Test func theyComeBackAsTheyWere() throws {
    let folder = folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var state = try opened()
    _ = state.update(.measureCosts)
    let report = try costs(state)
    try perform(state.update(.costsFound(report)), state, in: folder)
    let found = try front()
    try perform(search(&state, found), state, in: folder)
    var again = try reopened(folder, conditions())
    #expect(again.search.front == found && again.search.request == SearchRequest())
    #expect(again.search.status(among: []) == .done && !again.search.isStale)
    #expect(again.costs.report == report && !again.costs.isStale)
    // The guess at opening does not take their place.
    _ = again.update(.costsFound(try #require(again.project).kurtosisRanking()))
    #expect(again.costs.report == report)
  }

  @Test(arguments: [
    ("model", true, true), ("data", true, true), ("numerics", true, true), ("threads", false, true),
  ])
  func whatNeedNotHoldIsStale(_ change: String, _ costs: Bool, _ search: Bool) throws {
    let folder = folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var state = try opened()
    _ = state.update(.measureCosts)
    _ = state.update(.costsFound(try self.costs(state)))
    try perform(self.search(&state, front(latency: 0.6)), state, in: folder)
    let other =
      switch change {
      case "model": conditions(model: "n")
      case "data": conditions(data: "e")
      case "numerics": conditions(numerics: 2)
      default: conditions(threads: 2)
      }
    var again = try reopened(folder, other)
    #expect(again.costs.isStale == costs && again.search.isStale == search)
    #expect(again.costs.report != nil && again.search.front != nil)
    // Measured again, they are no more, and only what holds is kept.
    let effects = self.search(&again, try front())
    #expect(!again.search.isStale && effects.contains(.save))
    let kept = effects.compactMap { effect -> Findings? in
      if case .keepFindings(let findings) = effect { findings } else { nil }
    }
    #expect(kept.count == 1 && kept[0].search != nil && (kept[0].costs == nil) == costs)
  }

  /// Without times in it, a front holds on another machine.
  @Test func sizesHoldEverywhere() throws {
    let folder = folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var state = try opened()
    try perform(search(&state, front()), state, in: folder)
    #expect(try !reopened(folder, conditions(threads: 7)).search.isStale)
  }

  @Test(arguments: ["", "{", "{\"conditions\": 1}", "[]"]) func damagedFindingsAreKept(_ text: String) throws
  {
    let folder = folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var state = try opened()
    try perform(search(&state, front()), state, in: folder)
    try text.write(toFile: folder + "/findings.json", atomically: false, encoding: .utf8)
    let store = SessionStore(folder: folder, conditions: conditions())
    let session = try #require(store.load())
    #expect(session.findings == Findings() && store.warnings.count == 1)
    #expect(try String(contentsOfFile: folder + "/findings.json.unreadable", encoding: .utf8) == text)
  }
}
