import Graph
import Tensors

/// A graph run again and again, until a count is reached or its condition fails.
///
/// - Inputs: M, int64 scalar, most runs, optional; cond, bool, optional; then the first values of what is carried.
/// - The body reads the run's number, the condition and the carried values; it writes the condition, the carried
///   values, and elements that are stacked along a new first axis.
/// - Outputs: the last carried values, then the stacks.
package struct Loop: SubgraphOperator {
  package static let name = OperatorName("Loop", since: 13)
  package let body: Graph

  package init(attributes: Attributes) throws {
    body = try attributes.required("body", attributes.graph("body"))
    guard body.inputs.prefix(2).allSatisfy({ ($0.shape ?? []).elementCount == 1 }) else {
      throw OperatorError("the body's first two inputs must have one element")
    }
    guard body.inputs.count >= 2, body.outputs.count >= body.inputs.count - 1 else {
      throw OperatorError(
        "a body with \(body.inputs.count) inputs and \(body.outputs.count) outputs, expected at least 2 and one fewer"
      )
    }
  }

  package var attributes: Attributes { ["body": .graph(body)] }

  /// Runs after which a loop counts as one that does not end, as a damaged file may ask for.
  private static let mostRuns = 1_000_000

  private var carriedCount: Int { body.inputs.count - 2 }

  package func infer(
    _ inputs: [OperandInfo?], outputs: Int, around: [ValueName: OperandInfo]
  ) throws -> [OperandInfo] {
    let carried = try (0..<carriedCount).map { try inputs.required($0 + 2, "v_initial") }
    // Once around with the shapes carried in; a shape that changes is unknown, and then so is what follows from it.
    var states = carried.map { OperandInfo(type: $0.type, shape: $0.shape) }
    for _ in 0..<2 {
      let results = try run(states, around)
      for (index, state) in states.enumerated() where results[index + 1].shape != state.shape {
        states[index].shape = nil
      }
    }
    let results = try run(states, around)
    let runs = inputs.optional(1) == nil ? inputs.optional(0)?.constant?.scalarInteger : nil
    let keepsGoing = results[0].constant?.scalarInteger == 1
    return states
      + results.dropFirst(carriedCount + 1).map { element in
        let length = keepsGoing ? runs.map { max($0, 0) } : nil
        return OperandInfo(
          type: element.type, shape: length.flatMap { length in element.shape.map { [length] + $0 } })
      }
  }

  private func run(_ states: [OperandInfo], _ around: [ValueName: OperandInfo]) throws -> [OperandInfo] {
    var given: [ValueName: OperandInfo] = [
      body.inputs[0].name: OperandInfo(type: .int64, shape: body.inputs[0].shape ?? []),
      body.inputs[1].name: OperandInfo(type: .bool, shape: body.inputs[1].shape ?? []),
    ]
    for (input, state) in zip(body.inputs.dropFirst(2), states) { given[input.name] = state }
    let infos = try body.infer(inputs: given, around: around)
    return try body.outputs.map { output in
      guard let info = infos[output.name] else {
        throw OperatorError("the body does not write \"\(output.name)\"")
      }
      return info
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let limit = inputs.optional(0)?.scalarInteger ?? .max
    var goes = inputs.optional(1)?.scalarInteger ?? 1
    var states = try (0..<carriedCount).map { try inputs.required($0 + 2, "v_initial") }
    let stackCount = body.outputs.count - 1 - carriedCount
    var stacks = [[Tensor]](repeating: [], count: stackCount)
    var number = 0
    while number < limit, goes != 0 {
      guard number < Self.mostRuns else { throw OperatorError("the body ran \(number) times without an end") }
      let counter = Tensor(scalar: Int64(number)).reshaped(body.inputs[0].shape ?? [])
      let condition = Tensor(scalar: goes != 0).reshaped(body.inputs[1].shape ?? [])
      let results = try context.run(body, [counter, condition] + states, context.captured)
      guard results.count == body.outputs.count, let next = results[0].scalarInteger else {
        throw OperatorError("the body's condition must be one element")
      }
      goes = next
      states = Array(results[1..<carriedCount + 1])
      number += 1
      for index in stacks.indices {
        let element = results[carriedCount + 1 + index]
        stacks[index].append(element)
        _ = try checked([number] + element.shape)
      }
    }
    return try states
      + stacks.enumerated().map { index, elements in
        try stack(elements, declared: body.outputs[carriedCount + 1 + index])
      }
  }
}

/// The tensors along a new first axis; without any, an empty tensor as declared.
func stack(_ elements: [Tensor], declared: ValueInfo, reversed: Bool = false) throws -> Tensor {
  guard let first = elements.first else {
    return Tensor(shape: [0] + (declared.shape ?? []), type: declared.type ?? .float32) { _ in }
  }
  guard elements.allSatisfy({ $0.shape == first.shape && $0.type == first.type }) else {
    throw OperatorError("the elements of \"\(declared.name)\" differ in shape from run to run")
  }
  let words = (reversed ? elements.reversed() : elements).map(\.words)
  let size = first.words.byteCount
  let joined = Tensor(shape: [elements.count] + first.shape, type: first.words.type) { bytes in
    for (index, element) in words.enumerated() {
      element.withBytes {
        UnsafeMutableRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size]).copyMemory(from: $0)
      }
    }
  }
  return Tensor(words: joined, type: first.type)
}
