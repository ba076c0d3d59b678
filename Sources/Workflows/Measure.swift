import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Quantization
import Tensors

/// float32 and candidates, measured side by side.
package struct Measurement: Sendable {
  package var float32: Trial
  package var candidates: [Trial]
  package var roles: String
  /// 0…1 of the evaluation that these figures cover; 1 when they are final.
  package var fraction: Double
  /// What each candidate answers, once all samples are evaluated; empty before.
  package var answers: [Answers]

  package init(
    float32: Trial, candidates: [Trial], roles: String, fraction: Double, answers: [Answers] = []
  ) {
    self.float32 = float32
    self.candidates = candidates
    self.roles = roles
    self.fraction = fraction
    self.answers = answers
  }
}

/// How to measure.
package struct MeasureOptions: Sendable {
  /// Samples of one timed inference.
  package var latencyBatch = 1
  package var rounds = 50
  /// Most seconds that timing takes.
  package var latencySeconds = 10.0
  package var measuresLatency = true
  package var energy = EnergyCounter()
  package init() {}
}

extension Project {
  /// Evaluates and times float32 and the candidates on the same samples.
  ///
  /// - Parameter partial: called while samples are evaluated, with the figures so far.
  package func measure(
    _ prepared: [PreparedCandidate], plan: EvaluationPlan, options: MeasureOptions = .init(),
    reporter: Reporter,
    partial: (Measurement) throws -> Void = { _ in }
  ) throws -> Measurement {
    var measurement = Measurement(
      float32: try baseTrial(), candidates: try prepared.map { try baseTrial($0, plan: plan) },
      roles: plan.roles,
      fraction: 0)
    try evaluate(
      prepared, plan: plan, into: &measurement,
      reporter: reporter.part(0...(options.measuresLatency ? 0.7 : 1)), partial: partial)
    if options.measuresLatency {
      try time(prepared, into: &measurement, options: options, reporter: reporter.part(0.7...1))
    }
    return measurement
  }

  private func baseTrial() throws -> Trial {
    let sizes = Sizes(model.graph, infos: model.infos)
    var trial = Trial(
      name: "float32", execution: .float, weightBytes: sizes.weightBytes, packedBytes: sizes.packedBytes)
    trial.sizeBytes = model.fileBytes
    trial.bitsPerWeight = sizes.bitsPerWeight
    return trial
  }

  private func baseTrial(_ prepared: PreparedCandidate, plan: EvaluationPlan) throws -> Trial {
    let candidate = prepared.candidate
    let sizes = Sizes(candidate.encoded, infos: model.infos)
    var trial = Trial(
      name: prepared.name, execution: candidate.execution, weightBytes: sizes.weightBytes,
      packedBytes: sizes.packedBytes)
    trial.recipe = try JSONValue(yaml: prepared.recipe.yaml)
    trial.bitsPerWeight = sizes.bitsPerWeight
    trial.quantizedMacs = model.quantizedMacs { (candidate.encoded.layers[$0]?.mode ?? .float) != .float }
    trial.compression =
      Double(Sizes(model.graph, infos: model.infos).weightBytes) / Double(Swift.max(sizes.weightBytes, 1))
    trial.sizeBytes = try? model.writtenBytes(candidate.encoded)
    trial.quantizeSeconds = candidate.quantizeSeconds
    trial.warnings =
      plan.warnings + candidate.warnings + candidate.encoded.simulationReasons.map { "simulated: \($0)" }
    return trial
  }

  private func evaluate(
    _ prepared: [PreparedCandidate], plan: EvaluationPlan, into measurement: inout Measurement,
    reporter: Reporter,
    partial: (Measurement) throws -> Void
  ) throws {
    let wanted = prepared.contains { $0.candidate.mixesSamples } ? 1 : model.evaluationBatch
    let reference = try Runner(
      EncodedGraph(graph: model.graph), model: model, batch: wanted, threads: threads)
    let classes = model.classOutput(named: data.answerOutput, in: reference.program.outputs)
    let total = plan.folds.reduce(0) { $0 + $1.evaluation.count }
    var referenceScores = Scores()
    var scores = prepared.map { _ in Scores() }
    var places: [Int] = []
    var lastShown = ContinuousClock.now
    for (fold, part) in plan.folds.enumerated() {
      let runners = try prepared.map { entry in
        try Runner(
          (entry.folds.isEmpty ? entry.candidate : entry.folds[fold]).runnable(), model: model,
          batch: reference.batch, threads: threads)
      }
      for start in stride(from: 0, to: part.evaluation.count, by: reference.batch) {
        let chunk = Array(part.evaluation[start..<Swift.min(start + reference.batch, part.evaluation.count)])
        let inputs = try data.batch(reference.fill(chunk))
        let labels = data.labels(of: chunk)
        let expected = try reference.run(inputs, count: chunk.count)
        referenceScores.add(
          expected, reference: expected, classes: classes, labels: labels, count: chunk.count)
        for (index, runner) in runners.enumerated() {
          let outputs = try runner.run(inputs, count: chunk.count)
          scores[index].add(
            outputs, reference: expected, classes: classes, labels: labels, count: chunk.count)
        }
        places += chunk
        let done = places.count
        let fraction = Double(done) / Double(Swift.max(total, 1))
        try reporter.report(fraction, "\(done) of \(total) samples")
        guard ContinuousClock.now - lastShown > .milliseconds(100) || done == total else { continue }
        lastShown = .now
        measurement.float32.take(referenceScores, reference: referenceScores)
        for index in scores.indices {
          measurement.candidates[index].take(scores[index], reference: referenceScores)
        }
        measurement.fraction = fraction
        if done == total {
          measurement.answers = scores.map { Answers($0, reference: referenceScores, places: places) }
        }
        try partial(measurement)
      }
    }
  }

  private func time(
    _ prepared: [PreparedCandidate], into measurement: inout Measurement, options: MeasureOptions,
    reporter: Reporter
  ) throws {
    let count = model.batch(options.latencyBatch)
    let runnable = prepared.indices.filter { measurement.candidates[$0].execution == .integer }
    let runners =
      try [Runner(EncodedGraph(graph: model.graph), model: model, batch: count, threads: threads)]
      + runnable.map {
        try Runner(prepared[$0].candidate.encoded, model: model, batch: count, threads: threads)
      }
    let inputs = try data.batch((0..<runners[0].batch).map { $0 % Swift.max(data.count, 1) })
    for runner in runners { try runner.program.load(inputs) }
    try reporter.report(0, "timing")
    let runs = runners.map { runner in { try runner.program.execute() } }
    let (table, joules) = try reporter.alone {
      (
        try Latency.measure(
          runs, rounds: options.rounds, seconds: options.latencySeconds,
          betweenRounds: { try reporter.report(Double($0 + 1) / Double(options.rounds), "timing") }),
        try options.energy.joulesPerRun(of: runs, betweenTurns: { try reporter.report(nil, "energy") })
      )
    }
    measurement.float32.takeLatency(table, variant: 0, runner: runners[0], threads: threads)
    measurement.float32.energyJoules = joules?[0]
    for (place, index) in runnable.enumerated() {
      measurement.candidates[index].takeLatency(
        table, variant: place + 1, runner: runners[place + 1], threads: threads)
      measurement.candidates[index].energyJoules = joules?[place + 1]
    }
  }
}

extension Trial {
  fileprivate mutating func takeLatency(_ table: LatencyTable, variant: Int, runner: Runner, threads: Int) {
    let summary = table.summary(variant)
    latencyMs = summary
    samplesPerSecond = 1000 * Double(runner.batch) / summary.median / Double(threads)
    peakMemoryBytes = runner.program.arenaBytes + runner.program.packedWeightBytes
    guard execution != .float else { return }
    let speedup = table.speedup(of: variant, over: 0)
    self.speedup = speedup.ratio
    speedupCi95 = [speedup.interval.lowerBound, speedup.interval.upperBound]
  }
}
