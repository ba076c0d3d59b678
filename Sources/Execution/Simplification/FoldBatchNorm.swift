import Graph
import Operators
import Tensors

extension Simplifier {
  /// Multiplies batch norm at inference into the layer before it: w·γ/√(σ²+ε), (b − μ)·γ/√(σ²+ε) + β, in double.
  func foldBatchNorms(_ graph: Graph) throws -> Graph {
    var result = graph
    let consumers = graph.consumers
    let producers = graph.producers
    let outputs = Set(graph.outputs.map(\.name))
    var removed: Set<Int> = []
    for (index, node) in graph.nodes.enumerated() where node.operatorName.text == "BatchNormalization" {
      guard mayChange(node), node.outputs.dropFirst().allSatisfy({ $0 == nil }),
        (node.op.attributes.int("training_mode") ?? 0) == 0, let input = node.inputs.first.flatMap({ $0 }),
        let producer = producers[input], consumers[input]?.count == 1, !outputs.contains(input),
        let factors = Factors(node, result.constants)
      else { continue }
      let layer = result.nodes[producer]
      guard mayChange(layer), let weightName = layer.inputs.count > 1 ? layer.inputs[1] : nil,
        let weight = result.constants[weightName], weight.type == .float32,
        let channel = channelOfElement(layer, weight.shape, channels: factors.scale.count)
      else { continue }
      let biasName = layer.inputs.count > 2 ? layer.inputs[2] : nil
      var bias = [Double](repeating: 0, count: factors.scale.count)
      if let biasName {
        guard let tensor = result.constants[biasName], tensor.count == factors.scale.count,
          tensor.type == .float32
        else {
          continue
        }
        bias = tensor.doubles
      }
      let scaled = weight.withElements(of: Float.self) { w in
        w.indices.map { Float(Double(w[$0]) * factors.scale[channel($0)]) }
      }
      let shifted = bias.indices.map { Float(bias[$0] * factors.scale[$0] + factors.shift[$0]) }
      var folded = layer
      let ownWeight = consumers[weightName]?.count == 1 && !outputs.contains(weightName)
      let newWeight = ownWeight ? weightName : fresh("\(layer.name).weight", result)
      result.constants[newWeight] = Tensor(scaled, shape: weight.shape)
      let newBias = fresh("\(layer.name).bias", result)
      result.constants[newBias] = Tensor(shifted, shape: [shifted.count])
      result.foldedNorms[newWeight] = factors.norm(bias: newBias, ownBias: bias)
      folded.inputs = [layer.inputs[0], newWeight, newBias]
      folded.outputs = [node.outputs[0]]
      result.nodes[producer] = folded
      removed.insert(index)
    }
    result.nodes = result.nodes.indices.filter { !removed.contains($0) }.map { result.nodes[$0] }
    return result
  }

  /// Per channel: y = x · scale + shift.
  private struct Factors {
    var scale: [Double]
    var shift: [Double]
    private let gain, addend, mean, variance: [Double]
    private let epsilon: Float

    init?(_ node: Node, _ constants: [ValueName: Tensor]) {
      let tensors = node.inputs.dropFirst().compactMap { $0.flatMap { constants[$0] } }
      guard tensors.count == 4, tensors.allSatisfy({ $0.count == tensors[0].count }) else { return nil }
      let (gain, addend, mean, variance) = (
        tensors[0].doubles, tensors[1].doubles, tensors[2].doubles, tensors[3].doubles
      )
      let epsilon = node.op.attributes.float("epsilon") ?? 1e-5
      let scale = gain.indices.map { gain[$0] / (variance[$0] + Double(epsilon)).squareRoot() }
      self.scale = scale
      shift = gain.indices.map { addend[$0] - mean[$0] * scale[$0] }
      (self.gain, self.addend, self.mean, self.variance) = (gain, addend, mean, variance)
      self.epsilon = epsilon
    }

    /// - Parameter ownBias: of the layer before folding.
    func norm(bias: ValueName, ownBias: [Double]) -> FoldedNorm {
      FoldedNorm(
        bias: bias, gain: gain.map { Float($0) }, shift: addend.map { Float($0) },
        mean: mean.indices.map { Float(mean[$0] - ownBias[$0]) }, variance: variance.map { Float($0) },
        epsilon: epsilon)
    }
  }

  /// The output channel of each weight element, or `nil` for a layer batch norm does not fold into.
  private func channelOfElement(_ layer: Node, _ shape: Shape, channels: Int) -> ((Int) -> Int)? {
    let attributes = layer.op.attributes
    switch layer.operatorName.text {
    case "Conv":
      guard shape.count > 2, shape[0] == channels, channels > 0 else { return nil }
      let size = shape.dropFirst().reduce(1, *)
      return { $0 / size }
    case "ConvTranspose":
      let groups = attributes.int("group") ?? 1
      guard shape.count > 2, shape[1] * groups == channels, groups > 0, shape[0] >= groups else { return nil }
      let taps = shape.dropFirst(2).reduce(1, *)
      let inputs = shape[0] / groups
      return { $0 / taps % shape[1] + $0 / taps / shape[1] / inputs * shape[1] }
    case "Gemm":
      guard shape.count == 2, (attributes.float("alpha") ?? 1) == 1, (attributes.float("beta") ?? 1) == 1
      else {
        return nil
      }
      let transposed = (attributes.int("transB") ?? 0) != 0
      guard shape[transposed ? 0 : 1] == channels else { return nil }
      return transposed ? { $0 / shape[1] } : { $0 % shape[1] }
    default: return nil
    }
  }

  /// A name for a new value that no other has.
  func fresh(_ wanted: ValueName, _ graph: Graph) -> ValueName {
    let written = Set(graph.nodes.flatMap { $0.outputs.compactMap { $0 } }).union(graph.inputs.map(\.name))
    var name = wanted
    var number = 1
    while graph.constants[name] != nil || written.contains(name) {
      number += 1
      name = "\(wanted).\(number)"
    }
    return name
  }

  /// Joins the constant an Add puts on a product of matrices: MatMul + Add → Gemm.
  ///
  /// The product's name stays.
  func joinBiases(_ graph: Graph) throws -> Graph {
    let infos = try graph.infer(inputs: inputs)
    var result = graph
    let consumers = graph.consumers
    let outputs = Set(graph.outputs.map(\.name))
    var removed: Set<Int> = []
    guard let gemm = Catalog.find(domain: "", type: "Gemm") else { return graph }
    for (index, node) in graph.nodes.enumerated() where node.operatorName.text == "MatMul" && mayChange(node)
    {
      guard node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1],
        result.constants[b] != nil,
        let shape = infos[b]?.shape, shape.count == 2, infos[b]?.type == .float32,
        let product = node.outputs.first.flatMap({ $0 }), !outputs.contains(product),
        rank(a, infos, graph) == 2, let readers = consumers[product], readers.count == 1
      else { continue }
      let add = graph.nodes[readers[0]]
      guard add.operatorName.text == "Add", mayChange(add),
        let other = add.inputs.compactMap({ $0 }).first(where: { $0 != product }),
        let bias = result.constants[other], bias.count == shape[1], bias.shape.last == shape[1],
        bias.shape.count <= 2,
        !graph.inputs.contains(where: { $0.name == other })
      else { continue }
      result.nodes[index] = Node(
        name: node.name, op: try gemm.init(attributes: [:]), inputs: [a, b, other], outputs: [add.outputs[0]])
      removed.insert(readers[0])
    }
    result.nodes = result.nodes.indices.filter { !removed.contains($0) }.map { result.nodes[$0] }
    return result
  }

  private func rank(_ value: ValueName, _ infos: [ValueName: OperandInfo], _ graph: Graph) -> Int? {
    infos[value]?.shape?.count ?? graph.valueInfos[value]?.dimensions?.count
      ?? graph.inputs.first { $0.name == value }?.dimensions?.count
  }
}
