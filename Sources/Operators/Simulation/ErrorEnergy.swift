import Graph
import Tensors

/// How far two values are apart, by sample and channel: Σ (a − b)² over everything else.
///
/// - Inputs: a, float32, its first axis counting samples, each of as many elements of the axis; b, as a; absent for 0.
/// - Output: float32 `[samples, channels]`; the sums are in `Double`, in the order of a sample's elements.
package struct ErrorEnergy: Operator {
  package static let name = OperatorName("ErrorEnergy", domain: "lathe", since: 1)
  /// Samples that the first axis counts.
  package let samples: Int
  /// Axis of a that counts channels; `nil` for all in one.
  package let channelAxis: Int?

  package init(samples: Int, channelAxis: Int?) {
    self.samples = samples
    self.channelAxis = channelAxis
  }

  package init(attributes: Attributes) throws {
    samples = try attributes.integer("samples")
    channelAxis = try attributes.integerIfPresent("channel_axis")
    guard samples > 0, channelAxis.map({ $0 >= 0 }) ?? true else {
      throw OperatorError(
        "\(samples) samples and channel axis \(channelAxis ?? 0), expected 1 or more and 0 or more")
    }
  }

  package var attributes: Attributes {
    var result: Attributes = ["samples": .int(samples)]
    if let channelAxis { result["channel_axis"] = .int(channelAxis) }
    return result
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let a = try inputs.required(0, "a")
    try a.require("a", { $0 == .float32 }, "float32")
    if let b = inputs.optional(1) {
      try requireSameType(a.type, b.type)
      if let shape = a.shape, let other = b.shape, shape != other {
        throw OperatorError("a has shape \(shape.shapeText) and b \(other.shapeText), expected one shape")
      }
    }
    return [OperandInfo(type: .float32, shape: try a.shape.map { try extent(of: $0).result })]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let a: Tensor = try inputs.required(0, "a")
    let b: Tensor? = inputs.optional(1)
    let extent = try extent(of: a.shape)
    return [
      a.withElements(of: Float.self) { a in
        (b ?? Tensor(of: Float.self, shape: [0]) { _ in }).withElements(of: Float.self) { b in
          Tensor(of: Float.self, shape: extent.result) { out in
            guard let a = a.baseAddress, let out = out.baseAddress else { return }
            var sums = [Double](repeating: 0, count: extent.channels)
            sums.withUnsafeMutableBufferPointer { sums in
              guard let sums = sums.baseAddress else { return }
              for sample in 0..<samples {
                extent.sum(a, b.isEmpty ? nil : b.baseAddress, sample: sample, sums, out)
              }
            }
          }
        }
      }
    ]
  }

  /// How the elements of a value of this shape lie.
  func extent(of shape: Shape) throws -> Extent {
    guard let first = shape.first, first % samples == 0 else {
      throw OperatorError(
        "a has shape \(shape.shapeText), expected a first axis that counts \(samples) samples")
    }
    let each = shape.elementCount / samples
    guard let axis = channelAxis else {
      return Extent(samples: samples, outer: 1, channels: 1, inner: each)
    }
    guard axis < shape.count, axis > 0 || samples == 1 else {
      throw OperatorError("a has shape \(shape.shapeText), expected channels on axis \(axis)")
    }
    let inner = shape[(axis + 1)...].elementCount
    return Extent(
      samples: samples, outer: shape[..<axis].elementCount / (axis == 0 ? 1 : samples), channels: shape[axis],
      inner: inner)
  }

  /// How the elements of a value lie, by sample and channel.
  struct Extent: Sendable {
    var samples: Int
    /// Runs of all channels in a sample.
    var outer: Int
    var channels: Int
    /// Neighbours that share a channel.
    var inner: Int

    var result: Shape { [samples, channels] }

    /// Writes the sums of one sample.
    ///
    /// - Parameters:
    ///   - a: the elements of all samples, as are b's; no b stands for zeros.
    ///   - sums: room for one number for each channel.
    ///   - out: the results of all samples.
    func sum(
      _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, sample: Int,
      _ sums: UnsafeMutablePointer<Double>, _ out: UnsafeMutablePointer<Float>
    ) {
      sums.update(repeating: 0, count: channels)
      for run in sample * outer..<(sample + 1) * outer {
        let start = run * channels * inner
        if inner == 1 {
          Self.addSquares(a + start, b.map { $0 + start }, channels, to: sums)
        } else {
          for channel in 0..<channels {
            let place = start + channel * inner
            sums[channel] += Self.squares(a + place, b.map { $0 + place }, inner)
          }
        }
      }
      for channel in 0..<channels { out[sample * channels + channel] = Float(sums[channel]) }
    }

    /// Adds the square of each of `count` differences to a sum of its own.
    private static func addSquares(
      _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, _ count: Int,
      to sums: UnsafeMutablePointer<Double>
    ) {
      guard let b else {
        for i in 0..<count { sums[i] += Double(a[i]) * Double(a[i]) }
        return
      }
      for i in 0..<count {
        let difference = Double(a[i]) - Double(b[i])
        sums[i] += difference * difference
      }
    }

    /// The squares of `count` differences, in four sums that do not wait for each other.
    private static func squares(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>?, _ count: Int) -> Double
    {
      var sums = SIMD4<Double>.zero
      let whole = count & ~3
      func four(_ x: UnsafePointer<Float>, _ i: Int) -> SIMD4<Double> {
        SIMD4(Double(x[i]), Double(x[i + 1]), Double(x[i + 2]), Double(x[i + 3]))
      }
      var rest = 0.0
      if let b {
        for i in stride(from: 0, to: whole, by: 4) {
          let difference = four(a, i) - four(b, i)
          sums += difference * difference
        }
        for i in whole..<count {
          let difference = Double(a[i]) - Double(b[i])
          rest += difference * difference
        }
      } else {
        for i in stride(from: 0, to: whole, by: 4) {
          let elements = four(a, i)
          sums += elements * elements
        }
        for i in whole..<count { rest += Double(a[i]) * Double(a[i]) }
      }
      return sums.sum() + rest
    }
  }
}
