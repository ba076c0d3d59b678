import Execution
import Graph
import Operators
import Tensors

/// Encodes again the weights of layers whose range or method goes by samples: one layer after another, each on what the
/// network gives it with the layers before it rounded.
extension Quantizer {
  /// Bytes of patches that are computed at once.
  private static let patchBytes = 16 << 20

  /// - Errors: `QuantizationError` where a layer asks for such a range or method and there are no samples.
  func roundLayers(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, _ source: (any CalibrationSource)?,
    _ warnings: inout [String], _ report: (Double, String) throws -> Void
  ) throws {
    let layers = try wantedLayers(encoded, resolution, &warnings)
    guard let firstLayer = layers.first else { return }
    let source =
      firstLayer.method.readsSamples
      ? try samples(source, for: "method \(firstLayer.method.rawValue)", instead: "use method nearest")
      : try samples(source, for: "scale output-mse", instead: "use scale mse")
    var graph = try simulated(encoded)
    // Of layers to come nothing is read, so what they decode to need not take memory; nor what was read already.
    for layer in layers {
      graph.constants[try graph.weight(of: layer.matrix)] = encoded.graph.constants[layer.matrix.weight]
    }
    let batch = try batchSize(layers.map(\.matrix), encoded.graph)
    let stream = { graph in
      try SampleStream(
        graph, infos: infos, source: source, samples: recipe.calibration.samples, batch: batch,
        threads: threads)
    }
    var quantized = try stream(graph)
    var float = layers.contains { $0.method == .adaRound } ? try stream(encoded.graph) : nil
    let bytes = layers.map { peakBytes($0, quantized.samples) }.max() ?? 0
    let needed = "needs \((bytes + quantized.keptBytes + (float?.keptBytes ?? 0)) >> 20) MiB for samples"
    let lastReaders = graph.consumers.compactMapValues(\.last)
    for (index, layer) in layers.enumerated() {
      func reportPart(_ done: Double) throws {
        try report(
          (Double(index) + done) / Double(layers.count),
          "\(layer.title): layer \(index + 1) of \(layers.count), \(needed)")
      }
      try reportPart(0)
      let place = try graph.place(of: layer.matrix.node)
      try quantized.advance(graph, to: place)
      if !quantized.readsAgain {
        graph.constants = graph.constants.filter { lastReaders[$0.key].map { $0 >= place } ?? false }
      }
      if layer.method == .adaRound {
        try float?.advance(encoded.graph, to: try encoded.graph.place(of: layer.matrix.node))
      }
      let moments = layer.readsMoments ? try moments(layer.matrix, graph, quantized, reportPart) : []
      if layer.settings.scale == .outputMSE {
        try searchRanges(layer.matrix, layer.settings, &encoded, moments)
      }
      switch (layer.method, float) {
      case (.adaRound, let float?):
        try roundByAdaRound(layer.matrix, &encoded, quantized: (graph, quantized), float: float, reportPart)
      case (.gptq, _): roundByGPTQ(layer.matrix, layer.settings, &encoded, moments)
      case (.imatrix, _):
        try encodeByImportance(layer.matrix, layer.settings, graph, quantized, &encoded, reportPart)
      default: break
      }
      graph.constants[try graph.weight(of: layer.matrix)] = encoded.decodedConstant(
        layer.matrix.weight, infos)
    }
  }

  /// Samples, which something cannot do without.
  func samples(
    _ source: (any CalibrationSource)?, for reader: String, instead: String
  ) throws -> any CalibrationSource {
    guard let source else {
      throw QuantizationError("\(reader) needs samples (found none). Give data, or \(instead).")
    }
    return source
  }

  private struct Wanted {
    var matrix: LayerMatrix
    var settings: WeightSettings

    var method: Method { settings.method }
    var readsMoments: Bool { settings.scale == .outputMSE || method == .gptq }
    /// What takes the time, for people.
    var title: String { method.readsSamples ? method.title : WeightSettings.Scale.outputMSE.text }
  }

  private func wantedLayers(
    _ encoded: EncodedGraph, _ resolution: Resolution, _ warnings: inout [String]
  ) throws -> [Wanted] {
    var result: [Wanted] = []
    for layer in resolution.layers where layer.effective.mode != .float {
      let settings = layer.effective.weights
      guard settings.readsSamples else { continue }
      for weight in layer.weights {
        if let matrix = LayerMatrix(layer.node, weight.role, encoded) {
          result.append(Wanted(matrix: matrix, settings: settings))
          continue
        }
        let missing = "layer \"\(layer.node)\": \(layer.operatorName) has no "
        if settings.method.readsSamples {
          let instead = settings.format.map { "\($0) as it comes" } ?? "rounded to nearest"
          warnings.append("\(missing)\(settings.method.title) here; \(instead)")
        }
        if settings.scale == .outputMSE {
          warnings.append("\(missing)scale output-mse here; max")
        }
      }
    }
    return result
  }

  /// Positions of one sample at which a layer multiplies.
  private func positions(_ layer: LayerMatrix) -> Int {
    guard let output = graph.nodes.first(where: { $0.name == layer.node })?.outputs.first ?? nil,
      let shape = infos[output]?.shape
    else { return 1 }
    let given = graph.samplesInferred(infos)
    return max(shape.elementCount / max(layer.rows * given, 1), 1)
  }

  private func batchSize(_ layers: [LayerMatrix], _ graph: Graph) throws -> Int {
    let bytes = layers.map { $0.patchBytes(positions: positions($0)) }.max() ?? 1
    let size = min(max(Self.patchBytes / max(bytes, 1), 1), Calibrator.largestBatch)
    // Shapes inside the graph may be made for one batch size.
    var given: [ValueName: OperandInfo] = [:]
    for input in graph.inputs where graph.constants[input.name] == nil {
      guard var info = infos[input.name], let shape = info.shape, !shape.isEmpty else { continue }
      info.shape = [size] + shape.dropFirst()
      given[input.name] = info
    }
    return (try? graph.infer(inputs: given)) == nil ? 1 : size
  }

  /// Bytes that a layer's method holds beside the network's values, at most.
  private func peakBytes(_ layer: Wanted, _ samples: Int) -> Int {
    let (matrix, positions) = (layer.matrix, positions(layer.matrix))
    let patches = max(Self.patchBytes, matrix.patchBytes(positions: positions))
    switch layer.method {
    case .adaRound: return patches + AdaRound.bytes(matrix, positions: positions, samples: samples)
    case .imatrix: return patches + 8 * matrix.features
    // Σ x · xᵀ of all batches and of one, and the factor of its inverse.
    default: return patches + (8 + 4 + 8) * matrix.groups * matrix.features * matrix.features
    }
  }
}

extension Graph {
  fileprivate func place(of node: String) throws -> Int {
    guard let place = nodes.firstIndex(where: { $0.name == node }) else {
      throw QuantizationError("layer \"\(node)\" is not in its simulation")
    }
    return place
  }

  /// The constant from which a layer of the simulation reads a weight.
  fileprivate func weight(of layer: LayerMatrix) throws -> ValueName {
    guard let value = nodes[try place(of: layer.node)].inputs[layer.role.input] else {
      throw QuantizationError("layer \"\(layer.node)\" has no weight in its simulation")
    }
    return value
  }
}
