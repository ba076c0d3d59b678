import Execution
import Graph
import Operators
import Quantization
import Tensors

/// The network with fake quantization in place of integers, for one batch size, and what of it can be learned.
struct TrainingGraph {
  var builder: GraphBuilder
  var parameters: [Parameter]

  /// - Parameters:
  ///   - candidate: what calibration made of the network: where training starts.
  ///   - inputShapes: of the network's inputs, with the batch.
  ///   - quantizes: whether the network computes with fake quantization, or in float with the same parameters.
  init(
    _ candidate: Candidate, inputShapes: [ValueName: Shape], settings: TrainingSettings,
    quantizes: Bool = true
  ) throws {
    var rewriting = Rewriting(candidate, settings, quantizes: quantizes)
    let graph = try rewriting.run().checked(after: "fake quantization")
    var shapes = inputShapes
    for parameter in rewriting.parameters { shapes[parameter.input] = parameter.start.shape }
    let fixed = try simplified(graph, inputShapes: shapes)
    var given: [ValueName: OperandInfo] = [:]
    for input in fixed.inputs {
      given[input.name] = OperandInfo(type: input.type ?? .float32, shape: shapes[input.name])
    }
    builder = GraphBuilder(fixed, infos: try fixed.infer(inputs: given))
    parameters = rewriting.parameters
  }
}

/// Puts fake quantization where the candidate has codes: the points of DESIGN "Where encodings sit".
private struct Rewriting {
  let encoded: EncodedGraph
  let roots: [ValueName: ValueName]
  let settings: TrainingSettings
  let quantizes: Bool
  var graph: Graph
  var parameters: [Parameter] = []
  private var fresh: FreshNames
  private var nodes: [Node] = []
  /// For each value that static nodes read as codes, what they read instead.
  private var decoded: [ValueName: ValueName] = [:]
  /// By value that is fake-quantized, where its scales are.
  private var scaleNames: [ValueName: ValueName] = [:]
  /// For each constant, what trained and quantized nodes read instead.
  private var replaced: [ValueName: ValueName] = [:]

  init(_ candidate: Candidate, _ settings: TrainingSettings, quantizes: Bool) {
    self.quantizes = quantizes
    encoded = candidate.encoded
    roots = candidate.roots
    self.settings = settings
    graph = encoded.graph
    fresh = FreshNames(in: graph)
  }

  private func mode(_ node: Node) -> Mode { encoded.layers[node.name]?.mode ?? .float }

  mutating func run() throws -> Graph {
    let infos = try graph.infer()
    for input in graph.inputs { decode(input.name) }
    for original in graph.nodes {
      var node = original
      let mode = mode(original)
      let operands = original.inputs.map { $0.flatMap { infos[$0] } }
      let roles = (original.op as? any WeightedOperator)?.weightRoles(operands) ?? []
      if mode == .qat || mode == .float && !settings.freezeFloat {
        for role in roles { train(role, of: &node, mode: mode) }
      }
      for (index, input) in original.inputs.enumerated() where node.inputs[index] == input {
        guard let input, mode != .float else { continue }
        if let constant = constant(input, infos) {
          node.inputs[index] = constant
        } else if mode.isStatic, let value = decoded[input] {
          node.inputs[index] = value
        }
      }
      if mode == .dynamic { encoded.addRanges(to: &node, infos, &fresh, &nodes) }
      nodes.append(node)
      for case let output? in node.outputs { decode(output) }
    }
    var result = graph
    result.nodes = nodes
    return result
  }

  // MARK: activations

  /// Adds the node that fake-quantizes a value static nodes read; a value that only moves elements of one that is
  /// fake-quantized has its codes already.
  private mutating func decode(_ value: ValueName) {
    guard let encoding = encoded.activations[value] else { return }
    let readers = graph.nodes.filter { mode($0).isStatic && $0.inputs.contains(value) }
    guard !readers.isEmpty else { return }
    guard roots[value] ?? value == value else { return }
    let isLearned =
      settings.scales != .fixed
      && graph.nodes.contains { node in
        mode(node) == .qat
          && node.inputs.contains { $0.map { (roots[$0] ?? $0) == value } ?? false }
      }
    decoded[value] = quantized(
      value, named: value, encoding, isLearned: isLearned,
      learnsOffset: settings.scales == .lsqPlus && encoding.scheme.symmetry == .affine)
  }

  /// Appends the fake quantization of a value and returns its output.
  private mutating func quantized(
    _ value: ValueName, named owner: ValueName, _ encoding: Encoding, isLearned: Bool, learnsOffset: Bool
  ) -> ValueName {
    let count = encoding.scales.count
    let scales = Tensor(encoding.scales.map { abs($0) }, shape: [count])
    let zeros = Tensor(encoding.zeroPoints.map { Float($0) }, shape: [count])
    var inputs: [ValueName?] = [value]
    if isLearned {
      inputs.append(parameter(owner, .scale, scales))
    } else {
      inputs.append(constant(scales, "\(owner).scale"))
    }
    if isLearned, learnsOffset {
      inputs.append(parameter(owner, .offset, zeros))
    } else if encoding.zeroPoints.contains(where: { $0 != 0 }) {
      inputs.append(constant(zeros, "\(owner).zero"))
    }
    scaleNames[owner] = inputs[1]
    guard quantizes else { return value }
    let output = fresh("\(owner).decoded")
    nodes.append(
      Node(
        name: fresh("\(owner).fake-quantize"),
        op: FakeQuantize(points(encoding, isWeight: encoded.weights[owner] != nil)), inputs: inputs,
        outputs: [output]))
    return output
  }

  private func points(_ encoding: Encoding, isWeight: Bool) -> QuantizationPoints {
    var points = QuantizationPoints(encoding)
    points.clipsOnly =
      settings.scales == .pact && !isWeight && encoding.codes.lowerBound == 0 && encoding.zeroPoints == [0]
    return points
  }

  private mutating func parameter(_ value: ValueName, _ role: Parameter.Role, _ start: Tensor) -> ValueName {
    let input = fresh("\(role.rawValue):\(value)")
    parameters.append(Parameter(value: value, role: role, input: input, start: start))
    graph.inputs.append(
      ValueInfo(name: input, type: .float32, dimensions: start.shape.map { .fixed($0) }))
    return input
  }

  private mutating func constant(_ tensor: Tensor, _ wanted: String) -> ValueName {
    let name = fresh(wanted)
    graph.constants[name] = tensor
    return name
  }

  // MARK: weights

  /// Makes parameters of a layer's weight and bias, the weight fake-quantized where the layer's mode is qat.
  private mutating func train(_ role: WeightRole, of node: inout Node, mode: Mode) {
    guard let weight = node.inputs[role.input], let tensor = graph.constants[weight], tensor.type == .float32
    else { return }
    if let known = replaced[weight] {
      node.inputs[role.input] = known
    } else {
      var value = parameter(weight, .weight, tensor)
      if mode == .qat, let codes = encoded.weights[weight] {
        value = quantized(
          value, named: weight, codes.encoding, isLearned: settings.scales != .fixed, learnsOffset: false)
      }
      replaced[weight] = value
      node.inputs[role.input] = value
    }
    guard let index = role.bias, node.inputs.indices.contains(index), let bias = node.inputs[index],
      let tensor = graph.constants[bias], tensor.type == .float32
    else { return }
    if replaced[bias] == nil {
      let value = parameter(bias, .bias, tensor)
      replaced[bias] = mode == .qat ? rounded(value, bias, of: node, role, weight) : value
    }
    node.inputs[index] = replaced[bias]
  }

  /// The bias as the int32 codes it becomes: whole steps of input scale · weight scale, which learn nothing from it.
  private mutating func rounded(
    _ value: ValueName, _ bias: ValueName, of node: Node, _ role: WeightRole, _ weight: ValueName
  ) -> ValueName {
    guard quantizes, let codes = encoded.biases[bias], let weights = encoded.weights[weight],
      let activation = role.activation.flatMap({ node.inputs[$0] }),
      let inputScale = scaleNames[roots[activation] ?? activation], let weightScale = scaleNames[weight],
      [1, codes.codes.count].contains(weights.encoding.scales.count)
    else { return value }
    let (product, fixed, output) = (fresh("\(bias).step"), fresh("\(bias).scale"), fresh("\(bias).decoded"))
    let isShared = weights.encoding.scales.count == 1
    nodes += [
      Node(name: product, op: Mul(), inputs: [inputScale, weightScale], outputs: [product]),
      Node(name: fixed, op: StopGradient(), inputs: [product], outputs: [fixed]),
      Node(
        name: output,
        op: FakeQuantize(
          QuantizationPoints(
            codes: -(1 << 30)...1 << 30, granularity: isShared ? .tensor : .channel,
            channelAxis: isShared ? nil : 0)),
        inputs: [value, fixed], outputs: [output]),
    ]
    return output
  }

  /// The constant a quantized node reads instead of a float one; `nil` where the value is not held as codes.
  private mutating func constant(
    _ value: ValueName, _ infos: [ValueName: OperandInfo]
  ) -> ValueName? {
    if let known = replaced[value] { return known }
    guard let tensor = encoded.decodedConstant(value, infos) else { return nil }
    let name = constant(tensor, "\(value).decoded")
    replaced[value] = name
    return name
  }
}
