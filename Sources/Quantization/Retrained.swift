import Graph
import Tensors

/// What training found for a candidate.
package struct LearnedNumbers: Sendable {
  /// New weights, biases and gains by value name.
  package var constants: [ValueName: Tensor] = [:]
  /// New scales and zero points, the latter as real numbers, by weight or by activation with an encoding of its own.
  package var scales: [ValueName: [Float]] = [:]
  package var offsets: [ValueName: [Float]] = [:]
  package init() {}
}

extension Candidate {
  /// The candidate with learned numbers in place of those calibration and rounding found: weights and biases are
  /// encoded again under the new scales, rounding to nearest as fake quantization did.
  ///
  /// - Errors: `QuantizationError` where a weight is not finite.
  package func retrained(_ learned: LearnedNumbers) throws -> Candidate {
    var result = self
    for (name, tensor) in learned.constants { result.encoded.graph.constants[name] = tensor }
    for (value, encoding) in encoded.activations {
      let root = roots[value] ?? value
      result.encoded.activations[value] = encoding.learning(learned.scales[root], learned.offsets[root])
    }
    let infos = try result.encoded.graph.infer()
    for node in result.encoded.graph.nodes {
      guard let layer = encoded.layers[node.name], layer.mode != .float,
        let op = node.op as? any WeightedOperator
      else { continue }
      for role in op.weightRoles(node.inputs.map { $0.flatMap { infos[$0] } }) {
        try result.encodeAgain(node, role, learned)
      }
    }
    return result
  }

  private mutating func encodeAgain(
    _ node: Node, _ role: WeightRole, _ learned: LearnedNumbers
  ) throws {
    guard let value = node.inputs[role.input], let old = encoded.weights[value],
      let tensor = encoded.graph.constants[value]
    else { return }
    let encoding = old.encoding.learning(learned.scales[value], learned.offsets[value])
    var numbers = WeightScales(
      scales: encoding.scales, zeroPoints: encoding.zeroPoints,
      isZero: encoding.scales.map { _ in false })
    let bias = encoded.codedBias(of: node.name, role)
    if let bias { _ = BiasEncoder.raise(&numbers, bias: bias.elements, inputScale: bias.inputScale) }
    let isNew = learned.constants[value] != nil || numbers.scales != old.encoding.scales
    if isNew {
      let encoder = WeightEncoder(encoding, shape: tensor.shape)
      encoded.weights[value] = try tensor.withElements(of: Float.self) { weights in
        guard Extremes(weights).isFinite else {
          throw QuantizationError("layer \"\(node.name)\": weight \"\(value)\" holds NaN or infinity")
        }
        return encoder.encode(weights, numbers)
      }
    }
    if let bias {
      encoded.biases[bias.value] = BiasEncoder.encode(
        bias.elements, weightScales: numbers.scales, inputScale: bias.inputScale)
    }
  }
}

extension Encoding {
  /// The same codes with other numbers, zero points rounded and kept among the codes.
  fileprivate func learning(_ scales: [Float]?, _ offsets: [Float]?) -> Encoding {
    var result = self
    if let scales, scales.count == self.scales.count { result.scales = scales }
    if let offsets, offsets.count == zeroPoints.count {
      result.zeroPoints = offsets.map {
        Int32(
          Swift.min(Swift.max($0.rounded(.toNearestOrEven), Float(codes.lowerBound)), Float(codes.upperBound))
        )
      }
    }
    return result
  }
}
