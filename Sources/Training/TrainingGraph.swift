import Execution
import Graph
import Operators
import Quantization
import Tensors

/// What changes at a milestone.
struct TrainingPhase: Hashable {
  /// Whether the network computes with fake quantization, or in float with the same parameters.
  var quantizes: Bool
  /// Whether batch norms that are trained use their running statistics, as at inference.
  var freezesNorms: Bool

  init(_ settings: TrainingSettings, epoch: Int) {
    quantizes = epoch >= settings.milestones.quantize
    freezesNorms =
      settings.batchNorm == .fold || settings.milestones.freezeBatchNorm.map { epoch >= $0 } ?? false
  }
}

/// The network with fake quantization in place of integers, for one batch size, and what of it can be learned.
struct TrainingGraph {
  var builder: GraphBuilder
  var parameters: [Parameter]
  /// For inputs that hold running statistics, where the new ones come out.
  var statistics: [ValueName: ValueName]
  /// Batch norms that are trained, by the weight they go into.
  var norms: [ValueName: NormTraining]

  /// - Parameters:
  ///   - candidate: what calibration made of the network: where training starts.
  ///   - inputShapes: of the network's inputs, with the batch.
  init(
    _ candidate: Candidate, inputShapes: [ValueName: Shape], settings: TrainingSettings, phase: TrainingPhase
  ) throws {
    var rewriting = Rewriting(candidate, settings, phase)
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
    statistics = rewriting.statistics
    norms = rewriting.norms
  }
}

/// Puts fake quantization where the candidate has codes: the points of DESIGN "Where encodings sit".
private struct Rewriting {
  let encoded: EncodedGraph
  let roots: [ValueName: ValueName]
  let settings: TrainingSettings
  let phase: TrainingPhase
  var graph: Graph
  var parameters: [Parameter] = []
  var statistics: [ValueName: ValueName] = [:]
  var norms: [ValueName: NormTraining] = [:]
  private var writer: NodeWriter
  /// For each value that static nodes read as codes, what they read instead.
  private var decoded: [ValueName: ValueName] = [:]
  /// By value that is fake-quantized, where its scales are.
  private var scaleNames: [ValueName: ValueName] = [:]
  /// For each constant, what trained and quantized nodes read instead.
  private var replaced: [ValueName: ValueName] = [:]

  init(_ candidate: Candidate, _ settings: TrainingSettings, _ phase: TrainingPhase) {
    self.phase = phase
    encoded = candidate.encoded
    roots = candidate.roots
    self.settings = settings
    graph = encoded.graph
    writer = NodeWriter(fresh: FreshNames(in: graph))
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
      var norm: (NormTraining, NormTraining.Site)?
      if mode == .qat || mode == .float && !settings.freezeFloat {
        for role in roles { norm = train(role, of: &node, mode: mode) ?? norm }
      }
      for (index, input) in original.inputs.enumerated() where node.inputs[index] == input {
        guard let input, mode != .float else { continue }
        if let constant = constant(input, infos) {
          node.inputs[index] = constant
        } else if mode.isStatic, let value = decoded[input] {
          node.inputs[index] = value
        }
      }
      if mode == .dynamic { encoded.addRanges(to: &node, infos, &writer.fresh, &writer.nodes) }
      append(node, norm)
      for case let output? in node.outputs { decode(output) }
    }
    var result = graph
    result.nodes = writer.nodes
    result.constants.merge(writer.constants) { _, new in new }
    // Only so that they are not simplified away.
    result.outputs += statistics.values.sorted().map { ValueInfo(name: $0, type: .float32, dimensions: nil) }
    return result
  }

  /// Appends a layer, and the batch norm of what it gives.
  private mutating func append(_ node: Node, _ norm: (NormTraining, NormTraining.Site)?) {
    guard let (norm, site) = norm, !phase.freezesNorms, let output = node.outputs[0] else {
      writer.nodes.append(node)
      return
    }
    var layer = node
    let plain = writer.fresh("\(output).plain")
    layer.outputs[0] = plain
    writer.nodes.append(layer)
    let running = norm.normalize(plain, into: output, site, &writer)
    statistics[site.mean] = running.mean
    statistics[site.variance] = running.variance
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
      inputs.append(writer.constant(scales, "\(owner).scale"))
    }
    if isLearned, learnsOffset {
      inputs.append(parameter(owner, .offset, zeros))
    } else if encoding.zeroPoints.contains(where: { $0 != 0 }) {
      inputs.append(writer.constant(zeros, "\(owner).zero"))
    }
    scaleNames[owner] = inputs[1]
    guard phase.quantizes else { return value }
    let output = writer.fresh("\(owner).decoded")
    writer.nodes.append(
      Node(
        name: writer.fresh("\(owner).fake-quantize"),
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
    let input = writer.fresh("\(role.rawValue):\(value)")
    parameters.append(Parameter(value: value, role: role, input: input, start: start))
    graph.inputs.append(
      ValueInfo(name: input, type: .float32, dimensions: start.shape.map { .fixed($0) }))
    return input
  }

  // MARK: weights

  /// Makes parameters of a layer's weight and bias, the weight fake-quantized where the layer's mode is qat.
  ///
  /// - Returns: the batch norm that is trained with them.
  private mutating func train(
    _ role: WeightRole, of node: inout Node, mode: Mode
  ) -> (NormTraining, NormTraining.Site)? {
    guard let weight = node.inputs[role.input], let tensor = graph.constants[weight], tensor.type == .float32
    else { return nil }
    let norm = replaced[weight] == nil ? self.norm(of: weight, tensor, role, node) : nil
    if let norm {
      let site = takeOut(norm, tensor, of: &node, role, mode)
      norms[weight] = norm
      return (norm, site)
    }
    if let known = replaced[weight] {
      node.inputs[role.input] = known
    } else {
      let value = coded(parameter(weight, .weight, tensor), weight, mode)
      replaced[weight] = value
      node.inputs[role.input] = value
    }
    guard let index = role.bias, node.inputs.indices.contains(index), let bias = node.inputs[index],
      let tensor = graph.constants[bias], tensor.type == .float32
    else { return nil }
    if replaced[bias] == nil {
      let value = parameter(bias, .bias, tensor)
      replaced[bias] = mode == .qat ? rounded(value, bias, of: node, role, weight) : value
    }
    node.inputs[index] = replaced[bias]
    return nil
  }

  /// The value a layer reads as its weight, fake-quantized in mode qat.
  private mutating func coded(_ value: ValueName, _ weight: ValueName, _ mode: Mode) -> ValueName {
    guard mode == .qat, let codes = encoded.weights[weight] else { return value }
    return quantized(
      value, named: weight, codes.encoding, isLearned: settings.scales != .fixed, learnsOffset: false)
  }

  // MARK: batch norm

  /// The batch norm to train with a weight; `nil` where there is none, or it stays folded.
  private func norm(
    of weight: ValueName, _ tensor: Tensor, _ role: WeightRole, _ node: Node
  ) -> NormTraining? {
    guard settings.batchNorm == .train, let norm = graph.foldedNorms[weight], let index = role.bias,
      node.inputs.indices.contains(index), node.inputs[index] == norm.bias,
      encoded.graph.nodes.filter({ $0.inputs.contains(weight) || $0.inputs.contains(norm.bias) }).count == 1
    else { return nil }
    return NormTraining(
      norm, of: weight, shape: tensor.shape, role: role, groups: node.op.attributes.int("group") ?? 1)
  }

  /// Makes parameters of a layer's own weight and of its batch norm.
  private mutating func takeOut(
    _ norm: NormTraining, _ tensor: Tensor, of node: inout Node, _ role: WeightRole, _ mode: Mode
  ) -> NormTraining.Site {
    let weight = norm.weight
    let own = parameter(weight, .weight, norm.unfolded(tensor))
    let inputs = norm.parameters.map { parameter(weight, $0.role, $0.start) }
    let (folded, factor) = norm.fold(own, gain: inputs[0], variance: inputs[3], &writer)
    let site = NormTraining.Site(
      gain: inputs[0], shift: inputs[1], mean: inputs[2], variance: inputs[3], factor: factor)
    let value = coded(folded, weight, mode)
    replaced[weight] = value
    node.inputs[role.input] = value
    if let index = role.bias, let bias = node.inputs[index] {
      if phase.freezesNorms {
        let moved = norm.bias(site, &writer)
        node.inputs[index] = mode == .qat ? rounded(moved, bias, of: node, role, weight) : moved
      } else {
        node.inputs[index] = nil
      }
    }
    return site
  }

  /// The bias as the int32 codes it becomes: whole steps of input scale · weight scale, which learn nothing from it.
  private mutating func rounded(
    _ value: ValueName, _ bias: ValueName, of node: Node, _ role: WeightRole, _ weight: ValueName
  ) -> ValueName {
    guard phase.quantizes, let codes = encoded.biases[bias], let weights = encoded.weights[weight],
      let activation = role.activation.flatMap({ node.inputs[$0] }),
      let inputScale = scaleNames[roots[activation] ?? activation], let weightScale = scaleNames[weight],
      [1, codes.codes.count].contains(weights.encoding.scales.count)
    else { return value }
    let product = writer.add(Mul(), [inputScale, weightScale], "\(bias).step")
    let fixed = writer.add(StopGradient(), [product], "\(bias).scale")
    let isShared = weights.encoding.scales.count == 1
    let points = QuantizationPoints(
      codes: -(1 << 30)...1 << 30, granularity: isShared ? .tensor : .channel, channelAxis: isShared ? nil : 0
    )
    return writer.add(FakeQuantize(points), [value, fixed], "\(bias).decoded")
  }

  /// The constant a quantized node reads instead of a float one; `nil` where the value is not held as codes.
  private mutating func constant(
    _ value: ValueName, _ infos: [ValueName: OperandInfo]
  ) -> ValueName? {
    if let known = replaced[value] { return known }
    guard let tensor = encoded.decodedConstant(value, infos) else { return nil }
    let name = writer.constant(tensor, "\(value).decoded")
    replaced[value] = name
    return name
  }
}
