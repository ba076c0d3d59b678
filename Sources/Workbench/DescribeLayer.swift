import Graph
import Quantization
import Tensors
import Workflows

extension LayerDetail {
  /// Computes what the histogram shows of a layer.
  ///
  /// Takes milliseconds for large layers, so it runs as an effect.
  ///
  /// - Parameters:
  ///   - candidate: the recipe already applied, for its codes and what calibration saw; `nil` before it ran.
  ///   - resolution: of the recipe, where it is known: it takes longest in a model of many layers.
  package init(
    layer: String, recipe: Recipe, project: Project, candidate: Candidate?, resolution: Resolution? = nil
  ) throws {
    self.init(layer: layer, recipe: recipe)
    let model = project.model
    let resolution = resolution ?? recipe.resolve(model.graph, infos: model.infos)
    guard let resolved = resolution[layer] else { return }
    takeWeights(resolved, model.graph, recipe, candidate)
    guard let candidate, let node = candidate.encoded.graph.nodes.first(where: { $0.name == layer }) else {
      return
    }
    isCalibrated = true
    input = candidate.encodedInput(of: node).flatMap { candidate.activations(of: $0) }
    output = candidate.encodedOutput(of: node).flatMap { candidate.activations(of: $0) }
  }

  /// The candidate's own codes where it was made, else what rounding to nearest would give.
  private mutating func takeWeights(
    _ resolved: ResolvedLayer, _ graph: Graph, _ recipe: Recipe, _ candidate: Candidate?
  ) {
    guard let weight = resolved.weights.first, let tensor = graph.constants[weight.value],
      tensor.type == .float32
    else { return }
    let isFloat = resolved.effective.mode == .float
    var (shown, codes): (Tensor, EncodedTensor?) = (tensor, nil)
    if !isFloat, let own = candidate?.weight(of: resolved.node) {
      (shown, codes) = own
    } else if !isFloat {
      codes = EncodedTensor(nearest: tensor, settings: resolved.effective.weights, role: weight.role)
      isPreview =
        resolved.effective.weights.method != .nearest || resolved.effective.mode == .qat
        || (resolved.effective.corrections ?? recipe.corrections).contains { $0 != .foldBatchNorm }
    }
    guard let histogram = Histogram(shown) else { return }
    weights = histogram
    weightGrid = codes.map { codes in
      let preview = WeightPreview(shown, codes)
      return Grid(
        lower: preview.lower, upper: preview.upper, step: preview.step, levels: preview.levels,
        clipped: preview.clipped, sqnrDb: preview.sqnrDb)
    }
    errors = WeightErrors(shown, codes, axis: weight.role.channelAxis)
  }
}

extension LayerDetail.Histogram {
  static let binCount = 256

  /// Counts of a float32 tensor's values between its ends; `nil` where not all are finite, or all the same.
  init?(_ tensor: Tensor) {
    guard tensor.count > 0 else { return nil }
    var low = Float.infinity
    var high = -Float.infinity
    var counts = [Float](repeating: 0, count: Self.binCount)
    let isFinite = tensor.withElements(of: Float.self) { values in
      for x in values {
        guard x.isFinite else { return false }
        low = Swift.min(low, x)
        high = Swift.max(high, x)
      }
      guard low < high else { return true }
      let scale = Float(Self.binCount) / (high - low)
      for x in values { counts[Swift.min(Int((x - low) * scale), Self.binCount - 1)] += 1 }
      return true
    }
    guard isFinite, low < high else { return nil }
    self.init(lower: low, upper: high, bins: counts)
  }
}

extension Candidate {
  /// A layer's float weights as corrections left them, with their codes; `nil` where it has none.
  fileprivate func weight(of layer: String) -> (Tensor, EncodedTensor)? {
    guard let node = encoded.graph.nodes.first(where: { $0.name == layer }) else { return nil }
    for case let input? in node.inputs {
      guard let codes = encoded.weights[input], let tensor = encoded.graph.constants[input],
        tensor.type == .float32, tensor.shape == codes.codes.shape
      else { continue }
      return (tensor, codes)
    }
    return nil
  }

  /// The first input of a node that is encoded by what calibration saw.
  func encodedInput(of node: Node) -> ValueName? {
    node.inputs.compactMap { $0 }.first { encoded.activations[$0] != nil && observedRange(of: $0) != nil }
  }

  /// The value that holds a node's encoded output: its own, or that of the clamp fused to it.
  func encodedOutput(of node: Node) -> ValueName? {
    guard let output = node.outputs.first.flatMap({ $0 }) else { return nil }
    if encoded.activations[output] != nil { return output }
    // A fused clamp is no layer of its own.
    guard let readers = encoded.graph.consumers[output], readers.count == 1,
      resolution[encoded.graph.nodes[readers[0]].name] == nil,
      let clamped = encoded.graph.nodes[readers[0]].outputs.first.flatMap({ $0 }),
      encoded.activations[clamped] != nil
    else { return nil }
    return clamped
  }

  /// What calibration saw of a value that has an encoding.
  func activations(of value: ValueName) -> LayerDetail.Activations? {
    guard let encoding = encoded.activations[value], let seen = observedRange(of: value) else { return nil }
    let lower = encoding.real(encoding.codes.lowerBound)
    let upper = Swift.max(encoding.real(encoding.codes.upperBound), lower)
    return LayerDetail.Activations(
      histogram: LayerDetail.Histogram(lower: seen.lowest, upper: seen.highest, bins: seen.bins),
      grid: LayerDetail.Grid(
        lower: lower, upper: upper, step: encoding.scales[0],
        levels: Int(encoding.codes.upperBound - encoding.codes.lowerBound) + 1,
        clipped: seen.share(outside: lower...upper), sqnrDb: nil), count: seen.count,
      observer: seen.observer)
  }

  /// What calibration saw of a value, or of the value whose encoding it shares.
  private func observedRange(of value: ValueName) -> ObservedRange? {
    if let seen = observed[value] { return seen }
    guard let root = roots[value], root != value else { return nil }
    return observed[root]
  }
}

extension ObservedRange {
  /// Share of what was seen outside a range, by the bins; `nil` where none were kept and something is outside.
  fileprivate func share(outside range: ClosedRange<Float>) -> Double? {
    if range.contains(lowest), range.contains(highest) { return 0 }
    let total = bins.reduce(0) { $0 + Double($1) }
    guard total > 0, highest > lowest else { return nil }
    let width = (highest - lowest) / Float(bins.count)
    let outside = bins.indices.reduce(0.0) { sum, index in
      let middle = lowest + (Float(index) + 0.5) * width
      return sum + (range.contains(middle) ? 0 : Double(bins[index]))
    }
    return outside / total
  }
}
