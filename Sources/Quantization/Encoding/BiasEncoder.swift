import Graph
import Tensors

/// int32 biases of static layers: scale = input scale · weight scale of the channel, zero point 0.
enum BiasEncoder {
  /// The largest magnitude of a bias code.
  static let limit = 1_073_741_824.0

  /// Raises weight scales so that no bias code exceeds 2^30; returns the channels raised.
  ///
  /// Channels whose weights are all zero, where any scale would do, get one that holds the bias to 23 bits.
  /// `bias` has as many elements as scales, or any number when there is one scale, or a multiple (a transposed
  /// convolution's groups repeat the scales).
  static func raise(_ weights: inout WeightScales, bias: [Float], inputScale: Float) -> [Int] {
    var raised: [Int] = []
    for (channel, value) in bias.enumerated() {
      let cell = channel % weights.scales.count
      let magnitude = abs(Double(value))
      let step = Double(inputScale) * abs(Double(weights.scales[cell]))
      if weights.isZero[cell] && magnitude > 0 {
        let wanted = max(magnitude / Double(inputScale) / Double(1 << 23), Double(Float.leastNormalMagnitude))
        weights.scales[cell] = channel == cell ? Float(wanted) : max(weights.scales[cell], Float(wanted))
      } else if magnitude > limit * step {
        let old = weights.scales[cell]
        var new = Float(magnitude / limit / Double(inputScale))
        while magnitude > limit * Double(inputScale) * Double(new) { new = new.nextUp }
        weights.scales[cell] = old < 0 ? -new : new
        weights.zeroPoints[cell] = Int32(
          (Float(weights.zeroPoints[cell]) * abs(old) / new).rounded(.toNearestOrEven))
        raised.append(cell)
      }
    }
    return raised
  }

  static func encode(_ bias: [Float], weightScales: [Float], inputScale: Float) -> EncodedBias {
    let scales = bias.indices.map { inputScale * weightScales[$0 % weightScales.count] }
    let codes = zip(bias, scales).map { value, scale in
      guard value != 0, scale != 0 else { return Int32(0) }
      let code = (Double(value) / Double(scale)).rounded(.toNearestOrEven)
      return Int32(min(max(code, -limit), limit))
    }
    return EncodedBias(codes: Tensor(codes, shape: [codes.count]), scales: scales)
  }
}
