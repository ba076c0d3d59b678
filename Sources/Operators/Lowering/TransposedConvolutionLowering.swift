import CKernels
import Graph
import Tensors

extension ConvTranspose: Lowerable {
  package var fusions: Fusions { [.bias, .clamp, .residual] }
  package func channelAxis(rank: Int) -> Int { 1 }

  /// The product of a convolution whose windows skip what the stride leaves out: a tap that no input element reaches
  /// is padding.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let w = site.input(1), let xShape = x.info.shape, let wShape = w.info.shape,
      x.info.type == .float32, w.info.type == .float32, xShape.elementCount > 0
    else { return nil }
    let window = try geometry(x: xShape, w: wShape)
    let (channels, taps) = (xShape[1], window.taps)
    let (inputs, outputs) = (channels / groups, wShape[1])
    guard outputs > 0, window.input.elementCount > 0 else { return nil }
    let bias = site.input(2)?.info.constant.map(floats)
    let computedBias = site.input(2) != nil && bias == nil ? 2 : nil
    let turned = w.encoded == nil ? Self.turned(window) : nil
    let offsets = turned?.pixelOffsets(channels: channels) ?? Self.offsets(window, channels: channels)
    if groups > 1, groups == channels, outputs == 1, w.encoded == nil {
      return DepthwiseCall(
        site: site, window: turned ?? Self.exchanged(window), channels: channels, bias: bias,
        computedBias: computedBias, offsets: turned == nil ? offsets : nil, turnsWeights: turned != nil
      ).lower()
    }
    var shape = ProductShape(
      groups: groups, n: outputs, taps: taps, k: inputs, groupStride: inputs * outputs * taps, nStride: taps,
      tapStride: 1, kStride: outputs * taps, channelAxis: 1, featureAxis: 0,
      groupsHaveOwnChannels: groups == 1)
    if turned != nil { (shape.first, shape.tapStride) = (taps - 1, -1) }
    let rows = ProductRows(
      images: xShape[0], rows: window.input.elementCount,
      imageElements: channels * window.output.elementCount,
      stride: channels, offsets: Pinned(offsets), groupElements: inputs)
    return try Product(
      site: site, rows: rows, shape: shape, activation: 0, weight: 1, bias: bias, computedBias: computedBias,
      inputLayout: .channelsLast, outputLayout: .channelsLast, label: "conv transpose", window: turned
    ).lower()
  }

  /// The window over x of the convolution with turned filters that this is where nothing is skipped (stride 1);
  /// `nil` elsewhere.
  private static func turned(_ window: WindowGeometry) -> WindowGeometry? {
    guard window.strides.allSatisfy({ $0 == 1 }) else { return nil }
    func pads(_ own: [Int]) -> [Int] {
      own.indices.map { (window.kernel[$0] - 1) * window.dilations[$0] - own[$0] }
    }
    var turned = exchanged(window)
    turned.padsBegin = pads(window.padsBegin)
    turned.padsEnd = pads(window.padsEnd)
    return turned
  }

  /// From x to the output of this operator.
  private static func exchanged(_ window: WindowGeometry) -> WindowGeometry {
    var result = window
    (result.input, result.output) = (window.output, window.input)
    return result
  }

  /// For each output pixel and tap the element where the input pixel's channels start, −1 where there is none.
  ///
  /// Output o gets from input i by tap k where o + pad = i · stride + k · dilation. `window` is that of the forward
  /// convolution: its output is the image read here.
  private static func offsets(_ window: WindowGeometry, channels: Int) -> [Int32] {
    let rank = window.rank
    func position(_ index: Int, _ sizes: [Int]) -> [Int] {
      var rest = index
      var result = sizes
      for axis in sizes.indices.reversed() {
        result[axis] = rest % sizes[axis]
        rest /= sizes[axis]
      }
      return result
    }
    let taps = (0..<window.taps).map { position($0, window.kernel) }
    var offsets: [Int32] = []
    offsets.reserveCapacity(window.input.elementCount * taps.count)
    for pixel in 0..<window.input.elementCount {
      let out = position(pixel, window.input)
      for tap in taps {
        var source = 0
        for axis in 0..<rank {
          let reach = out[axis] + window.padsBegin[axis] - tap[axis] * window.dilations[axis]
          guard source >= 0, reach >= 0, reach % window.strides[axis] == 0,
            reach / window.strides[axis] < window.output[axis]
          else {
            source = -1
            break
          }
          source = source * window.output[axis] + reach / window.strides[axis]
        }
        offsets.append(source < 0 ? -1 : Int32(truncatingIfNeeded: source * channels))
      }
    }
    return offsets
  }
}
