import Analysis
import Testing
import Workflows

/// A machine of round numbers: 100 GFLOP/s, 400 GOP/s, 50 GB/s from a cache of 1 MiB, 10 GB/s from memory.
private let peaks = Peaks(
  threads: 1, float32: Peaks.Arithmetic(oneThreadGops: 100, allThreadsGops: 200),
  int8: Peaks.Arithmetic(oneThreadGops: 400, allThreadsGops: 800),
  memory: [
    Peaks.Memory(name: "L2", bytes: 1 << 20, oneThreadGbs: 50, allThreadsGbs: 100),
    Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 10, allThreadsGbs: 15),
  ])

private func row(_ kernel: String, ms: Double, macs: Int, bytes: Int, workingSet: Int = 1000) -> Roofline.Row
{
  Roofline(peaks, workingSet: workingSet).row(
    BenchTable.Step(name: "s", kernel: kernel, ms: ms, macs: macs, bytes: bytes))
}

@Suite struct RooflineTests {
  @Test func arithmeticLimits() throws {
    // 10 million operations in 0.2 ms are 50 GFLOP/s, half of 100.
    let step = row("conv f32", ms: 0.2, macs: 5_000_000, bytes: 100_000)
    #expect(abs(try #require(step.gops) - 50) < 1e-9 && abs(step.fraction - 0.5) < 1e-9)
    #expect(step.intensity == 100 && abs(step.gbs - 0.5) < 1e-9)
    #expect(step.verdict.hasPrefix("50 % of peak"))
    #expect(abs(row("conv u8s8", ms: 0.2, macs: 5_000_000, bytes: 100_000).fraction - 0.125) < 1e-9)
  }

  @Test func transformedConvolutions() throws {
    // 40 million operations in 0.2 ms are 200 GFLOP/s, of which 50 are done: half of 100.
    let step = row("conv winograd f32", ms: 0.2, macs: 20_000_000, bytes: 100_000)
    #expect(abs(try #require(step.gops) - 200) < 1e-9 && abs(step.fraction - 0.5) < 1e-9)
  }

  @Test func memoryLimits() {
    // 1 MB at 10 GB/s takes 0.1 ms; its operations at peak 0.02.
    let step = row("gemm f32×w4", ms: 0.125, macs: 1_000_000, bytes: 1_000_000, workingSet: 2 << 20)
    #expect(abs(step.fraction - 0.8) < 1e-9)
    #expect(step.verdict == "memory-bound: fewer bits help, faster arithmetic does not")
    // The same from the cache that holds the program.
    #expect(abs(row("gemm f32×w4", ms: 0.125, macs: 1_000_000, bytes: 1_000_000).fraction - 0.16) < 1e-9)
  }

  @Test func wordsFollowTheKernel() {
    #expect(row("depthwise u8s8", ms: 0.1, macs: 2_000_000, bytes: 1000).verdict.contains("load-bound"))
    let move = row("transpose", ms: 0.02, macs: 0, bytes: 1_000_000)
    #expect(move.gops == nil && move.intensity == nil && move.verdict == "moves data at the speed of L2")
    #expect(row("reference Loop", ms: 1, macs: 0, bytes: 8).verdict.hasPrefix("no kernel"))
  }

  @Test func aDisturbedMeasurementIsNoticedAndRaised() {
    let disturbed = BenchReport(
      machine: Machine(cpu: "c", features: [], threads: 1), peaks: peaks,
      tables: [
        BenchTable(
          name: "float32", latencyMs: 1, workingSet: 100,
          steps: [BenchTable.Step(name: "s", kernel: "conv f32", ms: 0.1, macs: 8_000_000, bytes: 8)])
      ])
    #expect(disturbed.outrunsPeaks)
    var better = peaks
    better.float32.oneThreadGops = 160
    better.memory[0].oneThreadGbs = 1
    let raised = peaks.raised(to: better)
    #expect(raised.float32.oneThreadGops == 160 && raised.int8 == peaks.int8 && raised.memory == peaks.memory)
  }

  @Test func theMachineIsMeasured() {
    let peaks = Peaks.measure(threads: 2)
    #expect(peaks.float32.oneThreadGops > 0.1 && peaks.int8.oneThreadGops > 0.1)
    #expect(peaks.float32.allThreadsGops > 0.1 && peaks.memory.last?.name == "memory")
    for place in peaks.memory { #expect(place.oneThreadGbs > 0.01 && place.allThreadsGbs > 0.01) }
  }

  @Test func kernelsAreTimed() throws {
    let rows = KernelBench.measure(peaks)
    #expect(Set(rows.map(\.name)).count == rows.count)
    for row in rows { #expect(row.ms > 0 && row.gops > 0 && row.fraction > 0, "\(row.name)") }
    // Weights that come from memory are told by their bytes: 4 bits each and a scale of 4 bytes for 32.
    let vector = try #require(rows.first { $0.name.contains("f32×int4") })
    let gbs = try #require(vector.gbs)
    #expect(
      abs(gbs - (8_388_608 + 2_097_152) / vector.ms * 1e-6) < 1e-6 && abs(vector.fraction - gbs / 10) < 1e-9)
  }
}
