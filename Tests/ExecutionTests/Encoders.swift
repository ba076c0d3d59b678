import Graph
import Tensors

/// Plain encoders for tests: nearest codes, ranges of the values themselves.
extension Encoding {
  /// One scale that covers a tensor.
  static func covering(_ tensor: Tensor, bits: Int, symmetry: Scheme.Symmetry) -> Encoding {
    let values = tensor.floats
    let scheme = Scheme(bits: bits, symmetry: symmetry, granularity: .tensor)
    let (low, high) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
    switch symmetry {
    case .symmetric:
      let scale = max(-low, high) / Float(scheme.codes.upperBound)
      return Encoding(scheme: scheme, scales: [scale], zeroPoints: [0])
    case .affine:
      let range = AffineRange(lowest: low, highest: high, bits: bits)
      return Encoding(scheme: scheme, scales: [range.scale], zeroPoints: [range.zeroPoint])
    }
  }
}

extension EncodedTensor {
  /// The nearest codes of weights.
  static func nearest(_ tensor: Tensor, _ scheme: Scheme, channelAxis: Int, featureAxis: Int) -> EncodedTensor
  {
    let shape = tensor.shape
    var encoding = Encoding(scheme: scheme, scales: [1], zeroPoints: [0])
    switch scheme.granularity {
    case .tensor: break
    case .channel: encoding.channelAxis = channelAxis
    case .group:
      encoding.channelAxis = channelAxis
      encoding.groupAxis = featureAxis
    }
    let scaleShape = scaleShape(of: shape, encoding: encoding)
    let strides = scaleShape.rowMajorStrides
    let own = shape.rowMajorStrides
    let indices = (0..<shape.elementCount).map { element in
      shape.indices.reduce(0) { sum, axis in
        var position = element / own[axis] % shape[axis]
        if scaleShape[axis] == 1 { return sum }
        if case .group(let size) = scheme.granularity, axis == featureAxis { position /= size }
        return sum + position * strides[axis]
      }
    }
    let values = tensor.floats
    let count = scaleShape.elementCount
    var low = [Float](repeating: 0, count: count)
    var high = [Float](repeating: 0, count: count)
    for (value, index) in zip(values, indices) {
      low[index] = min(low[index], value)
      high[index] = max(high[index], value)
    }
    encoding.scales = zip(low, high).map { low, high in
      let range =
        scheme.symmetry == .symmetric
        ? max(-low, high) / Float(scheme.codes.upperBound) : (high - low) / Float(scheme.codes.upperBound)
      return range > 0 ? range : 1
    }
    encoding.zeroPoints = zip(low, encoding.scales).map { low, scale in
      scheme.symmetry == .symmetric ? 0 : Int32((-low / scale).rounded(.toNearestOrEven))
    }
    let codes = zip(values, indices).map { encoding.code($0, at: $1) }
    return EncodedTensor(
      codes: scheme.symmetry == .symmetric
        ? Tensor(codes.map { Int8($0) }, shape: shape) : Tensor(codes.map { UInt8($0) }, shape: shape),
      encoding: encoding)
  }
}

extension EncodedBias {
  /// int32 codes of a bias behind input scale and weight scales; `nil` where weights have groups.
  static func nearest(_ bias: Tensor, input: Encoding, weights: Encoding) -> EncodedBias? {
    if case .group = weights.scheme.granularity { return nil }
    let values = bias.floats
    let scales = values.indices.map { input.scales[0] * weights.scales[weights.scales.count == 1 ? 0 : $0] }
    let codes = zip(values, scales).map { Int32(($0 / $1).rounded(.toNearestOrEven)) }
    return EncodedBias(codes: Tensor(codes, shape: bias.shape), scales: scales)
  }
}
