import Graph
import Tensors

/// Applies a recipe to a graph that is already simplified: calibrates, then encodes activations, weights and biases.
///
/// Layers in mode `qat` come out as calibration leaves them, which is where training starts.
///
/// - Parameters:
///   - infos: what is known of every value (`Graph.infer`).
///   - calibration: samples in the order they are to be used; needed when a layer is static or qat.
///   - observations: what calibration saw before, to choose ranges from without running the samples again; what is not
///     in it is observed now.
///   - report: called with the fraction done; what it throws (a cancellation) ends the work.
/// - Errors: `QuantizationError`; what running the float graph throws.
package func quantize(
  _ graph: Graph, infos: [ValueName: OperandInfo], recipe: Recipe, calibration: (any CalibrationSource)?,
  observations: Observations? = nil, threads: Int, report: (Double, String) throws -> Void
) throws -> Candidate {
  var quantizer = Quantizer(graph: graph, infos: infos, recipe: recipe, threads: threads)
  quantizer.observations = observations
  return try quantizer.candidate(calibration: calibration, report: report)
}

/// One application of a recipe.
struct Quantizer {
  /// The float network, as corrections have reshaped it.
  var graph: Graph
  var infos: [ValueName: OperandInfo]
  let recipe: Recipe
  let threads: Int
  /// Instead of compiling the graph, for tests.
  var prepare: ((Graph, [ValueName: Shape]) throws -> Calibrator.Run)?
  /// Whether blocks need the right size alone, as encoding them takes time.
  var measuresOnly = false
  /// What need not be observed.
  var observations: Observations?

  /// Share of the work that reshaping the network is where there is any, for progress.
  private static let reshapingShare = 0.3
  /// Share of the rest that calibration is.
  private static let calibrationShare = 0.9

  func candidate(
    calibration: (any CalibrationSource)?, report: (Double, String) throws -> Void
  ) throws -> Candidate {
    let clock = ContinuousClock()
    let begin = clock.now
    try refuseWhatIsMissing()
    var quantizer = self
    let notes = try quantizer.reshape(calibration) { try report(Self.reshapingShare * $0, $1) }
    let done = notes.isEmpty ? 0 : Self.reshapingShare
    var candidate = try quantizer.encode(calibration: calibration) { try report(done + (1 - done) * $0, $1) }
    candidate.warnings = notes + candidate.warnings
    if !notes.isEmpty { candidate.reshaped = quantizer.graph }
    candidate.quantizeSeconds = begin.duration(to: clock.now) / .seconds(1)
    return candidate
  }

  /// Calibrates and encodes the network as it is now.
  private func encode(
    calibration: (any CalibrationSource)?, report: (Double, String) throws -> Void
  ) throws -> Candidate {
    let (resolution, placement) = recipe.resolveAndPlace(graph, infos: infos)
    var warnings = resolution.warnings
    var encoded = EncodedGraph(graph: graph)
    let observed = try observe(placement, calibration, report)
    for (value, root) in placement.roots {
      guard let range = observed[root], let request = placement.requests[root] else { continue }
      encoded.activations[value] = request.encoding(range.lower...range.upper)
    }
    if let calibration {
      warnings += Self.doubts(observed, samples: min(calibration.count, recipe.calibration.samples))
    }
    try report(Self.calibrationShare, "encoding weights")
    try encodeWeights(&encoded, resolution, placement, &warnings)
    func reportRest(_ done: Double, _ what: String) throws {
      try report(Self.calibrationShare + (1 - Self.calibrationShare) * done, what)
    }
    try roundLayers(&encoded, resolution, calibration, &warnings) { try reportRest(0.8 * $0, $1) }
    let normed = try reEstimateNorms(&encoded, resolution, calibration) { try reportRest(0.8 + 0.1 * $0, $1) }
    try correctBiases(&encoded, resolution, besides: normed, calibration) {
      try reportRest(0.9 + 0.1 * $0, $1)
    }
    try correctBiasesAnalytically(&encoded, resolution, besides: normed, &warnings)
    try report(1, "done")
    return Candidate(
      recipe: recipe, encoded: encoded, resolution: resolution, warnings: warnings, observed: observed,
      roots: placement.roots, quantizeSeconds: 0)
  }

  /// A recipe made by hand may ask for what reading one refuses.
  private func refuseWhatIsMissing() throws {
    let asked = [recipe.defaults.weights.format] + recipe.rules.map(\.change.weights.format)
    for case let format? in asked where format != WeightSettings.noFormat && BlockFormats.named(format) == nil
    {
      let known = BlockFormats.all.map(\.name).joined(separator: ", ")
      throw QuantizationError("weights.format is \(format), expected \(known).")
    }
  }

  private func observe(
    _ placement: Placement, _ source: (any CalibrationSource)?, _ report: (Double, String) throws -> Void
  ) throws -> [ValueName: ObservedRange] {
    let requests = placement.requests
    guard !requests.isEmpty else { return [:] }
    let known = observations?.sightings(for: requests) ?? [:]
    let missing = requests.filter { known[$0.key] == nil }
    let sightings =
      missing.isEmpty ? known : try watch(missing, source, report).merging(known) { _, known in known }
    try report(Self.calibrationShare * 0.9, "choosing ranges")
    // Searching ranges is independent work per value.
    let order = placement.order
    let ranges = Locked<[ValueName: ObservedRange]>([:])
    parallel(order.count, grain: 1, threads: threads) { indices in
      for index in indices {
        guard let sighting = sightings[order[index]], let request = requests[order[index]] else { continue }
        let range = Quantizer.range(sighting, request)
        ranges.withLock { $0[order[index]] = range }
      }
    }
    return ranges.withLock { $0 }
  }

  private func watch(
    _ requests: [ValueName: Placement.Request], _ source: (any CalibrationSource)?,
    _ report: (Double, String) throws -> Void
  ) throws -> [ValueName: Sighting] {
    guard let source else { throw QuantizationError.missingSamples }
    return try Calibrator(graph: graph, infos: infos, threads: threads, prepare: prepare).observe(
      requests.mapValues(\.observer), source: source, samples: recipe.calibration.samples
    ) { try report($0 * Self.calibrationShare * 0.9, $1) }
  }

  private static func range(_ sighting: Sighting, _ request: Placement.Request) -> ObservedRange {
    func range(_ observer: any Observer) -> ClosedRange<Float> {
      observer.seen.count == 0 ? 0...0 : observer.range(bits: request.width, symmetric: request.symmetric)
    }
    let (observer, chosen) = (sighting.all, range(sighting.all))
    let seen = observer.seen
    var result = ObservedRange(
      lowest: seen.lowest, highest: seen.highest, lower: chosen.lowerBound, upper: chosen.upperBound,
      count: seen.count, observer: request.observer, bins: observer.bins(256))
    if sighting.halves.count == 2 { result.halves = sighting.halves.map(range) }
    return result
  }

  /// Says where the samples are too few for ranges that others would give again.
  private static func doubts(_ observed: [ValueName: ObservedRange], samples: Int) -> [String] {
    let found = observed.compactMap { value, range in range.disagreement.map { (share: $0, value: value) } }
      .sorted { ($0.share, $0.value) < ($1.share, $1.value) }
    guard let last = found.last, found[found.count / 2].share > ObservedRange.settledShare else { return [] }
    func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
    return [
      "two halves of the \(samples) calibration samples give ranges that differ by "
        + "\(percent(found[found.count / 2].share)) (median; at most \(percent(last.share)), \"\(last.value)\"): "
        + "use more samples"
    ]
  }
}
