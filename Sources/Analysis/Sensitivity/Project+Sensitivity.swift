import Datasets
import Evaluation
import Foundation
import Glibc
import Graph
import Jobs
import Quantization
import Workflows

extension Project {
  /// Layers by the kurtosis of their weights: an estimate that takes no data and no time.
  package func kurtosisRanking() -> SensitivityReport {
    let kurtosis = Kurtosis.layers(of: model)
    var report = SensitivityReport(
      model: modelFacts, machine: .current(threads: threads), metric: .kurtosis, isEstimate: true,
      layers: model.layers.filter(\.hasWeights).map { layer in
        SensitivityReport.Layer(
          name: layer.name, op: layer.operatorName, parameters: layer.parameters,
          weightKurtosis: kurtosis[layer.name], costs: [])
      }, warnings: [])
    report.sort()
    return report
  }

  /// What each layer alone costs at each width, measured on the evaluation data.
  ///
  /// - Parameters:
  ///   - metric: what to sort by; `nil` takes KL where there are class scores, else SQNR.
  ///   - limit: most samples that are scored.
  ///   - peakGflops: the machine's float32 peak with all threads, where it was measured.
  /// - Errors: `WorkflowError` for a model without layers to quantize, or accuracy without labels.
  package func sensitivity(
    base: Recipe, widths: [Width], metric: SensitivityReport.Metric? = nil, limit: Int? = nil,
    peakGflops: Double? = nil, memoryLimit: Int? = nil, reporter: Reporter
  ) throws -> SensitivityReport {
    let sweep = SensitivitySweep(self, base: base, widths: widths)
    guard !sweep.layers.isEmpty else {
      throw WorkflowError("\(model.path): no layer can be quantized (found no constant weights).")
    }
    if metric == .accuracy, !data.isLabelled {
      throw WorkflowError("--metric accuracy needs labels (found none). Use kl or sqnr.")
    }
    let recipes = sweep.recipes
    let plan = plan(recipes, limit: limit)
    let calibrated = plan.kept.firstIndex { !$0.isEmpty }
    var result: SensitivitySweep.Result?
    let began = processorSeconds
    for (number, fold) in plan.folds.enumerated() {
      let share = 1 / Double(plan.folds.count)
      let calibration = try calibrated.flatMap { index in
        try calibrationData(plan.source, recipe: recipes[index])?.selecting(fold.calibration[index])
      }
      let reporter = reporter.part(Double(number) * share...Swift.min(1, Double(number + 1) * share))
      let project = try reshaped(by: base, calibration: calibration, reporter: reporter.part(0...0.05))
      var sweep = SensitivitySweep(project, base: base, widths: widths)
      if let memoryLimit { sweep.memoryLimit = memoryLimit }
      let part = try sweep.run(
        calibration: calibration, samples: data.selecting(fold.evaluation), reporter: reporter.part(0.05...1))
      if result == nil { result = part } else { result?.append(part) }
    }
    guard let result else { throw WorkflowError("\(dataPath ?? "--data"): has no samples to evaluate.") }
    let kurtosis = Kurtosis.layers(of: model)
    let hasClasses = result.float32.meanDivergence != nil
    let gflops = 2e-9 * result.multiplyAdds / Swift.max(result.seconds, 1e-9)
    let parameters = Dictionary(
      model.layers.map { ($0.name, $0.parameters) }, uniquingKeysWith: { first, _ in first })
    var report = SensitivityReport(
      model: modelFacts,
      data: dataFacts(
        samples: result.float32.samples,
        tokens: result.float32.scoresTokens ? result.float32.predicted.count : nil, roles: plan.roles),
      machine: .current(threads: threads), metric: metric ?? (hasClasses ? .kl : .sqnr), isEstimate: false,
      float32Top1: result.float32.top1Share,
      effort: .init(
        seconds: result.seconds, cpuSeconds: processorSeconds - began,
        predictedPeakBytes: result.predictedPeakBytes, gflops: gflops,
        peakFraction: peakGflops.map { gflops / $0 }),
      layers: zip(sweep.layers, result.scores).map { layer, scores in
        SensitivityReport.Layer(
          name: layer.node, op: layer.operatorName, parameters: parameters[layer.node] ?? 0,
          weightKurtosis: kurtosis[layer.node],
          costs: zip(widths, scores).map { SensitivityReport.Cost($0, $1, float32: result.float32) })
      }, warnings: plan.warnings)
    report.sort()
    return report
  }
}

extension SensitivitySweep.Result {
  /// Adds what was scored on later samples.
  mutating func append(_ later: Self) {
    float32.append(later.float32)
    for layer in scores.indices {
      for option in scores[layer].indices { scores[layer][option].append(later.scores[layer][option]) }
    }
    predictedPeakBytes = Swift.max(predictedPeakBytes, later.predictedPeakBytes)
    multiplyAdds += later.multiplyAdds
    seconds += later.seconds
  }
}

/// Seconds of processor time this process has used.
var processorSeconds: Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
