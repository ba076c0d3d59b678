import Graph
import Tensors

/// What calibration samples show of each channel of a value.
struct ChannelStatistics: Sendable {
  var lowest: [Float]
  var highest: [Float]
  /// Sums of |x| and x², over `count` elements.
  private var magnitudes: [Double]
  private var squares: [Double]
  private var count = 0

  init(channels: Int) {
    lowest = [Float](repeating: .infinity, count: channels)
    highest = [Float](repeating: -.infinity, count: channels)
    magnitudes = [Double](repeating: 0, count: channels)
    squares = magnitudes
  }

  func largest(_ channel: Int) -> Float { max(-lowest[channel], highest[channel], 0) }
  func meanMagnitude(_ channel: Int) -> Float { Float(magnitudes[channel] / Double(max(count, 1))) }
  func meanSquare(_ channel: Int) -> Double { squares[channel] / Double(max(count, 1)) }

  /// - Parameter inner: elements between neighbouring channels.
  mutating func add(_ values: UnsafeBufferPointer<Float>, inner: Int) {
    let channels = lowest.count
    guard channels > 0, inner > 0 else { return }
    let outer = values.count / (channels * inner)
    for block in 0..<outer {
      for channel in 0..<channels {
        let first = (block * channels + channel) * inner
        var (low, high, magnitude, square) = (lowest[channel], highest[channel], Float(0), Float(0))
        for x in values[first..<first + inner] {
          low = min(low, x)
          high = max(high, x)
          magnitude += abs(x)
          square += x * x
        }
        (lowest[channel], highest[channel]) = (low, high)
        magnitudes[channel] += Double(magnitude)
        squares[channel] += Double(square)
      }
    }
    count += outer * inner
  }
}

extension Quantizer {
  /// The statistics of values by channel, over the calibration samples on the float graph.
  func channelStatistics(
    _ values: [ScalableValue], _ source: any CalibrationSource, _ report: (Double, String) throws -> Void
  ) throws -> [ChannelStatistics] {
    guard !values.isEmpty else { return [] }
    let found = Locked(values.map { ChannelStatistics(channels: $0.channels) })
    try Calibrator(
      graph: graph, infos: infos, threads: threads, keepsOrder: true, prepare: prepare
    ).forEachBatch(
      of: values.map(\.value), source: source, samples: recipe.calibration.samples
    ) { tensors, range, count in
      parallel(values.count, grain: 1, threads: threads) { indices in
        for index in indices {
          guard let tensor = tensors[index] else { continue }
          var statistics = found.withLock { $0[index] }
          let inner = tensor.shape.dropFirst(values[index].axis + 1).reduce(1, *)
          tensor.withElements(of: Float.self) { statistics.add($0, inner: inner) }
          let result = statistics
          found.withLock { $0[index] = result }
        }
      }
      try report(
        Double(range.upperBound) / Double(count),
        "statistics of channels: sample \(range.upperBound) of \(count)")
    }
    return found.withLock { $0 }
  }
}
