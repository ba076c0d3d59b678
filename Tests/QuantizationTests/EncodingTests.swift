import Graph
import Quantization
import Tensors
import Testing

@Suite struct RangeEncodingTests {
  @Test(arguments: [2, 3, 4, 5, 6, 7, 8, 16], [false, true])
  func zeroIsExactAndRangesAreCovered(_ bits: Int, _ symmetric: Bool) {
    for (lower, upper) in [(-1, 1), (0, 6), (-3, 0), (2, 5), (-7, -2), (-0.001, 1000), (-1000, 0.001)]
      as [(Float, Float)]
    {
      let encoding = Encoding.covering(lower...upper, bits: bits, symmetric: symmetric)
      let zero = encoding.zeroPoints[0]
      #expect(encoding.codes.contains(zero))
      #expect(encoding.real(zero) == 0 && encoding.code(0) == zero)
      let scale = encoding.scales[0]
      let widest = symmetric ? max(abs(lower), abs(upper)) : max(upper, 0) - min(lower, 0)
      let steps = symmetric ? Float(1 << (bits - 1)) - 1 : Float(1 << bits) - 1
      #expect(abs(scale - widest / steps) <= scale * 1e-6)
      // Every value of the range is at most half a step off; rounding the zero point may cost another half at the ends.
      for part in 0...20 {
        let value = lower + (upper - lower) * Float(part) / 20
        #expect(abs(encoding.real(encoding.code(value)) - value) <= scale * 1.0001)
      }
    }
  }

  @Test(arguments: [2, 4, 8]) func everyCodeComesBack(_ bits: Int) {
    for range in [-1...1, 0...3, -5...0.5] as [ClosedRange<Float>] {
      let encoding = Encoding.covering(range, bits: bits, symmetric: false)
      for code in encoding.codes { #expect(encoding.code(encoding.real(code)) == code) }
    }
  }

  @Test func tinyRangesDoNotDivideByZero() {
    for range in [
      0...0, 0...Float.leastNonzeroMagnitude, -Float.leastNonzeroMagnitude...Float.leastNonzeroMagnitude,
    ] as [ClosedRange<Float>] {
      let encoding = Encoding.covering(range, bits: 8, symmetric: false)
      #expect(encoding.scales == [1] && encoding.zeroPoints == [0])
    }
  }
}

/// The graph of one layer, quantized; weights and bias as given.
func quantizedLayer(
  _ type: String, weight: Tensor, bias: Tensor? = nil, attributes: Attributes = [:], settings: LayerSettings,
  input: Shape
) throws -> Candidate {
  var writer = GraphWriter()
  writer.input("x", input)
  writer.graph.constants["w"] = weight
  if let bias { writer.graph.constants["b"] = bias }
  let inputs: [String?] = type == "Gather" ? ["w", "x"] : ["x", "w"] + (bias == nil ? [] : ["b"])
  if type == "Gather" { writer.graph.inputs[0].type = .int64 }
  try writer.node(type, "layer", inputs, attributes: attributes)
  writer.output("layer_out")
  let graph = writer.graph
  return try quantize(
    graph, infos: try graph.infer(), recipe: Recipe(name: "x", defaults: settings),
    calibration: RandomSource(shapes: ["x": Array(input.dropFirst())], count: 8), threads: 1,
    report: { _, _ in })
}

@Suite struct WeightEncodingTests {
  static let granularities: [Scheme.Granularity] = [.tensor, .channel, .group(3), .group(4)]

  /// Scales and codes by the definitions, element by element, with no shared code.
  @Test(arguments: [2, 3, 4, 5, 6, 7, 8], granularities)
  func codesFollowTheDefinitions(_ bits: Int, _ granularity: Scheme.Granularity) throws {
    var writer = GraphWriter(seed: 5)
    let weight = writer.random([4, 10, 2, 2])
    for (symmetric, range) in [
      (true, .automatic), (true, .narrow), (true, .full), (true, .signed), (false, .automatic),
    ]
      as [(Bool, Scheme.CodeRange)]
    {
      let settings = LayerSettings(
        mode: .weightOnly,
        weights: WeightSettings(bits: bits, symmetric: symmetric, granularity: granularity, range: range))
      let candidate = try quantizedLayer("Conv", weight: weight, settings: settings, input: [1, 10, 5, 5])
      let encoded = try #require(candidate.encoded.weights["w"])
      #expect(encoded.codes.type == (symmetric ? .int8 : .uint8))
      let encoding = encoded.encoding
      #expect(
        encoding.scales.count == EncodedTensor.scaleShape(of: weight.shape, encoding: encoding).elementCount)
      let values = weight.array(of: Float.self)
      let codes =
        symmetric
        ? encoded.codes.array(of: Int8.self).map { Int32($0) }
        : encoded.codes.array(of: UInt8.self).map { Int32($0) }
      func cell(_ index: Int) -> Int {
        let (tap, feature, channel) = (index % 4, index / 4 % 10, index / 40)
        switch granularity {
        case .tensor: return 0
        case .channel: return channel
        case .group(let size): return (channel * ((10 + size - 1) / size) + feature / size) * 4 + tap
        }
      }
      for index in encoding.scales.indices {
        let members = values.indices.filter { cell($0) == index }.map { values[$0] }
        let largest = members.map { abs($0) }.max() ?? 0
        let (low, high) = (min(members.min() ?? 0, 0), max(members.max() ?? 0, 0))
        let half = Float(1 << (bits - 1))
        let expected: Float
        switch (symmetric, range) {
        case (false, _): expected = (high - low) / (2 * half - 1)
        case (true, .signed): expected = (high > -low ? high : low) / -half
        default: expected = largest / (half - 1)
        }
        #expect(abs(encoding.scales[index] - expected) <= abs(expected) * 1e-6)
        if symmetric { #expect(encoding.zeroPoints[index] == 0) }
      }
      for index in values.indices {
        let code = encoding.code(values[index], at: cell(index))
        #expect(codes[index] == code)
        #expect(encoding.codes.contains(codes[index]))
        let lowest: Int32 =
          symmetric && (range == .narrow || range == .automatic && bits == 8)
          ? -(1 << (bits - 1)) + 1 : symmetric ? -(1 << (bits - 1)) : 0
        #expect(encoding.codes.lowerBound == lowest)
      }
    }
  }

  @Test func roundingIsHalfToEven() throws {
    // max 127 makes the scale exactly 1.
    let weight = Tensor([Float(127), 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 126.5], shape: [1, 8])
    let settings = LayerSettings(mode: .weightOnly)
    let candidate = try quantizedLayer(
      "Gemm", weight: weight, attributes: ["transB": .int(1)], settings: settings, input: [1, 8])
    #expect(candidate.encoded.weights["w"]?.codes.array(of: Int8.self) == [127, 0, 2, 2, 0, -2, -2, 126])
  }

  @Test func axesFollowTheOperator() throws {
    let settings = LayerSettings(mode: .weightOnly)
    var writer = GraphWriter()
    let cases: [(type: String, shape: Shape, attributes: Attributes, input: Shape, axis: Int)] = [
      ("Gemm", [6, 5], ["transB": .int(1)], [1, 5], 0), ("Gemm", [6, 5], [:], [1, 6], 1),
      ("MatMul", [6, 5], [:], [2, 6], 1), ("Conv", [6, 5, 1, 1], [:], [1, 5, 3, 3], 0),
      ("Conv", [6, 1, 3, 3], ["group": .int(6)], [1, 6, 3, 3], 0),
      ("ConvTranspose", [6, 5, 2, 2], [:], [1, 6, 3, 3], 1),
    ]
    for (type, shape, attributes, input, axis) in cases {
      let candidate = try quantizedLayer(
        type, weight: writer.random(shape), attributes: attributes, settings: settings, input: input)
      let encoding = try #require(candidate.encoded.weights["w"]?.encoding)
      #expect(encoding.channelAxis == axis, "\(type) \(attributes)")
      #expect(encoding.scales.count == shape[axis])
    }
  }

  @Test func pytorchScaleSpansTheCodes() throws {
    let weight = Tensor([Float(1), -0.5, 0.25, 0.75], shape: [1, 4])
    let settings = LayerSettings(mode: .weightOnly, weights: WeightSettings(range: .full, scale: .span))
    let candidate = try quantizedLayer(
      "Gemm", weight: weight, attributes: ["transB": .int(1)], settings: settings, input: [1, 4])
    let encoded = try #require(candidate.encoded.weights["w"])
    #expect(encoded.encoding.scales == [1 / 127.5])
    #expect(encoded.codes.array(of: Int8.self) == [127, -64, 32, 96])
  }

  @Test(arguments: [3, 4]) func searchedScalesAreNoWorse(_ bits: Int) throws {
    var writer = GraphWriter(seed: 3)
    let weight = Tensor(writer.random([8, 64]).array(of: Float.self).map { $0 * $0 * $0 }, shape: [8, 64])
    func error(_ scale: WeightSettings.Scale) throws -> Float {
      let settings = LayerSettings(mode: .weightOnly, weights: WeightSettings(bits: bits, scale: scale))
      let candidate = try quantizedLayer(
        "Gemm", weight: weight, attributes: ["transB": .int(1)], settings: settings, input: [1, 64])
      let encoded = try #require(candidate.encoded.weights["w"])
      let codes = encoded.codes.array(of: Int8.self)
      return weight.array(of: Float.self).enumerated().reduce(0) { sum, item in
        let real = encoded.encoding.real(Int32(codes[item.offset]), at: item.offset / 64)
        return sum + (real - item.element) * (real - item.element)
      }
    }
    #expect(try error(.mse) < error(.max) * 0.9)
  }

  @Test func zeroWeightsHaveScaleOne() throws {
    let weight = Tensor([Float](repeating: 0, count: 8), shape: [2, 4])
    let candidate = try quantizedLayer(
      "Gemm", weight: weight, attributes: ["transB": .int(1)], settings: LayerSettings(mode: .weightOnly),
      input: [1, 4])
    #expect(candidate.encoded.weights["w"]?.encoding.scales == [1, 1])
    #expect(candidate.encoded.weights["w"]?.codes.array(of: Int8.self) == [Int8](repeating: 0, count: 8))
  }

  @Test func brokenWeightsAreAnError() {
    let weight = Tensor([Float.nan, 1, 2, 3], shape: [1, 4])
    let error = #expect(throws: QuantizationError.self) {
      try quantizedLayer(
        "Gemm", weight: weight, attributes: ["transB": .int(1)], settings: LayerSettings(mode: .weightOnly),
        input: [1, 4])
    }
    #expect(error?.description == "layer \"layer\": weight \"w\" holds NaN or infinity")
  }
}

@Suite struct BiasTests {
  @Test func scaleIsInputTimesWeight() throws {
    var writer = GraphWriter()
    let (weight, bias) = (writer.random([3, 8]), writer.random([3]))
    let candidate = try quantizedLayer(
      "Gemm", weight: weight, bias: bias, attributes: ["transB": .int(1)],
      settings: LayerSettings(mode: .static),
      input: [1, 8])
    let encoded = try #require(candidate.encoded.biases["b"])
    let input = try #require(candidate.encoded.activations["x"])
    let scales = try #require(candidate.encoded.weights["w"]?.encoding.scales)
    #expect(encoded.scales == scales.map { $0 * input.scales[0] })
    let codes = encoded.codes.array(of: Int32.self)
    for (index, value) in bias.array(of: Float.self).enumerated() {
      #expect(abs(Float(codes[index]) * encoded.scales[index] - value) <= encoded.scales[index] * 0.5001)
    }
    #expect(candidate.warnings.isEmpty)
  }

  @Test func largeBiasRaisesTheWeightScale() throws {
    var elements = [Float](repeating: 0.5, count: 16)
    for index in 8..<16 { elements[index] = 1e-9 }
    let bias = Tensor([Float(1), 5], shape: [2])
    let candidate = try quantizedLayer(
      "Gemm", weight: Tensor(elements, shape: [2, 8]), bias: bias, attributes: ["transB": .int(1)],
      settings: LayerSettings(mode: .static), input: [1, 8])
    let encoded = try #require(candidate.encoded.biases["b"])
    let codes = encoded.codes.array(of: Int32.self)
    #expect(codes[1] <= 1 << 30 && codes[1] > (1 << 30) - 1_000)
    #expect(abs(Float(codes[1]) * encoded.scales[1] - 5) < 1e-5)
    #expect(
      candidate.warnings == [
        "layer \"layer\": the bias needs more than 2^30 steps in 1 channel, whose weight scale was raised"
      ])
  }

  @Test func deadChannelKeepsItsBias() throws {
    var elements = [Float](repeating: 0.5, count: 16)
    for index in 8..<16 { elements[index] = 0 }
    let candidate = try quantizedLayer(
      "Gemm", weight: Tensor(elements, shape: [2, 8]), bias: Tensor([Float(1), 0.3], shape: [2]),
      attributes: ["transB": .int(1)], settings: LayerSettings(mode: .static), input: [1, 8])
    let encoded = try #require(candidate.encoded.biases["b"])
    #expect(abs(Float(encoded.codes.array(of: Int32.self)[1]) * encoded.scales[1] - 0.3) < 1e-6)
  }

  @Test(arguments: [Mode.dynamic, .weightOnly]) func otherModesKeepFloatBias(_ mode: Mode) throws {
    var writer = GraphWriter()
    let candidate = try quantizedLayer(
      "Gemm", weight: writer.random([3, 8]), bias: writer.random([3]), attributes: ["transB": .int(1)],
      settings: LayerSettings(mode: mode), input: [1, 8])
    #expect(candidate.encoded.biases.isEmpty && candidate.encoded.activations.isEmpty)
    #expect(candidate.encoded.layers["layer"]?.mode == mode)
    #expect(candidate.encoded.layers["layer"]?.dynamicActivation == (mode == .dynamic ? .token : nil))
  }
}
