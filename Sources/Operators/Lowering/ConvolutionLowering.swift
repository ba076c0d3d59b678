import CKernels
import Graph
import Tensors

extension Conv: Lowerable {
  package var fusions: Fusions { [.bias, .clamp, .channelClamp, .residual] }
  package func channelAxis(rank: Int) -> Int { 1 }

  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let w = site.input(1), let xShape = x.info.shape, let wShape = w.info.shape,
      x.info.type == .float32, w.info.type == .float32
    else { return nil }
    let window = try geometry(x: xShape, w: wShape)
    let channels = xShape[1]
    guard channels > 0, wShape[0] > 0, window.positions > 0, xShape[0] > 0 else { return nil }
    let bias = site.input(2)?.info.constant.map(floats)
    let computedBias = site.input(2) != nil && bias == nil ? 2 : nil
    if groups > 1, groups == channels, wShape[0] == channels {
      if let call = DepthwiseCall(
        site: site, window: window, channels: channels, bias: bias, computedBias: computedBias
      ).lower() {
        return call
      }
    }
    if let call = try stemCall(site, window, bias: bias, computedBias) { return call }
    let inputs = channels / groups
    let outputs = wShape[0] / groups
    let pointwise = window.isPointwise
    let shape = ProductShape(
      groups: groups, n: outputs, taps: window.taps, k: inputs, groupStride: outputs * inputs * window.taps,
      nStride: inputs * window.taps, tapStride: 1, kStride: window.taps, channelAxis: 0, featureAxis: 1)
    let rows = ProductRows(
      images: xShape[0], rows: window.positions, imageElements: channels * window.input.elementCount,
      stride: channels, offsets: pointwise ? nil : Pinned(window.pixelOffsets(channels: channels)),
      groupElements: inputs)
    return try Product(
      site: site, rows: rows, shape: shape, activation: 0, weight: 1, bias: bias, computedBias: computedBias,
      inputLayout: .channelsLast, outputLayout: .channelsLast, label: pointwise ? "conv 1x1" : "conv",
      window: window
    ).lower()
  }
}

extension Conv {
  /// The convolution of an image with few channels, which the step lays out itself.
  private func stemCall(_ site: LoweringSite, _ window: WindowGeometry, bias: [Float]?, _ computedBias: Int?)
    throws -> KernelCall?
  {
    guard groups == 1, let x = site.input(0), let xShape = x.info.shape,
      let wShape = site.input(1)?.info.shape
    else { return nil }
    let layout: Layout = x.layout == .channelsLast ? .channelsLast : .rowMajor
    let channels = xShape[1]
    guard
      let stem = StemImage(window, channels: channels, images: xShape[0], strides: layout.strides(of: xShape))
    else { return nil }
    let (height, width) = (window.kernel[0], window.kernel[1])
    let taps = height * width
    let shape = ProductShape(
      n: wShape[0], taps: height, k: width * channels, nStride: channels * taps, tapStride: width, kStride: 1,
      kOrder: (0..<width * channels).map { $0 % channels * taps + $0 / channels }, channelAxis: 0,
      featureAxis: 1)
    let rows = ProductRows(
      images: xShape[0], rows: window.positions, imageElements: stem.elements, stride: width * channels,
      offsets: Pinned(stem.offsets(window)))
    return try Product(
      site: site, rows: rows, shape: shape, activation: 0, weight: 1, bias: bias, computedBias: computedBias,
      inputLayout: layout, outputLayout: .channelsLast, label: "conv stem", stem: stem
    ).lower()
  }
}
