import Graph
import Operators
import Tensors
import Testing

/// Small graphs that between them reach every lowering and fusion.
struct FloatCase: Sendable, CustomTestStringConvertible {
  let name: String
  let build: @Sendable (inout Draft, _ batch: Int) throws -> Void
  var testDescription: String { name }

  init(_ name: String, _ build: @escaping @Sendable (inout Draft, _ batch: Int) throws -> Void) {
    self.name = name
    self.build = build
  }

  static let all: [FloatCase] =
    convolutions + products + poolings + elementwise + movement + rows + attention

  /// x → Conv with weights `w` and these attributes → output.
  private static func conv(
    _ name: String, _ x: Shape, _ w: Shape, _ attributes: Attributes = [:], bias: Bool = true
  ) -> FloatCase {
    FloatCase(name) { draft, batch in
      let input = draft.input("x", [batch] + x)
      let weights = draft.weights(w)
      let y = try draft.node("Conv", [input, weights, bias ? draft.weights([w[0]]) : nil], attributes)
      draft.output(y)
    }
  }

  static let convolutions: [FloatCase] = [
    conv("conv 3x3", [5, 9, 7], [6, 5, 3, 3], ["pads": .ints([1, 1, 1, 1])]),
    conv("conv without bias", [3, 8, 8], [4, 3, 3, 3], bias: false),
    conv("conv 1x1", [16, 5, 6], [33, 16, 1, 1]),
    conv("conv 1x1 stride 2", [8, 9, 9], [5, 8, 1, 1], ["strides": .ints([2, 2])]),
    conv(
      "conv 5x3 uneven", [2, 11, 6], [4, 2, 5, 3], ["pads": .ints([2, 0, 1, 2]), "strides": .ints([2, 1])]),
    conv(
      "conv dilated", [3, 12, 12], [4, 3, 3, 3], ["dilations": .ints([2, 3]), "pads": .ints([1, 1, 1, 1])]),
    conv(
      "conv same upper", [3, 7, 8], [4, 3, 4, 4],
      ["auto_pad": .string("SAME_UPPER"), "strides": .ints([2, 2])]),
    conv("conv same lower", [3, 7, 8], [4, 3, 4, 4], ["auto_pad": .string("SAME_LOWER")]),
    conv("conv groups", [6, 6, 6], [9, 2, 3, 3], ["group": .int(3), "pads": .ints([1, 1, 1, 1])]),
    conv("conv groups 1x1", [8, 4, 4], [4, 4, 1, 1], ["group": .int(2)]),
    conv("depthwise", [20, 7, 7], [20, 1, 3, 3], ["group": .int(20), "pads": .ints([1, 1, 1, 1])]),
    conv("depthwise stride 2", [7, 9, 9], [7, 1, 3, 3], ["group": .int(7), "strides": .ints([2, 2])]),
    conv("depthwise times 2", [4, 6, 6], [8, 1, 3, 3], ["group": .int(4)]),
    conv("conv 1-d", [4, 19], [6, 4, 5], ["pads": .ints([2, 2])]),
    conv("conv 3-d", [2, 4, 5, 6], [3, 2, 2, 3, 2]),
    FloatCase("conv, batch norm, relu") { draft, batch in
      let x = draft.input("x", [batch, 4, 8, 8])
      let w = draft.weights([6, 4, 3, 3])
      var y = try draft.node("Conv", [x, w])
      let variance = draft.constant(draft.random.tensor([6], scale: 0.4, offset: 0.6))
      y = try draft.node(
        "BatchNormalization", [y, draft.weights([6]), draft.weights([6]), draft.weights([6]), variance])
      draft.output(try draft.node("Relu", [y]))
    },
    FloatCase("residual block") { draft, batch in
      let x = draft.input("x", [batch, 8, 6, 6])
      let pads: Attributes = ["pads": .ints([1, 1, 1, 1])]
      var y = try draft.node("Conv", [x, draft.weights([8, 8, 3, 3]), draft.weights([8])], pads)
      y = try draft.node("Relu", [y])
      y = try draft.node("Conv", [y, draft.weights([8, 8, 3, 3]), draft.weights([8])], pads)
      y = try draft.node("Add", [y, x])
      draft.output(try draft.node("Relu", [y]))
    },
    FloatCase("two branches of convolutions") { draft, batch in
      let x = draft.input("x", [batch, 8, 6, 6])
      let a = try draft.node("Conv", [x, draft.weights([8, 8, 1, 1]), draft.weights([8])])
      let b = try draft.node("Conv", [x, draft.weights([8, 8, 1, 1]), draft.weights([8])])
      let sum = try draft.node("Add", [b, a])
      let low = draft.constant(Tensor(scalar: Float(-0.2)))
      let high = draft.constant(Tensor(scalar: Float(0.9)))
      draft.output(try draft.node("Clip", [sum, low, high]))
      draft.output(b)
    },
    FloatCase("clamped branch before a sum") { draft, batch in
      let x = draft.input("x", [batch, 8, 5, 5])
      var y = try draft.node("Conv", [x, draft.weights([8, 8, 1, 1]), draft.weights([8])])
      y = try draft.node("Relu", [y])
      draft.output(try draft.node("Add", [x, y]))
    },
    FloatCase("bias as a sum") { draft, batch in
      let x = draft.input("x", [batch, 3, 5, 5])
      let y = try draft.node("Conv", [x, draft.weights([4, 3, 3, 3])])
      draft.output(try draft.node("Relu", [try draft.node("Add", [draft.weights([1, 4, 1, 1]), y])]))
    },
    FloatCase("batch norm alone") { draft, batch in
      let x = draft.input("x", [batch, 5, 4, 3])
      let variance = draft.constant(draft.random.tensor([5], scale: 0.4, offset: 0.6))
      let y = try draft.node(
        "BatchNormalization", [x, draft.weights([5]), draft.weights([5]), draft.weights([5]), variance])
      draft.output(y)
      let pooled = try draft.node("MaxPool", [y], ["kernel_shape": .ints([2, 2])])
      draft.output(
        try draft.node(
          "BatchNormalization",
          [pooled, draft.weights([5]), draft.weights([5]), draft.weights([5]), variance]))
    },
    FloatCase("transposed convolution in groups") { draft, batch in
      let x = draft.input("x", [batch, 6, 7])
      let y = try draft.node(
        "ConvTranspose", [x, draft.weights([6, 4, 3])],
        ["strides": .ints([3]), "dilations": .ints([2]), "group": .int(2), "pads": .ints([0, 1])])
      draft.output(y)
    },
    FloatCase("transposed convolution") { draft, batch in
      let x = draft.input("x", [batch, 4, 5, 5])
      let y = try draft.node(
        "ConvTranspose", [x, draft.weights([4, 3, 3, 3]), draft.weights([3])],
        ["strides": .ints([2, 2]), "pads": .ints([1, 1, 1, 1]), "output_padding": .ints([1, 1])])
      draft.output(try draft.node("Relu", [y]))
    },
  ]

  static let products: [FloatCase] = [
    FloatCase("gemm") { draft, batch in
      let x = draft.input("x", [batch, 37])
      draft.output(try draft.node("Gemm", [x, draft.weights([37, 19]), draft.weights([19])]))
    },
    FloatCase("gemms of a large matrix") { draft, batch in
      let w = draft.weights([301, 900], scale: 0.1)
      for rows in [batch, 29 + batch, 140 + batch] {
        let x = draft.input("x\(rows)", [rows, 900])
        let r = draft.input("r\(rows)", [rows, 301])
        let y = try draft.node("Gemm", [x, w, draft.weights([301])], ["transB": .int(1)])
        draft.output(try draft.node("Relu", [try draft.node("Add", [y, r])]))
      }
    },
    FloatCase("gemm with factors") { draft, batch in
      let x = draft.input("x", [batch, 10])
      draft.output(
        try draft.node(
          "Gemm", [x, draft.weights([7, 10]), draft.weights([1])],
          ["transB": .int(1), "alpha": .float(0.5), "beta": .float(2)]))
    },
    FloatCase("gemm of two inputs") { draft, batch in
      let x = draft.input("x", [batch, 10])
      let y = draft.input("y", [7, 10])
      draft.output(try draft.node("Gemm", [x, y, draft.weights([7])], ["transB": .int(1)]))
    },
    FloatCase("gemm, transposed left") { draft, batch in
      let x = draft.input("x", [10, batch])
      draft.output(try draft.node("Gemm", [x, draft.weights([10, 4])], ["transA": .int(1)]))
    },
    FloatCase("flattened image to gemm") { draft, batch in
      let x = draft.input("x", [batch, 3, 6, 6])
      var y = try draft.node("Conv", [x, draft.weights([5, 3, 3, 3]), draft.weights([5])])
      y = try draft.node("Flatten", [y])
      draft.output(try draft.node("Gemm", [y, draft.weights([80, 9]), draft.weights([9])]))
      draft.output(try draft.node("Relu", [y]))
    },
    FloatCase("matmul, bias, relu") { draft, batch in
      let x = draft.input("x", [batch, 6, 20])
      let y = try draft.node("MatMul", [x, draft.weights([20, 34])])
      draft.output(try draft.node("Relu", [try draft.node("Add", [y, draft.weights([34])])]))
    },
    FloatCase("matmul with a sum") { draft, batch in
      let x = draft.input("x", [batch, 6, 20])
      let r = draft.input("r", [batch, 6, 8])
      let y = try draft.node(
        "Add", [try draft.node("MatMul", [x, draft.weights([20, 8])]), draft.weights([8])])
      draft.output(try draft.node("Add", [r, y]))
    },
    FloatCase("attention") { draft, batch in
      let q = draft.input("q", [batch, 3, 7, 8])
      let k = draft.input("k", [batch, 3, 7, 8])
      let v = draft.input("v", [1, 3, 7, 8])
      let turned = try draft.node("Transpose", [k], ["perm": .ints([0, 1, 3, 2])])
      var y = try draft.node("MatMul", [q, turned])
      y = try draft.node("Softmax", [y], ["axis": .int(-1)])
      y = try draft.node("MatMul", [y, v])
      y = try draft.node("Transpose", [y], ["perm": .ints([0, 2, 1, 3])])
      draft.output(try draft.node("Reshape", [y, draft.integers([batch, 7, 24])]))
    },
    FloatCase("matmul of a vector") { draft, batch in
      let x = draft.input("x", [20])
      let y = draft.input("y", [batch, 20, 3])
      draft.output(try draft.node("MatMul", [x, y]))
    },
    FloatCase("matmul, constant on the left") { draft, batch in
      let x = draft.input("x", [batch, 6, 5])
      draft.output(try draft.node("MatMul", [draft.weights([4, 6]), x]))
    },
  ]

  static let poolings: [FloatCase] = [
    FloatCase("max pools") { draft, batch in
      let x = draft.input("x", [batch, 5, 9, 7])
      draft.output(
        try draft.node(
          "MaxPool", [x],
          [
            "kernel_shape": .ints([3, 2]), "strides": .ints([2, 2]), "pads": .ints([1, 0, 1, 1]),
            "ceil_mode": .int(1),
          ]))
      draft.output(try draft.node("GlobalMaxPool", [x]))
    },
    FloatCase("average pools") { draft, batch in
      let x = draft.input("x", [batch, 5, 9, 7])
      let window: Attributes = [
        "kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "strides": .ints([2, 2]),
      ]
      draft.output(try draft.node("AveragePool", [x], window))
      draft.output(try draft.node("AveragePool", [x], window.merging(["count_include_pad": .int(1)]) { $1 }))
      draft.output(try draft.node("GlobalAveragePool", [x]))
    },
    FloatCase("pool, flatten, gemm") { draft, batch in
      let x = draft.input("x", [batch, 6, 4, 4])
      var y = try draft.node("Conv", [x, draft.weights([6, 6, 1, 1])])
      y = try draft.node("GlobalAveragePool", [y])
      y = try draft.node("Flatten", [y])
      draft.output(try draft.node("Gemm", [y, draft.weights([6, 3])]))
    },
    FloatCase("mean over space") { draft, batch in
      let x = draft.input("x", [batch, 6, 4, 4])
      let y = try draft.node("Conv", [x, draft.weights([6, 6, 1, 1])])
      draft.output(try draft.node("ReduceMean", [y, draft.integers([2, 3])], ["keepdims": .int(0)]))
      draft.output(try draft.node("ReduceMean", [y, draft.integers([2, 3])]))
    },
  ]

  static let rows: [FloatCase] = [
    FloatCase("softmax over axes") { draft, batch in
      let x = draft.input("x", [batch, 5, 4, 3], scale: 4)
      for axis in [-1, 1, 2] { draft.output(try draft.node("Softmax", [x], ["axis": .int(axis)])) }
    },
    FloatCase("normalisations") { draft, batch in
      let x = draft.input("x", [batch, 5, 12], scale: 3, offset: 1)
      draft.output(try draft.node("LayerNormalization", [x, draft.weights([12]), draft.weights([12])]))
      draft.output(try draft.node("LayerNormalization", [x, draft.weights([5, 12])], ["axis": .int(1)]))
      draft.output(try draft.node("RMSNormalization", [x, draft.weights([12])]))
    },
    FloatCase("reductions") { draft, batch in
      let x = draft.input("x", [batch, 4, 5, 6])
      for type in ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceProd"] {
        for axes in [[-1], [1], [1, 2], [0, 3], [0, 1, 2, 3]] {
          draft.output(try draft.node(type, [x, draft.integers(axes)], ["keepdims": .int(axes.count % 2)]))
        }
      }
    },
    FloatCase("error energies") { draft, batch in
      let x = draft.input("x", [batch, 5, 7, 6])
      func energy(_ a: ValueName, _ b: ValueName?, axis: Int?) -> ValueName {
        let name = "energy\(draft.graph.nodes.count)"
        let op = ErrorEnergy(samples: batch, channelAxis: axis)
        draft.graph.nodes.append(Node(name: name, op: op, inputs: [a, b], outputs: [name]))
        return name
      }
      // One operand in each order, both in one, and rows.
      let y = try draft.node("Conv", [x, draft.weights([5, 5, 1, 1])])
      let z = try draft.node("Conv", [x, draft.weights([5, 5, 1, 1])])
      for axis in [1, 3, nil] {
        draft.output(energy(y, z, axis: axis))
        draft.output(energy(x, y, axis: axis))
        draft.output(energy(y, nil, axis: axis))
      }
    },
  ]
}
