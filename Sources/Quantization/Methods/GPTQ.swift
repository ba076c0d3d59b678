import Execution
import Graph
import Operators
import Tensors

/// Rounds weights one input feature after another, each time moving the weights not yet rounded so that the layer's
/// output on the calibration samples changes least.
///
/// With H = Σ x · xᵀ over the inputs of an output element (convolutions: the patches of each group), damped by 1 % of
/// its mean diagonal, features are taken by falling diagonal. Scales are those of rounding to nearest, set before. Layers
/// go in order, each on what the network gives it with the layers before it rounded.
/// - Source: Frantar et al., *GPTQ: accurate post-training quantization for generative pre-trained transformers*, 2023;
///   the order by diagonal and the factor of the inverse as its authors' program has them.
extension Quantizer {
  /// Rounds again the weights of layers whose method says so.
  ///
  /// - Errors: `QuantizationError` where a layer asks for it and there are no samples.
  func roundByGPTQ(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, _ source: (any CalibrationSource)?,
    _ warnings: inout [String], _ report: (Double, String) throws -> Void
  ) throws {
    let wanted = resolution.layers.filter {
      $0.effective.mode != .float && $0.effective.weights.method == .gptq
    }
    guard !wanted.isEmpty else { return }
    guard let source else {
      throw QuantizationError("method gptq needs samples (found none). Give data, or use method nearest.")
    }
    for (index, layer) in wanted.enumerated() {
      for weight in layer.weights {
        guard let target = try GPTQLayer(layer.node, weight.role, encoded) else {
          warnings.append(
            "layer \"\(layer.node)\": \(layer.operatorName) has no GPTQ here; rounded to nearest")
          continue
        }
        let moments = try moments(target, encoded, source) {
          try report(
            (Double(index) + $0) / Double(wanted.count), "GPTQ: layer \(index + 1) of \(wanted.count)")
        }
        try target.round(&encoded, moments, threads: threads)
      }
    }
  }

  /// Σ x · xᵀ, `[groups, features, features]`.
  private func moments(
    _ layer: GPTQLayer, _ encoded: EncodedGraph, _ source: any CalibrationSource,
    _ report: (Double) throws -> Void
  ) throws -> [Double] {
    var graph = try simulated(encoded)
    let name = try layer.addMoments(&graph)
    graph.outputs = []
    var sums = [Double](repeating: 0, count: layer.groups * layer.features * layer.features)
    try Calibrator(graph: graph, infos: infos, threads: threads, prepare: prepare).forEachBatch(
      of: [name], source: source, samples: recipe.calibration.samples
    ) { values, range, count in
      values[0]?.withElements(of: Float.self) { elements in
        for (place, element) in elements.enumerated() { sums[place] += Double(element) }
      }
      try report(Double(range.upperBound) / Double(count))
    }
    guard sums.allSatisfy(\.isFinite) else {
      throw QuantizationError("layer \"\(layer.node)\": its inputs hold NaN or infinity")
    }
    return sums
  }
}

/// A layer as rows of weights: output channels by input features.
private struct GPTQLayer {
  let node: String
  let weight: ValueName
  let role: WeightRole
  let shape: Shape
  let groups: Int
  let rows: Int
  let features: Int
  private let rowStride: Int
  private let featureStride: Int

  /// `nil` for an operator that is no convolution or product of matrices.
  init?(_ node: String, _ role: WeightRole, _ encoded: EncodedGraph) throws {
    guard let found = encoded.graph.nodes.first(where: { $0.name == node }), role.activation != nil,
      let weight = found.inputs[role.input], encoded.weights[weight] != nil,
      let shape = encoded.graph.constants[weight]?.shape
    else { return nil }
    (self.node, self.weight, self.role, self.shape) = (node, weight, role, shape)
    if let conv = found.op as? Conv {
      groups = conv.groups
      rows = shape[0]
      features = shape.dropFirst().reduce(1, *)
      (rowStride, featureStride) = (features, 1)
    } else if found.op is Gemm || found.op is MatMul, shape.count == 2 {
      groups = 1
      rows = shape[role.channelAxis]
      features = shape[role.featureAxis]
      (rowStride, featureStride) = role.channelAxis == 0 ? (features, 1) : (1, rows)
      // A product that transposes its other side takes it by columns.
      if let gemm = found.op as? Gemm, gemm.transposesA { return nil }
    } else {
      return nil
    }
    guard rows > 0, features > 0, rows % groups == 0 else { return nil }
  }

  /// Adds Σ x · xᵀ of one batch to a graph that holds the layer, and returns where it comes out.
  ///
  /// The patches of a convolution are what it gives with one-hot filters.
  func addMoments(_ graph: inout Graph) throws -> ValueName {
    var fresh = FreshNames(in: graph)
    var nodes: [Node] = []
    func add(_ op: any Operator, _ inputs: [ValueName?]) -> ValueName {
      let name = fresh("\(weight).moments")
      nodes.append(Node(name: name, op: op, inputs: inputs, outputs: [name]))
      return name
    }
    func constant(_ tensor: Tensor) -> ValueName {
      let name = fresh("\(weight).constant")
      graph.constants[name] = tensor
      return name
    }
    func reshape(_ value: ValueName, _ shape: [Int]) -> ValueName {
      add(Reshape(), [value, constant(Tensor(integers: shape, shape: [shape.count]))])
    }
    guard let layer = graph.nodes.first(where: { $0.name == node }),
      let input = role.activation.flatMap({ layer.inputs[$0] })
    else { throw QuantizationError("layer \"\(node)\" is not in its simulation") }
    let result: ValueName
    if layer.op is Conv {
      let filters = Tensor(of: Float.self, shape: [groups * features] + shape.dropFirst()) { out in
        for filter in 0..<groups * features { out[filter * features + filter % features] = 1 }
      }
      let patches = add(layer.op, [input, constant(filters)])
      let split = reshape(patches, [0, groups, features, -1])
      let a = reshape(add(Transpose([1, 2, 0, 3]), [split]), [groups, features, -1])
      result = add(MatMul(), [a, add(Transpose([0, 2, 1]), [a])])
    } else {
      let x = reshape(input, [-1, features])
      result = add(MatMul(), [add(Transpose([1, 0]), [x]), x])
    }
    graph.nodes += nodes
    return result
  }

  /// Encodes the layer's weights again.
  func round(_ encoded: inout EncodedGraph, _ moments: [Double], threads: Int) throws {
    guard let old = encoded.weights[weight], let tensor = encoded.graph.constants[weight] else { return }
    let encoder = WeightEncoder(old.encoding, shape: shape)
    let cells = encoder.layout.cellOfElement
    let factors = (0..<groups).map { group in
      let size = features * features
      return InverseFactor(Array(moments[group * size..<(group + 1) * size]), size: features)
    }
    let encoding = old.encoding
    let (lower, upper) = (Double(encoding.codes.lowerBound), Double(encoding.codes.upperBound))
    var values = tensor.array(of: Float.self)
    values.withUnsafeMutableBufferPointer { buffer in
      // Each row has elements of its own.
      nonisolated(unsafe) let values = buffer
      parallel(rows, grain: 1, threads: threads) { indices in
        var row = [Double](repeating: 0, count: features)
        for index in indices {
          let factor = factors[index / (rows / groups)]
          let base = index * rowStride
          for (place, feature) in factor.order.enumerated() {
            row[place] = Double(values[base + feature * featureStride])
          }
          for (place, feature) in factor.order.enumerated() {
            let element = base + feature * featureStride
            let cell = cells[element]
            let (scale, zero) = (Double(encoding.scales[cell]), Double(encoding.zeroPoints[cell]))
            let code = min(max((row[place] / scale).rounded(.toNearestOrEven) + zero, lower), upper)
            let rounded = (code - zero) * scale
            factor.move(&row, from: place, by: row[place] - rounded)
            values[element] = Float(rounded)
          }
        }
      }
    }
    encoded.weights[weight] = values.withUnsafeBufferPointer {
      encoder.encode(
        $0,
        WeightScales(
          scales: encoding.scales, zeroPoints: encoding.zeroPoints, isZero: encoding.scales.map { _ in false }
        ))
    }
  }
}

/// The upper triangular factor U of H⁻¹ = Uᵀ · U, with the features by falling diagonal of H.
private struct InverseFactor: Sendable {
  /// Features in the order they are rounded.
  let order: [Int]
  private let factor: [Double]
  private let size: Int

  /// Share of the mean diagonal that damps H.
  private static let damping = 0.01

  /// - Parameter moments: H, `[size, size]`.
  init(_ moments: [Double], size: Int) {
    let diagonal = (0..<size).map { moments[$0 * size + $0] }
    let order = (0..<size).sorted { (-diagonal[$0], $0) < (-diagonal[$1], $1) }
    var damp = Self.damping * diagonal.reduce(0, +) / Double(size)
    if damp <= 0 { damp = 1 }
    var factor: [Double]?
    while factor == nil {
      var h = order.flatMap { i in order.map { moments[i * size + $0] } }
      for i in 0..<size { h[i * size + i] += damp }
      factor = Self.inverseFactor(&h, size)
      damp *= 10
    }
    self.order = order
    self.factor = factor ?? []
    self.size = size
  }

  /// Spreads the error of a rounded weight over those after it.
  func move(_ row: inout [Double], from place: Int, by error: Double) {
    guard error != 0 else { return }
    let step = error / factor[place * size + place]
    factor.withUnsafeBufferPointer { factor in
      row.withUnsafeMutableBufferPointer { row in
        for next in place + 1..<size { row[next] -= step * factor[place * size + next] }
      }
    }
  }

  /// With H = R · Rᵀ, R upper triangular, U = R⁻¹; `nil` where H is not positive definite.
  private static func inverseFactor(_ h: inout [Double], _ size: Int) -> [Double]? {
    var r = [Double](repeating: 0, count: size * size)
    let isDefinite = r.withUnsafeMutableBufferPointer { r in
      h.withUnsafeBufferPointer { h in
        for j in (0..<size).reversed() {
          for i in (0...j).reversed() {
            var sum = h[i * size + j]
            for k in j + 1..<size { sum -= r[i * size + k] * r[j * size + k] }
            if i == j {
              guard sum > 0, sum.isFinite else { return false }
              r[j * size + j] = sum.squareRoot()
            } else {
              r[i * size + j] = sum / r[j * size + j]
            }
          }
        }
        return true
      }
    }
    guard isDefinite else { return nil }
    var u = [Double](repeating: 0, count: size * size)
    u.withUnsafeMutableBufferPointer { u in
      r.withUnsafeBufferPointer { r in
        for i in (0..<size).reversed() {
          let inverse = 1 / r[i * size + i]
          for k in i + 1..<size {
            let factor = r[i * size + k] * inverse
            guard factor != 0 else { continue }
            for j in k..<size { u[i * size + j] -= factor * u[k * size + j] }
          }
          u[i * size + i] = inverse
        }
      }
    }
    return u
  }
}
