import Graph
import Operators
import Tensors
import Testing

/// Data movement where ONNX's own cases do not reach: every element type, upgrades, odd sizes.
struct MovementTests {
  private func list(_ values: [Int]) -> Tensor { Tensor(integers: values, shape: [values.count]) }

  /// Moving does not look at elements: codes of every type come through with their bits.
  @Test(arguments: ElementType.allCases) func everyElementType(_ type: ElementType) throws {
    let codes = (0..<15).map { UInt8(truncatingIfNeeded: $0 * 37) & (type == .bool ? 1 : 0xFF) }
    let words: [UInt64] = codes.map { type.bits >= 8 ? UInt64($0) : UInt64($0) & ((1 << type.bits) - 1) }
    let x = Tensor(words: Tensor(words, shape: [3, 5]).converted(to: type.word), type: type)
    func row(_ index: Int, _ columns: [Int]) -> [UInt64] { columns.map { words[index * 5 + $0] } }
    func rows(_ columns: [Int]) -> [UInt64] { row(0, columns) + row(1, columns) + row(2, columns) }
    func bits(_ tensor: Tensor) -> [UInt64] { tensor.words.converted(to: .uint64).array(of: UInt64.self) }
    #expect(bits(x) == words)
    let columns = (0..<5).flatMap { column in (0..<3).map { words[$0 * 5 + column] } }
    #expect(bits(try Transpose().output(x)) == columns)
    let picks = try Gather().output(x, list([2, -3]))
    #expect(bits(picks) == Array(words[10...] + words[..<5]))
    let parts = try Split(axis: 1, parts: 2).outputs([x], count: 2)
    #expect(parts.map(\.shape) == [[3, 3], [3, 2]])
    #expect(bits(try Concat(axis: 1).output(parts[0], parts[1])) == words)
    let picked = try Slice().output(x, list([4]), list([-100]), list([1]), list([-2]))
    #expect(bits(picked) == rows([4, 2, 0]))
    let tiled = try Tile().output(x, list([1, 2]))
    #expect(bits(tiled) == rows([0, 1, 2, 3, 4, 0, 1, 2, 3, 4]))
    let wrapped = try Pad(mode: .wrap).output(x, list([0, 7, 0, -1]))
    #expect(bits(wrapped) == rows([1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]))
  }

  @Test func paddingByEveryMode() throws {
    let x = Tensor([Float(1), 2, 3], shape: [3])
    let pads = list([5, 4])
    #expect(try Pad(mode: .edge).output(x, pads).floats == [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3])
    #expect(try Pad(mode: .wrap).output(x, pads).floats == [2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1])
    #expect(try Pad(mode: .reflect).output(x, pads).floats == [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3])
    #expect(try Pad().output(x, list([1, -2]), Tensor(scalar: Float(9))).floats == [9, 1])
    #expect(
      try Pad(mode: .reflect).output(Tensor([Float(4)], shape: [1]), pads).floats
        == [Float](repeating: 4, count: 10))
  }

  @Test func sliceBoundsAreClamped() throws {
    let x = Tensor(integers: Array(0..<6), shape: [6])
    for start in -8...8 {
      for end in -8...8 {
        for step in [-3, -2, -1, 1, 2, 3] {
          // Python's rule, but that ONNX starts a walk backwards inside the axis at the latest.
          let low = step > 0 ? 0 : -1
          let high = step > 0 ? 6 : 5
          func clamp(_ i: Int) -> Int { min(max(i < 0 ? i + 6 : i, low), high) }
          let want = Array(stride(from: max(clamp(start), 0), to: clamp(end), by: step))
          let got = try Slice().output(x, list([start]), list([end]), list([0]), list([step]))
          #expect(got.integers == want, "\(start):\(end):\(step)")
        }
      }
    }
  }

  @Test func resizeToTheSameSizeIsTheSame() throws {
    var numbers = SeededNumbers(seed: 21)
    let x = numbers.tensor([1, 2, 5, 6])
    for mode in ["nearest", "linear", "cubic"] {
      let op = try Resize(attributes: [
        "mode": .string(mode), "coordinate_transformation_mode": .string("asymmetric"),
      ])
      #expect(distance(try op.output(x, nil, nil, list([1, 2, 5, 6])), x) == 0)
      // Doubling keeps the even elements where coordinates are asymmetric.
      let twice = try op.output(x, nil, nil, list([1, 2, 10, 12]))
      let kept = try Slice().output(twice, list([0, 0]), list([10, 12]), list([2, 3]), list([2, 2]))
      #expect(distance(kept, x) < 1e-12)
    }
  }

  @Test func resizeOfIntegersRoundsAndSaturates() throws {
    let x = Tensor([UInt8(0), 255, 0, 255], shape: [4])
    let cubic = try Resize(attributes: ["mode": .string("cubic")]).output(x, nil, nil, list([8]))
    #expect(cubic.type == .uint8 && cubic.integers.contains(255) && cubic.integers.contains(0))
    let linear = try Resize(attributes: ["mode": .string("linear")]).output(x, nil, nil, list([8]))
    #expect(linear.integers == [0, 64, 191, 191, 64, 64, 191, 255])
  }

  @Test func listsOfOlderOpsetsBecomeInputs() throws {
    let node = RawNode(
      name: "s", type: "Slice", domain: "", inputs: ["x"], outputs: ["y"],
      attributes: ["starts": .ints([1]), "ends": .ints([3]), "axes": .ints([0])])
    let (slice, constants) = try upgraded(Slice.self, node, opset: 9)
    #expect(slice.attributes.isEmpty && slice.inputs.count == 4)
    #expect(slice.inputs[1...].map { name in name.flatMap { constants[$0]?.integers } } == [[1], [3], [0]])

    var pad = node
    pad.attributes = ["pads": .ints([1, 2]), "value": .float(3), "mode": .string("edge")]
    let (padded, padConstants) = try upgraded(Pad.self, pad, opset: 10)
    #expect(padded.attributes.text == "mode=string(\"edge\")")
    #expect(
      padded.inputs[1...].map { name in name.flatMap { padConstants[$0]?.integers } } == [[1, 2], [3]])

    var split = node
    split.outputs = ["a", "b", "c"]
    split.attributes = ["axis": .int(1)]
    #expect(try upgraded(Split.self, split, opset: 7).node.attributes.int("num_outputs") == 3)
    split.attributes = ["split": .ints([2, 1, 1])]
    let (parts, partConstants) = try upgraded(Split.self, split, opset: 11)
    #expect(parts.attributes.isEmpty)
    #expect(parts.inputs[1].flatMap { partConstants[$0]?.integers } == [2, 1, 1])
  }

  @Test func namesOfOlderOpsetsBecomeOthers() throws {
    let node = RawNode(
      name: "u", type: "Upsample", domain: "", inputs: ["x"], outputs: ["y"],
      attributes: ["scales": .floats([1, 2]), "mode": .string("linear")])
    let (resize, constants) = try upgraded(Upsample.self, node, opset: 7)
    #expect(resize.type == "Resize" && resize.inputs.count == 3 && resize.inputs[1] == nil)
    #expect(resize.inputs[2].flatMap { constants[$0]?.floats } == [1, 2])
    #expect(try Resize(attributes: resize.attributes).coordinates == .asymmetric)

    let alias = RawNode(
      name: "q", type: "QuantizeLinear", domain: "com.microsoft", inputs: ["x", "s", "z"], outputs: ["y"],
      attributes: ["axis": .int(0)])
    let plain = try upgraded(MicrosoftQuantizeLinear.self, alias, opset: 1).node
    #expect(plain.type == "QuantizeLinear" && plain.domain.isEmpty && plain.attributes.int("axis") == 0)
    let scatter = RawNode(
      name: "s", type: "Scatter", domain: "", inputs: ["x", "i", "u"], outputs: ["y"], attributes: [:])
    #expect(try upgraded(Scatter.self, scatter, opset: 9).node.type == "ScatterElements")
  }

  @Test func batchNormalizationOfOlderOpsets() throws {
    var node = RawNode(
      name: "b", type: "BatchNormalization", domain: "", inputs: ["x", "s", "b", "m", "v"], outputs: ["y"],
      attributes: ["spatial": .int(1)])
    #expect(try upgraded(BatchNormalization.self, node, opset: 7).node.attributes.isEmpty)
    node.outputs = ["y", "m2", "v2", nil, nil]
    let training = try upgraded(BatchNormalization.self, node, opset: 9).node
    #expect(training.attributes.int("training_mode") == 1 && training.outputs.count == 3)
    node.attributes["spatial"] = .int(0)
    #expect(throws: OperatorError.self) { _ = try upgraded(BatchNormalization.self, node, opset: 8) }
  }
}
