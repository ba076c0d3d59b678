import Graph
import Operators
import Tensors
import Testing

/// Operands that do not fit end in an error, in inference and in evaluation, never in a trap or a huge allocation.
struct MalformedOperandTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var type: String
    var attributes: Attributes = [:]
    var inputs: [Tensor?]
    var outputs = 1
    var testDescription: String { "\(type) \(attributes.text) \(inputs.map { $0?.shape.shapeText ?? "-" })" }
  }

  private static func zeros(_ shape: Shape, _ type: ElementType = .float32) -> Tensor {
    Tensor(integers: [Int](repeating: 0, count: shape.elementCount), shape: shape, type: type)
  }
  private static func list(_ values: [Int]) -> Tensor { Tensor(integers: values, shape: [values.count]) }
  private static let image = zeros([1, 4, 5, 5])
  private static let filter = zeros([4, 4, 3, 3])
  private static let huge = 1 << 30

  static let cases: [Case] = [
    Case(type: "Conv", inputs: [image]),
    Case(type: "Conv", inputs: [zeros([]), filter]),
    Case(type: "Conv", inputs: [image, zeros([4, 3, 3, 3])]),
    Case(type: "Conv", inputs: [image, zeros([4, 4, 3])]),
    Case(type: "Conv", inputs: [image, zeros([4, 4, 7, 3])]),
    Case(type: "Conv", inputs: [zeros([1, 1, 2, 2, 2, 2]), zeros([1, 1, 1, 1, 1, 1])]),
    Case(type: "Conv", attributes: ["group": .int(3)], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["group": .int(0)], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["strides": .ints([0, 1])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["strides": .ints([1])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["dilations": .ints([huge, 1])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["pads": .ints([huge, huge, huge, huge])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["pads": .ints([.min, 0, 0, 0])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["pads": .ints([-9, 0, 0, 0])], inputs: [image, filter]),
    Case(type: "Conv", attributes: ["kernel_shape": .ints([5, 5])], inputs: [image, filter]),
    Case(type: "ConvTranspose", inputs: [image, zeros([3, 4, 3, 3])]),
    Case(type: "ConvTranspose", attributes: ["group": .int(3)], inputs: [image, filter]),
    Case(type: "ConvTranspose", attributes: ["strides": .ints([huge, huge])], inputs: [image, filter]),
    Case(type: "ConvTranspose", attributes: ["output_shape": .ints([0, 4])], inputs: [image, filter]),
    Case(type: "ConvTranspose", attributes: ["output_padding": .ints([-1, 0])], inputs: [image, filter]),
    Case(type: "ConvInteger", inputs: [zeros([], .uint8), zeros([4, 4, 3, 3], .int8)]),
    Case(type: "ConvInteger", inputs: [image, zeros([4, 4, 3, 3], .int8)]),
    Case(type: "MatMulInteger", inputs: [zeros([2, 3], .uint8), zeros([2, 3], .int8)]),
    Case(type: "MatMulInteger", inputs: [zeros([], .uint8), zeros([2, 3], .int8)]),
    Case(type: "MaxPool", inputs: [image]),
    Case(type: "MaxPool", attributes: ["kernel_shape": .ints([2])], inputs: [image]),
    Case(type: "MaxPool", attributes: ["kernel_shape": .ints([9, 2])], inputs: [image]),
    Case(type: "AveragePool", attributes: ["kernel_shape": .ints([-1, 2])], inputs: [image]),
    Case(
      type: "AveragePool", attributes: ["kernel_shape": .ints([1, 1]), "pads": .ints([huge, huge, 0, 0])],
      inputs: [image]),
    Case(type: "LpPool", attributes: ["kernel_shape": .ints([2, 2]), "p": .int(0)], inputs: [image]),
    Case(type: "GlobalAveragePool", inputs: [zeros([3])]),
    Case(type: "BatchNormalization", inputs: [image, zeros([4]), zeros([4]), zeros([4])]),
    Case(type: "GroupNormalization", inputs: [image, zeros([4]), zeros([4])]),
    Case(
      type: "GroupNormalization", attributes: ["num_groups": .int(3)],
      inputs: [image, zeros([4]), zeros([4])]),
    Case(type: "LayerNormalization", attributes: ["axis": .int(9)], inputs: [image, zeros([5])]),
    Case(type: "RMSNormalization", attributes: ["axis": .int(-9)], inputs: [image, zeros([5])]),
    Case(type: "LRN", attributes: ["size": .int(0)], inputs: [image]),
    Case(type: "Reshape", inputs: [image, list([3, -1])]),
    Case(type: "Reshape", inputs: [image, list([-1, -1])]),
    Case(type: "Reshape", inputs: [image, list([-2, 5])]),
    Case(type: "Reshape", inputs: [image, list([.max, .max, -1])]),
    Case(type: "Reshape", inputs: [image, list([100, 1, 1, 1, 0])]),
    Case(type: "Flatten", attributes: ["axis": .int(5)], inputs: [image]),
    Case(type: "Squeeze", inputs: [image, list([1])]),
    Case(type: "Squeeze", inputs: [image, list([7])]),
    Case(type: "Unsqueeze", inputs: [image, list([0, 0])]),
    Case(type: "Unsqueeze", inputs: [image, list([9])]),
    Case(type: "Transpose", attributes: ["perm": .ints([0, 1, 1, 2])], inputs: [image]),
    Case(type: "DepthToSpace", attributes: ["blocksize": .int(3)], inputs: [image]),
    Case(type: "DepthToSpace", attributes: ["blocksize": .int(1 << 40)], inputs: [image]),
    Case(type: "SpaceToDepth", attributes: ["blocksize": .int(2)], inputs: [image]),
    Case(type: "Concat", attributes: ["axis": .int(0)], inputs: [image, filter]),
    Case(type: "Concat", attributes: ["axis": .int(0)], inputs: [zeros([2]), zeros([2], .int32)]),
    Case(type: "Concat", attributes: ["axis": .int(0)], inputs: []),
    Case(type: "Split", inputs: [image, list([1, 1])]),
    Case(type: "Split", attributes: ["num_outputs": .int(.max)], inputs: [image]),
    Case(type: "Split", attributes: ["axis": .int(1)], inputs: [image, list([.max, .max, 6])]),
    Case(type: "Slice", inputs: [image, list([0]), list([1]), list([4])]),
    Case(type: "Slice", inputs: [image, list([0]), list([1]), list([0]), list([0])]),
    Case(type: "Slice", inputs: [image, list([0, 1]), list([1])]),
    Case(type: "Slice", inputs: [image, list([0]), list([1]), list([0]), list([.min])]),
    Case(type: "Expand", inputs: [image, list([2, 3, 5, 5])]),
    Case(type: "Expand", inputs: [zeros([1]), list([.max, .max])]),
    Case(type: "Expand", inputs: [zeros([1]), list([1 << 36])]),
    Case(type: "Tile", inputs: [image, list([1])]),
    Case(type: "Tile", inputs: [image, list([1 << 39, 1 << 39, 1, 1])]),
    Case(type: "Tile", inputs: [image, list([-1, 1, 1, 1])]),
    Case(type: "Trilu", inputs: [zeros([3])]),
    Case(type: "Gather", inputs: [image, list([1])]),
    Case(type: "Gather", inputs: [image, list([.min])]),
    Case(type: "Gather", attributes: ["axis": .int(4)], inputs: [image, list([0])]),
    Case(type: "GatherElements", inputs: [zeros([2, 2]), list([0])]),
    Case(type: "GatherElements", inputs: [zeros([2]), list([2])]),
    Case(type: "GatherND", inputs: [zeros([2, 2]), Tensor(integers: [2, 0], shape: [1, 2])]),
    Case(type: "GatherND", inputs: [zeros([2]), Tensor(integers: [0, 0], shape: [1, 2])]),
    Case(type: "GatherND", attributes: ["batch_dims": .int(3)], inputs: [zeros([2, 2]), list([0])]),
    Case(type: "ScatterElements", inputs: [zeros([3]), list([3]), zeros([1])]),
    Case(type: "ScatterElements", inputs: [zeros([3]), list([0]), zeros([2])]),
    Case(type: "ScatterND", inputs: [zeros([3]), Tensor(integers: [5], shape: [1, 1]), zeros([1])]),
    Case(type: "ScatterND", inputs: [zeros([3]), zeros([], .int64), zeros([1])]),
    Case(type: "TensorScatter", inputs: [zeros([1, 4, 2]), zeros([1, 5, 2])]),
    Case(type: "TensorScatter", inputs: [zeros([1, 4, 2]), zeros([1, 3, 2]), list([2])]),
    Case(type: "TensorScatter", inputs: [zeros([1, 4, 2]), zeros([1, 3, 2]), list([.max])]),
    Case(type: "Pad", inputs: [image, list([1, 1])]),
    Case(type: "Pad", inputs: [image, list([.min, 0, 0, 0, 0, 0, 0, 0])]),
    Case(type: "Pad", inputs: [image, list([-6, 0, 0, 0, 0, 0, 0, 0])]),
    Case(type: "Pad", attributes: ["mode": .string("edge")], inputs: [zeros([0]), list([1, 1])]),
    Case(type: "CenterCropPad", inputs: [image, list([1])]),
    Case(type: "OneHot", inputs: [list([0]), list([-3]), list([0, 1])]),
    Case(type: "OneHot", inputs: [list([0]), list([1 << 40]), list([0, 1])]),
    Case(type: "OneHot", attributes: ["axis": .int(3)], inputs: [list([0]), list([2]), list([0, 1])]),
    Case(type: "Compress", inputs: [zeros([2]), zeros([3], .bool)]),
    Case(type: "ReverseSequence", inputs: [zeros([3, 2]), list([4, 1])]),
    Case(type: "Resize", inputs: [image]),
    Case(type: "Resize", inputs: [image, nil, Tensor([Float.nan, 1, 1, 1], shape: [4])]),
    Case(type: "Resize", inputs: [image, nil, Tensor([Float(1e30), 1, 1, 1], shape: [4])]),
    Case(type: "Resize", inputs: [image, nil, nil, list([1, 2])]),
    Case(type: "Resize", inputs: [zeros([0, 1]), nil, nil, list([3, 1])]),
    Case(
      type: "Resize", attributes: ["coordinate_transformation_mode": .string("tf_crop_and_resize")],
      inputs: [zeros([2]), nil, nil, list([4])]),
    Case(type: "LSTM", inputs: [zeros([2, 1, 3]), zeros([1, 8, 3]), zeros([1, 8, 3])]),
    Case(type: "GRU", inputs: [zeros([2, 1, 3]), zeros([3]), zeros([1, 6, 2])]),
    Case(type: "RNN", inputs: [zeros([2, 1, 3]), zeros([1, 2, 3]), zeros([1, 2, 2]), nil, list([7])]),
    Case(type: "RNN", attributes: ["activations": .strings(["Sine"])], inputs: []),
    Case(type: "Attention", inputs: [zeros([1, 2, 3]), zeros([1, 2, 3]), zeros([1, 2, 3])]),
    Case(type: "Attention", inputs: [zeros([1, 3, 2, 4]), zeros([1, 2, 2, 4]), zeros([1, 2, 2, 4])]),
    Case(
      type: "Attention",
      inputs: [zeros([1, 2, 2, 4]), zeros([1, 2, 2, 4]), zeros([1, 2, 2, 4]), zeros([3, 3])]),
    Case(type: "RotaryEmbedding", inputs: [zeros([1, 2, 6]), zeros([2, 3]), zeros([2, 3])]),
    Case(
      type: "RotaryEmbedding",
      inputs: [
        zeros([1, 1, 2, 4]), zeros([2, 2]), zeros([2, 2]), Tensor(integers: [0, 2], shape: [1, 2]),
      ]),
    Case(type: "QuantizeLinear", inputs: [image, zeros([3])]),
    Case(type: "QuantizeLinear", attributes: ["block_size": .int(.max)], inputs: [image, zeros([4])]),
    Case(type: "QuantizeLinear", attributes: ["output_dtype": .int(99)], inputs: [image, zeros([])]),
    Case(type: "DequantizeLinear", inputs: [zeros([2, 2], .int8), zeros([2, 2])]),
    Case(
      type: "DequantizeLinear", attributes: ["axis": .int(7)], inputs: [zeros([2, 2], .int8), zeros([2])]),
    Case(
      type: "com.microsoft.MatMulNBits",
      attributes: ["K": .int(32), "N": .int(1 << 30), "bits": .int(4), "block_size": .int(32)],
      inputs: [zeros([1, 32]), zeros([1, 1, 16], .uint8), zeros([1])]),
    Case(
      type: "com.microsoft.MatMulNBits",
      attributes: ["K": .int(32), "N": .int(4), "bits": .int(5), "block_size": .int(32)], inputs: []),
  ]

  @Test(arguments: cases) func isAnError(_ test: Case) throws {
    let declaration = try #require(Catalog.layerOperators.first { $0.name.text == test.type })
    #expect(throws: OperatorError.self) {
      let op = try declaration.init(attributes: test.attributes)
      let infos = test.inputs.map { input in
        input.map { OperandInfo(type: $0.type, shape: $0.shape, constant: $0) }
      }
      func evaluated() throws {
        _ = try op.evaluate(
          test.inputs, outputs: test.outputs,
          context: EvaluationContext { _, _, _ in throw NoSubgraphs() })
      }
      // Neither may trap, whichever finds the fault.
      _ = try? evaluated()
      _ = try op.infer(infos, outputs: test.outputs)
      try evaluated()
    }
  }
}
