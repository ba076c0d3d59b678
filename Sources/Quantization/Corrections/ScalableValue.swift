import Graph
import Operators
import Tensors

/// A value whose channels can be divided by factors without changing what the network computes: the layers that read it
/// multiply their weights by them, and what gives it divides.
struct ScalableValue {
  /// As its readers read it.
  var value: ValueName
  var channels: Int
  /// Axis of the channels, and how many axes the value has.
  var axis: Int
  var rank: Int
  var readers: [ChannelWeights]
  /// What takes the division up; `nil` where only a multiplication put before the readers can.
  var source: Source?

  struct Source {
    /// The layer that gives the value; `nil` where constants alone take the division up (layer normalisation).
    var layer: ChannelWeights?
    /// Constants of one element for each channel: biases, gains, bounds.
    var constants: [Place] = []
    /// Clips from 0 to a bound, which becomes one for each channel.
    var clips: [String] = []
    /// Nodes between the source and the readers.
    var passage: [String] = []
  }

  /// An input of a node.
  struct Place {
    var node: String
    var input: Int
  }

  /// By channel the largest weight that multiplies it.
  func readMagnitudes(_ graph: Graph) -> [Float] {
    readers.reduce(into: [Float](repeating: 0, count: channels)) { result, reader in
      for (channel, magnitude) in reader.magnitudes(graph).inputs.enumerated() {
        result[channel] = max(result[channel], magnitude)
      }
    }
  }

  /// The values that the layers named read as activations, in the order of the graph.
  static func all(
    in graph: Graph, infos: [ValueName: OperandInfo], readBy wanted: Set<String>
  ) -> [ScalableValue] {
    let (producers, consumers) = (graph.producers, graph.consumers)
    let outputs = Set(graph.outputs.map(\.name))
    var seen: Set<ValueName> = []
    var result: [ScalableValue] = []
    for node in graph.nodes where wanted.contains(node.name) {
      guard let value = node.inputs[0], seen.insert(value).inserted, infos[value]?.constant == nil,
        let rank = infos[value]?.shape?.count
      else { continue }
      let nodes = (consumers[value] ?? []).map { graph.nodes[$0] }
      let readers = nodes.compactMap { node in
        wanted.contains(node.name) && node.inputs.filter { $0 == value }.count == 1
          ? ChannelWeights(node, graph, infos) : nil
      }
      guard let first = readers.first, readers.allSatisfy({ $0.inputs == first.inputs }) else { continue }
      let isImage = node.op is Conv
      var found = ScalableValue(
        value: value, channels: first.inputs, axis: isImage ? 1 : rank - 1, rank: rank, readers: readers)
      if readers.count == nodes.count, !outputs.contains(value) {
        found.source = found.source(graph, infos, producers, consumers, outputs)
      }
      result.append(found)
    }
    return result
  }

  /// Goes back from the value through what commutes with a factor for each channel.
  private func source(
    _ graph: Graph, _ infos: [ValueName: OperandInfo], _ producers: [ValueName: Int],
    _ consumers: [ValueName: [Int]], _ outputs: Set<ValueName>
  ) -> Source? {
    var source = Source()
    var current = value
    while let index = producers[current] {
      if current != value, outputs.contains(current) || consumers[current]?.count != 1 { return nil }
      let node = graph.nodes[index]
      if let layer = ChannelWeights(node, graph, infos) {
        guard layer.outputs == channels, (consumers[layer.value] ?? []).count == 1 else { return nil }
        if let bias = layer.role.bias, node.inputs.indices.contains(bias), let name = node.inputs[bias] {
          guard graph.constants[name]?.count == channels else { return nil }
          source.constants.append(Place(node: node.name, input: bias))
        }
        source.layer = layer
        return source
      }
      switch node.op {
      case is LayerNormalization:
        guard axis == rank - 1 else { return nil }
        for input in 1..<node.inputs.count where node.inputs[input] != nil {
          guard isByChannel(node.inputs[input], graph) else { return nil }
          source.constants.append(Place(node: node.name, input: input))
        }
        return source
      case is Add, is Mul, is Min:
        guard let constant = node.inputs.indices.first(where: { isByChannel(node.inputs[$0], graph) }),
          node.inputs.count == 2, let other = node.inputs[1 - constant]
        else { return nil }
        source.constants.append(Place(node: node.name, input: constant))
        if node.op is Mul { return source }
        current = other
      case let clip as Clip:
        guard let input = node.inputs[0],
          case .clamp(let lower, let upper)? = clip.encodingRule(node.inputs.map { $0.flatMap { infos[$0] } }),
          lower == 0, upper > 0
        else { return nil }
        if upper < .infinity { source.clips.append(node.name) }
        current = input
      default:
        guard node.commutesWithFactors(ofAxis: axis, infos), let input = node.inputs[0] else { return nil }
        current = input
      }
      source.passage.append(node.name)
    }
    return nil
  }

  /// Whether a constant has one element for each channel, where channels are.
  private func isByChannel(_ name: ValueName?, _ graph: Graph) -> Bool {
    guard let shape = name.flatMap({ graph.constants[$0] })?.shape, shape.count <= rank else { return false }
    let padded = Shape(repeating: 1, count: rank - shape.count) + shape
    return padded.indices.allSatisfy { padded[$0] == ($0 == axis ? channels : 1) }
  }
}

extension Node {
  /// Whether a factor for each channel can go through: f(x / s) = f(x) / s for every s > 0.
  fileprivate func commutesWithFactors(ofAxis axis: Int, _ infos: [ValueName: OperandInfo]) -> Bool {
    switch op {
    case is Relu, is Identity, is LeakyRelu: return true
    case is MaxPool, is AveragePool, is GlobalAveragePool, is GlobalMaxPool: return true
    default: break
    }
    guard let input = inputs.first.flatMap({ $0 }).flatMap({ infos[$0]?.shape }),
      let output = outputs.first.flatMap({ $0 }).flatMap({ infos[$0]?.shape }), input.count > 2
    else { return false }
    if operatorName.type == "ReduceMean" {
      // Over positions alone.
      return output.elementCount == input[0] * input[1] && (output.count == 2 || output.count == input.count)
    }
    // One pixel as a row of features.
    let isMove = ["Reshape", "Flatten", "Squeeze"].contains(operatorName.type)
    return isMove && input.dropFirst(2).allSatisfy { $0 == 1 } && output == Array(input.prefix(2))
  }
}
