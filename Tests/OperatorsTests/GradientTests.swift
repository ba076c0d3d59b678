import Graph
import Operators
import Tensors
import Testing

/// Gradients against central finite differences of the operators' references.
struct GradientTests {
  /// Operators whose gradient is not that of their reference.
  static let straightThrough = ["FakeQuantize", "StopGradient"]

  @Test func everyDifferentiableOperatorHasAnExample() {
    let shown = Set(GradientExample.all.map { type(of: $0.op).name.type } + Self.straightThrough)
    let operators = Catalog.operators.filter { $0 is any DifferentiableOperator.Type }
    for op in operators { #expect(shown.contains(op.name.type), "\(op.name.text) has no example") }
    #expect(operators.count > 70)
  }

  @Test(arguments: GradientExample.all)
  func equalsFiniteDifferences(_ example: GradientExample) throws {
    let site = try GradientRun(example, wanted: example.wanted)
    let gradients = try site.gradients()
    for index in example.wanted {
      let x = try #require(example.inputs[index])
      let found = try #require(gradients[index], "input \(index) has a gradient")
      #expect(found.type == x.type)
      #expect(found.shape == x.shape)
      let expected = try site.differences(index)
      let largest = expected.map(\.magnitude).max() ?? 0
      let worst = zip(found.doubles, expected).map { ($0 - $1).magnitude }.reduce(0) {
        $0.isNaN ? $0 : max($0, $1)
      }
      #expect(
        worst <= example.tolerance * max(largest, 1e-3),
        "input \(index): \(found.doubles) instead of \(expected)")
    }
    #expect(gradients.keys.sorted() == example.wanted.sorted())
  }

  /// What is asked for beside a gradient does not change it.
  @Test(arguments: GradientExample.all.filter { $0.wanted.count > 1 })
  func gradientsAreIndependent(_ example: GradientExample) throws {
    let all = try GradientRun(example, wanted: example.wanted).gradients()
    for index in example.wanted {
      let alone = try GradientRun(example, wanted: [index]).gradients()
      #expect(alone.keys.sorted() == [index])
      let (a, b) = (try #require(alone[index]), try #require(all[index]))
      #expect(a.doubles == b.doubles)
    }
  }

  /// The straight-through estimator of `FakeQuantize`, element by element.
  @Test(arguments: FakeQuantizeCase.all)
  func fakeQuantizeIsStraightThrough(_ example: FakeQuantizeCase) throws {
    var numbers = SeededNumbers(seed: 5)
    let shape = [4, 6]
    let count = example.cells
    let x = Tensor(numbers.tensor(shape).floats.map { $0 * 4 }, shape: shape)
    let scales = Tensor(numbers.tensor([count]).floats.map { abs($0) * 0.5 + 0.2 }, shape: [count])
    let zeros = Tensor(numbers.tensor([count]).floats.map { $0 * 3 }, shape: [count])
    let op = FakeQuantize(example.points)
    var run = GradientExample(op, [x, scales, zeros], [0, 1, 2])
    // PACT is for zero point 0.
    for hasZero in example.points.clipsOnly ? [false] : [true, false] {
      if !hasZero {
        run.inputs[2] = nil
        run.wanted = [0, 1]
      }
      let site = try GradientRun(run, wanted: run.wanted)
      let gradients = try site.gradients()
      let g = site.factors[0]
      let clipsOnly = example.points.clipsOnly
      let factor =
        clipsOnly ? 1 : 1 / (Double(24 / count) * Double(example.points.codes.upperBound)).squareRoot()
      var ofX = [Double](repeating: 0, count: 24)
      var ofScale = [Double](repeating: 0, count: count)
      var ofZero = ofScale
      for row in 0..<4 {
        for column in 0..<6 {
          let (i, cell) = (row * 6 + column, example.cell(row, column))
          let zero = hasZero ? Double(zeros.floats[cell].rounded(.toNearestOrEven)) : 0
          let v = Double(x.floats[i] / scales.floats[cell])
          let (low, high) = (
            Double(example.points.codes.lowerBound) - zero, Double(example.points.codes.upperBound) - zero
          )
          if v >= low, v <= high {
            ofX[i] = g.doubles[i]
            ofScale[cell] += clipsOnly ? 0 : factor * g.doubles[i] * (v.rounded(.toNearestOrEven) - v)
          } else {
            ofScale[cell] += factor * g.doubles[i] * (v < low ? low : high)
            ofZero[cell] -= factor * g.doubles[i] * Double(scales.floats[cell])
          }
        }
      }
      for (index, expected) in [ofX, ofScale, ofZero].enumerated() where run.wanted.contains(index) {
        let found = try #require(gradients[index]).doubles
        let worst = zip(found, expected).map { ($0 - $1).magnitude }.max() ?? 0
        #expect(worst <= 1e-5, "input \(index): \(found) instead of \(expected)")
      }
    }
  }

  @Test func gradientsThatDoNotExistAreErrors() throws {
    let x = Tensor([0.5, 1.5], shape: [2])
    let seven: [Tensor?] = [
      Tensor([0.5, 1.5], shape: [1, 1, 1, 2]), Tensor([0.5, 1.5], shape: [1, 1, 1, 2]),
      Tensor([0.5, 1.5], shape: [1, 1, 1, 2]), nil, Tensor([0.5, 1.5], shape: [1, 1, 1, 2]),
      Tensor([0.5, 1.5], shape: [1, 1, 1, 2]),
    ]
    let impossible: [GradientExample] = try [
      GradientExample(Cast(to: .int32), [x]),
      GradientExample(Pad(mode: .edge), [x, ints([1, 1])]),
      GradientExample(Pad(), [x, ints([1, 1]), Tensor(scalar: 0.0)], [0, 2]),
      GradientExample(Dropout(attributes: [:]), [x, nil, Tensor(scalar: true)]),
      GradientExample(Clip(), [x, Tensor(scalar: 0.0)]).changed { $0.computed = [1] },
      GradientExample(Attention(), seven),
      GradientExample(Einsum(attributes: ["equation": .string("ii->i")]), [Tensor([1.0], shape: [1, 1])]),
    ]
    for example in impossible {
      #expect(throws: OperatorError.self, "\(example.testDescription)") {
        try GradientRun(example, wanted: example.wanted)
      }
    }
  }
}

/// Which elements of a `[4, 6]` tensor share a scale.
struct FakeQuantizeCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let points: QuantizationPoints
  let cells: Int
  let cell: @Sendable (_ row: Int, _ column: Int) -> Int

  static let all = [
    FakeQuantizeCase(testDescription: "tensor", points: QuantizationPoints(codes: -4...3), cells: 1) { _, _ in
      0
    },
    FakeQuantizeCase(
      testDescription: "rows",
      points: QuantizationPoints(codes: 0...15, granularity: .channel, channelAxis: 0),
      cells: 4
    ) { row, _ in row },
    FakeQuantizeCase(
      testDescription: "columns",
      points: QuantizationPoints(codes: -2...1, granularity: .channel, channelAxis: 1), cells: 6
    ) { $1 },
    FakeQuantizeCase(
      testDescription: "groups of a row",
      points: QuantizationPoints(codes: -8...7, granularity: .group(3), channelAxis: 0, groupAxis: 1),
      cells: 8
    ) { $0 * 2 + $1 / 3 },
    FakeQuantizeCase(
      testDescription: "groups of a column",
      points: QuantizationPoints(codes: -8...7, granularity: .group(2), channelAxis: 1, groupAxis: 0),
      cells: 12
    ) { $0 / 2 * 6 + $1 },
    FakeQuantizeCase(testDescription: "clips only", points: clipping, cells: 1) { _, _ in 0 },
  ]

  private static let clipping: QuantizationPoints = {
    var points = QuantizationPoints(codes: 0...7)
    points.clipsOnly = true
    return points
  }()
}

/// The loss Σ y · r of a node's outputs and random r, and its gradient as graph.
struct GradientRun {
  let example: GradientExample
  /// ∂loss/∂output of each output the loss depends on.
  let factors: [Tensor]
  private let graph: Graph
  private let names: [ValueName?]

  init(_ example: GradientExample, wanted: [Int]) throws {
    self.example = example
    var builder = GraphBuilder(Graph(), infos: [:])
    let inputs = example.inputs.enumerated().map { index, tensor -> ValueName? in
      guard let tensor else { return nil }
      return example.wanted.contains(index) || example.computed.contains(index)
        ? builder.input("x\(index)", type: tensor.type, shape: tensor.shape)
        : builder.constant(tensor, named: "c\(index)")
    }
    let node = Node(
      name: "node", op: example.op, inputs: inputs, outputs: (0..<example.outputs).map { "y\($0)" })
    try builder.append(node)
    let results = try example.op.evaluate(
      example.inputs, outputs: example.outputs, context: EvaluationContext())
    var numbers = SeededNumbers(seed: 77)
    factors = results.enumerated().map { index, y in
      example.used.contains(index)
        ? numbers.tensor(y.shape).converted(to: y.type) : Tensor(integers: [], shape: [0], type: y.type)
    }
    let upstream = factors.enumerated().map { index, tensor in
      example.used.contains(index) ? builder.constant(tensor, named: "g\(index)") : nil
    }
    guard let op = example.op as? any DifferentiableOperator else {
      throw OperatorError("\(type(of: example.op).name.text) has no gradient")
    }
    let site = GradientSite(
      node: node, upstream: upstream, wanted: inputs.indices.map { wanted.contains($0) })
    names = try op.gradient(site, &builder)
    guard names.count == inputs.count else {
      throw OperatorError("\(names.count) gradients of \(inputs.count) inputs")
    }
    graph = builder.graph
  }

  /// The gradients there are, by input.
  func gradients() throws -> [Int: Tensor] {
    let given = graph.inputs.map(\.name).compactMap { name in
      Int(name.dropFirst()).flatMap { example.inputs[$0] }.map { (name, $0) }
    }
    let values = try graph.evaluate(
      Dictionary(uniqueKeysWithValues: given), keeping: Set(names.compactMap { $0 }))
    var result: [Int: Tensor] = [:]
    for (index, name) in names.enumerated() { if let name { result[index] = values[name] } }
    return result
  }

  /// ∂loss/∂input by central differences.
  func differences(_ index: Int) throws -> [Double] {
    guard let x = example.inputs[index] else { return [] }
    let values = x.doubles
    return try values.indices.map { element in
      let losses = try [example.step, -example.step].map { step in
        var moved = values
        moved[element] += step
        var inputs = example.inputs
        inputs[index] = Tensor(doubles: moved, shape: x.shape, type: x.type)
        let results = try example.op.evaluate(
          inputs, outputs: example.outputs, context: EvaluationContext())
        return example.used.reduce(0.0) { sum, output in
          zip(results[output].doubles, factors[output].doubles).reduce(sum) { $0 + $1.0 * $1.1 }
        }
      }
      return (losses[0] - losses[1]) / (2 * example.step)
    }
  }
}
