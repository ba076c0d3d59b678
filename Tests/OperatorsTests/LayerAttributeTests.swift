import Graph
import Operators
import Tensors
import Testing

/// Attributes of every layer operator survive being read and written.
struct LayerAttributeTests {
  private static let window: Attributes = [
    "kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "dilations": .ints([1, 2]),
    "pads": .ints([1, 0, 2, 1]),
  ]
  private static let recurrent: Attributes = [
    "direction": .string("reverse"), "hidden_size": .int(5), "clip": .float(2), "layout": .int(1),
  ]

  private static func joined(_ a: Attributes, _ b: Attributes) -> Attributes { a.merging(b) { $1 } }

  /// For each operator attributes that differ from every default.
  static let samples: [String: Attributes] = [
    "Conv": joined(window, ["group": .int(2)]),
    "ConvTranspose": joined(window, ["group": .int(2), "output_padding": .ints([1, 0])]),
    "ConvInteger": joined(window, ["group": .int(2)]),
    "QLinearConv": joined(window, ["group": .int(2)]),
    "MatMulInteger": [:], "QLinearMatMul": [:],
    "MaxPool": joined(window, ["ceil_mode": .int(1), "storage_order": .int(1)]),
    "AveragePool": joined(window, ["ceil_mode": .int(1), "count_include_pad": .int(1)]),
    "LpPool": joined(window, ["ceil_mode": .int(1), "p": .int(3)]),
    "GlobalAveragePool": [:], "GlobalMaxPool": [:], "GlobalLpPool": ["p": .int(1)],
    "BatchNormalization": ["epsilon": .float(0.25), "momentum": .float(0.5), "training_mode": .int(1)],
    "InstanceNormalization": ["epsilon": .float(0.25)],
    "GroupNormalization": ["num_groups": .int(3), "epsilon": .float(0.25), "stash_type": .int(11)],
    "LayerNormalization": ["axis": .int(1), "epsilon": .float(0.25), "stash_type": .int(11)],
    "RMSNormalization": ["axis": .int(1), "epsilon": .float(0.25), "stash_type": .int(11)],
    "LRN": ["size": .int(3), "alpha": .float(0.5), "beta": .float(0.25), "bias": .float(2)],
    "Reshape": ["allowzero": .int(1)], "Flatten": ["axis": .int(2)], "Squeeze": [:], "Unsqueeze": [:],
    "Transpose": ["perm": .ints([1, 0])],
    "DepthToSpace": ["blocksize": .int(2), "mode": .string("CRD")], "SpaceToDepth": ["blocksize": .int(2)],
    "Concat": ["axis": .int(1)], "Split": ["axis": .int(1), "num_outputs": .int(3)], "Slice": [:],
    "Expand": [:], "Tile": [:], "Trilu": ["upper": .int(0)], "Gather": ["axis": .int(1)],
    "GatherElements": ["axis": .int(1)], "GatherND": ["batch_dims": .int(1)], "Scatter": ["axis": .int(1)],
    "ScatterElements": ["axis": .int(1), "reduction": .string("max")],
    "ScatterND": ["reduction": .string("mul")],
    "TensorScatter": ["axis": .int(1), "mode": .string("circular")], "Pad": ["mode": .string("wrap")],
    "CenterCropPad": ["axes": .ints([0, 2])], "OneHot": ["axis": .int(0)], "NonZero": [:],
    "Compress": ["axis": .int(0)], "ReverseSequence": ["batch_axis": .int(0), "time_axis": .int(1)],
    "Resize": [
      "mode": .string("cubic"), "coordinate_transformation_mode": .string("align_corners"),
      "nearest_mode": .string("ceil"), "keep_aspect_ratio_policy": .string("not_larger"),
      "axes": .ints([2, 3]), "antialias": .int(1), "exclude_outside": .int(1), "cubic_coeff_a": .float(-0.5),
      "extrapolation_value": .float(1),
    ],
    "Upsample": ["mode": .string("linear")],
    "RNN": joined(recurrent, ["activations": .strings(["Affine"]), "activation_alpha": .floats([2])]),
    "GRU": joined(recurrent, ["linear_before_reset": .int(1)]),
    "LSTM": joined(recurrent, ["input_forget": .int(1)]),
    "Attention": [
      "is_causal": .int(1), "q_num_heads": .int(4), "kv_num_heads": .int(2), "scale": .float(0.5),
      "softcap": .float(3), "qk_matmul_output_mode": .int(2), "softmax_precision": .int(1), "window": .int(2),
    ],
    "RotaryEmbedding": ["interleaved": .int(1), "rotary_embedding_dim": .int(4), "num_heads": .int(2)],
    "QuantizeLinear": [
      "axis": .int(0), "block_size": .int(2), "output_dtype": .int(3), "precision": .int(10),
      "saturate": .int(0),
    ],
    "DequantizeLinear": ["axis": .int(0), "block_size": .int(2), "output_dtype": .int(10)],
    "DynamicQuantizeLinear": [:],
    "com.microsoft.QuantizeLinear": ["axis": .int(0)], "com.microsoft.DequantizeLinear": ["axis": .int(0)],
    "com.microsoft.MatMulNBits": [
      "K": .int(32), "N": .int(4), "bits": .int(4), "block_size": .int(16), "accuracy_level": .int(4),
    ],
  ]

  @Test(arguments: Catalog.layerOperators.map { $0.name.text })
  func roundTrip(_ name: String) throws {
    let declaration = try #require(Catalog.layerOperators.first { $0.name.text == name })
    let sample = try #require(Self.samples[name], "an operator of the catalogue needs a sample here")
    let op = try declaration.init(attributes: sample)
    #expect(op.attributes.text == sample.text)
    #expect(try declaration.init(attributes: op.attributes).attributes.text == sample.text)
    for key in sample.keys {
      var wrong = sample
      wrong[key] = .graph(Graph())
      #expect(throws: OperatorError.self, "\(key) of the wrong kind") {
        _ = try declaration.init(attributes: wrong)
      }
    }
  }

  @Test func automaticPaddingIsWritten() throws {
    for padding in ["SAME_UPPER", "SAME_LOWER", "VALID"] {
      let conv = try Conv(attributes: ["auto_pad": .string(padding)])
      #expect(conv.attributes.text == "auto_pad=string(\"\(padding)\")")
    }
    #expect(try Conv(attributes: ["auto_pad": .string("NOTSET")]).attributes.isEmpty)
    #expect(
      throws: OperatorError(
        "attribute \"auto_pad\" is \"FULL\" (expected one of NOTSET, SAME_UPPER, SAME_LOWER, VALID).")
    ) {
      _ = try Conv(attributes: ["auto_pad": .string("FULL")])
    }
  }
}
