import Graph
import Tensors

/// The sizes of a recurrent layer.
struct RecurrentSizes: Sendable {
  var steps: Int
  var batch: Int
  var features: Int
  var hidden: Int
  var directions: Int
  var gates: Int

  init(x: Shape, w: Shape, r: Shape, gates: Int, _ attributes: RecurrentAttributes) throws {
    try expect(rank: 3, atMost: 3, of: x, "x")
    try expect(rank: 3, atMost: 3, of: w, "w")
    try expect(rank: 3, atMost: 3, of: r, "r")
    self.gates = gates
    steps = attributes.isBatchFirst ? x[1] : x[0]
    batch = attributes.isBatchFirst ? x[0] : x[1]
    features = x[2]
    hidden = r[2]
    directions = attributes.directions
    guard w == [directions, gates * hidden, features], r == [directions, gates * hidden, hidden],
      attributes.hiddenSize ?? hidden == hidden
    else {
      throw OperatorError(
        "w has shape \(w.shapeText) and r \(r.shapeText) (expected \(directions)x\(gates)·hiddenx\(features) and "
          + "\(directions)x\(gates)·hiddenxhidden).")
    }
  }

  func outputShape(_ attributes: RecurrentAttributes) -> Shape {
    attributes.isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
  }

  func stateShape(_ attributes: RecurrentAttributes) -> Shape {
    attributes.isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  }
}

/// One step of a recurrent layer: what differs between them.
protocol RecurrentCell: Sendable {
  /// Gates of the weights' rows.
  static var gates: Int { get }
  /// Whether there is a cell state beside the hidden state.
  static var hasCell: Bool { get }
  /// Advances the state of one sample.
  ///
  /// - Parameters:
  ///   - input: x · Wᵀ + Wb, all gates.
  ///   - recurrent: multiplies `[hidden]` with the rows of one gate of R: `recurrent(gate, vector, result)`.
  ///   - step: biases Rb, peepholes and functions of the direction.
  func advance<T: RealElement>(
    _ state: inout RecurrentState<T>, input: ArraySlice<T>, step: RecurrentStep<T>
  )
}

struct RecurrentState<T: RealElement> {
  var hidden: [T]
  var cell: [T]
}

/// What one direction's steps use.
struct RecurrentStep<T: RealElement> {
  let hidden: Int
  /// `[gates · hidden, hidden]`.
  let weights: [T]
  /// `[gates · hidden]`.
  let bias: [T]
  /// `[3 · hidden]` or empty.
  let peepholes: [T]
  let functions: [RecurrentActivation]
  let clip: T?

  /// R_gate · vector + Rb_gate at row `row` of the gate.
  func recurrent(_ gate: Int, _ row: Int, _ vector: [T]) -> T {
    let line = gate * hidden + row
    var sum = bias[line]
    weights.withUnsafeBufferPointer { weights in
      vector.withUnsafeBufferPointer { vector in
        for i in 0..<hidden { sum += weights[line &* hidden &+ i] * vector[i] }
      }
    }
    return sum
  }

  /// A function of the direction, on a gate's sum held to the clip.
  func activate(_ index: Int, _ x: T) -> T {
    guard let clip else { return functions[index](x) }
    return functions[index](Swift.min(Swift.max(x, -clip), clip))
  }
}

/// The operands of a recurrent layer by what they are.
struct RecurrentOperands {
  var x: Tensor
  var w: Tensor
  var r: Tensor
  var bias: Tensor?
  var lengths: Tensor?
  var hidden: Tensor?
  var cell: Tensor?
  var peepholes: Tensor?

  init(_ inputs: [Tensor?]) throws {
    x = try inputs.required(0, "x")
    w = try inputs.required(1, "w")
    r = try inputs.required(2, "r")
    bias = inputs.optional(3)
    lengths = inputs.optional(4)
    hidden = inputs.optional(5)
    cell = inputs.optional(6)
    peepholes = inputs.optional(7)
  }
}

/// Runs a cell over sequences, in both directions where asked.
struct RecurrentRun<Cell: RecurrentCell>: RealVisitor {
  let cell: Cell
  let attributes: RecurrentAttributes
  let operands: RecurrentOperands
  let sizes: RecurrentSizes
  let lengths: [Int]

  init(_ cell: Cell, _ attributes: RecurrentAttributes, _ operands: RecurrentOperands) throws {
    self.cell = cell
    self.attributes = attributes
    self.operands = operands
    sizes = try RecurrentSizes(
      x: operands.x.shape, w: operands.w.shape, r: operands.r.shape, gates: Cell.gates, attributes)
    lengths = operands.lengths?.integers ?? [Int](repeating: sizes.steps, count: sizes.batch)
    guard lengths.count == sizes.batch, lengths.allSatisfy({ $0 >= 0 && $0 <= sizes.steps }) else {
      throw OperatorError(
        "sequence_lens is \(lengths) (expected \(sizes.batch) lengths of at most \(sizes.steps)).")
    }
    let d = sizes.directions
    for (tensor, label, shape) in [
      (operands.bias, "b", [d, 2 * Cell.gates * sizes.hidden]),
      (operands.hidden, "initial_h", sizes.stateShape(attributes)),
      (operands.cell, "initial_c", sizes.stateShape(attributes)),
      (operands.peepholes, "p", [d, 3 * sizes.hidden]),
    ] {
      if let tensor, tensor.shape != shape {
        throw OperatorError(
          "\(label) has shape \(tensor.shape.shapeText) (expected \(shape.shapeText)).")
      }
    }
  }

  /// Y, the last hidden state and, where the cell has one, the last cell state.
  func visit<T: RealElement>(_ type: T.Type) throws -> [Tensor] {
    let (steps, batch, hidden) = (sizes.steps, sizes.batch, sizes.hidden)
    let rows = sizes.gates * hidden
    // Time first, whatever the layout.
    let x = T.elements(of: attributes.isBatchFirst ? operands.x.permuted([1, 0, 2]) : operands.x)
    let w = T.elements(of: operands.w)
    let r = T.elements(of: operands.r)
    let bias = operands.bias.map { T.elements(of: $0) }
    let peepholes = operands.peepholes.map { T.elements(of: $0) }
    var output = [T](repeating: 0, count: steps * sizes.directions * batch * hidden)
    var finalHidden = initial(operands.hidden, type)
    var finalCell = initial(operands.cell, type)
    let perDirection = attributes.activations.count / sizes.directions
    for d in 0..<sizes.directions {
      let projected = project(x, w, bias, direction: d)
      let step = RecurrentStep<T>(
        hidden: hidden, weights: Array(r[d * rows * hidden..<(d + 1) * rows * hidden]),
        bias: bias.map { Array($0[(2 * d + 1) * rows..<(2 * d + 2) * rows]) }
          ?? [T](repeating: 0, count: rows),
        peepholes: peepholes.map { Array($0[d * 3 * hidden..<(d + 1) * 3 * hidden]) } ?? [],
        functions: Array(attributes.activations[d * perDirection..<(d + 1) * perDirection]),
        clip: attributes.clip.map { T($0) })
      let isReverse = attributes.direction == .reverse || d == 1
      for b in 0..<batch {
        let start = (d * batch + b) * hidden
        var state = RecurrentState(
          hidden: Array(finalHidden[start..<start + hidden]), cell: Array(finalCell[start..<start + hidden]))
        for s in 0..<lengths[b] {
          let t = isReverse ? lengths[b] - 1 - s : s
          let row = (t * batch + b) * rows
          cell.advance(&state, input: projected[row..<row + rows], step: step)
          let out = ((t * sizes.directions + d) * batch + b) * hidden
          output.replaceSubrange(out..<out + hidden, with: state.hidden)
        }
        finalHidden.replaceSubrange(start..<start + hidden, with: state.hidden)
        finalCell.replaceSubrange(start..<start + hidden, with: state.cell)
      }
    }
    let y = Tensor(output, shape: [steps, sizes.directions, batch, hidden])
    let states = (Cell.hasCell ? [finalHidden, finalCell] : [finalHidden]).map {
      Tensor($0, shape: [sizes.directions, batch, hidden])
    }
    let laidOut =
      attributes.isBatchFirst
      ? [y.permuted([2, 0, 1, 3])] + states.map { $0.permuted([1, 0, 2]) } : [y] + states
    return laidOut.map { $0.converted(to: operands.x.type) }
  }

  /// `[directions, batch, hidden]`, zeros where the node gives none.
  private func initial<T: RealElement>(_ tensor: Tensor?, _ type: T.Type) -> [T] {
    guard let tensor else { return [T](repeating: 0, count: sizes.directions * sizes.batch * sizes.hidden) }
    return T.elements(of: attributes.isBatchFirst ? tensor.permuted([1, 0, 2]) : tensor)
  }

  /// x · Wᵀ + Wb for every step and sample, `[steps, batch, gates · hidden]`.
  private func project<T: RealElement>(_ x: [T], _ w: [T], _ bias: [T]?, direction: Int) -> [T] {
    let rows = sizes.gates * sizes.hidden
    let features = sizes.features
    var result = [T](repeating: 0, count: sizes.steps * sizes.batch * rows)
    let first = direction * rows * features
    x.withUnsafeBufferPointer { x in
      w.withUnsafeBufferPointer { w in
        for position in 0..<sizes.steps * sizes.batch {
          for row in 0..<rows {
            var sum = bias?[2 * direction * rows + row] ?? 0
            for i in 0..<features { sum += w[first &+ row &* features &+ i] * x[position &* features &+ i] }
            result[position * rows + row] = sum
          }
        }
      }
    }
    return result
  }
}

/// Shape inference and roles that the three layers share.
func inferRecurrent(
  _ inputs: [OperandInfo?], outputs: Int, gates: Int, _ attributes: RecurrentAttributes
) throws -> [OperandInfo] {
  let x = try inputs.required(0, "x")
  try expect(x.type, in: realTypes, "x")
  guard let xShape = x.shape, let w = try inputs.required(1, "w").shape,
    let r = try inputs.required(2, "r").shape
  else { return [OperandInfo](repeating: OperandInfo(type: x.type, shape: nil), count: outputs) }
  let sizes = try RecurrentSizes(x: xShape, w: w, r: r, gates: gates, attributes)
  let state = OperandInfo(type: x.type, shape: sizes.stateShape(attributes))
  let all = [OperandInfo(type: x.type, shape: sizes.outputShape(attributes)), state, state]
  return Array(all.prefix(outputs))
}

/// W and R `[directions, gate rows, features]`; a gate row is a channel.
///
/// No input holds the hidden states that R
/// multiplies, so R has no activation.
func recurrentWeightRoles(_ inputs: [OperandInfo?]) -> [WeightRole] {
  var roles: [WeightRole] = []
  if inputs.optional(1)?.constant != nil {
    roles.append(WeightRole(input: 1, activation: 0, channelAxis: 1, featureAxis: 2))
  }
  if inputs.optional(2)?.constant != nil {
    roles.append(WeightRole(input: 2, activation: nil, channelAxis: 1, featureAxis: 2))
  }
  return roles
}

func recurrentMultiplyAccumulates(_ inputs: [OperandInfo?]) -> Int {
  guard let x = inputs.optional(0)?.shape, x.count == 3, let w = inputs.optional(1)?.shape,
    let r = inputs.optional(2)?.shape
  else { return 0 }
  return x[0] * x[1] * (w.elementCount + r.elementCount)
}
