import Analysis
import Evaluation
import Interface
import Workflows

/// A figure of trials that an axis can show.
struct TrialFigure: Sendable {
  let id: String
  /// With the unit, as it stands beside the axis.
  let title: String
  let explanation: String
  let isBetterHigher: Bool
  var scale = Chart.Scale.linear
  /// Depends on the clock, so it is doubtful when the machine changed, and a simulated candidate has none.
  var isTime = false
  /// What float32 has by definition, in its trial or not.
  var ofFloat32: Double?
  /// Decimals a value is shown with; `nil` is three significant digits.
  var decimals: Int?
  let value: @Sendable (Trial) -> Double?
  /// The 95 % interval, with float32 on the same samples.
  var interval: @Sendable (Trial, _ float32: Trial?) -> ClosedRange<Double>? = { _, _ in nil }
  var predicted: @Sendable (Prediction, _ float32: Trial?) -> Double? = { _, _ in nil }

  func text(_ value: Double) -> String {
    decimals.map { Numbers.fixed(value, $0) } ?? Numbers.significant(value)
  }

  /// A trial's figure in the units of the axis.
  func of(_ trial: Trial) -> Double? {
    if trial.execution == .float, let ofFloat32 { return ofFloat32 }
    if trial.execution == .simulated, isTime { return nil }
    return value(trial)
  }

  static subscript(id: String) -> TrialFigure? { all.first { $0.id == id } }

  private static func range(_ ends: [Double]?) -> ClosedRange<Double>? {
    guard let ends, ends.count == 2, ends[0] <= ends[1] else { return nil }
    return ends[0]...ends[1]
  }

  static let all: [TrialFigure] = [
    TrialFigure(
      id: "accuracy", title: "acc %", explanation: "Top-1; its interval is that of the paired difference.",
      isBetterHigher: true, decimals: 2, value: { $0.top1.map { $0 * 100 } },
      interval: { trial, float32 in
        guard let reference = float32?.top1, let change = range(trial.top1DeltaCi95) else { return nil }
        return (reference + change.lowerBound) * 100...(reference + change.upperBound) * 100
      },
      predicted: { prediction, float32 in
        prediction.top1Delta.flatMap { delta in float32?.top1.map { ($0 + delta) * 100 } }
      }),
    TrialFigure(
      id: "delta", title: "Δ points", explanation: "Top-1 less float32's on the same samples.",
      isBetterHigher: true, ofFloat32: 0, decimals: 2, value: { $0.top1Delta.map { $0 * 100 } },
      interval: { trial, _ in
        range(trial.top1DeltaCi95).map { $0.lowerBound * 100...$0.upperBound * 100 }
      },
      predicted: { prediction, _ in prediction.top1Delta.map { $0 * 100 } }),
    TrialFigure(
      id: "top5", title: "top-5 %", explanation: "Samples whose label is among the five best.",
      isBetterHigher: true, decimals: 2, value: { $0.top5.map { $0 * 100 } }),
    TrialFigure(
      id: "agreement", title: "agree %", explanation: "Samples with the same answer as float32.",
      isBetterHigher: true, ofFloat32: 100, decimals: 2, value: { $0.agreement.map { $0 * 100 } },
      predicted: { prediction, _ in prediction.agreement.map { $0 * 100 } }),
    TrialFigure(
      id: "perplexity", title: "perplexity",
      explanation: "Of a language model; its interval is that of the paired difference.",
      isBetterHigher: false,
      decimals: 3, value: { $0.perplexity },
      interval: { trial, float32 in
        guard let reference = float32?.perplexity, let change = range(trial.perplexityDeltaCi95) else {
          return nil
        }
        return reference + change.lowerBound...reference + change.upperBound
      }),
    TrialFigure(
      id: "loss", title: "loss", explanation: "Cross entropy with the labels.", isBetterHigher: false,
      decimals: 4, value: { $0.loss }),
    TrialFigure(
      id: "kl", title: "KL", explanation: "Divergence of the answers from float32's.", isBetterHigher: false,
      scale: .log, value: { $0.kl }, predicted: { prediction, _ in prediction.kl }),
    TrialFigure(
      id: "sqnr", title: "SQNR dB", explanation: "Signal over error of the outputs.", isBetterHigher: true,
      decimals: 1, value: { $0.sqnrDb }, predicted: { prediction, _ in prediction.sqnrDb }),
    TrialFigure(
      id: "size", title: "KiB", explanation: "Weights in the containers that are really used.",
      isBetterHigher: false, scale: .log, decimals: 1, value: { Double($0.weightBytes) / 1024 },
      predicted: { prediction, _ in Double(prediction.weightBytes) / 1024 }),
    TrialFigure(
      id: "packed", title: "packed KiB", explanation: "Weights with every code at its own width.",
      isBetterHigher: false, scale: .log, decimals: 1, value: { Double($0.packedBytes) / 1024 },
      predicted: { prediction, _ in Double(prediction.packedBytes) / 1024 }),
    TrialFigure(
      id: "file", title: "file KiB", explanation: "The written file.", isBetterHigher: false, scale: .log,
      decimals: 1, value: { $0.sizeBytes.map { Double($0) / 1024 } }),
    TrialFigure(
      id: "ratio", title: "ratio ×", explanation: "How many times smaller than float32 the weights are.",
      isBetterHigher: true, ofFloat32: 1, decimals: 2, value: { $0.compression },
      predicted: { prediction, _ in prediction.compression }),
    TrialFigure(
      id: "bits", title: "bits/weight", explanation: "Bits for each quantizable weight, scales included.",
      isBetterHigher: false, decimals: 2, value: { $0.bitsPerWeight },
      predicted: { prediction, _ in prediction.bitsPerWeight }),
    TrialFigure(
      id: "latency", title: "ms", explanation: "Median time of one inference.", isBetterHigher: false,
      scale: .log, isTime: true, value: { $0.latencyMs?.median },
      predicted: { prediction, _ in prediction.latencyMs }),
    TrialFigure(
      id: "p90", title: "p90 ms", explanation: "Time that nine of ten inferences keep below.",
      isBetterHigher: false, scale: .log, isTime: true, value: { $0.latencyMs?.p90 }),
    TrialFigure(
      id: "speedup", title: "speed-up ×", explanation: "How many times faster than float32.",
      isBetterHigher: true, isTime: true, ofFloat32: 1, decimals: 2, value: { $0.speedup },
      interval: { trial, _ in range(trial.speedupCi95) },
      predicted: { prediction, _ in prediction.speedup }),
    TrialFigure(
      id: "throughput", title: "samples/s", explanation: "Samples a second and core.", isBetterHigher: true,
      scale: .log, isTime: true, value: { $0.samplesPerSecond }),
    TrialFigure(
      id: "energy", title: "mJ", explanation: "Energy of one inference.", isBetterHigher: false, scale: .log,
      isTime: true, value: { $0.energyJoules.map { $0 * 1000 } }),
    TrialFigure(
      id: "memory", title: "memory KiB", explanation: "Most memory one inference takes.",
      isBetterHigher: false, scale: .log, decimals: 1,
      value: { $0.peakMemoryBytes.map { Double($0) / 1024 } }),
    TrialFigure(
      id: "quantize", title: "quantize s", explanation: "Time it took to make the candidate.",
      isBetterHigher: false, scale: .log, value: { $0.quantizeSeconds }),
  ]
}
