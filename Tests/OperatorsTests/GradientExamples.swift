import Graph
import Operators
import Tensors
import Testing

/// A node whose gradient is compared with finite differences.
struct GradientExample: Sendable, CustomTestStringConvertible {
  var op: any Operator
  var inputs: [Tensor?]
  /// Inputs whose gradient is asked for; they are inputs of the graph, the others constants.
  var wanted: [Int]
  var outputs = 1
  /// Outputs that the loss depends on.
  var used = [0]
  /// Further inputs of the graph, unknown before it runs.
  var computed: Set<Int> = []
  /// Distance of the differences, and the largest error of a gradient relative to its largest element.
  var step = 1e-5
  var tolerance = 1e-6

  init(_ op: any Operator, _ inputs: [Tensor?], _ wanted: [Int] = [0]) {
    self.op = op
    self.inputs = inputs
    self.wanted = wanted
  }

  var testDescription: String {
    let shapes = inputs.map { $0?.shape.shapeText ?? "absent" }.joined(separator: ", ")
    return "\(type(of: op).name.text)(\(shapes)) \(op.attributes.text)"
  }

  func changed(_ change: (inout GradientExample) -> Void) -> GradientExample {
    var result = self
    change(&result)
    return result
  }

  static let all: [GradientExample] = {
    do {
      return try elementwise() + arithmetic() + reductions() + products() + layers() + normalizations()
        + movement() + attention()
    } catch {
      Issue.record(error)
      return []
    }
  }()
}

/// Float64 numbers in −1…1 that depend on shape and seed alone.
private func random(_ shape: Shape, _ seed: UInt64 = 1) -> Tensor {
  var numbers = SeededNumbers(seed: shape.reduce(seed) { $0 &* 31 &+ UInt64($1) })
  return numbers.tensor(shape)
}

/// Numbers in 0.5…1.5.
private func positive(_ shape: Shape, _ seed: UInt64 = 1) -> Tensor {
  Tensor(random(shape, seed).doubles.map { $0.magnitude + 0.5 }, shape: shape)
}

/// Numbers of both signs that differ by multiples of `step` and are not near 0, in a mixed order.
private func spaced(_ shape: Shape, _ seed: UInt64 = 1, step: Double = 0.37) -> Tensor {
  let order = random(shape, seed).doubles.enumerated().sorted { $0.element < $1.element }.map(\.offset)
  return Tensor(
    order.map { (Double($0) - Double(order.count / 2)) * step + 0.3 * step }, shape: shape)
}

extension GradientExample {
  static func elementwise() throws -> [GradientExample] {
    let (x, wide, above) = (spaced([3, 4]), spaced([20]), positive([3, 4]))
    func plain(_ op: any Operator) -> GradientExample { GradientExample(op, [x]) }
    func number(_ name: String, _ value: Float) -> Attributes { [name: .float(value)] }
    let bounds: [Tensor?] = [Tensor(scalar: -0.5), Tensor(scalar: 0.8)]
    let yes = Tensor(scalar: true)
    return try [
      GradientExample(Sqrt(), [above]), plain(Exp()), GradientExample(Log(), [above]), plain(Reciprocal()),
      plain(Tanh()), plain(Sigmoid()), GradientExample(HardSwish(), [wide]), plain(Softplus()),
      plain(Softsign()), plain(Mish()), plain(Erf()), plain(Sin()), plain(Cos()), plain(Abs()), plain(Neg()),
      plain(Relu()), GradientExample(Relu(), [spaced([], 3)]), plain(LeakyRelu(attributes: [:])),
      plain(LeakyRelu(attributes: number("alpha", 0.3))), plain(Elu(attributes: number("alpha", 0.7))),
      plain(Selu(attributes: [:])), plain(Celu(attributes: number("alpha", 1.3))),
      plain(ThresholdedRelu(attributes: number("alpha", 0.5))),
      GradientExample(try HardSigmoid(attributes: number("alpha", 0.4)), [wide]),
      plain(Swish(attributes: [:])), plain(Swish(attributes: number("alpha", 1.7))),
      plain(Gelu(attributes: [:])), plain(Gelu(attributes: ["approximate": .string("tanh")])),
      GradientExample(Clip(), [x, bounds[0], bounds[1]]), GradientExample(Clip(), [x, nil, bounds[1]]),
      GradientExample(PRelu(), [x, random([4])], [0, 1]),
      GradientExample(PRelu(), [spaced([2, 3, 2, 2]), random([3, 1, 1])], [0, 1]),
      GradientExample(PRelu(), [x, random([1])], [1]), plain(Identity()), plain(Dropout(attributes: [:])),
      GradientExample(try Dropout(attributes: [:]), [x, Tensor(scalar: Float(0)), yes]),
      plain(Cast(to: .float64)),
      GradientExample(try Cast(to: .float32), [x]).changed {
        $0.step = 1e-2
        $0.tolerance = 1e-3
      },
    ]
  }

  static func arithmetic() throws -> [GradientExample] {
    let (a, b, above) = (random([2, 3]), random([3], 2), positive([2, 3]))
    let pairs: [[Tensor?]] = [
      [a, random([2, 3], 2)], [a, b], [b, a], [random([2, 1]), random([1, 3])], [random([]), a],
    ]
    var result: [GradientExample] = []
    for pair in pairs {
      for op in [Add(), Sub(), Mul(), Sum(), Mean()] as [any Operator] {
        result.append(GradientExample(op, pair, [0, 1]))
      }
    }
    let (x, y) = (spaced([2, 3]), spaced([3], 5, step: 0.41))
    let condition = Tensor([true, false, true], shape: [3])
    result += [
      GradientExample(Div(), [a, positive([2, 3], 2)], [0, 1]),
      GradientExample(Div(), [random([3, 1]), positive([2, 1, 4])], [0, 1]),
      GradientExample(Div(), [b, positive([2, 3])], [1]),
      GradientExample(Pow(), [above, random([3], 2)], [0, 1]),
      GradientExample(Pow(), [a, Tensor(scalar: 2.0)]), GradientExample(Pow(), [a, Tensor(scalar: 3.0)]),
      GradientExample(Pow(), [above, Tensor(scalar: 0.5)]),
      GradientExample(Pow(), [a, Tensor(scalar: Int64(3))]),
      GradientExample(Max(), [x, y], [0, 1]), GradientExample(Max(), [x, y, random([2, 1])], [0, 1, 2]),
      GradientExample(Max(), [x, Tensor(scalar: 0.0)]), GradientExample(Max(), [x]),
      GradientExample(Min(), [x, y], [0, 1]), GradientExample(Min(), [random([2, 1]), y, x], [0, 2]),
      GradientExample(Sum(), [a, b, random([2, 1])], [0, 1, 2]), GradientExample(Sum(), [a]),
      GradientExample(Mean(), [a, b, random([2, 1])], [0, 1, 2]),
      GradientExample(Where(), [condition, a, random([1, 3], 3)], [1, 2]),
      GradientExample(Where(), [condition, random([2, 1]), a], [1, 2]).changed { $0.computed = [0] },
    ]
    return result
  }

  static func reductions() throws -> [GradientExample] {
    let (x, apart) = (random([2, 3, 4]), spaced([2, 3, 4]))
    let kinds: [any ReductionFunction.Type] = [
      ReduceSum.self, ReduceMean.self, ReduceMax.self, ReduceMin.self, ReduceL1.self, ReduceL2.self,
      ReduceSumSquare.self, ReduceLogSum.self, ReduceLogSumExp.self, ReduceProd.self,
    ]
    var result = [[2, 3, 4], [3, 1], [2, 1, 4], []].map { GradientExample(SumToShape($0), [x]) }
    for kind in kinds {
      let operand = kind == ReduceLogSum.self ? positive([2, 3, 4]) : apart
      for (axes, keeps) in [([1], true), ([-1, 0], false), ([], false), ([], true), ([2], false)] {
        let op = kind.init(options: ReductionOptions(keepsAxes: keeps))
        let list = axes.isEmpty ? nil : ints(axes)
        result.append(GradientExample(op, [operand, list]))
      }
      let nothing = kind.init(options: ReductionOptions(joinsNothingByDefault: true))
      result.append(GradientExample(nothing, [operand]))
    }
    for axis in [0, 1, -1] {
      let attributes: Attributes = ["axis": .int(axis)]
      result += try [
        GradientExample(Softmax(attributes: attributes), [x]),
        GradientExample(LogSoftmax(attributes: attributes), [x]),
        GradientExample(LpNormalization(attributes: attributes), [x]),
        GradientExample(LpNormalization(attributes: ["axis": .int(axis), "p": .int(1)]), [apart]),
      ]
    }
    return result
  }

  static func products() throws -> [GradientExample] {
    let shapes: [(Shape, Shape)] = [
      ([2, 3], [3, 4]), ([5, 2, 3], [3, 4]), ([2, 2, 3], [2, 3, 2]), ([2, 1, 2, 3], [3, 3, 2]),
      ([3], [3, 4]),
      ([2, 3], [3]), ([3], [3]), ([2, 3], [2, 3, 2]),
    ]
    var result = shapes.map { GradientExample(MatMul(), [random($0), random($1, 2)], [0, 1]) }
    for (transposesA, transposesB) in [(false, false), (true, false), (false, true), (true, true)] {
      let op = Gemm(alpha: 0.7, beta: 1.3, transposesA: transposesA, transposesB: transposesB)
      let (a, b) = (transposesA ? [3, 2] : [2, 3], transposesB ? [4, 3] : [3, 4])
      result.append(GradientExample(op, [random(a), random(b), random([4])], [0, 1, 2]))
      result.append(GradientExample(op, [random(a), random(b), random([2, 1])], [2]))
      result.append(GradientExample(op, [random(a), random(b)], [0, 1]))
    }
    let equations: [(String, [Shape])] = [
      ("bij,bjk->bik", [[2, 2, 3], [2, 3, 2]]), ("ij,jk", [[2, 3], [3, 2]]), ("ij->j", [[2, 3]]),
      ("ij,kj->", [[2, 3], [2, 3]]), ("ab,bc,cd->da", [[2, 3], [3, 2], [2, 2]]),
      ("ij,jk->ik", [[2, 1], [3, 2]]),
      ("bhqd,bhkd->bhqk", [[1, 2, 3, 2], [1, 2, 2, 2]]),
    ]
    for (equation, shapes) in equations {
      let inputs = shapes.enumerated().map { random($1, UInt64($0 + 1)) }
      result.append(
        GradientExample(
          try Einsum(attributes: ["equation": .string(equation)]), inputs, Array(inputs.indices)))
    }
    return result
  }
}

extension GradientExample {
  static func layers() throws -> [GradientExample] {
    func window(
      _ kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, pads: [Int]? = nil
    ) -> WindowAttributes {
      WindowAttributes(kernel: kernel, strides: strides, dilations: dilations, pads: pads)
    }
    func conv(_ x: Shape, _ w: Shape, _ window: WindowAttributes, groups: Int = 1) -> GradientExample {
      GradientExample(
        Conv(window: window, groups: groups), [random(x), random(w, 2), random([w[0]], 3)], [0, 1, 2])
    }
    func transposed(_ x: Shape, _ w: Shape, _ attributes: Attributes) throws -> GradientExample {
      let op = try ConvTranspose(attributes: attributes)
      let bias = random([w[1] * op.groups], 3)
      return GradientExample(op, [random(x), random(w, 2), bias], [0, 1, 2])
    }
    var result = try [
      conv([2, 2, 4, 5], [3, 2, 3, 3], window([3, 3], pads: [1, 1, 1, 1])),
      conv([1, 4, 5, 4], [4, 2, 3, 2], window([3, 2], strides: [2, 1], pads: [1, 0, 2, 1]), groups: 2),
      conv([2, 3, 5, 5], [3, 1, 3, 3], window([3, 3], pads: [1, 1, 1, 1]), groups: 3),
      conv([1, 2, 6, 6], [4, 1, 3, 3], window([3, 3], strides: [2, 2], pads: [1, 1, 0, 0]), groups: 2),
      conv([1, 2, 7, 6], [2, 2, 3, 2], window([3, 2], dilations: [2, 3])),
      conv([1, 2, 9], [2, 2, 3], window([3], strides: [3], pads: [0, 1])),
      conv([1, 1, 3, 4, 3], [2, 1, 2, 2, 2], window([2, 2, 2], pads: [0, 1, 0, 1, 0, 0])),
      GradientExample(
        Conv(window: WindowAttributes(strides: [2, 2], autoPad: .sameUpper)),
        [random([1, 2, 5, 4]), random([2, 2, 3, 3])], [0, 1]),
      GradientExample(Conv(), [random([1, 3, 2, 2]), random([2, 3, 1, 1])], [1]),
      transposed([1, 2, 3, 3], [2, 3, 3, 3], ["strides": .ints([2, 2]), "pads": .ints([1, 0, 0, 1])]),
      transposed(
        [2, 4, 3], [4, 2, 3],
        ["strides": .ints([2]), "group": .int(2), "dilations": .ints([2]), "output_padding": .ints([1])]),
      transposed(
        [1, 2, 3, 4], [2, 1, 2, 2], ["strides": .ints([2, 2]), "auto_pad": .string("SAME_LOWER")]),
    ]
    let image = spaced([2, 2, 5, 6])
    let windows = [
      window([2, 2], strides: [2, 2]), window([3, 2], strides: [2, 1], pads: [1, 0, 1, 1]),
      window([2, 3], dilations: [2, 2], pads: [0, 2, 1, 0]), window([3, 3]),
    ]
    for window in windows {
      for roundUp in [false, true] {
        result.append(GradientExample(MaxPool(window: window, roundUp: roundUp), [image]))
        for includesPadding in [false, true] {
          let pool = AveragePool(window: window, roundUp: roundUp, includesPadding: includesPadding)
          result.append(GradientExample(pool, [random([1, 2, 5, 6])]))
        }
      }
    }
    result += [
      GradientExample(MaxPool(window: window([2, 2])), [image]).changed { $0.outputs = 2 },
      GradientExample(MaxPool(window: window([3], strides: [2], pads: [1, 1])), [spaced([2, 3, 7])]),
      GradientExample(MaxPool(window: window([2, 2, 2], strides: [1, 2, 1])), [spaced([1, 2, 3, 4, 3])]),
      GradientExample(AveragePool(window: window([3], pads: [2, 1])), [random([1, 2, 6])]),
      GradientExample(
        AveragePool(window: WindowAttributes(kernel: [3, 3], strides: [2, 2], autoPad: .sameLower)),
        [random([1, 1, 5, 6])]),
      GradientExample(GlobalAveragePool(), [random([2, 3, 2, 3])]),
      GradientExample(GlobalAveragePool(), [random([2, 3, 4])]),
      GradientExample(GlobalMaxPool(), [spaced([2, 3, 2, 3])]),
      GradientExample(GlobalMaxPool(), [spaced([2, 2, 4])]),
    ]
    for power in 1...4 {
      let attributes: Attributes = ["p": .int(power)]
      result.append(GradientExample(try GlobalLpPool(attributes: attributes), [spaced([2, 2, 3, 2])]))
      for window in windows {
        for roundUp in [0, 1] {
          let pool = AveragePool(window: window).attributes
            .merging(["p": .int(power), "ceil_mode": .int(roundUp)]) { $1 }
            .filter { $0.key != "count_include_pad" }
          result.append(GradientExample(try LpPool(attributes: pool), [spaced([1, 2, 5, 6])]))
        }
      }
    }
    return result
  }

  static func normalizations() throws -> [GradientExample] {
    var result: [GradientExample] = []
    for shape in [[4, 3, 2, 2], [5, 2], [2, 3, 4], [6]] as [Shape] {
      let channels = shape.count < 2 ? 1 : shape[1]
      let inputs = [
        random(shape), random([channels], 2), random([channels], 3), random([channels], 4),
        positive([channels], 5),
      ]
      result.append(GradientExample(BatchNormalization(epsilon: 1e-3), inputs, [0, 1, 2]))
      result.append(GradientExample(BatchNormalization(), inputs, [0, 1, 2, 3, 4]))
      let training = BatchNormalization(epsilon: 1e-2, isTraining: true)
      result.append(GradientExample(training, inputs, [0, 1, 2]))
      result.append(GradientExample(training, inputs, [0, 1, 2]).changed { $0.outputs = 3 })
    }
    for shape in [[2, 3, 3, 2], [2, 2, 5]] as [Shape] {
      result.append(
        GradientExample(
          try InstanceNormalization(attributes: ["epsilon": .float(0.01)]),
          [random(shape), random([shape[1]], 2), random([shape[1]], 3)], [0, 1, 2]))
    }
    for (groups, scales) in [(2, 6), (3, 6), (2, 2), (1, 6), (6, 6)] {
      result.append(
        GradientExample(
          try GroupNormalization(attributes: ["num_groups": .int(groups)]),
          [random([2, 6, 2, 2]), random([scales], 2), random([scales], 3)], [0, 1, 2]))
    }
    for (size, shape) in [(1, [2, 3, 2]), (2, [1, 4, 2, 2]), (3, [2, 5, 3]), (5, [1, 3, 2])] as [(Int, Shape)]
    {
      result.append(
        GradientExample(
          try LRN(
            attributes: ["size": .int(size), "alpha": .float(0.5), "beta": .float(0.7), "bias": .float(1.5)]),
          [random(shape)]))
    }
    let x = random([2, 3, 4])
    for (axis, gain) in [(-1, [4]), (1, [3, 4]), (1, [4]), (2, [1]), (0, [2, 3, 4])] as [(Int, Shape)] {
      let layer = LayerNormalization(axis: axis, epsilon: 1e-3)
      result.append(GradientExample(layer, [x, random(gain, 2), random(gain, 3)], [0, 1, 2]))
      result.append(GradientExample(layer, [x, random(gain, 2)], [0, 1]))
      result.append(GradientExample(RMSNormalization(axis: axis), [x, random(gain, 2)], [0, 1]))
    }
    return result
  }

  static func movement() throws -> [GradientExample] {
    let x = random([2, 3, 4])
    func slice(_ starts: [Int], _ ends: [Int], _ axes: [Int]?, _ steps: [Int]?) -> GradientExample {
      GradientExample(
        Slice(), [random([5, 7]), ints(starts), ints(ends), axes.map { ints($0) }, steps.map { ints($0) }])
    }
    func pad(_ x: Shape, _ pads: [Int], axes: [Int]? = nil) -> GradientExample {
      GradientExample(Pad(), [random(x), ints(pads), Tensor(scalar: 0.5), axes.map { ints($0) }])
    }
    let sizes = ints([1, 3])
    let parts = GradientExample(Split(axis: -1), [x, sizes])
    let picks = ints([2, 0, -1, 2], [2, 2])
    let diagonal = ints([1])
    var result = try [
      GradientExample(Reshape(), [x, ints([4, -1])]), GradientExample(Flatten(axis: 2), [x]),
      GradientExample(Squeeze(), [random([2, 1, 3]), ints([1])]),
      GradientExample(Unsqueeze(), [x, ints([0, -1])]), GradientExample(Transpose(), [x]),
      GradientExample(Transpose([1, 2, 0]), [x]),
      GradientExample(Concat(axis: 1), [x, random([2, 1, 4]), random([2, 2, 4])], [0, 1, 2]),
      GradientExample(Concat(axis: -1), [x, random([2, 3, 2])], [1]), GradientExample(Concat(axis: 0), [x]),
      parts.changed {
        $0.outputs = 2
        $0.used = [0, 1]
      },
      parts.changed {
        $0.outputs = 2
        $0.used = [1]
      },
      GradientExample(Split(axis: 1, parts: 2), [x]).changed {
        $0.outputs = 2
        $0.used = [0, 1]
      },
      slice([1, 2], [4, 6], nil, nil), slice([1], [-1], [1], nil), slice([0], [7], [-1], [2]),
      slice([1, 0], [5, 7], [0, 1], [3, 3]), slice([-1], [.min], [0], [-1]),
      slice([5, 4], [0, 0], [1, 0], [-2, -3]),
      slice([6], [5], [1], [-1]), slice([1], [2], [1], [4]), slice([0, 0], [99, 99], nil, nil),
      GradientExample(Gather(), [random([4, 3]), picks]),
      GradientExample(Gather(axis: 1), [random([2, 3, 2]), picks]),
      GradientExample(Gather(axis: -1), [random([2, 3]), ints([1], [])]),
      GradientExample(Gather(), [random([4, 3]), picks]).changed { $0.computed = [1] },
      GradientExample(Gather(), [random([4, 3]), ints([3, 3], nil, .int32)]).changed { $0.computed = [1] },
      GradientExample(
        GatherElements(attributes: ["axis": .int(1)]), [random([2, 3]), ints([0, 0, 2, -1], [2, 2])]),
      GradientExample(GatherElements(attributes: [:]), [random([3, 3]), ints([0, 2, 0], [1, 3])]).changed {
        $0.computed = [1]
      },
      GradientExample(Expand(), [random([3, 1]), ints([2, 1, 4])]),
      GradientExample(Expand(), [x, ints([1])]),
      GradientExample(Tile(), [random([2, 3]), ints([2, 3])]),
      GradientExample(Tile(), [x, ints([1, 2, 1])]),
      pad([3, 4], [1, 0, 2, 1]), pad([3, 4], [-1, 2, 0, -2]), pad([2, 3, 3], [1, 2], axes: [-1]),
      pad([2, 3, 3], [-1, 1, 1, -1], axes: [2, 1]),
      GradientExample(Trilu(attributes: [:]), [random([2, 3, 4])]),
      GradientExample(Trilu(attributes: ["upper": .int(0)]), [random([3, 4]), diagonal.reshaped([])]),
      GradientExample(SpaceToDepth(attributes: ["blocksize": .int(2)]), [random([1, 2, 4, 6])]),
    ]
    for mode in ["DCR", "CRD"] {
      result.append(
        GradientExample(
          try DepthToSpace(attributes: ["blocksize": .int(2), "mode": .string(mode)]), [random([2, 8, 2, 3])])
      )
    }
    result += try resizing()
    return result
  }

  private static func resizing() throws -> [GradientExample] {
    let image = random([1, 2, 3, 4])
    var result: [GradientExample] = []
    for mode in ["nearest", "linear", "cubic"] {
      for coordinates in ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"] {
        let op = try Resize(attributes: [
          "mode": .string(mode), "coordinate_transformation_mode": .string(coordinates),
        ])
        result.append(GradientExample(op, [image, nil, nil, ints([1, 2, 5, 3])]))
        result.append(GradientExample(op, [image, nil, floats([1, 1, 2, 3])]))
      }
    }
    let crop = try Resize(attributes: [
      "mode": .string("linear"), "coordinate_transformation_mode": .string("tf_crop_and_resize"),
      "axes": .ints([2, 3]), "extrapolation_value": .float(3),
    ])
    let small = try Resize(attributes: ["mode": .string("linear"), "antialias": .int(1)])
    let scales = floats([1, 1, 2, 2])
    result += try [
      GradientExample(crop, [image, floats([0.2, -0.3, 0.9, 0.7]), nil, ints([4, 5])]),
      GradientExample(small, [random([1, 1, 6, 6]), nil, floats([1, 1, 0.5, 0.4])]),
      GradientExample(small, [random([7]), nil, nil, ints([3])]),
      GradientExample(Upsample(attributes: [:]), [image, scales]),
      GradientExample(Upsample(attributes: ["mode": .string("linear")]), [image, scales]),
    ]
    return result
  }

  static func attention() throws -> [GradientExample] {
    let (q, k, v) = (random([2, 4, 3, 2]), random([2, 2, 5, 2], 2), random([2, 2, 5, 3], 3))
    let hidden = bools((0..<15).map { $0 % 4 != 1 && $0 > 4 }, [3, 5])
    let folded = [random([2, 3, 8]), random([2, 5, 4], 2), random([2, 5, 6], 3)]
    let masked = folded + [hidden]
    let (cosines, sines) = (random([2, 3, 2]), random([2, 3, 2], 4))
    let x = random([2, 2, 3, 4])
    return [
      GradientExample(Attention(), [q, k, v], [0, 1, 2]),
      GradientExample(Attention(isCausal: true), [q, k, v], [0, 1, 2]),
      GradientExample(Attention(isCausal: true, window: 2), [q, k, v], [0, 1, 2]),
      GradientExample(Attention(scale: 0.3, softcap: 0.7), [q, k, v], [0, 1, 2]),
      GradientExample(Attention(), [q, k, v, random([2, 1, 3, 5])], [0, 1, 2, 3]),
      GradientExample(Attention(isCausal: true, softcap: 2), [q, k, v, random([3, 5])], [0, 1, 2, 3]),
      GradientExample(Attention(), [q, k, v, hidden], [0, 1, 2]),
      GradientExample(Attention(heads: 4, kvHeads: 2), folded, [0, 1, 2]),
      GradientExample(Attention(isCausal: true, heads: 4, kvHeads: 2), masked, [0, 2]),
      GradientExample(RotaryEmbedding(), [x, cosines, sines]),
      GradientExample(RotaryEmbedding(isInterleaved: true), [x, cosines, sines]),
      GradientExample(
        RotaryEmbedding(rotated: 2, heads: 2),
        [random([2, 3, 8]), random([5, 1]), random([5, 1], 2), ints([0, 3, 1, 2, 4, 0], [2, 3])]),
    ]
  }
}
