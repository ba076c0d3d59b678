/// How real numbers become small integers.
///
/// Pure data: it holds no tensors and runs nothing.
package struct Scheme: Hashable, Codable, Sendable {
  package enum Symmetry: String, Codable, Sendable, CaseIterable { case symmetric, affine }

  /// Which elements share one scale.
  ///
  /// The axis is not part of a scheme: the operator declares it (`WeightRole`).
  package enum Granularity: Hashable, Codable, Sendable {
    case tensor
    /// One scale per index of the channel axis: for `[8, 16]` and axis 0, 8 scales.
    case channel
    /// One scale per `size` neighbours along the input features, in each channel; the last group may be short.
    case group(Int)
  }

  /// Which codes a symmetric encoding uses: DESIGN "Weights".
  ///
  /// `automatic` is narrow at 8 bits, full below.
  package enum CodeRange: String, Codable, Sendable, CaseIterable { case automatic, narrow, full, signed }

  /// 2…8 for weights; 2…8 or 16 for activations.
  package var bits: Int
  package var symmetry: Symmetry
  package var granularity: Granularity
  package var range: CodeRange
  /// A published block format by name (`Q4_K`), which fixes all the rest; `nil` for none.
  package var format: String?

  package init(
    bits: Int, symmetry: Symmetry, granularity: Granularity, range: CodeRange = .automatic,
    format: String? = nil
  ) {
    self.format = format
    self.bits = bits
    self.symmetry = symmetry
    self.granularity = granularity
    self.range = range
  }

  /// Lowest and highest code.
  ///
  /// Symmetric codes are signed, affine ones unsigned.
  package var codes: ClosedRange<Int32> {
    let half = Int32(1) << (bits - 1)
    switch (symmetry, range) {
    case (.affine, _): return 0...(2 * half - 1)
    case (.symmetric, .narrow): return -(half - 1)...(half - 1)
    case (.symmetric, .full), (.symmetric, .signed): return -half...(half - 1)
    case (.symmetric, .automatic): return bits == 8 ? -(half - 1)...(half - 1) : -half...(half - 1)
    }
  }
}

/// A scheme with its numbers: real = scale · (code − zero point) + minimum.
package struct Encoding: Hashable, Codable, Sendable {
  package var scheme: Scheme
  /// Axis whose indices have scales of their own; `nil` with granularity `tensor`.
  package var channelAxis: Int?
  /// Axis the groups run along; `nil` unless granularity is `group`.
  package var groupAxis: Int?
  /// Real per code, row-major in `EncodedTensor.scaleShape(of:encoding:)`: one for `tensor`, one per index of the
  /// channel axis for `channel`, and for `group` the tensor's shape with the group axis divided by the size.
  package var scales: [Float]
  /// As many as scales; all zero for symmetric encodings.
  package var zeroPoints: [Int32]
  /// As many as scales, of block formats that hold the real of code 0; `nil` where all are 0.
  package var minimums: [Float]?
  /// Lowest and highest code, normally `scheme.codes`; presets of other toolkits may narrow it (7-bit activations).
  package var codes: ClosedRange<Int32>

  package init(
    scheme: Scheme, channelAxis: Int? = nil, groupAxis: Int? = nil, scales: [Float], zeroPoints: [Int32],
    minimums: [Float]? = nil, codes: ClosedRange<Int32>? = nil
  ) {
    precondition(scales.count == zeroPoints.count && !scales.isEmpty)
    precondition(minimums == nil || minimums?.count == scales.count)
    self.minimums = minimums
    self.scheme = scheme
    self.channelAxis = channelAxis
    self.groupAxis = groupAxis
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.codes = codes ?? scheme.codes
  }

  /// The code of `x` under scale and zero point `index`: divide, round half to even, add the zero point, clamp.
  @inlinable
  package func code(_ x: Float, at index: Int = 0) -> Int32 {
    let q = ((x - (minimums?[index] ?? 0)) / scales[index]).rounded(.toNearestOrEven)
    let lower = Float(codes.lowerBound - zeroPoints[index])
    let upper = Float(codes.upperBound - zeroPoints[index])
    return Int32(Swift.min(Swift.max(q, lower), upper)) + zeroPoints[index]
  }

  /// The real number a code stands for.
  @inlinable
  package func real(_ code: Int32, at index: Int = 0) -> Float {
    scales[index] * Float(code - zeroPoints[index]) + (minimums?[index] ?? 0)
  }
}
