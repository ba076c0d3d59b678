import Evaluation
import Foundation
import Quantization
import Workflows

/// From evidence to advice: nothing is measured here.
///
/// The rules, in this order:
/// - a candidate is *good enough* when its top-1 falls by at most `mostDrop`, or without labels when it agrees with
///   float32 on `leastAgreement` of the samples, or has `leastSqnr` where there are no classes;
/// - of those, the fastest whose speed-up is above 1 with its whole interval, and at least `leastSpeedup`;
/// - else the smallest weight-only one of at least `leastCompression` that keeps `leastKeptSpeed`, or of any speed where
///   there are `manyBytes` of weights;
/// - else float32.
package struct Verdict {
  static let mostDrop = 0.01
  static let leastAgreement = 0.98
  static let leastSqnr = 25.0
  static let leastSpeedup = 1.1
  static let leastCompression = 1.5
  static let leastKeptSpeed = 0.9
  static let manyBytes = 16 << 20

  let evidence: Evidence
  private var float32: Trial { evidence.comparison.float32 }
  private var candidates: [Trial] { evidence.comparison.candidates }

  package init(_ evidence: Evidence) { self.evidence = evidence }

  package var advice: Advice {
    let (choice, trial) = decision
    return Advice(
      choice: choice, candidate: trial?.name, headline: headline(choice, trial), caveats: caveats,
      sections: [
        accuracy, calibration, resources(trial), processor, mode(choice, trial), layers, cost(trial),
      ].compactMap { $0 }, evidence: evidence)
  }

  // MARK: Deciding

  /// Whether the outputs are close enough; `nil` where nothing says.
  func isGoodEnough(_ trial: Trial) -> Bool? {
    guard evidence.hasData else { return nil }
    if let delta = trial.top1Delta { return delta >= -Self.mostDrop }
    if let agreement = trial.agreement { return agreement >= Self.leastAgreement }
    return trial.sqnrDb.map { $0 >= Self.leastSqnr }
  }

  private func isFaster(_ trial: Trial) -> Bool {
    (trial.speedup ?? 0) >= Self.leastSpeedup && (trial.speedupCi95?[0] ?? 0) > 1
  }

  /// What needs no calibration may be advised without data, as far as size and speed go.
  private func mayBeAdvised(_ trial: Trial) -> Bool {
    isGoodEnough(trial) ?? (isWeightOnly(trial) || trial.name.hasPrefix("dynamic"))
  }

  private func isWeightOnly(_ trial: Trial) -> Bool { trial.name.hasPrefix("weight") }

  var decision: (Advice.Choice, Trial?) {
    let allowed = candidates.filter(mayBeAdvised)
    let fast = allowed.filter(isFaster).max { ($0.speedup ?? 0) < ($1.speedup ?? 0) }
    if let fast {
      // Within a twentieth of the fastest, the one that loses least.
      let close = allowed.filter { isFaster($0) && ($0.speedup ?? 0) >= 0.95 * (fast.speedup ?? 0) }
      let best = close.max { (($0.top1Delta ?? 0), $0.sqnrDb ?? 0) < (($1.top1Delta ?? 0), $1.sqnrDb ?? 0) }
      return (isWeightOnly(best ?? fast) ? .weightOnly : .quantize, best ?? fast)
    }
    let small = allowed.filter {
      isWeightOnly($0) && ($0.compression ?? 0) >= Self.leastCompression
        && (($0.speedup ?? 0) >= Self.leastKeptSpeed || float32.weightBytes >= Self.manyBytes)
    }
    if let smallest = small.max(by: { ($0.compression ?? 0) < ($1.compression ?? 0) }) {
      return (.weightOnly, smallest)
    }
    return (.float32, nil)
  }

  // MARK: Sentences

  private func headline(_ choice: Advice.Choice, _ trial: Trial?) -> String {
    guard let trial else {
      let fastest = candidates.filter { $0.speedup != nil }.max { ($0.speedup ?? 0) < ($1.speedup ?? 0) }
      let reason = fastest.map { fastest in
        "the fastest, \(fastest.name), has \(times(fastest.speedup ?? 0)) its speed"
          + (accuracyFigure(fastest).map { " and \($0)" } ?? "")
      }
      return
        "Keep float32: of \(candidates.count) candidates none is both good enough and faster or smaller; \(reason ?? "none runs on integer kernels")."
    }
    let figures = [accuracyFigure(trial), speedFigure(trial), sizeFigure(trial)].compactMap { $0 }
      .joined(separator: ", ")
    let condition = evidence.hasData ? "" : " Whether its accuracy holds cannot be told from 0 samples."
    return choice == .weightOnly
      ? "Quantize the weights only\(isFaster(trial) ? "" : ", for size"): \(trial.name) (\(figures)).\(condition)"
      : "Quantize it: \(trial.name) (\(figures)).\(condition)"
  }

  private func accuracyFigure(_ trial: Trial) -> String? {
    guard evidence.hasData else { return nil }
    if let delta = trial.top1Delta { return "top-1 \(points(delta)) points" }
    if let agreement = trial.agreement { return "\(percent(agreement)) agreement" }
    return trial.sqnrDb.map { String(format: "SQNR %.1f dB", $0) }
  }

  private func speedFigure(_ trial: Trial) -> String? { trial.speedup.map { "\(times($0)) the speed" } }

  private func sizeFigure(_ trial: Trial) -> String? {
    trial.compression.map { "weights \(times($0)) smaller" }
  }

  private var accuracy: Advice.Section {
    guard evidence.hasData else {
      return Advice.Section(
        question: "Does accuracy allow it?", answer: .unknown,
        sentences: [
          "There are 0 samples of real data (--data): accuracy, its interval and the worst class cannot be answered, and the advice goes by size and speed only."
        ])
    }
    var sentences: [String] = []
    let samples = float32.samples ?? 0
    if let top1 = float32.top1 {
      sentences.append("float32 is right on \(percent(top1)) of \(samples) samples.")
    }
    for trial in candidates {
      if let delta = trial.top1Delta, let interval = trial.top1DeltaCi95 {
        sentences.append(
          "\(trial.name) changes that by \(points(delta)) points (95 % interval \(points(interval[0])) … \(points(interval[1])), McNemar p \(String(format: "%.2g", trial.pValue ?? 1))) and agrees with float32 on \(percent(trial.agreement ?? 0))."
        )
      } else if let agreement = trial.agreement {
        sentences.append(
          "\(trial.name) agrees with float32 on \(percent(agreement)) of \(samples) samples\(trial.sqnrDb.map { String(format: ", SQNR %.1f dB", $0) } ?? "")."
        )
      } else if let sqnr = trial.sqnrDb {
        sentences.append(
          "\(trial.name) has \(String(format: "%.1f", sqnr)) dB SQNR over the outputs of \(samples) samples.")
      }
    }
    let worst = candidates.compactMap { trial in trial.worstClass.map { (trial.name, $0) } }
      .filter { isGoodEnough(named: $0.0) }.min { $0.1.top1Delta < $1.1.top1Delta }
    if let (name, change) = worst {
      sentences.append(
        "Of the classes, number \(change.label) loses most: \(points(change.top1Delta)) points of \(change.samples) samples with \(name) (interval \(points(change.top1DeltaCi95[0])) … \(points(change.top1DeltaCi95[1]))), from \(percent(change.float32Top1))."
      )
    } else if float32.top1 != nil {
      sentences.append(
        "No class has 10 of the \(samples) samples and a candidate that is good enough, so a worst class cannot be told."
      )
    }
    let good = candidates.filter { isGoodEnough($0) == true }
    let bound =
      float32.top1 != nil
      ? "lose at most \(String(format: "%.1f", Self.mostDrop * 100)) point"
      : candidates.contains { $0.agreement != nil }
        ? "agree on at least \(percent(Self.leastAgreement))" : "have at least \(Int(Self.leastSqnr)) dB"
    let unproven = good.filter { ($0.top1DeltaCi95?[0] ?? 0) < -Self.mostDrop }
    sentences.append(
      "\(good.count) of \(candidates.count) candidates \(bound)\(good.isEmpty ? "" : ": " + good.map(\.name).joined(separator: "; "))\(unproven.isEmpty ? "" : "; for \(unproven.count) of them \(samples) samples do not rule out more")."
    )
    return Advice.Section(
      question: "Does accuracy allow it?", answer: good.isEmpty ? .no : .yes, sentences: sentences)
  }

  private var calibration: Advice.Section? {
    guard let found = evidence.convergence else { return nil }
    let halves = found.halves
    let settled = percent(ObservedRange.settledShare)
    return Advice.Section(
      question: "Are there enough samples to calibrate with?", answer: found.isTooSmall ? .no : .yes,
      sentences: [
        "Two halves of the \(found.samples) samples give ranges that differ by \(percent(halves.typicalShare)) of their width in the median; \(halves.value) differs most, by \(percent(halves.largestShare)).",
        found.settledAt.map {
          "The median range stays within \(settled) of its last place from \($0) samples on."
        }
          ?? "The median range still moves by more than \(settled) after \(found.steps.last?.samples ?? 0) samples: give more.",
      ])
  }

  private func isGoodEnough(named name: String) -> Bool {
    candidates.first { $0.name == name }.flatMap(isGoodEnough) ?? false
  }

  private func resources(_ trial: Trial?) -> Advice.Section {
    var sentences = ["float32: \(footprint(float32))."]
    for candidate in candidates where candidate.name == trial?.name || trial == nil {
      sentences.append("\(candidate.name): \(footprint(candidate)).")
    }
    let memory = float32.peakMemoryBytes ?? float32.weightBytes
    let place = evidence.peaks.memory.first { $0.bytes.map { memory <= $0 } ?? true }
    if let place {
      let room = place.bytes.map { " of \(bytes($0))" } ?? ""
      sentences.append(
        "What float32 touches, \(bytes(memory)), fits \(place.name)\(room), read at \(String(format: "%.0f", place.oneThreadGbs)) GB/s by one thread: \(place.bytes == nil ? "fewer bytes mean fewer trips to memory" : "bytes are not what holds it back")."
      )
    }
    let milliseconds = float32.latencyMs?.median ?? 0
    let demands = place?.bytes == nil || milliseconds >= 10 || float32.weightBytes >= Self.manyBytes
    sentences.append(
      demands
        ? "At \(String(format: "%.3g", milliseconds)) ms and \(bytes(float32.weightBytes)) of weights there is something to save."
        : "At \(String(format: "%.3g", milliseconds)) ms and \(bytes(float32.weightBytes)) of weights little speaks against float32 unless many run at once or the device is small."
    )
    return Advice.Section(
      question: "Do resources demand it?", answer: demands ? .yes : .no, sentences: sentences)
  }

  private func footprint(_ trial: Trial) -> String {
    [
      trial.sizeBytes.map { "a file of \(bytes($0))" }, "\(bytes(trial.weightBytes)) of weights",
      trial.peakMemoryBytes.map { "\(bytes($0)) of memory to run" },
      trial.latencyMs.map { String(format: "%.3g ms per inference (p90 %.3g)", $0.median, $0.p90) },
      trial.execution == .simulated ? "simulated, so without a time" : nil,
    ].compactMap { $0 }.joined(separator: ", ")
  }

  private var processor: Advice.Section {
    let peaks = evidence.peaks
    let ratio = peaks.int8.oneThreadGops / Swift.max(peaks.float32.oneThreadGops, 1e-9)
    let names = evidence.instructions.names
    var sentences = [
      "\(evidence.comparison.machine.cpu) has \(names.isEmpty ? "no known integer instructions" : names.joined(separator: ", ")); kernels of level \(evidence.kernelLevel) do \(String(format: "%.0f", peaks.int8.oneThreadGops)) GOP/s in int8 and \(String(format: "%.0f", peaks.float32.oneThreadGops)) GFLOP/s in float32 on one thread, \(String(format: "%.2f", ratio)) : 1."
    ]
    let best = candidates.filter { !isWeightOnly($0) && $0.speedup != nil }
      .max { ($0.speedup ?? 0) < ($1.speedup ?? 0) }
    if let best, let speedup = best.speedup {
      let interval = best.speedupCi95.map { String(format: " (95 %% interval %.2f … %.2f)", $0[0], $0[1]) }
      let share = speedup / Swift.max(ratio, 1e-9)
      sentences.append(
        "On the whole model \(best.name) gets \(times(speedup))\(interval ?? ""), "
          + (share <= 1
            ? "\(Int((100 * share).rounded())) % of what the arithmetic allows."
            : "more than the arithmetic's \(String(format: "%.2f", ratio)): fewer bytes help too, or the times are disturbed.")
      )
    }
    let faster = candidates.filter(isFaster)
    let lowest = candidates.compactMap { $0.speedupCi95?[0] }.max()
    sentences.append(
      faster.isEmpty
        ? "0 of \(candidates.count) candidates are at least \(times(Self.leastSpeedup)) as fast as float32 with their whole interval above 1; the highest interval begins at \(times(lowest ?? 0))."
        : "\(faster.count) of \(candidates.count) candidates are faster than float32 with their whole interval: \(faster.map { "\($0.name) \(times($0.speedup ?? 0))" }.joined(separator: "; "))."
    )
    return Advice.Section(
      question: "Does this processor support it?", answer: ratio >= 1.5 ? .yes : .no,
      sentences: sentences)
  }

  private func mode(_ choice: Advice.Choice, _ trial: Trial?) -> Advice.Section {
    var sentences = candidates.map { candidate -> String in
      let figures = [speedFigure(candidate), sizeFigure(candidate), accuracyFigure(candidate)].compactMap {
        $0
      }
      let mark =
        candidate.name == trial?.name
        ? "this one" : isGoodEnough(candidate) == false ? "loses too much" : speedMark(candidate)
      return "\(candidate.name): \(figures.joined(separator: ", ")) – \(mark)."
    }
    switch choice {
    case .float32:
      let best = candidates.compactMap(\.speedup).max()
      sentences.append(
        "float32 is the better choice here\(best.map { ": the best speed-up is \(times($0)) and needs \(times(Self.leastSpeedup)) with enough accuracy" } ?? ", as 0 candidates run on integer kernels")."
      )
    case .weightOnly:
      let others = candidates.filter { !isWeightOnly($0) }
      let best = others.filter(mayBeAdvised).max { ($0.speedup ?? 0) < ($1.speedup ?? 0) }
      sentences.append(
        best.map {
          "Weight-only is the better choice here: of those with quantized activations and enough accuracy the fastest, \($0.name), has \(times($0.speedup ?? 0)) the speed, \(speedMark($0))."
        }
          ?? "Weight-only is the better choice here: 0 of \(others.count) candidates with quantized activations lose little enough."
      )
    case .quantize: break
    }
    return Advice.Section(question: "Which mode?", answer: .told, sentences: sentences)
  }

  private func speedMark(_ trial: Trial) -> String {
    if isFaster(trial) { return "possible" }
    if let low = trial.speedupCi95?[0], (trial.speedup ?? 0) >= Self.leastSpeedup {
      return "not proven faster (its interval begins at \(times(low)))"
    }
    return "not faster"
  }

  /// What disturbed the figures.
  private var caveats: [String] {
    guard let load = evidence.loadAverage, load > Double(evidence.peaks.threads) + 0.5 else { return [] }
    return [
      "\(String(format: "%.1f", load)) processes wanted to run while times were taken on \(evidence.peaks.threads) threads: times and speed-ups are disturbed; measure again on a quiet machine."
    ]
  }

  private var layers: Advice.Section? {
    let question = "Which layers to leave alone?"
    guard evidence.hasData else {
      return Advice.Section(
        question: question, answer: .unknown,
        sentences: ["There are 0 samples to see what each layer costs (--data)."])
    }
    guard let first = evidence.layerCosts.first else { return nil }
    let count = evidence.layerCosts.count
    var sentences = [
      "Alone, of the \(count) layers of \(evidence.layerCostsOf ?? "the candidate"), \(first.layer) costs most: SQNR \(String(format: "%.1f", first.sqnrDb)) dB, \(percent(first.noiseShare)) of the noise that all cause alone (\(evidence.layerCostSamples) samples, simulated)."
    ]
    let next = evidence.layerCosts.dropFirst().prefix(3)
    if !next.isEmpty {
      sentences.append(
        "Then come "
          + next.map { "\($0.layer) (\(String(format: "%.1f", $0.sqnrDb)) dB, \(percent($0.noiseShare)))" }
          .joined(separator: ", ") + ".")
    }
    guard let spared = evidence.spared, let with = candidates.first(where: { $0.name == spared.candidate }),
      let without = candidates.first(where: { $0.name == evidence.layerCostsOf })
    else { return Advice.Section(question: question, answer: .told, sentences: sentences) }
    let gain = (with.sqnrDb ?? 0) - (without.sqnrDb ?? 0)
    let change = [accuracyFigure(without), accuracyFigure(with)].compactMap { $0 }.joined(separator: " → ")
    let speed = zip([without.speedup], [with.speedup]).compactMap { a, b -> String? in
      guard let a, let b else { return nil }
      return ", speed-up \(times(a)) → \(times(b))"
    }.first
    sentences.append(
      "Leaving \(spared.layers.joined(separator: ", ")) in float gives \(String(format: "%+.1f", gain)) dB SQNR; \(change)\(speed ?? "")."
    )
    let recovers = isGoodEnough(with) == true && isGoodEnough(without) == false
    return Advice.Section(
      question: question, answer: recovers || decision.1?.name == with.name ? .yes : .no,
      sentences: sentences)
  }

  private func cost(_ trial: Trial?) -> Advice.Section? {
    let trials = [float32] + candidates.filter { $0.name == trial?.name }
    let sentences = trials.compactMap { trial -> String? in
      guard let rate = trial.samplesPerSecond else { return nil }
      let cores = 1000 / rate
      return
        "\(trial.name): \(String(format: "%.0f", rate)) inferences per core-second, so 1 000 per second need \(String(format: "%.2f", cores)) cores busy all the time (\(Int(cores.rounded(.up))) whole \(cores <= 1 ? "one" : "ones"))."
    }
    return sentences.isEmpty
      ? nil : Advice.Section(question: "What does it cost to run?", answer: .told, sentences: sentences)
  }

  // MARK: Figures as text

  private func percent(_ share: Double) -> String { String(format: "%.2f %%", share * 100) }
  private func points(_ share: Double) -> String { String(format: "%+.2f", share * 100) }
  private func times(_ factor: Double) -> String { String(format: "%.2f×", factor) }

  private func bytes(_ count: Int) -> String {
    count >= 1 << 20
      ? String(format: "%.2f MiB", Double(count) / 1_048_576)
      : String(format: "%.1f KiB", Double(count) / 1024)
  }
}
