import Graph
import Operators
import Tensors
import Testing

/// A node and its gradient as one graph of float32.
struct GradientCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let op: any Operator
  let inputs: [Tensor?]
  /// Inputs whose gradient is asked for.
  let wanted: [Int]
  /// Inputs that are constants of the graph; all others are its inputs.
  let constants: Set<Int>
  /// Kernels that must run.
  let kernels: [String]

  init(
    _ name: String, _ op: any Operator, _ inputs: [Tensor?], _ wanted: [Int] = [0], constants: Set<Int> = [],
    kernels: [String] = []
  ) {
    testDescription = name
    self.op = op
    self.inputs = inputs
    self.wanted = wanted
    self.constants = constants
    self.kernels = kernels
  }

  static let all: [GradientCase] = {
    do {
      return try convolutions() + fakeQuantization() + pools() + elementwise() + rows() + movement()
    } catch {
      Issue.record(error)
      return []
    }
  }()

  /// The node, ∂loss/∂y as an input, and the gradients; outputs are the node's and the gradients.
  func draft() throws -> Draft {
    var given: [ValueName: Tensor] = [:]
    var builder = GraphBuilder(Graph(), infos: [:])
    func input(_ name: ValueName, _ tensor: Tensor) -> ValueName {
      given[name] = tensor
      return builder.input(name, type: tensor.type, shape: tensor.shape)
    }
    let names = inputs.enumerated().map { index, tensor in
      tensor.map { constants.contains(index) ? builder.constant($0) : input("x\(index)", $0) }
    }
    let node = Node(name: "node", op: op, inputs: names, outputs: ["y"])
    try builder.append(node)
    let g = input("g", numbers(try builder.shape("y"), 9))
    let gradients = try #require(op as? any DifferentiableOperator).gradient(
      GradientSite(node: node, upstream: [g], wanted: inputs.indices.map(wanted.contains)), &builder)
    builder.output("y")
    for case let gradient? in gradients { builder.output(gradient) }
    var result = Draft()
    result.graph = builder.graph
    result.inputs = given
    return result
  }
}

private func numbers(_ shape: Shape, _ seed: UInt64 = 1, scale: Float = 1, offset: Float = 0) -> Tensor {
  var random = Random(seed)
  return random.tensor(shape, scale: scale, offset: offset)
}

extension GradientCase {
  static func convolutions() throws -> [GradientCase] {
    func conv(
      _ name: String, _ x: Shape, _ w: Shape, _ attributes: Attributes = [:],
      kernel: String = "conv weight gradient f32"
    ) throws -> GradientCase {
      GradientCase(
        name, try Conv(attributes: attributes), [numbers(x), numbers(w, 2), numbers([w[0]], 3)], [1, 2],
        kernels: [kernel, "sum"])
    }
    let ones: Attributes = ["pads": .ints([1, 1, 1, 1])]
    let depthwise = "depthwise weight gradient"
    return try [
      conv("conv", [3, 5, 9, 8], [6, 5, 3, 3], ones), conv("conv 1x1", [2, 33, 6, 6], [17, 33, 1, 1]),
      conv("conv of wide taps", [2, 70, 5, 5], [8, 70, 3, 3], ones),
      conv(
        "conv in groups", [2, 6, 8, 8], [9, 2, 3, 3], ["group": .int(3), "pads": .ints([1, 0, 0, 1])]),
      conv("conv with strides", [2, 4, 9, 10], [5, 4, 3, 3], ["strides": .ints([2, 3])]),
      conv(
        "dilated conv", [2, 3, 12, 11], [4, 3, 3, 3],
        ["dilations": .ints([2, 3]), "pads": .ints([2, 2, 0, 0])]),
      conv(
        "depthwise", [2, 20, 7, 7], [20, 1, 3, 3], ["group": .int(20), "pads": .ints([1, 1, 1, 1])],
        kernel: depthwise),
      conv(
        "depthwise with strides", [3, 7, 9, 9], [7, 1, 3, 3], ["group": .int(7), "strides": .ints([2, 2])],
        kernel: depthwise),
      conv("depthwise times two", [2, 4, 6, 6], [8, 1, 3, 3], ["group": .int(4)]),
      conv("conv 1-d", [3, 4, 19], [6, 4, 5], ["pads": .ints([2, 2])]),
      conv("conv 3-d", [2, 2, 4, 5, 6], [3, 2, 2, 3, 2]),
      conv("many rows", [16, 3, 24, 24], [8, 3, 3, 3], ones),
    ]
  }

  static func fakeQuantization() throws -> [GradientCase] {
    func fake(
      _ name: String, _ x: Shape, _ points: QuantizationPoints, _ count: Int, hasZero: Bool = true
    ) -> GradientCase {
      let scales = numbers([count], 2, scale: 0.2, offset: 0.4)
      let zeros = hasZero ? numbers([count], 3, scale: 3) : nil
      return GradientCase(
        "fake quantize, \(name)", FakeQuantize(points), [numbers(x, scale: 4), scales, zeros],
        hasZero ? [0, 1, 2] : [0, 1], kernels: ["fake quantize", "fake quantize gradient"])
    }
    func channel(_ axis: Int) -> QuantizationPoints {
      QuantizationPoints(codes: -8...7, granularity: .channel, channelAxis: axis)
    }
    func group(_ size: Int, _ axis: Int) -> QuantizationPoints {
      QuantizationPoints(codes: -4...3, granularity: .group(size), channelAxis: 1 - axis, groupAxis: axis)
    }
    var clipping = QuantizationPoints(codes: 0...7)
    clipping.clipsOnly = true
    return [
      fake("clips only", [3, 5, 9000], clipping, 1, hasZero: false),
      fake("tensor", [3, 4, 5, 7], QuantizationPoints(codes: 0...15), 1),
      fake("tensor without zero points", [5, 9], QuantizationPoints(codes: -8...7), 1, hasZero: false),
      fake("long tensor", [9, 8192], QuantizationPoints(codes: 0...255), 1),
      fake("channels", [6, 5, 3, 3], channel(0), 6), fake("channels of columns", [19, 33], channel(1), 33),
      fake("channels in the middle", [4, 7, 5], channel(1), 7, hasZero: false),
      fake("groups of a row", [6, 40], group(16, 1), 18),
      fake("groups of columns", [20, 7], group(8, 0), 21),
      fake("groups without zero points", [20, 7], group(8, 0), 21, hasZero: false),
    ]
  }

  static func pools() throws -> [GradientCase] {
    let windows: [Attributes] = [
      ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])],
      ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "pads": .ints([1, 0, 1, 1])],
      [
        "kernel_shape": .ints([2, 3]), "dilations": .ints([2, 1]), "ceil_mode": .int(1),
        "strides": .ints([2, 2]),
      ],
    ]
    let x = numbers([3, 17, 9, 8])
    var result: [GradientCase] = []
    for (index, window) in windows.enumerated() {
      let padded = window.merging(["count_include_pad": .int(1)]) { $1 }
      result += try [
        GradientCase("maxpool \(index)", MaxPool(attributes: window), [x], kernels: ["maxpool gradient"]),
        GradientCase("avgpool \(index)", AveragePool(attributes: window), [x], kernels: ["avgpool gradient"]),
        GradientCase(
          "padded avgpool \(index)", AveragePool(attributes: padded), [x], kernels: ["avgpool gradient"]),
      ]
    }
    result += try [
      GradientCase(
        "maxpool 1-d", MaxPool(attributes: ["kernel_shape": .ints([3])]), [numbers([2, 5, 11])],
        kernels: ["maxpool gradient"]),
      GradientCase("global maxpool", GlobalMaxPool(), [x], kernels: ["maxpool gradient"]),
      GradientCase("global avgpool", GlobalAveragePool(), [x]),
    ]
    return result
  }

  static func elementwise() throws -> [GradientCase] {
    let x = numbers([3, 5, 7, 4], scale: 4)
    func plain(_ name: String, _ op: any Operator, kernels: [String] = []) -> GradientCase {
      GradientCase(name, op, [x], kernels: kernels)
    }
    let other = numbers([5, 1, 1], 2)
    return try [
      plain("relu", Relu(), kernels: ["clamp gradient"]),
      GradientCase(
        "clip", Clip(), [x, Tensor(scalar: Float(-1)), Tensor(scalar: Float(2))], constants: [1, 2],
        kernels: ["clamp gradient"]),
      plain("hardswish", HardSwish(), kernels: ["HardSwish gradient"]),
      plain("leaky relu", LeakyRelu(attributes: [:]), kernels: ["LeakyRelu gradient"]),
      plain("mish", Mish(), kernels: ["Mish gradient"]), plain("sigmoid", Sigmoid()), plain("tanh", Tanh()),
      plain("gelu", Gelu(attributes: [:])),
      plain("gelu by tanh", Gelu(attributes: ["approximate": .string("tanh")])),
      plain("silu", Swish(attributes: [:])), plain("softplus", Softplus()),
      GradientCase("prelu", PRelu(), [x, other], [0, 1], kernels: ["clamp gradient", "sum"]),
      GradientCase("product with channels", Mul(), [x, other], [0, 1], kernels: ["sum"]),
      GradientCase(
        "sum with features", Add(), [numbers([6, 9, 33]), numbers([33], 2)], [0, 1], kernels: ["sum"]),
      GradientCase("sum with a scalar", Add(), [x, numbers([], 2)], [0, 1], kernels: ["sum"]),
      GradientCase(
        "sum of rows", Sub(), [numbers([4, 33]), numbers([4, 1], 2)], [0, 1], kernels: ["sum of rows"]),
      GradientCase(
        "product with a number for each channel of each image", Mul(), [x, numbers([3, 5, 1, 1], 2)], [0, 1],
        kernels: ["sum of rows"]),
      GradientCase("maximum", Max(), [x, other], [0, 1]),
    ]
  }

  static func rows() throws -> [GradientCase] {
    let x = numbers([2, 7, 33], scale: 2)
    let (gain, bias) = (numbers([33], 2), numbers([33], 3))
    let image = numbers([3, 6, 5, 4])
    let channels = (2..<6).map { numbers([6], UInt64($0), scale: 0.4, offset: 0.6) }
    let batch = [image] + channels
    return try [
      GradientCase("layer norm", LayerNormalization(), [x, gain, bias], [0, 1, 2], kernels: ["layer norm"]),
      GradientCase(
        "layer norm without bias", LayerNormalization(), [x, gain], [0, 1], kernels: ["layer norm"]),
      GradientCase(
        "layer norm of constants", LayerNormalization(), [x, gain, bias], constants: [1, 2],
        kernels: ["layer norm"]),
      GradientCase(
        "layer norm of two axes", LayerNormalization(axis: 1), [x, numbers([7, 33], 2)], [0, 1],
        kernels: ["layer norm"]),
      GradientCase("rms norm", RMSNormalization(), [x, gain], [0, 1], kernels: ["rms norm"]),
      GradientCase("softmax", Softmax(attributes: [:]), [x]),
      GradientCase("log-softmax", LogSoftmax(attributes: [:]), [x], kernels: ["log-softmax"]),
      GradientCase(
        "log-softmax of channels", LogSoftmax(attributes: ["axis": .int(1)]), [image],
        kernels: ["log-softmax"]),
      GradientCase(
        "log-softmax of large numbers", LogSoftmax(attributes: [:]), [numbers([3, 20], scale: 300)]),
      GradientCase("batch norm", BatchNormalization(), batch, [0, 1, 2], kernels: ["batch norm", "sum"]),
      GradientCase(
        "batch norm of rows", BatchNormalization(), [numbers([9, 6])] + channels, [0, 1, 2, 3, 4],
        kernels: ["batch norm", "sum"]),
      GradientCase(
        "batch norm of rows in training", BatchNormalization(isTraining: true),
        [numbers([9, 6], offset: 3)] + channels, [0, 1, 2], kernels: ["batch norm in training", "sum"]),
      GradientCase(
        "batch norm of a batch in training", BatchNormalization(isTraining: true),
        [numbers([8, 6, 31, 33], offset: 2)] + channels, [0, 1, 2],
        kernels: ["batch norm in training", "sum"]),
      GradientCase(
        "batch norm in training", BatchNormalization(isTraining: true), batch, [0, 1, 2],
        kernels: ["batch norm in training", "sum"]),
      GradientCase(
        "group norm", GroupNormalization(attributes: ["num_groups": .int(3)]),
        [image, channels[0], channels[1]], [0, 1, 2]),
      GradientCase(
        "mean", ReduceMean(options: ReductionOptions()), [x, Tensor([Int64(1)], shape: [1])], constants: [1]),
      GradientCase(
        "norm", ReduceL2(options: ReductionOptions()), [x, Tensor([Int64(-1)], shape: [1])], constants: [1]),
      GradientCase("attention", Attention(), (1..<4).map { numbers([2, 2, 5, 8], $0) }, [0, 1, 2]),
    ]
  }

  static func movement() throws -> [GradientCase] {
    let x = numbers([3, 4, 6, 5])
    let picks = Tensor([4, 0, 4, -1, 2, 0].map { Int64($0) }, shape: [2, 3])
    let sizes = Tensor([1, 3].map { Int64($0) }, shape: [2])
    func lists(_ values: [Int64]...) -> [Tensor] { values.map { Tensor($0, shape: [$0.count]) } }
    let scales = Tensor([1, 1, 2, 2].map { Float($0) }, shape: [4])
    return try [
      GradientCase("gather", Gather(), [numbers([5, 70]), picks], kernels: ["gather gradient"]),
      GradientCase(
        "gather of columns", Gather(axis: 1), [numbers([3, 5, 4]), picks], kernels: ["gather gradient"]),
      GradientCase("split", Split(axis: 1), [x, sizes], constants: [1]),
      GradientCase("concat", Concat(axis: 1), [x, numbers([3, 2, 6, 5])], [0, 1]),
      GradientCase(
        "slice", Slice(), [x] + lists([0, 5], [4, -7], [1, 2], [2, -2]), constants: [1, 2, 3, 4]),
      GradientCase("pad", Pad(), [x] + lists([0, 0, 1, 2, 0, 0, 2, -1]), constants: [1]),
      GradientCase("transpose", Transpose([0, 2, 3, 1]), [x]),
      GradientCase(
        "expand", Expand(), [numbers([4, 1, 1])] + lists([2, 4, 3, 5]), constants: [1], kernels: ["sum"]),
      GradientCase(
        "resize", Resize(attributes: [:]), [x, nil, scales], constants: [2], kernels: ["avgpool"]),
      GradientCase(
        "linear resize", Resize(attributes: ["mode": .string("linear")]), [x, nil, scales], constants: [2]),
      GradientCase(
        "space to depth", SpaceToDepth(attributes: ["blocksize": .int(2)]), [numbers([2, 3, 4, 6])]),
    ]
  }
}
