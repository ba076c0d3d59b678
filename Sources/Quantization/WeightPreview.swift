import Foundation
import Graph
import Tensors

/// What encoding one weight does to it: for showing before anything is calibrated.
package struct WeightPreview: Sendable, Hashable {
  /// Ends of the range that codes can express and the distance of two codes; of the widest channel or group.
  package var lower: Float
  package var upper: Float
  package var step: Float
  package var levels: Int
  /// Share of the weights outside their own channel's range, 0…1.
  package var clipped: Double
  /// 10·log10(Σ w² / Σ (w − q)²); `nil` where there is no error.
  package var sqnrDb: Double?

  /// `nil` for weights that are not finite float32.
  package init?(_ tensor: Tensor, settings: WeightSettings, role: WeightRole) {
    guard let encoded = EncodedTensor(nearest: tensor, settings: settings, role: role) else { return nil }
    self.init(tensor, encoded)
  }

  /// Of codes that are there already, for finite float32 weights of their shape.
  package init(_ tensor: Tensor, _ encoded: EncodedTensor) {
    let encoding = encoded.encoding
    let scales = encoding.scales
    let widest = scales.indices.max { abs(scales[$0]) < abs(scales[$1]) } ?? 0
    levels = Int(encoding.codes.upperBound - encoding.codes.lowerBound) + 1
    // A scale may be negative (`range: signed`). Without even codes it is the largest magnitude of its block.
    let ends =
      encoded.hasEvenCodes
      ? [encoding.codes.lowerBound, encoding.codes.upperBound].map { encoding.real($0, at: widest) }
      : [-abs(scales[widest]), abs(scales[widest])]
    lower = min(ends[0], ends[1])
    upper = max(ends[0], ends[1])
    step = encoded.hasEvenCodes ? abs(scales[widest]) : (upper - lower) / Float(levels - 1)
    var outside = 0
    var noise = 0.0
    WeightErrors.forEachError(tensor, encoded) { _, error, scale in
      noise += Double(error) * Double(error)
      // Farther from its code than rounding can take it.
      if abs(Double(error)) > 0.5001 * abs(Double(scale)) { outside += 1 }
    }
    let signal = tensor.withElements(of: Float.self) { weights in
      weights.reduce(0.0) { $0 + Double($1) * Double($1) }
    }
    clipped = Double(outside) / Double(tensor.count)
    sqnrDb = noise > 0 && signal > 0 ? 10 * log10(signal / noise) : nil
  }
}

extension EncodedTensor {
  /// float32 weights as blocks; `nil` where one is NaN or infinite.
  init?(finite tensor: Tensor, format: any BlockFormat, importance: [Float]? = nil, threads: Int) {
    let encoded = tensor.withElements(of: Float.self) { weights -> EncodedTensor? in
      guard Extremes(weights).isFinite else { return nil }
      return EncodedTensor(
        weights, shape: tensor.shape, format: format, importance: importance, threads: threads)
    }
    guard let encoded else { return nil }
    self = encoded
  }

  /// float32 weights rounded to nearest, whatever the method of the settings.
  ///
  /// `nil` for weights that are not finite float32.
  package init?(nearest tensor: Tensor, settings: WeightSettings, role: WeightRole) {
    guard tensor.type == .float32, tensor.count > 0, role.channelAxis < tensor.rank,
      role.featureAxis < tensor.rank
    else { return nil }
    if let format = settings.format.flatMap(BlockFormats.named) {
      guard tensor.shape[tensor.rank - 1] % format.elements == 0,
        let encoded = EncodedTensor(finite: tensor, format: format, threads: 1)
      else { return nil }
      self = encoded
      return
    }
    let encoder = WeightEncoder(
      settings: settings, shape: tensor.shape, channelAxis: role.channelAxis, groupAxis: role.featureAxis)
    guard let numbers = tensor.withElements(of: Float.self, { encoder.scales($0) }) else { return nil }
    self = tensor.withElements(of: Float.self) { encoder.encode($0, numbers) }
  }
}
