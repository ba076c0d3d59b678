import Analysis
import Jobs
import Quantization
import Testing
import Workbench
import Workflows

private func found(_ isChosen: Bool = false) -> SearchFront {
  var front = SearchFront(goal: .size, overTime: false, floatBytes: 4000)
  var point = SearchFront.Point(
    picks: [1], recipe: Recipe(name: "mixed"), layers: ["W4": 2], bytes: 700, predicted: 0.1)
  point.isChosen = isChosen
  front.put(point)
  return front
}

@Suite struct SearchTests {
  @Test func oneSearchGoesOnAtATimeAndItsFrontStays() throws {
    var state = try opened()
    var request = SearchRequest()
    #expect(state.search.status(among: state.jobs) == .notAsked)
    #expect(state.update(.search(request)) == [.search(request)])
    request.maxDrop = nil
    #expect(state.update(.search(request)).isEmpty, "another goes on")
    let asked = try #require(state.search.request)
    _ = state.update(.searchFound(request, found()))
    #expect(state.search.front == nil, "never asked for")
    _ = state.update(.searchStarted(JobID(3), asked))
    _ = state.update(.jobChanged(JobStatus(id: JobID(3), title: "search", state: .running, fraction: 0.5)))
    _ = state.update(.searchFound(asked, found()))
    #expect(state.search.status(among: state.jobs) == .waiting(0.5))
    #expect(state.search.job(among: state.jobs)?.id == JobID(3))
    // Cancelled: what was found stays.
    _ = state.update(.jobChanged(JobStatus(id: JobID(3), title: "search", state: .cancelled)))
    #expect(state.search.status(among: state.jobs) == .failed("cancelled"))
    #expect(state.search.front == found() && state.search.job(among: state.jobs) == nil)
    #expect(state.update(.search(request)) == [.search(request)])
    state.keys = KeyLabels(["search": "S"])
    _ = state.update(.searchFound(request, found(true)))
    _ = state.update(.searchStarted(JobID(4), request))
    _ = state.update(.jobChanged(JobStatus(id: JobID(4), title: "search", state: .done)))
    #expect(state.search.status(among: state.jobs) == .done)
    #expect(state.log.last?.text == "search: 2×W4, candidate mixed; S opens it")
  }

  @Test func aFailureMayComeFirst() throws {
    var state = try opened()
    let request = SearchRequest()
    _ = state.update(.search(request))
    _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "search", state: .failed("no data"))))
    _ = state.update(.searchStarted(JobID(1), request))
    #expect(state.search.status(among: state.jobs) == .failed("no data"))
    #expect(state.update(.search(request)) == [.search(request)])
  }

  @Test func aModelThatIsClosedGetsNoFront() throws {
    var state = try opened()
    let request = SearchRequest()
    _ = state.update(.search(request))
    _ = state.update(.opened(try #require(state.project), nil))
    _ = state.update(.searchFound(request, found()))
    #expect(state.search.front == nil)
    var empty = State()
    #expect(empty.update(.search(request)).isEmpty)
  }

  @Test func requestsBecomeSettings() throws {
    let model = try #require(opened().project).model
    var request = SearchRequest()
    #expect(request.settings(for: model).wanted == .size && request.settings(for: model).limit == 0)
    request.minCompression = 4
    #expect(request.settings(for: model).bounds.maxBytes == SearchSettings().floatBytes(model) / 4)
    request.goal = .loss
    #expect(request.objection == nil && request.settings(for: model).wanted == .loss)
    request.minCompression = nil
    #expect(request.objection != nil)
    var state = try opened()
    #expect(state.update(.search(request)).isEmpty)
  }
}
