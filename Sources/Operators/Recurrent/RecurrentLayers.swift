import Graph
import Tensors

/// A simple recurrent layer: h = f(x · Wᵀ + h · Rᵀ + Wb + Rb).
///
/// - Inputs: x `[steps, batch, features]`; w `[directions, hidden, features]`; r `[directions, hidden, hidden]`; optional
///   bias `[directions, 2 · hidden]`, lengths int32 `[batch]`, initial hidden state `[directions, batch, hidden]`.
/// - Outputs: all hidden states `[steps, directions, batch, hidden]`, zero after a sequence's end; the last ones.
/// - Source: ONNX RNN-22.
package struct RNN: WeightedOperator {
  package static let name = OperatorName("RNN", since: 22)
  package var common: RecurrentAttributes

  package init(attributes: Attributes) throws {
    common = try RecurrentAttributes(attributes: attributes, defaults: [.tanh])
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    common.write(to: &writer)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try inferRecurrent(inputs, outputs: outputs, gates: Cell.gates, common)
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try RecurrentOperands(inputs)
    return Array(
      try operands.x.type.dispatchReal(RecurrentRun(Cell(), common, operands)).prefix(outputs))
  }

  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] { recurrentWeightRoles(inputs) }
  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    recurrentMultiplyAccumulates(inputs)
  }

  struct Cell: RecurrentCell {
    static let gates = 1
    static let hasCell = false

    func advance<T: RealElement>(
      _ state: inout RecurrentState<T>, input: ArraySlice<T>, step: RecurrentStep<T>
    ) {
      let x = input.startIndex
      state.hidden = (0..<step.hidden).map {
        step.activate(0, input[x + $0] + step.recurrent(0, $0, state.hidden))
      }
    }
  }
}

/// A gated recurrent unit.
///
/// - Gates z, r, h in the weights' rows: z = f(…), r = f(…), h′ = g(x · Whᵀ + Wbh + (r ⊙ h) · Rhᵀ + Rbh), or with
///   `isLinearBeforeReset` h′ = g(x · Whᵀ + Wbh + r ⊙ (h · Rhᵀ + Rbh)); h = (1 − z) ⊙ h′ + z ⊙ h.
/// - Inputs and outputs as RNN, with three gates.
/// - Source: ONNX GRU-22.
package struct GRU: WeightedOperator {
  package static let name = OperatorName("GRU", since: 22)
  package var common: RecurrentAttributes
  package var isLinearBeforeReset: Bool

  package init(attributes: Attributes) throws {
    common = try RecurrentAttributes(attributes: attributes, defaults: [.sigmoid, .tanh])
    isLinearBeforeReset = try attributes.isSet("linear_before_reset")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    common.write(to: &writer)
    writer.add("linear_before_reset", isLinearBeforeReset)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try inferRecurrent(inputs, outputs: outputs, gates: Cell.gates, common)
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try RecurrentOperands(inputs)
    let cell = Cell(isLinearBeforeReset: isLinearBeforeReset)
    return Array(try operands.x.type.dispatchReal(RecurrentRun(cell, common, operands)).prefix(outputs))
  }

  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] { recurrentWeightRoles(inputs) }
  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    recurrentMultiplyAccumulates(inputs)
  }

  struct Cell: RecurrentCell {
    static let gates = 3
    static let hasCell = false
    var isLinearBeforeReset: Bool

    func advance<T: RealElement>(
      _ state: inout RecurrentState<T>, input: ArraySlice<T>, step: RecurrentStep<T>
    ) {
      let n = step.hidden
      let x = input.startIndex
      let old = state.hidden
      let update = (0..<n).map { step.activate(0, input[x + $0] + step.recurrent(0, $0, old)) }
      let reset = (0..<n).map { step.activate(0, input[x + n + $0] + step.recurrent(1, $0, old)) }
      let candidate: [T]
      if isLinearBeforeReset {
        candidate = (0..<n).map {
          step.activate(1, input[x + 2 * n + $0] + reset[$0] * step.recurrent(2, $0, old))
        }
      } else {
        let kept = (0..<n).map { reset[$0] * old[$0] }
        candidate = (0..<n).map { step.activate(1, input[x + 2 * n + $0] + step.recurrent(2, $0, kept)) }
      }
      state.hidden = (0..<n).map { (1 - update[$0]) * candidate[$0] + update[$0] * old[$0] }
    }
  }
}

/// A long short-term memory.
///
/// - Gates i, o, f, c in the weights' rows; peepholes i, o, f: i = f(… + Pi ⊙ C), f = f(… + Pf ⊙ C) (or 1 − i where the
///   gates are coupled), c′ = g(…), C = f ⊙ C + i ⊙ c′, o = f(… + Po ⊙ C), h = o ⊙ h(C).
/// - Inputs as RNN with four gates, then the initial cell state and peepholes `[directions, 3 · hidden]`, optional.
/// - Outputs as RNN, then the last cell states.
/// - Source: ONNX LSTM-22.
package struct LSTM: WeightedOperator {
  package static let name = OperatorName("LSTM", since: 22)
  package var common: RecurrentAttributes
  /// The forget gate is 1 − the input gate.
  package var couplesInputForget: Bool

  package init(attributes: Attributes) throws {
    common = try RecurrentAttributes(attributes: attributes, defaults: [.sigmoid, .tanh, .tanh])
    couplesInputForget = try attributes.isSet("input_forget")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    common.write(to: &writer)
    writer.add("input_forget", couplesInputForget)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try inferRecurrent(inputs, outputs: outputs, gates: Cell.gates, common)
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try RecurrentOperands(inputs)
    let cell = Cell(couplesInputForget: couplesInputForget)
    return Array(try operands.x.type.dispatchReal(RecurrentRun(cell, common, operands)).prefix(outputs))
  }

  package func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] { recurrentWeightRoles(inputs) }
  package func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int {
    recurrentMultiplyAccumulates(inputs)
  }

  struct Cell: RecurrentCell {
    static let gates = 4
    static let hasCell = true
    var couplesInputForget: Bool

    func advance<T: RealElement>(
      _ state: inout RecurrentState<T>, input: ArraySlice<T>, step: RecurrentStep<T>
    ) {
      let n = step.hidden
      let old = state.hidden
      func gate(_ index: Int, _ row: Int) -> T {
        input[input.startIndex + index * n + row] + step.recurrent(index, row, old)
      }
      func peephole(_ index: Int, _ row: Int) -> T {
        step.peepholes.isEmpty ? 0 : step.peepholes[index * n + row] * state.cell[row]
      }
      for row in 0..<n {
        let input = step.activate(0, gate(0, row) + peephole(0, row))
        let forget = couplesInputForget ? 1 - input : step.activate(0, gate(2, row) + peephole(2, row))
        state.cell[row] = forget * state.cell[row] + input * step.activate(1, gate(3, row))
        // The output gate looks at the new cell state.
        let output = step.activate(0, gate(1, row) + peephole(1, row))
        // The clip holds the gates, not the cell state.
        state.hidden[row] = output * step.functions[2](state.cell[row])
      }
    }
  }
}
