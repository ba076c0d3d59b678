import Graph
import Operators
import Tensors

extension OperatorExample {
  /// A body that adds its input to a sum, and writes the sum so far: `sum + value`.
  static func runningSum(_ element: ElementType = .float32) -> Graph {
    Graph(
      name: "running sum",
      inputs: [
        ValueInfo(name: "sum", type: element, dimensions: []),
        ValueInfo(name: "value", type: element, dimensions: []),
      ],
      outputs: [
        ValueInfo(name: "next", type: element, dimensions: []),
        ValueInfo(name: "shown", type: element, dimensions: []),
      ],
      nodes: [
        Node(name: "add", op: Add(), inputs: ["sum", "value"], outputs: ["next"]),
        Node(name: "show", op: Identity(), inputs: ["next"], outputs: ["shown"]),
      ])
  }

  /// A body that doubles what it carries until it reaches 20, and shows each value.
  static func doubling() -> Graph {
    let scalar: [Dimension] = []
    return Graph(
      name: "doubling",
      inputs: [
        ValueInfo(name: "number", type: .int64, dimensions: scalar),
        ValueInfo(name: "goes", type: .bool, dimensions: scalar),
        ValueInfo(name: "x", type: .float32, dimensions: scalar),
      ],
      outputs: [
        ValueInfo(name: "small", type: .bool, dimensions: scalar),
        ValueInfo(name: "doubled", type: .float32, dimensions: scalar),
        ValueInfo(name: "shown", type: .float32, dimensions: scalar),
      ],
      constants: ["two": Tensor(scalar: Float(2)), "limit": Tensor(scalar: Float(20))],
      nodes: [
        Node(name: "double", op: Mul(), inputs: ["x", "two"], outputs: ["doubled"]),
        Node(name: "show", op: Identity(), inputs: ["doubled"], outputs: ["shown"]),
        Node(name: "compare", op: Less(), inputs: ["doubled", "limit"], outputs: ["small"]),
      ])
  }

  static func constantGraph(_ name: String, _ value: Float) -> Graph {
    Graph(
      name: name, outputs: [ValueInfo(name: name, type: .float32, dimensions: [.fixed(1)])],
      nodes: [Node(name: name, op: Constant(floats([value])), inputs: [], outputs: [name])])
  }

  static func choice() -> Attributes {
    ["then_branch": .graph(constantGraph("yes", 1)), "else_branch": .graph(constantGraph("no", -1))]
  }

  static func control() throws -> [OperatorExample] {
    let choice = try If(attributes: Self.choice())
    let loop = try Loop(attributes: ["body": .graph(doubling())])
    let start = Tensor(scalar: Float(3))
    let scan = try Scan(attributes: ["body": .graph(runningSum()), "num_scan_inputs": .int(1)])
    let backwards = try Scan(attributes: [
      "body": .graph(runningSum()), "num_scan_inputs": .int(1), "scan_input_directions": .ints([1]),
      "scan_output_directions": .ints([1]),
    ])
    let zero = Tensor(scalar: Float(0))
    return [
      OperatorExample(choice, [bools([true], [])], [floats([1])]),
      OperatorExample(choice, [bools([false], [])], [floats([-1])]),
      // The condition ends it before the count does, and the other way round.
      OperatorExample(
        loop, [ints([9], []), bools([true], []), start], [Tensor(scalar: Float(24)), floats([6, 12, 24])]),
      OperatorExample(loop, [ints([2], []), nil, start], [Tensor(scalar: Float(12)), floats([6, 12])]),
      OperatorExample(loop, [nil, bools([false], []), start], [start, floats([])]),
      OperatorExample(scan, [zero, floats([1, 2, 3])], [Tensor(scalar: Float(6)), floats([1, 3, 6])]),
      OperatorExample(
        backwards, [zero, floats([1, 2, 3])], [Tensor(scalar: Float(6)), floats([6, 5, 3])]),
    ]
  }
}
