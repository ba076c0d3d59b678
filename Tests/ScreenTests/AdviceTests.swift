import Analysis
import Foundation
import Interface
import Jobs
import Quantization
import Screen
import Testing
import Workbench
import Workflows

/// An advice drawn from the fixture's made-up figures.
func fixtureAdvice() throws -> Advice {
  let comparison = """
    {"model": {"path": "fixture.onnx", "format": "onnx", "parameters": 900, "macs": 200000},
     "data": {"path": "test.yaml", "samples": 2000, "labelled": true, "roles": "roles"},
     "machine": {"cpu": "a processor", "features": ["avx2"], "threads": 1},
     "float32": {"name": "float32", "execution": "float", "weightBytes": 1, "packedBytes": 1}, "candidates": []}
    """
  var report = try JSONDecoder().decode(ComparisonReport.self, from: Data(comparison.utf8))
  report.float32 = fixtureTrial("float32", execution: .float, top1: 0.917, delta: 0, bytes: 4096, ms: 0.76)
  var static8 = fixtureTrial(
    "static-int8", execution: .integer, top1: 0.915, delta: -0.002, bytes: 1100, ms: 0.3)
  static8.speedup = 2.53
  static8.speedupCi95 = [2.4, 2.6]
  static8.compression = 3.72
  report.candidates = [static8]
  let costs = """
    [{"layer": "stem/conv", "sqnrDb": 28.3, "noiseShare": 0.7},
     {"layer": "dense", "sqnrDb": 32.1, "noiseShare": 0.3}]
    """
  let evidence = Evidence(
    comparison: report,
    peaks: Peaks(
      threads: 1, float32: Peaks.Arithmetic(oneThreadGops: 100, allThreadsGops: 100),
      int8: Peaks.Arithmetic(oneThreadGops: 390, allThreadsGops: 390),
      memory: [Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 10, allThreadsGbs: 10)]),
    instructions: IntegerInstructions(cpuinfo: "flags : avx2 avx512_vnni"), kernelLevel: "avx512vnni",
    layerCosts: try JSONDecoder().decode([LayerCost].self, from: Data(costs.utf8)),
    layerCostsOf: "static-int8", layerCostSamples: 16, hasData: true)
  var advice = Verdict(evidence).advice
  advice.recipe = Presets["static-int8"]?.recipe
  return advice
}

@Test(arguments: [
  ("advice-end-80x24", 80, 24, "G"),
  ("advice-60x16", 60, 16, "j"),
])
func adviceFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  #expect(play("V", &screen, &state, size) == [.effect(.advise)])
  _ = screen.apply(.adviceStarted(JobID(9)), &state)
  _ = screen.apply(.advised(try fixtureAdvice()), &state)
  _ = screen.apply(.jobChanged(JobStatus(id: JobID(9), title: "advice", state: .done, seconds: 2)), &state)
  _ = screen.apply(.clock(0), &state)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test func theAdviceBecomesACandidate() throws {
  let size = Size(width: 100, height: 30)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let before = state.candidates.count
  _ = play("V", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("Measuring …"))
  _ = play("enter", &screen, &state, size)
  #expect(state.candidates.count == before, "there is nothing to make yet")
  _ = screen.apply(.advised(try fixtureAdvice()), &state)
  #expect(screen.draw(state, size: size).text().contains("Quantize it: static-int8"))
  _ = play("enter", &screen, &state, size)
  #expect(state.candidates.count == before + 1 && state.currentEntry?.recipe.name == "static-int8")
  #expect(!screen.draw(state, size: size).text().contains("Quantize it"))
  // Opened again, it shows what it knows and measures nothing.
  #expect(play("V", &screen, &state, size).isEmpty)
  #expect(screen.draw(state, size: size).text().contains("Quantize it: static-int8"))
}
