import Graph
import Operators
import Tensors

extension EncodedGraph {
  /// The input that says of which row the logits are wanted.
  static let rowInput: ValueName = "row"

  /// The decoder with logits of one token only, `[1, vocabulary]`, that of the int64 input `row` `[1]`.
  ///
  /// The final norm and the output layer then compute one row instead of all: of a prompt only the last token's logits
  /// are needed, and the output layer of a small model is a large part of it. The node `norm` reads the picked row; a
  /// Reshape that gives logits the shape of the tokens falls away.
  /// - Returns: `nil` where there is no node `norm` on rows of features.
  func withRowPicked(inputShapes: [ValueName: Shape]) throws -> EncodedGraph? {
    var result = self
    guard let norm = graph.nodes.firstIndex(where: { $0.name == "norm" }),
      let hidden = graph.nodes[norm].inputs.first.flatMap({ $0 }), var logits = graph.outputs.first?.name,
      let last = graph.nodes.lastIndex(where: { $0.outputs.first == logits }), last > norm,
      activations[hidden] == nil
    else { return nil }
    let given = Dictionary(
      uniqueKeysWithValues: graph.inputs.compactMap { input -> (ValueName, OperandInfo)? in
        guard let shape = inputShapes[input.name], let type = input.type else { return nil }
        return (input.name, OperandInfo(type: type, shape: shape))
      })
    guard let shape = try graph.infer(inputs: given)[hidden]?.shape, shape.count >= 2,
      shape.dropLast(2).allSatisfy({ $0 == 1 })
    else { return nil }
    var names = FreshNames(
      besides: graph.inputs.map(\.name) + graph.nodes.flatMap { [$0.name] + $0.outputs.compactMap { $0 } })
    if graph.nodes[last].op is Reshape, let source = graph.nodes[last].inputs.first.flatMap({ $0 }) {
      logits = source
      result.graph.nodes.remove(at: last)
    }
    result.graph.outputs = [ValueInfo(name: logits, type: .float32, dimensions: nil)]
    let picked = names("\(hidden).row")
    result.graph.inputs.append(ValueInfo(name: Self.rowInput, type: .int64, dimensions: [.fixed(1)]))
    result.graph.nodes[norm].inputs[0] = picked
    result.graph.nodes.insert(
      Node(
        name: names("row"), op: Gather(axis: shape.count - 2), inputs: [hidden, Self.rowInput],
        outputs: [picked]), at: norm)
    return result
  }
}
