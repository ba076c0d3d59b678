import Graph
import Operators
import Tensors
import Testing

/// Convolutions against sums written out by coordinates, and against each other.
struct ConvolutionTests {
  struct Setting: Sendable, CustomStringConvertible {
    var spatial: [Int]
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var pads: [Int]
    var groups: Int
    var description: String { "\(spatial) \(kernel) s\(strides) d\(dilations) p\(pads) g\(groups)" }
    var attributes: Attributes {
      [
        "strides": .ints(strides), "dilations": .ints(dilations), "pads": .ints(pads), "group": .int(groups),
      ]
    }
  }

  static let settings: [Setting] = [
    Setting(spatial: [7], kernel: [3], strides: [1], dilations: [1], pads: [0, 0], groups: 1),
    Setting(spatial: [8], kernel: [3], strides: [2], dilations: [2], pads: [2, 1], groups: 2),
    Setting(
      spatial: [5, 6], kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 2),
    Setting(
      spatial: [5, 6], kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], groups: 1),
    Setting(
      spatial: [6, 7], kernel: [2, 3], strides: [2, 3], dilations: [2, 1], pads: [0, 2, 1, 0], groups: 4),
    Setting(
      spatial: [5, 5], kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [-1, 0, 0, -1], groups: 1),
    Setting(
      spatial: [2, 2], kernel: [2, 2], strides: [1, 1], dilations: [1, 1], pads: [3, 3, 3, 3], groups: 1),
    Setting(
      spatial: [4, 3, 5], kernel: [2, 2, 3], strides: [1, 2, 1], dilations: [2, 1, 1],
      pads: [1, 0, 1, 0, 1, 1], groups: 2),
  ]

  /// By the definition: every output and every tap, with coordinates.
  private func written(_ x: Tensor, _ w: Tensor, bias: [Double], _ g: WindowGeometry, groups: Int) -> Tensor {
    let (xs, ws) = (x.doubles, w.doubles)
    let (inputs, outputs) = (x.shape[1], w.shape[0])
    let perGroup = inputs / groups
    let positions = coordinates(g.output)
    let taps = coordinates(g.kernel)
    let strides = g.input.rowMajorStrides
    var y: [Double] = []
    for b in 0..<x.shape[0] {
      for o in 0..<outputs {
        for position in positions {
          var sum = bias[o]
          for i in 0..<perGroup {
            for (t, tap) in taps.enumerated() {
              let place = (0..<g.rank).map { g.index(axis: $0, position: position[$0], tap: tap[$0]) }
              guard (0..<g.rank).allSatisfy({ place[$0] >= 0 && place[$0] < g.input[$0] }) else { continue }
              let channel: Int = o / (outputs / groups) * perGroup + i
              let pixel: Int = zip(place, strides).map(*).reduce(0, +)
              let image: Int = (b * inputs + channel) * g.input.elementCount
              let filter: Int = (o * perGroup + i) * g.taps
              sum += xs[image + pixel] * ws[filter + t]
            }
          }
          y.append(sum)
        }
      }
    }
    return Tensor(y, shape: [x.shape[0], outputs] + g.output)
  }

  private func coordinates(_ shape: Shape) -> [[Int]] {
    shape.reduce([[]]) { list, size in list.flatMap { head in (0..<size).map { head + [$0] } } }
  }

  @Test(arguments: settings) func equalsItsDefinition(_ s: Setting) throws {
    var numbers = SeededNumbers(seed: 1)
    let x = numbers.tensor([2, 4] + s.spatial)
    let w = numbers.tensor([8, 4 / s.groups] + s.kernel)
    let bias = numbers.tensor([8])
    let conv = try Conv(attributes: s.attributes)
    let g = try conv.geometry(x: x.shape, w: w.shape)
    let want = written(x, w, bias: bias.doubles, g, groups: s.groups)
    #expect(distance(try conv.output(x, w, bias), want) < 1e-12)
    let narrow = try conv.output(
      x.converted(to: .float32), w.converted(to: .float32), bias.converted(to: .float32))
    #expect(narrow.type == .float32 && distance(narrow, want) < 1e-5)
  }

  /// ⟨conv(x), y⟩ = ⟨x, convᵀ(y)⟩ for every x and y.
  @Test(arguments: settings) func transposeIsTheAdjoint(_ s: Setting) throws {
    guard s.pads.allSatisfy({ $0 >= 0 }) else { return }
    var numbers = SeededNumbers(seed: 2)
    let x = numbers.tensor([2, 4] + s.spatial)
    let w = numbers.tensor([8, 4 / s.groups] + s.kernel)
    let conv = try Conv(attributes: s.attributes)
    let y = try conv.output(x, w)
    let v = numbers.tensor(y.shape)
    let g = try conv.geometry(x: x.shape, w: w.shape)
    // What the stride leaves unread at the end comes back as output padding.
    let extra = (0..<g.rank).map { axis -> Int in
      let reach = (g.kernel[axis] - 1) * g.dilations[axis] + 1
      let padded = g.input[axis] + g.padsBegin[axis] + g.padsEnd[axis]
      return (padded - reach) % g.strides[axis]
    }
    var attributes = s.attributes
    attributes["output_padding"] = .ints(extra)
    let back = try ConvTranspose(attributes: attributes).output(v, w)
    #expect(back.shape == x.shape)
    let left = zip(y.doubles, v.doubles).map(*).reduce(0, +)
    let right = zip(x.doubles, back.doubles).map(*).reduce(0, +)
    #expect(abs(left - right) < 1e-11)
  }

  /// The offset table reads what the definition reads.
  @Test(arguments: settings) func pixelOffsetsReachTheSamePixels(_ s: Setting) throws {
    let conv = try Conv(attributes: s.attributes)
    let g = try conv.geometry(x: [1, s.groups] + s.spatial, w: [s.groups, 1] + s.kernel)
    let channels = 3
    let strides = g.input.rowMajorStrides
    var want: [Int32] = []
    for position in coordinates(g.output) {
      for tap in coordinates(g.kernel) {
        let place = (0..<g.rank).map { g.index(axis: $0, position: position[$0], tap: tap[$0]) }
        let isInside = (0..<g.rank).allSatisfy { place[$0] >= 0 && place[$0] < g.input[$0] }
        want.append(isInside ? Int32(zip(place, strides).map(*).reduce(0, +) * channels) : -1)
      }
    }
    #expect(g.pixelOffsets(channels: channels) == want)
    #expect(g.touchesPadding == want.contains(-1))
    for axis in 0..<g.rank {
      for tap in 0..<g.kernel[axis] {
        let valid = (0..<g.output[axis]).filter {
          (0..<g.input[axis]).contains(g.index(axis: axis, position: $0, tap: tap))
        }
        #expect(Array(g.validPositions(axis: axis, tap: tap)) == valid)
      }
    }
  }

  @Test func automaticPaddingKeepsTheSize() throws {
    for size in 1...9 {
      for kernel in 1...4 {
        for stride in 1...3 {
          for (choice, isUpper) in [("SAME_UPPER", true), ("SAME_LOWER", false)] {
            let conv = try Conv(attributes: ["auto_pad": .string(choice), "strides": .ints([stride])])
            let g = try conv.geometry(x: [1, 1, size], w: [1, 1, kernel])
            #expect(g.output == [(size + stride - 1) / stride])
            let extra = g.padsEnd[0] - g.padsBegin[0]
            #expect(isUpper ? (0...1).contains(extra) : (-1...0).contains(extra))
          }
        }
      }
    }
  }

  /// Sizes that ONNX's shape inference and ONNX Runtime agree on.
  @Test func unusualSizes() throws {
    let same = try ConvTranspose(attributes: [
      "auto_pad": .string("SAME_LOWER"), "strides": .ints([2, 1]), "dilations": .ints([1, 2]),
    ])
    #expect(try same.geometry(x: [1, 4, 3, 4], w: [4, 3, 1, 2]).input == [5, 4])
    let larger = try ConvTranspose(attributes: ["output_shape": .ints([10]), "strides": .ints([3])])
    let y = try larger.output(
      Tensor([1.0, 1, 1], shape: [1, 1, 3]), Tensor([1.0, 2, 4], shape: [1, 1, 3]))
    #expect(y.doubles == [1, 2, 4, 1, 2, 4, 1, 2, 4, 0])
    let pool: Attributes = ["kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": .int(1)]
    #expect(try MaxPool(attributes: pool).geometry(x: [1, 1, 5]).output == [3])
    let valid = pool.merging(["auto_pad": .string("VALID")]) { $1 }
    #expect(try MaxPool(attributes: valid).geometry(x: [1, 1, 5]).output == [3])
    // A window that would start in the padding at the end is left out.
    let late = pool.merging(["pads": .ints([0, 1])]) { $1 }
    #expect(try MaxPool(attributes: late).geometry(x: [1, 1, 4]).output == [2])
  }

  /// Codes through QLinearConv against the same numbers in float: at most one step apart, and almost always none.
  @Test func quantizedConvolutionFollowsTheFloatOne() throws {
    var numbers = SeededNumbers(seed: 3)
    let x = numbers.integers([1, 3, 6, 6], 0...255, type: .uint8)
    let w = numbers.integers([4, 3, 3, 3], -127...127, type: .int8)
    let bias = numbers.integers([4], -500...500, type: .int32)
    let (xScale, wScales, yScale): (Float, [Float], Float) = (0.02, [0.01, 0.02, 0.005, 0.03], 0.7)
    let (xZero, yZero): (UInt8, UInt8) = (120, 100)
    let attributes: Attributes = ["pads": .ints([1, 1, 1, 1])]
    let codes = try QLinearConv(attributes: attributes).output(
      x, Tensor(scalar: xScale), Tensor(scalar: xZero), w, Tensor(wScales, shape: [4]),
      Tensor([Int8](repeating: 0, count: 4), shape: [4]), Tensor(scalar: yScale), Tensor(scalar: yZero), bias)
    let realX = Tensor(x.doubles.map { ($0 - Double(xZero)) * Double(xScale) }, shape: x.shape)
    let realW = Tensor(w.doubles.enumerated().map { $1 * Double(wScales[$0 / 27]) }, shape: w.shape)
    let realBias = bias.doubles.enumerated().map { $1 * Double(xScale) * Double(wScales[$0]) }
    let y = try Conv(attributes: attributes).output(realX, realW, Tensor(realBias, shape: [4]))
    let want = y.doubles.map { value -> Double in
      let code = (value / Double(yScale)).rounded(.toNearestOrEven) + Double(yZero)
      return min(max(code, 0), 255)
    }
    let differences = zip(codes.doubles, want).map { abs($0 - $1) }
    #expect((differences.max() ?? 0) <= 1)
    #expect(differences.count(where: { $0 > 0 }) <= 1)
    #expect(Set(want).count > 50)
  }

  @Test func rolesAndCounts() throws {
    let w = Tensor([Float](repeating: 0, count: 8 * 2 * 9), shape: [8, 2, 3, 3])
    let x = OperandInfo(type: .float32, shape: [1, 4, 5, 5])
    let weight = OperandInfo(type: .float32, shape: w.shape, constant: w)
    let conv = try Conv(attributes: ["group": .int(2)])
    let y = try conv.infer([x, weight], outputs: 1)
    #expect(conv.multiplyAccumulates([x, weight], y) == 8 * 3 * 3 * 2 * 9)
    #expect(conv.weightRoles([x, weight]).map(\.channelAxis) == [0])
    #expect(conv.weightRoles([x, OperandInfo(type: .float32, shape: w.shape)]).isEmpty)
    let back = try ConvTranspose(attributes: ["group": .int(2)])
    let v = OperandInfo(type: .float32, shape: [1, 8, 3, 3])
    #expect(back.weightRoles([v, weight]).map(\.channelAxis) == [1])
    #expect(back.multiplyAccumulates([v, weight], []) == 8 * 3 * 3 * 2 * 9)
  }
}
