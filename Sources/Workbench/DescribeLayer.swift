import Graph
import Quantization
import Tensors
import Workflows

extension LayerDetail {
  /// Computes what the histogram shows of a layer.
  ///
  /// Takes milliseconds for large layers, so it runs as an effect.
  ///
  /// - Parameter candidate: the recipe already applied, for what calibration saw; `nil` before it ran.
  package init(layer: String, recipe: Recipe, project: Project, candidate: Candidate?) throws {
    self.init(layer: layer, recipe: recipe)
    let model = project.model
    guard let resolved = recipe.resolve(model.graph, infos: model.infos)[layer] else { return }
    if let weight = resolved.weights.first, let tensor = model.graph.constants[weight.value],
      tensor.type == .float32
    {
      weights = Histogram(tensor)
      if resolved.effective.mode != .float,
        let preview = WeightPreview(tensor, settings: resolved.effective.weights, role: weight.role)
      {
        weightGrid = Grid(
          lower: preview.lower, upper: preview.upper, step: preview.step, levels: preview.levels,
          clipped: preview.clipped, sqnrDb: preview.sqnrDb)
      }
    }
    guard let candidate, let node = candidate.encoded.graph.nodes.first(where: { $0.name == layer }) else {
      return
    }
    for case let input? in node.inputs {
      guard let encoding = candidate.encoded.activations[input], let seen = candidate.observedRange(of: input)
      else {
        continue
      }
      activations = Histogram(lower: seen.lowest, upper: seen.highest, bins: seen.bins)
      activationGrid = Grid(
        lower: encoding.real(encoding.codes.lowerBound), upper: encoding.real(encoding.codes.upperBound),
        step: encoding.scales[0], levels: Int(encoding.codes.upperBound - encoding.codes.lowerBound) + 1,
        clipped: seen.share(outside: encoding), sqnrDb: nil)
      break
    }
  }
}

extension LayerDetail.Histogram {
  static let binCount = 256

  /// Counts of a float32 tensor's values between its ends.
  init?(_ tensor: Tensor) {
    guard tensor.count > 0 else { return nil }
    var low = Float.infinity
    var high = -Float.infinity
    var counts = [Float](repeating: 0, count: Self.binCount)
    tensor.withElements(of: Float.self) { values in
      for x in values where x.isFinite {
        low = Swift.min(low, x)
        high = Swift.max(high, x)
      }
      guard low < high else { return }
      let scale = Float(Self.binCount) / (high - low)
      for x in values where x.isFinite { counts[Swift.min(Int((x - low) * scale), Self.binCount - 1)] += 1 }
    }
    guard low < high else { return nil }
    self.init(lower: low, upper: high, bins: counts)
  }
}

extension Candidate {
  /// What calibration saw of a value, or of the value whose encoding it shares.
  fileprivate func observedRange(of value: ValueName) -> ObservedRange? {
    if let seen = observed[value] { return seen }
    guard let producer = encoded.graph.producers[value] else { return nil }
    for case let input? in encoded.graph.nodes[producer].inputs {
      if encoded.activations[input] == encoded.activations[value], let seen = observedRange(of: input) {
        return seen
      }
    }
    return nil
  }
}

extension ObservedRange {
  /// Share of what was seen that codes cannot express, by the bins; 0 where none were kept.
  func share(outside encoding: Encoding) -> Double {
    let lower = encoding.real(encoding.codes.lowerBound)
    let range = lower...Swift.max(lower, encoding.real(encoding.codes.upperBound))
    let total = bins.reduce(0) { $0 + Double($1) }
    guard total > 0, highest > lowest else { return 0 }
    let width = (highest - lowest) / Float(bins.count)
    let outside = bins.indices.reduce(0.0) { sum, index in
      let middle = lowest + (Float(index) + 0.5) * width
      return sum + (range.contains(middle) ? 0 : Double(bins[index]))
    }
    return outside / total
  }
}
