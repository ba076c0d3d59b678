import Graph
import Operators
import Tensors

extension OperatorExample {
  static func elementwise() throws -> [OperatorExample] {
    let x = floats([-2, -0.5, 0, 0.5, 2])
    func plain(_ op: any Operator, _ expected: [Float], of x: Tensor = x) -> OperatorExample {
      OperatorExample(op, [x], [floats(expected)])
    }
    let positive = floats([0.25, 1, 4])
    let unit = floats([-1, 0, 0.5])
    return try [
      plain(Sqrt(), [0.5, 1, 2], of: positive), plain(Exp(), [1, 2.7182817], of: floats([0, 1])),
      plain(Log(), [0, 1], of: floats([1, 2.7182817])), plain(Reciprocal(), [4, 1, 0.25], of: positive),
      plain(Tanh(), [-0.9640276, -0.46211717, 0, 0.46211717, 0.9640276]),
      plain(Sigmoid(), [0.11920292, 0.37754068, 0.5, 0.62245935, 0.880797]),
      plain(HardSwish(), [-0.33333334, -0.20833333, 0, 0.29166666, 1.6666666]),
      plain(Softplus(), [0.126928, 0.474077, 0.6931472, 0.974077, 2.126928]),
      plain(Softsign(), [-0.6666667, -0.33333334, 0, 0.33333334, 0.6666667]),
      plain(Mish(), [-0.25250146, -0.22074418, 0, 0.37524524, 1.9439589]),
      plain(Erf(), [-0.9953223, -0.5204999, 0, 0.5204999, 0.9953223]),
      plain(Sin(), [0, 0.84147096], of: floats([0, 1])), plain(Cos(), [1, 0.5403023], of: floats([0, 1])),
      plain(Tan(), [0, 1.5574077], of: floats([0, 1])),
      plain(Asin(), [-1.5707964, 0, 0.5235988], of: unit),
      plain(Acos(), [3.1415927, 1.5707964, 1.0471976], of: unit),
      plain(Atan(), [-0.7853982, 0, 0.4636476], of: unit),
      plain(Sinh(), [0, 1.1752012], of: floats([0, 1])),
      plain(Cosh(), [1, 1.5430806], of: floats([0, 1])),
      plain(Asinh(), [-0.8813736, 0, 0.4812118], of: unit),
      plain(Acosh(), [0, 1.3169579], of: floats([1, 2])),
      plain(Atanh(), [-.infinity, 0, 0.54930615], of: unit),
      plain(Ceil(), [-2, 0, 0, 1, 2]), plain(Floor(), [-2, -1, 0, 0, 2]),
      plain(Round(), [-2, 0, 0, 0, 2, 2], of: floats([-2.5, -0.5, 0, 0.5, 1.5, 2.5])),
      plain(Abs(), [2, 0.5, 0, 0.5, 2]), plain(Neg(), [2, 0.5, 0, -0.5, -2]),
      plain(Relu(), [0, 0, 0, 0.5, 2]),
      plain(Sign(), [-1, -1, 0, 1, 1]),
      OperatorExample(Abs(), [ints([-3, .min, 4])], [ints([3, .min, 4])]),
      OperatorExample(Neg(), [ints([-3, 4], nil, .int8)], [ints([3, -4], nil, .int8)]),
      OperatorExample(Relu(), [ints([-3, 4], nil, .int32)], [ints([0, 4], nil, .int32)]),
      OperatorExample(Sign(), [ints([0, 4], nil, .uint16)], [ints([0, 1], nil, .uint16)]),
      plain(LeakyRelu(attributes: ["alpha": .float(0.5)]), [-1, -0.25, 0, 0.5, 2]),
      plain(Elu(attributes: ["alpha": .float(2)]), [-1.7293295, -0.7869387, 0, 0.5, 2]),
      plain(Selu(attributes: [:]), [-1.520167, -0.6917582, 0, 0.52535054, 2.101402]),
      plain(Celu(attributes: ["alpha": .float(2)]), [-1.2642411, -0.44239843, 0, 0.5, 2]),
      plain(ThresholdedRelu(attributes: ["alpha": .float(0.5)]), [0, 0, 0, 0, 2]),
      plain(HardSigmoid(attributes: [:]), [0.1, 0.4, 0.5, 0.6, 0.9]),
      plain(Swish(attributes: [:]), [-0.23840584, -0.18877034, 0, 0.31122968, 1.761594]),
      plain(Gelu(attributes: [:]), [-0.04550028, -0.15426877, 0, 0.34573123, 1.9544997]),
      plain(
        Gelu(attributes: ["approximate": .string("tanh")]),
        [-0.04540229, -0.15428599, 0, 0.345714, 1.9545977]),
      plain(Shrink(attributes: ["lambd": .float(1), "bias": .float(0.5)]), [-1.5, 0, 0, 0, 1.5]),
      OperatorExample(
        try Shrink(attributes: ["lambd": .float(1), "bias": .float(1)]), [ints([-4, 0, 3], nil, .int8)],
        [ints([-3, 0, 2], nil, .int8)]),
      OperatorExample(
        Clip(), [x, floats([-1], []), floats([0.25], [])], [floats([-1, -0.5, 0, 0.25, 0.25])]),
      OperatorExample(
        Clip(), [ints([-9, 3], nil, .int8), nil, ints([2], [], .int8)], [ints([-9, 2], nil, .int8)]),
      OperatorExample(
        PRelu(), [floats([-1, 2, -3, 4], [2, 2]), floats([0.5, 0.1], [2])],
        [floats([-0.5, 2, -1.5, 4], [2, 2])]),
      OperatorExample(try Cast(to: .int32), [floats([1.9, -1.9])], [ints([1, -1], nil, .int32)]),
      OperatorExample(
        try CastLike(attributes: [:]), [floats([1.9, -1.9]), ints([0], nil, .int8)],
        [ints([1, -1], nil, .int8)]),
      OperatorExample(
        try BitCast(attributes: ["to": .int(ElementType.int32.rawValue)]), [floats([1])],
        [ints([0x3F80_0000], nil, .int32)]),
      OperatorExample(Identity(), [ints([1, 2], nil, .int4)], [ints([1, 2], nil, .int4)]),
      OperatorExample(try Dropout(attributes: [:]), [x], [x, bools([true, true, true, true, true])]),
      OperatorExample(IsNaN(), [floats([.nan, 1])], [bools([true, false])]),
      OperatorExample(
        try IsInf(attributes: ["detect_positive": .int(0)]), [floats([.infinity, -.infinity, .nan])],
        [bools([false, true, false])]),
    ]
  }

  static func arithmetic() throws -> [OperatorExample] {
    let (a, b) = (floats([1, -2, 3, 4], [2, 2]), floats([2, 4], [2]))
    let (i, j) = (ints([7, -7], nil, .int32), ints([3], [1], .int32))
    let (t, f) = (bools([true, true, false]), bools([true, false, false]))
    let (u, v) = (ints([0b1100, 0xFF], nil, .uint8), ints([0b1010, 4], nil, .uint8))
    return [
      OperatorExample(Add(), [a, b], [floats([3, 2, 5, 8], [2, 2])]),
      OperatorExample(Add(), [ints([127], nil, .int8), ints([1], nil, .int8)], [ints([-128], nil, .int8)]),
      OperatorExample(Sub(), [a, b], [floats([-1, -6, 1, 0], [2, 2])]),
      OperatorExample(Mul(), [b, a], [floats([2, -8, 6, 16], [2, 2])]),
      OperatorExample(Div(), [a, b], [floats([0.5, -0.5, 1.5, 1], [2, 2])]),
      OperatorExample(Div(), [i, j], [ints([2, -2], nil, .int32)]),
      OperatorExample(try Mod(attributes: [:]), [i, j], [ints([1, 2], nil, .int32)]),
      OperatorExample(try Mod(attributes: ["fmod": .int(1)]), [i, j], [ints([1, -1], nil, .int32)]),
      OperatorExample(Pow(), [floats([2, 3]), ints([3], [])], [floats([8, 27])]),
      OperatorExample(Pow(), [ints([2, -3]), ints([3, 2])], [ints([8, 9])]),
      OperatorExample(Pow(), [floats([4, 9]), floats([0.5], [])], [floats([2, 3])]),
      OperatorExample(Max(), [a, b, floats([3], [])], [floats([3, 4, 3, 4], [2, 2])]),
      OperatorExample(Min(), [a, b, floats([0], [])], [floats([0, -2, 0, 0], [2, 2])]),
      OperatorExample(Max(), [floats([.nan, 1]), floats([1, .nan])], [floats([.nan, .nan])]),
      OperatorExample(Sum(), [a, b, a], [floats([4, 0, 8, 12], [2, 2])]),
      OperatorExample(Mean(), [a, b], [floats([1.5, 1, 2.5, 4], [2, 2])]),
      OperatorExample(Equal(), [i, ints([7], [1], .int32)], [bools([true, false])]),
      OperatorExample(Equal(), [t, f], [bools([true, false, true])]),
      OperatorExample(Less(), [a, b], [bools([true, true, false, false], [2, 2])]),
      OperatorExample(LessOrEqual(), [a, b], [bools([true, true, false, true], [2, 2])]),
      OperatorExample(Greater(), [a, b], [bools([false, false, true, false], [2, 2])]),
      OperatorExample(GreaterOrEqual(), [a, b], [bools([false, false, true, true], [2, 2])]),
      OperatorExample(And(), [t, f], [bools([true, false, false])]),
      OperatorExample(Or(), [t, f], [bools([true, true, false])]),
      OperatorExample(Xor(), [t, f], [bools([false, true, false])]),
      OperatorExample(Not(), [f], [bools([false, true, true])]),
      OperatorExample(BitwiseAnd(), [u, v], [ints([0b1000, 4], nil, .uint8)]),
      OperatorExample(BitwiseOr(), [u, v], [ints([0b1110, 0xFF], nil, .uint8)]),
      OperatorExample(BitwiseXor(), [u, v], [ints([0b0110, 0xFB], nil, .uint8)]),
      OperatorExample(BitwiseNot(), [u], [ints([0xF3, 0], nil, .uint8)]),
      OperatorExample(
        try BitShift(attributes: ["direction": .string("LEFT")]), [u, ints([1, 9], nil, .uint8)],
        [ints([0b11000, 0], nil, .uint8)]),
      OperatorExample(
        try BitShift(attributes: ["direction": .string("RIGHT")]), [u, ints([2, 4], nil, .uint8)],
        [ints([0b11, 0xF], nil, .uint8)]),
      OperatorExample(
        Where(), [bools([true, false], [2, 1]), floats([1, 2]), floats([9], [])],
        [floats([1, 2, 9, 9], [2, 2])]),
    ]
  }

  static func reductions() throws -> [OperatorExample] {
    let x = floats([1, 2, 3, 4, 5, 6], [2, 3])
    func reduce(_ op: any Operator, _ expected: [Float], over axes: [Int] = [1]) -> OperatorExample {
      OperatorExample(op, [x, ints(axes)], [floats(expected, axes == [1] ? [2, 1] : [1, 3])])
    }
    let flat: Attributes = ["keepdims": .int(0)]
    return try [
      reduce(ReduceSum(attributes: [:]), [6, 15]), reduce(ReduceSum(attributes: [:]), [5, 7, 9], over: [0]),
      reduce(ReduceMean(attributes: [:]), [2, 5]), reduce(ReduceProd(attributes: [:]), [6, 120]),
      reduce(ReduceMax(attributes: [:]), [3, 6]), reduce(ReduceMin(attributes: [:]), [1, 4]),
      reduce(ReduceL1(attributes: [:]), [6, 15]), reduce(ReduceL2(attributes: [:]), [3.7416575, 8.774964]),
      reduce(ReduceSumSquare(attributes: [:]), [14, 77]),
      reduce(ReduceLogSum(attributes: [:]), [1.7917595, 2.7080503]),
      reduce(ReduceLogSumExp(attributes: [:]), [3.407606, 6.407606]),
      OperatorExample(try ReduceSum(attributes: flat), [x], [floats([21], [])]),
      OperatorExample(try ReduceSum(attributes: ["noop_with_empty_axes": .int(1)]), [x], [x]),
      OperatorExample(
        try ReduceMax(attributes: flat), [bools([false, true], [1, 2]), ints([-1])], [bools([true])]),
      OperatorExample(
        try ReduceMin(attributes: flat), [floats([], [2, 0]), ints([1])], [floats([.infinity, .infinity])]),
      OperatorExample(
        try ReduceMean(attributes: flat), [ints([1, 2, 4], [1, 3], .int32), ints([1])],
        [ints([2], nil, .int32)]),
      OperatorExample(
        try ArgMax(attributes: ["axis": .int(1), "keepdims": .int(0)]),
        [floats([1, 5, 5, 7, 2, 7], [2, 3])],
        [ints([1, 0])]),
      OperatorExample(
        try ArgMin(attributes: ["axis": .int(-1), "select_last_index": .int(1)]),
        [ints([1, 1, 2, 3], [2, 2])],
        [ints([1, 0], [2, 1])]),
      OperatorExample(
        try CumSum(attributes: [:]), [x, ints([1], [])], [floats([1, 3, 6, 4, 9, 15], [2, 3])]),
      OperatorExample(
        try CumSum(attributes: ["exclusive": .int(1), "reverse": .int(1)]), [x, ints([-1], [])],
        [floats([5, 3, 0, 11, 6, 0], [2, 3])]),
      OperatorExample(
        try CumProd(attributes: [:]), [x, ints([0], [])], [floats([1, 2, 3, 4, 10, 18], [2, 3])]),
      OperatorExample(
        try TopK(attributes: [:]), [floats([3, 1, 4, 1, 5, 9], [2, 3]), ints([2])],
        [floats([4, 3, 9, 5], [2, 2]), ints([2, 0, 2, 1], [2, 2])]),
      OperatorExample(
        try TopK(attributes: ["largest": .int(0), "axis": .int(0)]),
        [ints([2, 2, 1], nil, .uint8), ints([2])],
        [ints([1, 2], nil, .uint8), ints([2, 0])]),
      OperatorExample(
        try Softmax(attributes: [:]), [floats([0, 0, 1000, 0], [2, 2])], [floats([0.5, 0.5, 1, 0], [2, 2])]),
      OperatorExample(
        try Softmax(attributes: ["axis": .int(0)]), [floats([1, 1], [2, 1])], [floats([0.5, 0.5], [2, 1])]),
      OperatorExample(
        try LogSoftmax(attributes: [:]), [floats([0, 0, 1000, 0], [2, 2])],
        [floats([-0.6931472, -0.6931472, 0, -1000], [2, 2])]),
      OperatorExample(
        try Hardmax(attributes: [:]), [floats([1, 3, 3], [1, 3])], [floats([0, 1, 0], [1, 3])]),
      OperatorExample(
        try LpNormalization(attributes: [:]), [floats([3, 4, 0, 0], [2, 2])],
        [floats([0.6, 0.8, 0, 0], [2, 2])]),
      OperatorExample(
        try LpNormalization(attributes: ["p": .int(1)]), [floats([1, -3], [1, 2])],
        [floats([0.25, -0.75], [1, 2])]),
      OperatorExample(
        try MeanVarianceNormalization(attributes: ["axes": .ints([0])]), [floats([1, 3], [2])],
        [floats([-1, 1])]),
    ]
  }

  static func products() throws -> [OperatorExample] {
    let (a, b) = (floats([1, 2, 3, 4, 5, 6], [2, 3]), floats([1, 0, 0, 1, 1, 1], [3, 2]))
    let transposed: Attributes = [
      "transA": .int(1), "transB": .int(1), "alpha": .float(0.5), "beta": .float(2),
    ]
    return [
      OperatorExample(MatMul(), [a, b], [floats([4, 5, 10, 11], [2, 2])]),
      OperatorExample(MatMul(), [floats([1, 2, 3]), b], [floats([4, 5])]),
      OperatorExample(MatMul(), [a, floats([1, 1, 1])], [floats([6, 15])]),
      OperatorExample(MatMul(), [floats([1, 2]), floats([3, 4])], [floats([11], [])]),
      OperatorExample(
        MatMul(), [floats([1, 2, 3, 4], [2, 1, 2]), floats([1, 1], [2, 1])], [floats([3, 7], [2, 1, 1])]),
      OperatorExample(
        MatMul(), [ints([1, 2], [1, 2], .int32), ints([3, 4], [2, 1], .int32)], [ints([11], [1, 1], .int32)]),
      OperatorExample(
        try Gemm(attributes: [:]), [a, b, floats([1, 2])], [floats([5, 7, 11, 13], [2, 2])]),
      OperatorExample(
        try Gemm(attributes: transposed), [b, a, floats([1], [])], [floats([4, 7, 4.5, 7.5], [2, 2])]),
      OperatorExample(
        try Einsum(attributes: ["equation": .string("ij,jk->ik")]), [a, b], [floats([4, 5, 10, 11], [2, 2])]),
      OperatorExample(
        try Einsum(attributes: ["equation": .string("ii")]), [floats([1, 2, 3, 4], [2, 2])], [floats([5], [])]
      ),
      OperatorExample(
        try Einsum(attributes: ["equation": .string("...j -> ...")]), [a], [floats([6, 15])]),
      OperatorExample(
        try Einsum(attributes: ["equation": .string("ba")]), [a], [floats([1, 4, 2, 5, 3, 6], [3, 2])]),
    ]
  }

  static func constants() throws -> [OperatorExample] {
    let x = floats([1, 2, 3, 4, 5, 6], [2, 3])
    return [
      OperatorExample(Constant(x), [], [x]),
      OperatorExample(try Constant(attributes: ["value_ints": .ints([1, 2])]), [], [ints([1, 2])]),
      OperatorExample(
        try ConstantOfShape(attributes: ["value": .tensor(ints([7], [1], .int8))]), [ints([2, 1])],
        [ints([7, 7], [2, 1], .int8)]),
      OperatorExample(try ShapeOf(attributes: [:]), [x], [ints([2, 3])]),
      OperatorExample(try ShapeOf(attributes: ["start": .int(-1)]), [x], [ints([3])]),
      OperatorExample(Size(), [x], [ints([6], [])]),
      OperatorExample(RangeOf(), [ints([5], []), ints([0], []), ints([-2], [])], [ints([5, 3, 1])]),
      OperatorExample(
        RangeOf(), [floats([0], []), floats([1], []), floats([0.25], [])], [floats([0, 0.25, 0.5, 0.75])]),
      OperatorExample(RangeOf(), [ints([5], []), ints([0], []), ints([2], [])], [ints([])]),
      OperatorExample(
        try EyeLike(attributes: ["k": .int(1), "dtype": .int(ElementType.int32.rawValue)]), [x],
        [ints([0, 1, 0, 0, 0, 1], [2, 3], .int32)]),
    ]
  }

  static func simulation() throws -> [OperatorExample] {
    let perChannel = Encoding(
      scheme: Scheme(bits: 2, symmetry: .symmetric, granularity: .channel), channelAxis: 1, scales: [1, 0.5],
      zeroPoints: [0, 0])
    return [
      OperatorExample(
        QuantizeDequantize(encoding: perChannel), [floats([0.6, 0.6, -5, 0.2], [2, 2])],
        [floats([1, 0.5, -2, 0], [2, 2])]),
      OperatorExample(
        DynamicQuantizeDequantize(sharing: .token, bits: 2), [floats([0, 1.2, 3, 0, 0, 0.3], [2, 3])],
        [floats([0, 1, 3, 0, 0, 0.3], [2, 3])]),
      OperatorExample(
        FakeQuantize(QuantizationPoints(codes: -2...1)), [floats([0.6, -5, 0.2, 2]), floats([0.5])],
        [floats([0.5, -1, 0, 0.5])]),
      OperatorExample(
        FakeQuantize(QuantizationPoints(codes: 0...3, granularity: .channel, channelAxis: 0)),
        [floats([0.6, -5, 0.2, 2], [2, 2]), floats([0.5, 1]), floats([1.2, -0.3])],
        [floats([0.5, -0.5, 0, 2], [2, 2])]),
      OperatorExample(
        ErrorEnergy(samples: 2, channelAxis: 1),
        [
          floats([1, 2, 3, 4, 5, 6, 7, 8, 9, 0], [2, 1, 5]),
          floats([1, 1, 1, 1, 1, 6, 6, 6, 6, 1], [2, 1, 5]),
        ], [floats([30, 15], [2, 1])]),
      OperatorExample(
        ErrorEnergy(samples: 1, channelAxis: 2), [floats([1, 2, 3, 4, 5, 6], [2, 1, 3]), nil],
        [floats([17, 29, 45], [1, 3])]),
      OperatorExample(
        ErrorEnergy(samples: 2, channelAxis: nil), [floats([1, 2, 3, 4, 5, 6], [2, 3])],
        [floats([14, 77], [2, 1])]),
    ]
  }

  static func gradients() throws -> [OperatorExample] {
    let points = QuantizationPoints(codes: -2...1)
    let pair = WindowAttributes(kernel: [2])
    return [
      OperatorExample(SumToShape([2, 1]), [floats([1, 2, 3, 4], [2, 2])], [floats([3, 7], [2, 1])]),
      OperatorExample(SumToShape([]), [floats([1, 2, 3, 4], [2, 2])], [floats([10], [])]),
      OperatorExample(StopGradient(), [floats([1, -2])], [floats([1, -2])]),
      OperatorExample(
        ClampGradient(lower: 0, upper: 6), [floats([0, 1, 6]), floats([1, 2, 3])], [floats([0, 2, 0])]),
      OperatorExample(
        ElementwiseGradient(try LeakyRelu(attributes: ["alpha": .float(0.5)])),
        [floats([-1, 2]), floats([2, 3])], [floats([1, 3])]),
      OperatorExample(
        ConvolutionWeightGradient(window: WindowAttributes(), kernel: [2], groups: 1),
        [floats([1, 2, 3], [1, 1, 3]), floats([1, 10], [1, 1, 2])], [floats([21, 32], [1, 1, 2])]),
      OperatorExample(
        MaxPoolGradient(MaxPool(window: pair)),
        [floats([1, 3, 2, 5], [1, 1, 4]), floats([1, 2, 4], [1, 1, 3])], [floats([0, 3, 0, 4], [1, 1, 4])]),
      OperatorExample(
        AveragePoolGradient(AveragePool(window: pair), shape: [1, 1, 3]), [floats([2, 4], [1, 1, 2])],
        [floats([1, 3, 2], [1, 1, 3])]),
      OperatorExample(
        GatherGradient(axis: 0, shape: [3, 2]), [ints([2, 0, -1]), floats([1, 2, 3, 4, 5, 6], [3, 2])],
        [floats([3, 4, 0, 0, 6, 8], [3, 2])]),
      OperatorExample(
        FakeQuantizeGradient(points),
        [floats([0.6, -5, 0.2, 2]), floats([0.5]), nil, floats([1, 2, 3, 4])],
        [floats([0, 0, 3, 0]), floats([-0.1])]),
      OperatorExample(
        FakeQuantizeGradient(points),
        [floats([0.6, -5, 0.2, 2]), floats([0.5]), floats([0.4]), floats([1, 2, 3, 4])],
        [floats([0, 0, 3, 0]), floats([-0.1]), floats([-1.75])]),
    ]
  }
}
