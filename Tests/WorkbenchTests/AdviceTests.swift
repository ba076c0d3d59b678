import Analysis
import Foundation
import Jobs
import Testing
import Workbench
import Workflows

/// An advice with nothing behind it.
private func advice(_ headline: String) throws -> Advice {
  let comparison = """
    {"model": {"path": "m", "format": "onnx", "parameters": 1, "macs": 1},
     "data": {"samples": 1, "labelled": true, "roles": ""}, "machine": {"cpu": "c", "features": [], "threads": 1},
     "float32": {"name": "float32", "execution": "float", "weightBytes": 1, "packedBytes": 1}, "candidates": []}
    """
  let arithmetic = Peaks.Arithmetic(oneThreadGops: 100, allThreadsGops: 100)
  let evidence = Evidence(
    comparison: try JSONDecoder().decode(ComparisonReport.self, from: Data(comparison.utf8)),
    peaks: Peaks(threads: 1, float32: arithmetic, int8: arithmetic, memory: []),
    instructions: IntegerInstructions(cpuinfo: ""), kernelLevel: "scalar", hasData: true)
  var advice = Verdict(evidence).advice
  advice.headline = headline
  return advice
}

@Suite struct AdviceTests {
  @Test func adviceIsAskedForOnceAndKept() throws {
    var state = try opened()
    #expect(state.update(.advise) == [.advise])
    #expect(state.update(.advise).isEmpty, "it is being measured")
    _ = state.update(.adviceStarted(JobID(4)))
    _ = state.update(.advised(try advice("first")))
    _ = state.update(.jobChanged(JobStatus(id: JobID(4), title: "advice", state: .done)))
    #expect(state.advice.advice?.headline == "first" && !state.advice.isAsked)
    #expect(state.log.contains { $0.text == "first" })
    #expect(state.update(.advise) == [.advise], "again, when told to")
    #expect(state.advice.advice != nil, "the older advice stays while it is measured anew")
  }

  @Test func aFailureMayComeFirst() throws {
    var state = try opened()
    _ = state.update(.advise)
    _ = state.update(.jobChanged(JobStatus(id: JobID(1), title: "advice", state: .failed("no memory"))))
    _ = state.update(.adviceStarted(JobID(1)))
    #expect(state.advice.failure == "no memory" && !state.advice.isAsked)
    #expect(state.update(.advise) == [.advise] && state.advice.failure == nil)
    _ = state.update(.adviceStarted(JobID(2)))
    _ = state.update(.jobChanged(JobStatus(id: JobID(2), title: "advice", state: .cancelled)))
    #expect(state.advice.failure == "cancelled" && state.advice.advice == nil)
  }

  @Test func adviceOnAModelThatIsClosedIsDropped() throws {
    var state = try opened()
    _ = state.update(.advise)
    _ = state.update(.opened(try #require(state.project), nil))
    _ = state.update(.advised(try advice("late")))
    #expect(state.advice.advice == nil)
    var empty = State()
    #expect(empty.update(.advise).isEmpty)
  }
}
