import Graph
import Tensors

/// A graph run once for every index along an axis of its scanned inputs.
///
/// - Inputs: n carried states, then m scanned tensors (`num_scan_inputs`), all as long along their axes.
/// - The body reads the states and one slice of each scanned input; it writes the states and slices of outputs.
/// - Outputs: the last states, then the slices stacked along an axis.
package struct Scan: SubgraphOperator {
  package static let name = OperatorName("Scan", since: 11)
  package let body: Graph
  package let scanned: Int
  package let inputAxes: [Int]?
  package let outputAxes: [Int]?
  /// 1 where slices are taken, or put, from the end.
  package let inputDirections: [Int]?
  package let outputDirections: [Int]?

  /// The form before opset 9 had a batch axis and sequence lengths.
  package static let upgrades: [Upgrade] = [
    .before(9) { _, _ in
      throw OperatorError("Scan of opset 8 is not supported; export the model with opset 9 or newer")
    }
  ]

  package init(attributes: Attributes) throws {
    body = try attributes.required("body", attributes.graph("body"))
    scanned = try attributes.integer("num_scan_inputs")
    inputAxes = try attributes.integersIfPresent("scan_input_axes")
    outputAxes = try attributes.integersIfPresent("scan_output_axes")
    inputDirections = try attributes.integersIfPresent("scan_input_directions")
    outputDirections = try attributes.integersIfPresent("scan_output_directions")
    let states = body.inputs.count - scanned
    guard scanned >= 1, states >= 0, body.outputs.count >= states else {
      throw OperatorError("num_scan_inputs is \(scanned), but the body has \(body.inputs.count) inputs")
    }
    for list in [inputAxes, inputDirections] where list.map({ $0.count != scanned }) ?? false {
      throw OperatorError("axes and directions of scanned inputs must be \(scanned)")
    }
    for list in [outputAxes, outputDirections]
    where list.map({ $0.count != body.outputs.count - states }) ?? false {
      throw OperatorError("axes and directions of scanned outputs must be \(body.outputs.count - states)")
    }
  }

  package var attributes: Attributes {
    var result: Attributes = ["body": .graph(body), "num_scan_inputs": .int(scanned)]
    result["scan_input_axes"] = inputAxes.map { .ints($0) }
    result["scan_output_axes"] = outputAxes.map { .ints($0) }
    result["scan_input_directions"] = inputDirections.map { .ints($0) }
    result["scan_output_directions"] = outputDirections.map { .ints($0) }
    return result
  }

  private var stateCount: Int { body.inputs.count - scanned }

  /// The common length of the scanned inputs, and the axis of each.
  private func length(_ shapes: [Shape]) throws -> (length: Int, axes: [Int]) {
    let axes = try shapes.enumerated().map { try $1.axis(inputAxes?[$0] ?? 0) }
    let lengths = Set(zip(shapes, axes).map { $0[$1] })
    guard lengths.count == 1, let length = lengths.first else {
      throw OperatorError("scanned inputs have lengths \(lengths.sorted()), expected one")
    }
    return (length, axes)
  }

  package func infer(
    _ inputs: [OperandInfo?], outputs: Int, around: [ValueName: OperandInfo]
  ) throws -> [OperandInfo] {
    let operands = try body.inputs.indices.map { try inputs.required($0, "initial_state_and_scan_inputs") }
    let shapes = operands.dropFirst(stateCount).compactMap(\.shape)
    let known = shapes.count == scanned ? try length(shapes) : nil
    var given: [ValueName: OperandInfo] = [:]
    for (index, (input, operand)) in zip(body.inputs, operands).enumerated() {
      var shape = operand.shape
      if index >= stateCount {
        if let known { shape?.remove(at: known.axes[index - stateCount]) } else { shape = nil }
      }
      given[input.name] = OperandInfo(type: operand.type, shape: shape)
    }
    let infos = try body.infer(inputs: given, around: around)
    return try body.outputs.enumerated().map { index, output in
      guard let info = infos[output.name] else {
        throw OperatorError("the body does not write \"\(output.name)\"")
      }
      guard index >= stateCount else {
        return OperandInfo(type: info.type, shape: info.shape == operands[index].shape ? info.shape : nil)
      }
      guard let known, var shape = info.shape else { return OperandInfo(type: info.type, shape: nil) }
      shape.insert(known.length, at: try ([known.length] + shape).axis(outputAxes?[index - stateCount] ?? 0))
      return OperandInfo(type: info.type, shape: shape)
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try body.inputs.indices.map { try inputs.required($0, "initial_state_and_scan_inputs") }
    var states = Array(operands.prefix(stateCount))
    let sources = Array(operands.dropFirst(stateCount))
    let (length, axes) = try length(sources.map(\.shape))
    var slices = [[Tensor]](repeating: [], count: body.outputs.count - stateCount)
    for step in 0..<length {
      let parts = sources.enumerated().map { index, source in
        let position = inputDirections?[index] == 1 ? length - 1 - step : step
        var (shape, strides) = (source.shape, source.shape.rowMajorStrides)
        shape.remove(at: axes[index])
        let offset = strides.remove(at: axes[index]) * position
        return source.gathering(shape: shape, strides: strides, offset: offset)
      }
      let results = try context.run(body, states + parts, context.captured)
      states = Array(results.prefix(stateCount))
      for index in slices.indices { slices[index].append(results[stateCount + index]) }
    }
    return try states
      + slices.enumerated().map { index, elements in
        let joined = try stack(
          elements, declared: body.outputs[stateCount + index], reversed: outputDirections?[index] == 1)
        let axis = try joined.shape.axis(outputAxes?[index] ?? 0)
        var (shape, strides) = (joined.shape, joined.shape.rowMajorStrides)
        shape.insert(shape.removeFirst(), at: axis)
        strides.insert(strides.removeFirst(), at: axis)
        return joined.gathering(shape: shape, strides: strides)
      }
  }
}
