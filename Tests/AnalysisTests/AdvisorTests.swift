import Analysis
import Evaluation
import Foundation
import Jobs
import Testing
import Workflows

private func trial(
  _ name: String, delta: Double? = nil, agreement: Double? = nil, sqnr: Double = 30, speedup: Double,
  compression: Double = 3.8
) -> Trial {
  var trial = Trial(
    name: name, execution: .integer, weightBytes: Int(1_000_000 / compression), packedBytes: 1)
  trial.top1Delta = delta
  trial.top1DeltaCi95 = delta.map { [$0 - 0.004, $0 + 0.004] }
  trial.top1 = delta.map { 0.9 + $0 }
  trial.agreement = agreement
  trial.sqnrDb = sqnr
  trial.pValue = 0.5
  trial.latencyMs = LatencySummary(median: 4 / speedup, p90: 5 / speedup, runs: 50)
  trial.speedup = speedup
  trial.speedupCi95 = [speedup * 0.98, speedup * 1.02]
  trial.samplesPerSecond = 250 * speedup
  trial.compression = compression
  return trial
}

private let emptyComparison = """
  {"model": {"path": "m.onnx", "format": "onnx", "parameters": 250000, "macs": 1000000},
   "data": {"path": "d", "samples": 1000, "labelled": true, "roles": "roles"},
   "machine": {"cpu": "a processor", "features": ["avx2"], "threads": 1},
   "float32": {"name": "float32", "execution": "float", "weightBytes": 1, "packedBytes": 1}, "candidates": []}
  """

private func evidence(_ candidates: [Trial], hasData: Bool = true) throws -> Evidence {
  var float32 = Trial(name: "float32", execution: .float, weightBytes: 1_000_000, packedBytes: 1_000_000)
  float32.samples = 1000
  float32.top1 = candidates.contains { $0.top1Delta != nil } ? 0.9 : nil
  float32.latencyMs = LatencySummary(median: 4, p90: 5, runs: 50)
  float32.samplesPerSecond = 250
  let arithmetic = Peaks.Arithmetic(oneThreadGops: 100, allThreadsGops: 200)
  var comparison = try JSONDecoder().decode(ComparisonReport.self, from: Data(emptyComparison.utf8))
  comparison.float32 = float32
  comparison.candidates = candidates
  return Evidence(
    comparison: comparison,
    peaks: Peaks(
      threads: 1, float32: arithmetic,
      int8: Peaks.Arithmetic(oneThreadGops: 300, allThreadsGops: 600),
      memory: [Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 10, allThreadsGbs: 12)]),
    instructions: IntegerInstructions(cpuinfo: "flags\t: fpu avx2 avx512_vnni"), kernelLevel: "avx512vnni",
    hasData: hasData)
}

@Suite struct VerdictTests {
  @Test func aFastAndAccurateCandidateIsAdvised() throws {
    let advice = try Verdict(
      evidence([
        trial("static-int8", delta: -0.002, speedup: 2.5), trial("dynamic-int8", delta: 0, speedup: 1.3),
        trial("weight-int4", delta: -0.004, speedup: 0.6, compression: 7),
      ])
    ).advice
    #expect(advice.choice == .quantize && advice.candidate == "static-int8")
    #expect(advice.headline.contains("2.50×") && advice.headline.contains("-0.20"))
    #expect(advice.sections[0].answer == .yes)
  }

  @Test func accuracyGoesBeforeSpeed() throws {
    let advice = try Verdict(
      evidence([
        trial("static-int8", delta: -0.05, speedup: 2.5), trial("dynamic-int8", delta: 0, speedup: 1.3),
      ])
    ).advice
    #expect(advice.candidate == "dynamic-int8")
  }

  /// Of two that are about as fast, the one that loses less.
  @Test func accuracyDecidesBetweenEquals() throws {
    let advice = try Verdict(
      evidence([
        trial("static-int8", delta: -0.009, speedup: 2.5),
        trial("static-int8, 1 layer in float", delta: -0.001, speedup: 2.45),
      ])
    ).advice
    #expect(advice.candidate == "static-int8, 1 layer in float")
  }

  @Test func weightsOnlyWhereNothingIsFaster() throws {
    let advice = try Verdict(
      evidence([
        trial("static-int8", delta: -0.05, speedup: 2.5), trial("dynamic-int8", delta: 0, speedup: 0.9),
        trial("weight-int8", delta: 0, speedup: 0.95),
        trial("weight-int4", delta: -0.03, speedup: 0.9, compression: 7),
      ])
    ).advice
    #expect(advice.choice == .weightOnly && advice.candidate == "weight-int8")
    #expect(advice.headline.hasPrefix("Quantize the weights only"))
  }

  /// A smaller file that costs half of the speed is not advised while there are few bytes.
  @Test func sizeAloneDoesNotPayForSpeed() throws {
    let slow = trial("weight-int4", delta: 0, speedup: 0.5, compression: 7)
    #expect(try Verdict(evidence([slow])).advice.choice == .float32)
    var large = try evidence([slow])
    large.comparison.float32.weightBytes = 100 << 20
    #expect(Verdict(large).advice.choice == .weightOnly)
  }

  @Test func aDisturbedMachineIsTold() throws {
    var disturbed = try evidence([trial("static-int8", delta: 0, speedup: 2)])
    #expect(Verdict(disturbed).advice.caveats.isEmpty)
    disturbed.loadAverage = 7.5
    #expect(Verdict(disturbed).advice.caveats.first?.hasPrefix("7.5 processes") == true)
  }

  /// A speed-up whose interval reaches below 1 is none.
  @Test func anUncertainSpeedUpIsNotTaken() throws {
    var uncertain = trial("static-int8", delta: 0, speedup: 2)
    uncertain.speedupCi95 = [0.8, 3]
    let advice = try Verdict(evidence([uncertain])).advice
    #expect(advice.choice == .float32)
    #expect(advice.sections.contains { $0.sentences.contains { $0.contains("not proven faster") } })
  }

  @Test func float32WhereNothingHelps() throws {
    let advice = try Verdict(
      evidence([
        trial("static-int8", delta: -0.2, speedup: 3), trial("weight-int8", delta: -0.1, speedup: 0.9),
        trial("dynamic-int8", delta: 0, speedup: 1.05, compression: 1.2),
      ])
    ).advice
    #expect(advice.choice == .float32 && advice.candidate == nil)
    #expect(advice.headline.hasPrefix("Keep float32"))
    #expect(
      advice.sections.contains { $0.sentences.contains { $0.hasPrefix("float32 is the better choice") } })
  }

  /// Without data nothing that needs calibration is advised, and the text says what cannot be answered.
  @Test func withoutDataSizeAndSpeedDecide() throws {
    let advice = try Verdict(
      evidence(
        [
          trial("static-int8", speedup: 3), trial("dynamic-int8", speedup: 1.5),
          trial("weight-int8", speedup: 0.9),
        ],
        hasData: false)
    ).advice
    #expect(advice.candidate == "dynamic-int8")
    #expect(advice.sections[0].answer == .unknown && advice.headline.contains("cannot be told"))
  }

  /// A network without classes is judged by the noise in its outputs.
  @Test func withoutClassesNoiseDecides() throws {
    let advice = try Verdict(
      evidence([trial("static-int8", sqnr: 12, speedup: 3), trial("dynamic-int8", sqnr: 35, speedup: 1.5)])
    ).advice
    #expect(advice.candidate == "dynamic-int8")
  }

  @Test func everySentenceHasAFigure() throws {
    for candidates in [
      [trial("static-int8", delta: -0.002, speedup: 2.5)], [trial("static-int8", delta: -0.2, speedup: 2.5)],
      [trial("weight-int8", agreement: 0.99, speedup: 0.9)],
    ] {
      for hasData in [true, false] {
        try expectFigures(Verdict(evidence(candidates, hasData: hasData)).advice)
      }
    }
  }

  @Test func instructionsAreReadFromTheProcessor() {
    let zen = IntegerInstructions(cpuinfo: "model name : x\nflags\t\t: fpu sse2 avx2 avx512bw avx512_vnni\n")
    #expect(zen.names == ["avx2", "avx512bw", "avx512_vnni"] && zen.hasDotProducts)
    let haswell = IntegerInstructions(cpuinfo: "flags\t\t: fpu sse2 avx2\n")
    #expect(haswell.names == ["avx2"] && !haswell.hasDotProducts)
    #expect(IntegerInstructions(cpuinfo: "Features\t: fp asimd asimddp\n").hasDotProducts)
  }
}

/// Every sentence of the verdict carries a figure that was measured, not just a name with a digit in it.
private func expectFigures(_ advice: Advice) {
  let names = advice.evidence.comparison.candidates.map(\.name) + ["float32", "int8"]
  for sentence in advice.sections.flatMap(\.sentences) + [advice.headline] {
    let bare = names.reduce(sentence) { $0.replacingOccurrences(of: $1, with: "") }
    let figures = bare.filter(\.isNumber)
    #expect(!figures.isEmpty, "\(sentence)")
  }
}

@Suite struct AdvisorTests {
  @Test func adviceOnTheSample() throws {
    let advice = try Sample.project().advise(
      target: DeploymentTarget["tensorrt"], limit: 200, reporter: .silent)
    expectFigures(advice)
    #expect(advice.evidence.hasData && !advice.evidence.layerCosts.isEmpty)
    #expect(abs(advice.evidence.layerCosts.reduce(0) { $0 + $1.noiseShare } - 1) < 1e-9)
    #expect(
      zip(advice.evidence.layerCosts, advice.evidence.layerCosts.dropFirst()).allSatisfy {
        $0.sqnrDb <= $1.sqnrDb
      })
    #expect(advice.sections.count == 7 && advice.sections[1].question.hasPrefix("Are there enough samples"))
    #expect(advice.lint?.target == "tensorrt")
    #expect(advice.text.contains(advice.headline) && advice.text.contains("not measured here"))
  }

  @Test func adviceWithoutData() throws {
    let advice = try Project.open(model: Sample.model, threads: 2).advise(reporter: .silent)
    expectFigures(advice)
    #expect(!advice.evidence.hasData && advice.evidence.layerCosts.isEmpty)
    #expect(advice.sections[0].answer == .unknown)
    #expect(!(advice.candidate ?? "").hasPrefix("static"))
  }

  /// Three models, three texts: every question is answered in other words.
  @Test(.enabled(if: Shared.exists, "the shared models are not here"))
  func adviceDiffersBetweenModels() throws {
    let cases = [
      ("models/vision/mobilenet_v1_0.25_224-tf.onnx", "data/imagenet250/tf.yaml", 60),
      ("models/vision/resnet20_cifar10-akamaster.onnx", "data/cifar10/test.yaml", 300),
      ("models/magika/standard_v3_3.onnx", "data/filetype/test.yaml", 100),
    ]
    let advices = try cases.map { model, data, limit in
      try Project.open(model: Shared.path(model), data: Shared.path(data), threads: 2)
        .advise(limit: limit, reporter: .silent)
    }
    for advice in advices { expectFigures(advice) }
    for (index, own) in advices.enumerated() {
      for other in advices[(index + 1)...] {
        #expect(own.headline != other.headline)
        #expect(own.sections.map(\.question) == other.sections.map(\.question))
        for (a, b) in zip(own.sections, other.sections) {
          #expect(a.sentences != b.sentences, "\(a.question)")
        }
      }
    }
  }
}
