import Graph
import Tensors

extension Quantizer {
  /// One constant to encode for one layer.
  private struct Job: Sendable {
    var node: String
    var value: ValueName
    var settings: WeightSettings
    var role: WeightRole
    var tensor: Tensor
    /// Static layers: bias value, its elements and the input's scale.
    var bias: (value: ValueName, elements: [Float], inputScale: Float)?

    var format: (any BlockFormat)? { settings.format.flatMap(BlockFormats.named) }
  }

  private struct Result: Sendable {
    var weight: EncodedTensor
    var bias: EncodedBias?
    var raised: Int
  }

  /// Encodes the weights and biases of every layer that is not float, and says how each node computes.
  func encodeWeights(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, _ placement: Placement,
    _ warnings: inout [String]
  ) throws {
    var layers: [String: ResolvedLayer] = [:]
    for layer in resolution.layers { layers[layer.node] = layer }
    let readers = encoded.graph.consumers
    var owned: [ValueName: Job] = [:]
    var jobs: [Job] = []
    for index in encoded.graph.nodes.indices {
      let name = encoded.graph.nodes[index].name
      guard let layer = layers[name] else { continue }
      if placement.operators.contains(index) {
        encoded.layers[name] = LayerEncoding(mode: layer.effective.mode)
      }
      guard layer.kind == .weighted, layer.effective.mode != .float else { continue }
      encoded.layers[name] = encoding(of: layer)
      for weight in layer.weights {
        guard let tensor = infos[weight.value]?.constant else { continue }
        var job = Job(
          node: name, value: weight.value, settings: layer.effective.weights, role: weight.role,
          tensor: tensor)
        job.bias = bias(encoded, index, layer, weight)
        if unshare(&job, &encoded, index, readers, &owned) { jobs.append(job) }
      }
    }
    for (job, result) in zip(jobs, try run(jobs)) {
      guard let result else {
        throw QuantizationError("layer \"\(job.node)\": weight \"\(job.value)\" holds NaN or infinity")
      }
      encoded.weights[job.value] = result.weight
      if let bias = job.bias { encoded.biases[bias.value] = result.bias }
      if result.raised > 0 {
        warnings.append(
          "layer \"\(job.node)\": the bias needs more than 2^30 steps in \(result.raised) "
            + "\(result.raised == 1 ? "channel" : "channels"), whose weight scale was raised")
      }
    }
  }

  private func encoding(of layer: ResolvedLayer) -> LayerEncoding {
    let effective = layer.effective
    guard effective.mode == .dynamic else { return LayerEncoding(mode: effective.mode) }
    let isConvolution = layer.operatorName.contains("Conv")
    return LayerEncoding(
      mode: .dynamic, dynamicActivation: effective.activations.dynamic ?? (isConvolution ? .sample : .token),
      dynamicBits: effective.activations.width)
  }

  /// The bias of a static layer, where int32 codes can hold it: one element per channel, weights not in groups.
  private func bias(
    _ encoded: EncodedGraph, _ index: Int, _ layer: ResolvedLayer, _ weight: ResolvedLayer.Weight
  ) -> (value: ValueName, elements: [Float], inputScale: Float)? {
    let node = encoded.graph.nodes[index]
    guard layer.effective.mode.isStatic, let input = weight.role.bias, node.inputs.indices.contains(input),
      let value = node.inputs[input], let tensor = infos[value]?.constant, tensor.type == .float32,
      let activation = weight.role.activation, let read = node.inputs[activation],
      let scale = encoded.activations[read]?.scales.first
    else { return nil }
    guard layer.effective.weights.granularity.hasOneScalePerChannel else { return nil }
    let channels = weight.shape[weight.role.channelAxis]
    guard tensor.count > 0, tensor.count % channels == 0, tensor.shape.filter({ $0 > 1 }).count <= 1 else {
      return nil
    }
    return (value, tensor.array(of: Float.self), scale)
  }

  /// Gives the node constants of its own where others encode the same ones in another way.
  ///
  /// A bias always, because its scale follows the layer's input; a weight when settings, axes or bias differ. `false`
  /// where the weight is encoded for another already.
  private func unshare(
    _ job: inout Job, _ encoded: inout EncodedGraph, _ index: Int, _ readers: [ValueName: [Int]],
    _ owned: inout [ValueName: Job]
  ) -> Bool {
    if let bias = job.bias, (readers[bias.value] ?? []).count > 1 {
      let copy = bias.value + "@" + job.node
      encoded.graph.constants[copy] = encoded.graph.constants[bias.value] ?? infos[bias.value]?.constant
      if let input = job.role.bias { encoded.graph.nodes[index].inputs[input] = copy }
      job.bias?.value = copy
    }
    if let other = owned[job.value] {
      let isSame =
        other.settings == job.settings && other.role.channelAxis == job.role.channelAxis
        && other.role.featureAxis == job.role.featureAxis && other.bias == nil && job.bias == nil
      if isSame { return false }
      let copy = job.value + "@" + job.node
      encoded.graph.constants[copy] = job.tensor
      encoded.graph.nodes[index].inputs[job.role.input] = copy
      job.value = copy
    }
    owned[job.value] = job
    return true
  }

  /// Blocks take all threads row by row, others a thread each.
  private func run(_ jobs: [Job]) throws -> [Result?] {
    let results = Locked<[Int: Result]>([:])
    for index in jobs.indices where jobs[index].format != nil {
      let result = encode(jobs[index], threads: threads)
      results.withLock { $0[index] = result }
    }
    let others = jobs.indices.filter { jobs[$0].format == nil }
    parallel(others.count, grain: 1, threads: threads) { places in
      for index in others[places] {
        let result = Quantizer.encode(jobs[index])
        results.withLock { $0[index] = result }
      }
    }
    return results.withLock { results in jobs.indices.map { results[$0] } }
  }

  /// A weight in blocks; `nil` when one is not finite.
  private func encode(_ job: Job, threads: Int) -> Result? {
    guard let format = job.format else { return nil }
    if measuresOnly {
      let bytes = job.tensor.count / format.elements * format.bytes
      let blocks = Tensor(shape: [bytes], type: .uint8) { _ in }
      let weight = EncodedTensor(blocks: blocks, shape: job.tensor.shape, format: format, threads: threads)
      return Result(weight: weight, raised: 0)
    }
    return EncodedTensor(finite: job.tensor, format: format, threads: threads).map {
      Result(weight: $0, raised: 0)
    }
  }

  /// `nil` when a weight is not finite.
  private static func encode(_ job: Job) -> Result? {
    let encoder = WeightEncoder(
      settings: job.settings, shape: job.tensor.shape, channelAxis: job.role.channelAxis,
      groupAxis: job.role.featureAxis)
    return job.tensor.withElements(of: Float.self) { weights in
      guard var numbers = encoder.scales(weights) else { return nil }
      var raised: [Int] = []
      if let bias = job.bias {
        raised = BiasEncoder.raise(&numbers, bias: bias.elements, inputScale: bias.inputScale)
      }
      let weight = encoder.encode(weights, numbers)
      let bias = job.bias.map {
        BiasEncoder.encode($0.elements, weightScales: numbers.scales, inputScale: $0.inputScale)
      }
      return Result(weight: weight, bias: bias, raised: Set(raised).count)
    }
  }
}
