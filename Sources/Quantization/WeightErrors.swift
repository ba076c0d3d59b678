import Foundation
import Graph
import Operators
import Tensors

/// Weights channel by channel, and how far their codes are from them.
package struct WeightErrors: Sendable, Hashable {
  /// One index of the channel axis.
  package struct Channel: Sendable, Hashable {
    package var lowest: Float
    package var highest: Float
    package var mean: Double
    /// Standard deviation.
    package var deviation: Double
    /// Share of its weights farther from their codes than rounding can take them, 0…1.
    package var clipped: Double
    /// 10·log10(Σ w² / Σ (w − q)²); `nil` where there is no error.
    package var sqnrDb: Double?
  }

  package var channels: [Channel]
  /// The channel with the lowest SQNR.
  package var worst: Int?
  /// Smallest and largest w − q; `nil` without codes.
  package var errors: ClosedRange<Float>?
  /// Counts of w − q in equal parts of `errors`.
  package var bins: [Float]

  package static let binCount = 256

  /// - Parameters:
  ///   - tensor: float32 weights, finite.
  ///   - encoded: their codes, of the same shape; `nil` where the layer stays float.
  ///   - axis: of the channels.
  package init(_ tensor: Tensor, _ encoded: EncodedTensor?, axis: Int) {
    precondition(tensor.type == .float32 && axis < tensor.rank, "float32 weights with that axis")
    precondition(encoded.map { $0.codes.shape == tensor.shape } ?? true, "codes of the same shape")
    let count = tensor.shape[axis]
    let inner = tensor.shape[(axis + 1)...].reduce(1, *)
    var sums = [Sums](repeating: Sums(), count: count)
    bins = []
    tensor.withElements(of: Float.self) { weights in
      for index in weights.indices { sums[index / inner % count].add(Double(weights[index])) }
    }
    if let encoded {
      var (low, high) = (Float.infinity, -Float.infinity)
      Self.forEachError(tensor, encoded) { index, error, scale in
        low = min(low, error)
        high = max(high, error)
        sums[index / inner % count].add(error: Double(error), scale: Double(scale))
      }
      if low <= high {
        errors = low...high
        bins = Self.counts(tensor, encoded, low...high)
      }
    }
    channels = sums.map { $0.channel(isCoded: encoded != nil) }
    worst = Self.worst(channels)
  }

  /// The same of elements that have one scale and are given as they are.
  ///
  /// - Parameters:
  ///   - values: row-major, finite.
  ///   - channels: length of the channel axis.
  ///   - inner: elements behind one index of it.
  ///   - coded: what the code of an element stands for.
  init(_ values: [Float], scale: Float, channels: Int, inner: Int, coded: (Float) -> Float) {
    precondition(channels > 0 && inner > 0, "channels of one element at least")
    var sums = [Sums](repeating: Sums(), count: channels)
    var (low, high) = (Float.infinity, -Float.infinity)
    for (index, x) in values.enumerated() {
      let channel = index / inner % channels
      let error = x - coded(x)
      (low, high) = (min(low, error), max(high, error))
      sums[channel].add(Double(x))
      sums[channel].add(error: Double(error), scale: Double(scale))
    }
    bins = []
    if low < high {
      errors = low...high
      bins = [Float](repeating: 0, count: Self.binCount)
      let parts = Float(Self.binCount) / (high - low)
      for x in values { bins[min(Int((x - coded(x) - low) * parts), Self.binCount - 1)] += 1 }
    }
    self.channels = sums.map { $0.channel(isCoded: true) }
    worst = Self.worst(self.channels)
  }

  private static func worst(_ channels: [Channel]) -> Int? {
    channels.indices.filter { channels[$0].sqnrDb != nil }.min {
      (channels[$0].sqnrDb ?? .infinity, $0) < (channels[$1].sqnrDb ?? .infinity, $1)
    }
  }

  private static func counts(_ tensor: Tensor, _ encoded: EncodedTensor, _ range: ClosedRange<Float>)
    -> [Float]
  {
    guard range.lowerBound < range.upperBound else { return [] }
    var counts = [Float](repeating: 0, count: binCount)
    let scale = Float(binCount) / (range.upperBound - range.lowerBound)
    forEachError(tensor, encoded) { _, error, _ in
      counts[min(Int((error - range.lowerBound) * scale), binCount - 1)] += 1
    }
    return counts
  }

  /// Calls `body` with every element's place, its w − q, and the scale of its code; infinity where codes have no even
  /// steps.
  static func forEachError(
    _ tensor: Tensor, _ encoded: EncodedTensor, _ body: (_ index: Int, _ error: Float, _ scale: Float) -> Void
  ) {
    let encoding = encoded.encoding
    let reals = decodedFloats(encoded)
    let hasSteps = encoded.hasEvenCodes
    let layout = WeightEncoder(encoding, shape: tensor.shape).layout
    tensor.withElements(of: Float.self) { weights in
      layout.forEachRun { range, cell, advances in
        for (offset, index) in range.enumerated() {
          let scale = hasSteps ? encoding.scales[advances ? cell + offset : cell] : .infinity
          body(index, weights[index] - reals[index], scale)
        }
      }
    }
  }

  /// What is added up of one channel.
  private struct Sums {
    var count = 0
    var lowest = Double.infinity
    var highest = -Double.infinity
    var sum = 0.0
    var squares = 0.0
    var noise = 0.0
    var outside = 0

    mutating func add(_ weight: Double) {
      count += 1
      lowest = min(lowest, weight)
      highest = max(highest, weight)
      sum += weight
      squares += weight * weight
    }

    mutating func add(error: Double, scale: Double) {
      noise += error * error
      // Farther from its code than rounding can take it.
      if abs(error) > 0.5001 * abs(scale) { outside += 1 }
    }

    func channel(isCoded: Bool) -> Channel {
      let number = Double(max(count, 1))
      let mean = sum / number
      return Channel(
        lowest: count > 0 ? Float(lowest) : 0, highest: count > 0 ? Float(highest) : 0, mean: mean,
        deviation: max(squares / number - mean * mean, 0).squareRoot(), clipped: Double(outside) / number,
        sqnrDb: isCoded && noise > 0 && squares > 0 ? 10 * log10(squares / noise) : nil)
    }
  }
}
