import Foundation
import Graph
import Operators
import Tensors
import Testing

/// Recurrent layers against the formulas written out for one unit, and against themselves in other arrangements.
struct RecurrentTests {
  static let layers: [(name: String, gates: Int)] = [("RNN", 1), ("GRU", 3), ("LSTM", 4)]
  private let hidden = 3
  private let features = 2

  private func layer(_ name: String, _ attributes: Attributes) throws -> any Operator {
    let type = try #require(Catalog.find(domain: "", type: name))
    return try type.init(attributes: attributes)
  }

  private func part(_ x: Tensor, axis: Int, _ range: Range<Int>) throws -> Tensor {
    func list(_ value: Int) -> Tensor { Tensor(integers: [value], shape: [1]) }
    return try Slice().output(x, list(range.lowerBound), list(range.upperBound), list(axis))
  }

  private func reversed(_ x: Tensor) throws -> Tensor {
    func list(_ value: Int) -> Tensor { Tensor(integers: [value], shape: [1]) }
    return try Slice().output(x, list(-1), list(-100), list(0), list(-1))
  }

  @Test(arguments: layers) func directionsAreTwoLayers(_ name: String, _ gates: Int) throws {
    var numbers = SeededNumbers(seed: 5)
    let x = numbers.tensor([4, 2, features])
    let w = numbers.tensor([2, gates * hidden, features])
    let r = numbers.tensor([2, gates * hidden, hidden])
    let b = numbers.tensor([2, 2 * gates * hidden])
    let both = try layer(name, ["direction": .string("bidirectional")]).outputs([x, w, r, b], count: 2)
    for d in 0..<2 {
      let operands = try [w, r, b].map { try part($0, axis: 0, d..<d + 1) }
      let forward = try layer(name, [:]).outputs([d == 0 ? x : reversed(x)] + operands, count: 2)
      let want = try d == 0 ? forward[0] : reversed(forward[0])
      #expect(distance(try part(both[0], axis: 1, d..<d + 1), want) < 1e-12)
      #expect(distance(try part(both[1], axis: 0, d..<d + 1), forward[1]) < 1e-12)
      if d == 1 {
        let backward = try layer(name, ["direction": .string("reverse")]).outputs([x] + operands, count: 2)
        #expect(distance(backward[0], want) < 1e-12)
      }
    }
  }

  /// A sequence shorter than the batch's longest gives what it gives alone, and zeros after its end.
  @Test(arguments: layers) func lengthsEndSequences(_ name: String, _ gates: Int) throws {
    var numbers = SeededNumbers(seed: 6)
    let x = numbers.tensor([5, 2, features])
    let w = numbers.tensor([1, gates * hidden, features])
    let r = numbers.tensor([1, gates * hidden, hidden])
    let lengths = Tensor([Int32(5), 3], shape: [2])
    for direction in ["forward", "reverse"] {
      let op = try layer(name, ["direction": .string(direction)])
      let batch = try op.outputs([x, w, r, nil, lengths], count: 2)
      for (b, length) in [5, 3].enumerated() {
        let alone = try part(part(x, axis: 1, b..<b + 1), axis: 0, 0..<length)
        let want = try op.outputs([alone, w, r], count: 2)
        let got = try part(batch[0], axis: 2, b..<b + 1)
        #expect(distance(try part(got, axis: 0, 0..<length), want[0]) < 1e-12)
        #expect(try part(got, axis: 0, length..<5).doubles.allSatisfy { $0 == 0 })
        #expect(distance(try part(batch[1], axis: 1, b..<b + 1), want[1]) < 1e-12)
      }
    }
  }

  @Test(arguments: layers) func layoutMovesTheBatchFirst(_ name: String, _ gates: Int) throws {
    var numbers = SeededNumbers(seed: 7)
    let x = numbers.tensor([4, 2, features])
    let w = numbers.tensor([1, gates * hidden, features])
    let r = numbers.tensor([1, gates * hidden, hidden])
    let start = numbers.tensor([1, 2, hidden])
    let timeFirst = try layer(name, [:]).outputs([x, w, r, nil, nil, start], count: 2)
    let batchFirst = try layer(name, ["layout": .int(1)]).outputs(
      [x.permuted([1, 0, 2]), w, r, nil, nil, start.permuted([1, 0, 2])], count: 2)
    #expect(distance(batchFirst[0], timeFirst[0].permuted([2, 0, 1, 3])) < 1e-12)
    #expect(distance(batchFirst[1], timeFirst[1].permuted([1, 0, 2])) < 1e-12)
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private func one(_ values: [Double], _ shape: Shape) -> Tensor { Tensor(values, shape: shape) }

  /// One unit, one feature, two steps, with peepholes, biases and a start: the ONNX formulas by hand.
  @Test func longShortTermMemory() throws {
    let w = [0.3, -0.2, 0.5, 0.7]
    let r = [0.1, 0.4, -0.3, 0.2]
    let bias = [0.05, -0.1, 0.2, 0.3, 0.02, 0.03, -0.04, 0.06]
    let p = [0.5, -0.6, 0.7]
    let x = [1.5, -0.8]
    for coupled in [false, true] {
      var (h, c) = (0.2, -0.4)
      var want: [Double] = []
      for t in 0..<2 {
        func gate(_ k: Int) -> Double { x[t] * w[k] + h * r[k] + bias[k] + bias[4 + k] }
        let i = sigmoid(gate(0) + p[0] * c)
        let f = coupled ? 1 - i : sigmoid(gate(2) + p[2] * c)
        let new = f * c + i * tanh(gate(3))
        let o = sigmoid(gate(1) + p[1] * new)
        (h, c) = (o * tanh(new), new)
        want.append(h)
      }
      let op = try layer("LSTM", ["input_forget": .int(coupled ? 1 : 0)])
      let got = try op.outputs(
        [
          one(x, [2, 1, 1]), one(w, [1, 4, 1]), one(r, [1, 4, 1]), one(bias, [1, 8]), nil,
          one([0.2], [1, 1, 1]), one([-0.4], [1, 1, 1]), one(p, [1, 3]),
        ], count: 3)
      #expect(distance(got[0], one(want, [2, 1, 1, 1])) < 1e-14)
      #expect(abs(got[2].doubles[0] - c) < 1e-14)
    }
  }

  @Test func gatedUnit() throws {
    let w = [0.3, -0.2, 0.5]
    let r = [0.1, 0.4, -0.3]
    let bias = [0.05, -0.1, 0.2, 0.3, 0.02, 0.7]
    let x = [1.5, -0.8]
    for linear in [false, true] {
      var h = 0.6
      for t in 0..<2 {
        let z = sigmoid(x[t] * w[0] + h * r[0] + bias[0] + bias[3])
        let reset = sigmoid(x[t] * w[1] + h * r[1] + bias[1] + bias[4])
        let inner = linear ? reset * (h * r[2] + bias[5]) : reset * h * r[2] + bias[5]
        h = (1 - z) * tanh(x[t] * w[2] + bias[2] + inner) + z * h
      }
      let op = try layer("GRU", ["linear_before_reset": .int(linear ? 1 : 0)])
      let got = try op.outputs(
        [
          one(x, [2, 1, 1]), one(w, [1, 3, 1]), one(r, [1, 3, 1]), one(bias, [1, 6]), nil,
          one([0.6], [1, 1, 1]),
        ],
        count: 2)
      #expect(abs(got[1].doubles[0] - h) < 1e-14)
    }
  }

  @Test func functionsTakeTheirParametersInTurn() throws {
    // Tanh has no parameters, so the first of each list belongs to HardSigmoid.
    let op = try layer(
      "RNN",
      [
        "direction": .string("bidirectional"), "activations": .strings(["tanh", "HardSigmoid"]),
        "activation_alpha": .floats([0.5]), "activation_beta": .floats([0.25]),
      ])
    let got = try op.output(one([0.6], [1, 1, 1]), one([1, 1], [2, 1, 1]), one([0, 0], [2, 1, 1]))
    #expect(distance(got, one([tanh(0.6), 0.55], [1, 2, 1, 1])) < 1e-7)
  }

  @Test func clipHoldsTheGates() throws {
    let op = try layer("RNN", ["clip": .float(0.5)])
    let got = try op.output(one([3, -3], [2, 1, 1]), one([1], [1, 1, 1]), one([0], [1, 1, 1]))
    #expect(distance(got, one([tanh(0.5), tanh(-0.5)], [2, 1, 1, 1])) < 1e-14)
  }
}
