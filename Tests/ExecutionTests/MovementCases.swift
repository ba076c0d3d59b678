import Graph
import Tensors

extension FloatCase {
  static let elementwise: [FloatCase] = [
    FloatCase("functions of one element") { draft, batch in
      let x = draft.input("x", [batch, 3, 5, 7], scale: 3)
      let positive = draft.input("p", [batch, 33], scale: 0.4, offset: 0.6)
      for type in [
        "Exp", "Tanh", "Sigmoid", "Erf", "Relu", "HardSwish", "Neg", "Abs", "Gelu", "Softplus", "LeakyRelu",
      ] {
        draft.output(try draft.node(type, [x]))
      }
      draft.output(try draft.node("Gelu", [x], ["approximate": .string("tanh")]))
      for type in ["Sqrt", "Log", "Reciprocal"] { draft.output(try draft.node(type, [positive])) }
      for power in [0.5, 2, 3, 1.7] as [Float] {
        draft.output(try draft.node("Pow", [positive, draft.constant(Tensor(scalar: power))]))
      }
    },
    FloatCase("arithmetic with broadcasting") { draft, batch in
      let x = draft.input("x", [batch, 4, 3, 5], scale: 2, offset: 3)
      let shapes: [Shape] = [
        [batch, 4, 3, 5], [1], [], [5], [4, 1, 1], [batch, 1, 1, 1], [1, 4, 1, 5], [3, 1],
      ]
      for type in ["Add", "Sub", "Mul", "Div", "Max", "Min"] {
        for shape in shapes {
          let other = draft.constant(draft.random.tensor(shape, scale: 1, offset: 2))
          draft.output(try draft.node(type, [x, other]))
          draft.output(try draft.node(type, [other, x]))
        }
      }
    },
    FloatCase("arithmetic on images with channels last") { draft, batch in
      let x = draft.input("x", [batch, 3, 6, 6])
      let y = try draft.node("Conv", [x, draft.weights([7, 3, 1, 1])])
      let scaled = try draft.node("Mul", [y, draft.weights([7, 1, 1])])
      let gate = try draft.node("Sigmoid", [try draft.node("GlobalAveragePool", [y])])
      let gated = try draft.node("Mul", [scaled, gate])
      draft.output(gated)
      draft.output(try draft.node("Sub", [gated, draft.input("z", [batch, 7, 6, 6])]))
      draft.output(try draft.node("Add", [gated, draft.weights([6, 6])]))
    },
    FloatCase("operands used twice") { draft, batch in
      let x = draft.input("x", [batch, 6])
      var y = try draft.node("Tanh", [x])
      y = try draft.node("Mul", [y, y])
      let row = try draft.node("Reshape", [y, draft.integers([6, batch])])
      draft.output(
        try draft.node("Add", [try draft.node("Reshape", [row, draft.integers([batch, 6])]), y]))
      draft.output(try draft.node("Relu", [y]))
    },
    FloatCase("two inputs that broadcast each other") { draft, batch in
      let a = draft.input("a", [batch, 1, 6])
      let b = draft.input("b", [5, 1])
      draft.output(try draft.node("Add", [a, b]))
      draft.output(try draft.node("Relu", [try draft.node("Mul", [b, a])]))
    },
    FloatCase("questions, choices and casts") { draft, batch in
      let x = draft.input("x", [batch, 4, 6], scale: 2)
      let i = draft.input("i", Tensor((0..<batch * 6).map { Int32($0 % 5) }, shape: [batch, 1, 6]))
      let more = try draft.node("Greater", [x, draft.constant(Tensor(scalar: Float(0.1)))])
      let same = try draft.node("Equal", [i, draft.constant(Tensor([Int32(1), 3, 2, 4], shape: [4, 1]))])
      draft.output(try draft.node("Where", [more, x, draft.constant(Tensor(scalar: Float(-7)))]))
      draft.output(try draft.node("Cast", [same], ["to": .int(ElementType.float32.rawValue)]))
      let both = try draft.node("And", [more, same])
      draft.output(try draft.node("Where", [both, x, try draft.node("Neg", [x])]))
      for type in ["Or", "Xor"] { draft.output(try draft.node(type, [more, same])) }
      for type in ["Less", "LessOrEqual", "GreaterOrEqual", "Equal"] {
        draft.output(try draft.node(type, [x, draft.constant(draft.random.tensor([6]))]))
        draft.output(try draft.node(type, [i, draft.constant(Tensor([Int32(1), 3, 2, 4], shape: [4, 1]))]))
      }
      draft.output(try draft.node("Not", [more]))
      let wide = try draft.node("Cast", [i], ["to": .int(ElementType.int64.rawValue)])
      draft.output(try draft.node("Mul", [wide, wide]))
      draft.output(try draft.node("Cast", [wide], ["to": .int(ElementType.float32.rawValue)]))
    },
  ]

  static let movement: [FloatCase] = [
    FloatCase("transpositions") { draft, batch in
      let x = draft.input("x", [batch, 3, 4, 5])
      let image = try draft.node("Conv", [x, draft.weights([6, 3, 1, 1])])
      for order in [[0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 2, 3], [0, 1, 3, 2], [0, 1, 2, 3]] {
        draft.output(try draft.node("Transpose", [x], ["perm": .ints(order)]))
        draft.output(try draft.node("Transpose", [image], ["perm": .ints(order)]))
      }
    },
    FloatCase("channels last in the model") { draft, batch in
      let x = draft.input("x", [batch, 6, 5, 3])
      let turned = try draft.node("Transpose", [x], ["perm": .ints([0, 3, 1, 2])])
      let y = try draft.node("Conv", [turned, draft.weights([4, 3, 3, 3]), draft.weights([4])])
      draft.output(try draft.node("Transpose", [y], ["perm": .ints([0, 2, 3, 1])]))
    },
    FloatCase("slices") { draft, batch in
      let x = draft.input("x", [batch, 4, 7, 6])
      let image = try draft.node("Conv", [x, draft.weights([5, 4, 1, 1])])
      for value in [x, image] {
        draft.output(
          try draft.node(
            "Slice",
            [
              value, draft.integers([1, -1]), draft.integers([4, -100]), draft.integers([1, 2]),
              draft.integers([1, -2]),
            ]))
        draft.output(
          try draft.node("Slice", [value, draft.integers([2]), draft.integers([5]), draft.integers([3])]))
      }
    },
    FloatCase("joined and split") { draft, batch in
      let x = draft.input("x", [batch, 4, 5, 6])
      let a = try draft.node("Conv", [x, draft.weights([3, 4, 1, 1])])
      let b = try draft.node("Conv", [x, draft.weights([7, 4, 1, 1])])
      let joined = try draft.node("Concat", [a, b, a], ["axis": .int(1)])
      draft.output(joined)
      draft.output(try draft.node("Concat", [a, a], ["axis": .int(-1)]))
      draft.output(
        try draft.node(
          "Concat", [x, x, draft.constant(draft.random.tensor([batch, 4, 5, 6]))], ["axis": .int(0)]))
      let parts = try draft.node(
        "Split", [joined, draft.integers([2, 10, 1])], ["axis": .int(1)], outputs: 3)
      draft.output(parts)
      draft.output("\(parts).1")
      draft.output("\(parts).2")
    },
    FloatCase("shapes") { draft, batch in
      let x = draft.input("x", [batch, 4, 3, 2])
      let image = try draft.node("Conv", [x, draft.weights([6, 4, 1, 1])])
      for value in [x, image] {
        draft.output(try draft.node("Reshape", [value, draft.integers([batch, -1, 2])]))
        draft.output(try draft.node("Reshape", [value, draft.integers([0, 0, -1])]))
        let flat = try draft.node("Flatten", [value], ["axis": .int(1)])
        draft.output(flat)
        draft.output(try draft.node("Tanh", [flat]))
        draft.output(try draft.node("Reshape", [flat, draft.integers([-1])]))
        draft.output(try draft.node("Unsqueeze", [value, draft.integers([0, 5])]))
      }
      draft.output(
        try draft.node("Squeeze", [try draft.node("GlobalAveragePool", [image]), draft.integers([2, 3])]))
      draft.output(try draft.node("Expand", [draft.input("e", [3, 1]), draft.integers([2, 3, 4])]))
    },
    FloatCase("padded") { draft, batch in
      let x = draft.input("x", [batch, 3, 4, 5])
      let image = try draft.node("Conv", [x, draft.weights([4, 3, 1, 1])])
      for value in [x, image] {
        draft.output(try draft.node("Pad", [value, draft.integers([0, 2, 1, 0, 0, 1, 0, 3])]))
        draft.output(
          try draft.node(
            "Pad",
            [value, draft.integers([0, 2, 1, 0, 0, 1, 0, 3]), draft.constant(Tensor(scalar: Float(1.5)))]))
        draft.output(
          try draft.node(
            "Pad", [value, draft.integers([0, 0, 1, 2, 0, 0, 1, 2])], ["mode": .string("reflect")]))
      }
    },
    FloatCase("blocks of space") { draft, batch in
      let x = draft.input("x", [batch, 8, 3, 4])
      let image = try draft.node("Conv", [x, draft.weights([8, 8, 1, 1])])
      for value in [x, image] {
        for mode in ["DCR", "CRD"] {
          draft.output(
            try draft.node("DepthToSpace", [value], ["blocksize": .int(2), "mode": .string(mode)]))
        }
      }
    },
    FloatCase("rows looked up") { draft, batch in
      let picks = draft.input("i", Tensor((0..<batch * 4).map { Int64($0 * 5 % 9 - 4) }, shape: [batch, 4]))
      draft.output(try draft.node("Gather", [draft.weights([9, 6]), picks]))
      draft.output(try draft.node("Gather", [draft.input("x", [batch, 7, 3]), picks], ["axis": .int(1)]))
      draft.output(try draft.node("Gather", [draft.weights([5, 8]), picks], ["axis": .int(-1)]))
    },
  ]
}
