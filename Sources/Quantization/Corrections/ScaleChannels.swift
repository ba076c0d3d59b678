import Graph
import Operators
import Tensors

extension Graph {
  /// Divides the channels of a value by factors, as far as constants can: weights of its readers, and what gives it.
  ///
  /// What constants cannot express, bounds of clips and values whose source cannot divide, is left to `finishScaling`.
  mutating func scale(_ value: ScalableValue, by factors: [Float]) {
    let inverses = factors.map { 1 / $0 }
    for reader in value.readers {
      rewrite(constantOf: reader.node, reader.role.input) { reader.scaled($0, inputs: factors) }
    }
    guard let source = value.source else { return }
    if let layer = source.layer {
      let weight = rewrite(constantOf: layer.node, layer.role.input) { layer.scaled($0, outputs: inverses) }
      // The layer's own weight and its running statistics stay what they were.
      if var norm = weight.flatMap({ foldedNorms[$0] }), norm.gain.count == inverses.count {
        norm.gain = zip(norm.gain, inverses).map { $0 * $1 }
        norm.shift = zip(norm.shift, inverses).map { $0 * $1 }
        foldedNorms[weight ?? ""] = norm
      }
    }
    for place in source.constants {
      rewrite(constantOf: place.node, place.input) { tensor in
        Tensor(zip(tensor.array(of: Float.self), inverses).map { $0 * $1 }, shape: tensor.shape)
      }
    }
  }

  /// Makes bounds of clips one for each channel, and puts a multiplication before readers whose source cannot divide.
  ///
  /// - Parameter factors: everything the value was divided by.
  mutating func finishScaling(_ value: ScalableValue, by factors: [Float], _ infos: [ValueName: OperandInfo])
  {
    let inverses = factors.map { 1 / $0 }
    let shape = Shape(repeating: 1, count: value.rank - value.axis - 1)
    guard let source = value.source else {
      var writer = NodeWriter(for: self)
      let name = writer.constant(Tensor(inverses, shape: [value.channels] + shape), "\(value.value).factors")
      let scaled = writer.add(Mul(), [value.value, name], "\(value.value).scaled")
      let readers = Set(value.readers.map(\.node))
      for index in nodes.indices where readers.contains(nodes[index].name) {
        nodes[index].inputs = nodes[index].inputs.map { $0 == value.value ? scaled : $0 }
      }
      constants.merge(writer.constants) { $1 }
      let first = nodes.firstIndex { readers.contains($0.name) } ?? 0
      nodes.insert(contentsOf: writer.nodes, at: first)
      return
    }
    for clip in source.clips {
      guard let place = nodes.firstIndex(where: { $0.name == clip }), let input = nodes[place].inputs[0],
        case .clamp(_, let upper)? = (nodes[place].op as? Clip)?.encodingRule(
          nodes[place].inputs.map { $0.flatMap { infos[$0] } })
      else { continue }
      let rank = infos[input]?.shape?.count ?? value.rank
      let bounds = Tensor(
        inverses.map { upper * $0 }, shape: [value.channels] + Shape(repeating: 1, count: rank - 2))
      var writer = NodeWriter(for: self)
      let bound = writer.constant(bounds, "\(clip).bounds")
      let bounded = writer.add(Min(), [input, bound], "\(clip).bounded")
      constants.merge(writer.constants) { $1 }
      nodes[place].op = Relu()
      nodes[place].inputs = [bounded]
      nodes.insert(contentsOf: writer.nodes, at: place)
    }
  }

  /// Replaces the constant that a node reads, under a name of its own where others read it too.
  ///
  /// - Returns: the name it has now.
  @discardableResult
  mutating func rewrite(
    constantOf node: String, _ input: Int, _ change: (Tensor) -> Tensor
  ) -> ValueName? {
    guard let place = nodes.firstIndex(where: { $0.name == node }), let old = nodes[place].inputs[input],
      let tensor = constants[old]
    else { return nil }
    let readers = nodes.reduce(0) {
      $0 + $1.inputs.filter { $0 == old }.count + ($1.capturedValues.contains(old) ? 1 : 0)
    }
    guard readers > 1 || inputs.contains(where: { $0.name == old }) else {
      constants[old] = change(tensor)
      return old
    }
    var fresh = FreshNames(in: self)
    let name = fresh("\(old)@\(node)")
    constants[name] = change(tensor)
    nodes[place].inputs[input] = name
    return name
  }
}
