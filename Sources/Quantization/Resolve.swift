import Graph
import Tensors

extension Recipe {
  /// What this recipe means for a graph, layer by layer; nothing is calibrated.
  ///
  /// `infos` is what is known of every value (`Graph.infer`).
  package func resolve(_ graph: Graph, infos: [ValueName: OperandInfo]) -> Resolution {
    resolveAndPlace(graph, infos: infos).resolution
  }

  /// The resolution, and where encodings will sit.
  func resolveAndPlace(
    _ graph: Graph, infos: [ValueName: OperandInfo]
  ) -> (resolution: Resolution, placement: Placement) {
    let compiled = Array(zip(rules, rules.map { CompiledMatch($0.match) }))
    var layers: [Int: ResolvedLayer] = [:]
    for (index, node) in graph.nodes.enumerated() {
      let identity = LayerIdentity(name: node.name, operatorName: node.operatorName.type)
      let roles = node.weights(infos)
      let isActivation = node.movesActivations(infos)
      guard !roles.isEmpty || isActivation || node.mayHaveWeights(infos) else { continue }
      let (requested, rule) = Self.settings(for: identity, defaults: defaults, rules: compiled)
      var layer = ResolvedLayer(
        node: node.name, operatorName: identity.operatorName, kind: .weighted, weights: roles,
        requested: requested,
        effective: requested, rule: rule)
      if roles.isEmpty {
        layer.kind = isActivation ? .activation : .weighted
        if !isActivation { layer.stayFloat("no constant weight") }
      } else {
        layer.settleWeights(node, infos)
      }
      layers[index] = layer
    }
    let placement = Placement(graph, infos: infos, recipe: self, layers: layers)
    for index in placement.fused where layers[index]?.kind == .activation { layers[index] = nil }
    for index in layers.keys { layers[index]?.settle(isStatic: placement.isStatic(index)) }
    let ordered = layers.keys.sorted().compactMap { layers[$0] }
    return (Resolution(layers: ordered, warnings: warnings(ordered, compiled)), placement)
  }

  private func warnings(_ layers: [ResolvedLayer], _ compiled: [(Rule, CompiledMatch)]) -> [String] {
    var warnings: [String] = []
    for (index, (rule, match)) in compiled.enumerated()
    where !layers.contains(where: { match.holds(LayerIdentity($0)) }) {
      let place = rule.place.line == 0 ? "" : "line \(rule.place.line), column \(rule.place.column): "
      warnings.append("\(place)rule \(index + 1) matches no layer: \(rule.text)")
    }
    if training != nil, !layers.contains(where: { $0.effective.mode == .qat }) {
      warnings.append("training has no effect: no layer is in mode qat")
    }
    return warnings
  }
}

extension Node {
  /// The constants of this node that hold float32 weights.
  package func weights(_ infos: [ValueName: OperandInfo]) -> [ResolvedLayer.Weight] {
    guard let op = op as? any WeightedOperator else { return [] }
    return op.weightRoles(inputs.map { $0.flatMap { infos[$0] } }).compactMap { role in
      guard inputs.indices.contains(role.input), let value = inputs[role.input],
        let constant = infos[value]?.constant, constant.type == .float32, constant.count > 0,
        constant.shape.indices.contains(role.channelAxis), constant.shape.indices.contains(role.featureAxis)
      else { return nil }
      return ResolvedLayer.Weight(role: role, value: value, shape: constant.shape)
    }
  }

  /// Whether this operator without weights could run on codes: float32 activations in and out, not shapes or indices.
  fileprivate func movesActivations(_ infos: [ValueName: OperandInfo]) -> Bool {
    guard let op = op as? any ActivationOperator, let output = outputs.first.flatMap({ $0 }),
      let result = infos[output], result.type == .float32, result.constant == nil
    else { return false }
    return op.encodingRule(inputs.map { $0.flatMap { infos[$0] } }) != nil
  }

  /// Whether this is a matrix product or convolution of computed values, which people look for among the layers.
  fileprivate func mayHaveWeights(_ infos: [ValueName: OperandInfo]) -> Bool {
    guard op is any WeightedOperator, operatorName.type != "Gather" else { return false }
    return inputs.first.flatMap { $0 }.flatMap { infos[$0]?.type } == .float32
  }
}

extension ResolvedLayer {
  /// Operators whose products have no integer kernel: only their weights are quantized.
  private static let weightOnlyOperators: Set<String> = ["LSTM", "GRU", "RNN"]

  mutating func stayFloat(_ reason: String) {
    if effective.mode == .float { return }
    effective.mode = .float
    if requested.mode != .float { reasons.append(reason) }
  }

  /// What the weights and the operator allow of what was asked.
  fileprivate mutating func settleWeights(_ node: Node, _ infos: [ValueName: OperandInfo]) {
    guard effective.mode != .float, let weight = weights.first else { return }
    let elements = weights.reduce(0) { $0 + $1.elements }
    if elements < effective.weights.minimumElements {
      stayFloat(
        "\(elements.grouped) weights, under the \(effective.weights.minimumElements.grouped) from which they are quantized"
      )
      return
    }
    if effective.mode.isStatic || effective.mode == .dynamic {
      if weight.role.activation == nil {
        effective.mode = .weightOnly
        reasons.append("\(operatorName) looks rows up and multiplies nothing: weight-only")
      } else if Self.weightOnlyOperators.contains(operatorName) {
        effective.mode = .weightOnly
        reasons.append("\(operatorName) has no integer kernel: weight-only")
      } else if let index = weight.role.activation, !node.reads(float32At: index, infos) {
        stayFloat("its activation is not computed in float32")
        return
      }
    }
    if effective.mode == .dynamic && effective.activations.bits > 8 {
      effective.activations.bits = 8
      reasons.append("dynamic activations have at most 8 bits: 8")
    }
    if effective.weights.format == nil {
      settleGroups()
      if effective.weights.method == .imatrix {
        effective.weights.method = .nearest
        reasons.append("imatrix is for block formats: rounded to nearest")
      }
    } else {
      settleFormat(weight)
    }
    // Training starts from the scale with the least error.
    if effective.mode == .qat, effective.weights.scale == nil { effective.weights.scale = .mse }
    if effective.mode.isStatic && effective.activations.bits > 8 {
      reasons.append("\(effective.activations.bits)-bit activations run simulated only")
    }
  }

  /// What becomes of a block format, which holds the weights of rows of input features and nothing else.
  private mutating func settleFormat(_ weight: Weight) {
    guard let name = effective.weights.format, let asked = BlockFormats.named(name) else { return }
    let last = weight.shape.count - 1
    guard weights.count == 1, last == 1, weight.role.featureAxis == last else {
      stayFloat(
        weight.role.featureAxis == last || weights.count > 1
          ? "\(name) holds matrices, and \(operatorName) has weights \(weight.shape.shapeText): float"
          : "blocks of \(name) run along the last axis, and the input features along axis \(weight.role.featureAxis) of \(weight.shape.shapeText): float"
      )
      return
    }
    let features = weight.shape[last]
    guard let format = BlockFormats.fitting(asked, features: features) else {
      stayFloat(
        "\(features) input features are no whole number of blocks of \(name) or of its fallback: float")
      return
    }
    if format.name != asked.name {
      reasons.append(
        "\(features) input features are not a multiple of \(asked.elements), the block of \(asked.name): \(format.name)"
      )
    }
    if effective.mode != .weightOnly {
      effective.mode = .weightOnly
      reasons.append("\(format.name) holds weights only: weight-only")
    }
    effective.weights = effective.weights.fixed(by: format)
    if effective.weights.method != .imatrix && effective.weights.method != .nearest {
      reasons.append("\(format.name) has an encoder of its own instead of \(effective.weights.method.title)")
      effective.weights.method = .nearest
    }
  }

  private mutating func settleGroups() {
    guard case .group(let size) = effective.weights.granularity, let weight = weights.first else { return }
    let features = weight.shape[weight.role.featureAxis]
    let channels = weight.shape[weight.role.channelAxis]
    let taps = features * channels == 0 ? 1 : weight.elements / (features * channels)
    if weight.role.featureAxis == weight.role.channelAxis || (features == 1 && size > 1) {
      effective.weights.granularity = .channel
      reasons.append("one input feature per output, nothing to group: one scale per channel")
    } else if features <= size && taps == 1 {
      effective.weights.granularity = .channel
      reasons.append("the group of \(size) holds all input features: one scale per channel")
    } else if features < size {
      effective.weights.granularity = .group(features)
      reasons.append("\(features) input features, fewer than the group of \(size): one group of them per tap")
    } else if features % size != 0 {
      reasons.append(
        "\(features) input features are not a multiple of \(size): the last group has \(features % size)")
    }
  }

  /// The last word, once it is known which operators without weights run on codes.
  fileprivate mutating func settle(isStatic: Bool) {
    guard kind == .activation, effective.mode != .float, !isStatic else { return }
    effective.mode = .float
    if requested.mode.isStatic {
      reasons.append("its neighbours do not run on codes: float")
    }
  }
}

extension Node {
  /// Whether the input at `index` is a computed float32 value.
  func reads(float32At index: Int, _ infos: [ValueName: OperandInfo]) -> Bool {
    guard inputs.indices.contains(index), let value = inputs[index], let info = infos[value] else {
      return false
    }
    return info.type == .float32 && info.constant == nil
  }
}

extension Int {
  /// With blanks between thousands, as figures are written here.
  fileprivate var grouped: String {
    let digits = String(self)
    var result = ""
    for (offset, digit) in digits.enumerated() {
      if offset > 0 && (digits.count - offset) % 3 == 0 { result.append(" ") }
      result.append(digit)
    }
    return result
  }
}
