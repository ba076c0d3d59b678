import Graph
import Tensors

/// Normalises each channel by a mean and variance that are given or, in training, measured over the batch.
///
/// - Inputs: x `[batch, channels, …]`; scale, bias, mean and variance `[channels]`, which may have a wider type.
/// - Outputs: y = (x − mean) / √(variance + epsilon) · scale + bias; in training also the running mean and variance,
///   running = given · momentum + measured · (1 − momentum).
/// - Source: ONNX BatchNormalization-15.
package struct BatchNormalization: Operator {
  package static let name = OperatorName("BatchNormalization", since: 15)

  package static var upgrades: [Upgrade] {
    [
      .before(9) { node, _ in
        guard try node.attributes.isSet("spatial", default: true) else {
          throw OperatorError(
            "attribute \"spatial\" is 0; normalisation of every element by itself is not known here.")
        }
        node.attributes["spatial"] = nil
      },
      // Before opset 14 a second output meant training, and two more outputs kept what a gradient needs.
      .before(14) { node, _ in
        guard node.outputs.dropFirst().contains(where: { $0 != nil }) else {
          node.outputs = Array(node.outputs.prefix(1))
          return
        }
        guard !node.outputs.dropFirst(3).contains(where: { $0 != nil }) else {
          throw OperatorError("the outputs saved_mean and saved_var of opsets before 14 are not known here.")
        }
        node.outputs = Array(node.outputs.prefix(3))
        node.attributes["training_mode"] = .int(1)
      },
    ]
  }

  package var epsilon: Float
  package var momentum: Float
  package var isTraining: Bool

  package init(epsilon: Float = 1e-5, momentum: Float = 0.9, isTraining: Bool = false) {
    self.epsilon = epsilon
    self.momentum = momentum
    self.isTraining = isTraining
  }

  package init(attributes: Attributes) throws {
    epsilon = try attributes.real("epsilon", default: 1e-5)
    momentum = try attributes.real("momentum", default: 0.9)
    isTraining = try attributes.isSet("training_mode")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("epsilon", epsilon, unless: 1e-5)
    writer.add("momentum", momentum, unless: 0.9)
    writer.add("training_mode", isTraining)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    let mean = try inputs.required(3, "input_mean")
    try expect(x.type, in: realTypes, "x")
    var result = [OperandInfo(type: x.type, shape: x.shape)]
    for _ in 1..<Swift.max(outputs, 1) { result.append(OperandInfo(type: mean.type, shape: mean.shape)) }
    return result
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    // A vector is a batch of single channels' values.
    let channels = x.rank < 2 ? 1 : x.shape[1]
    let parameters = try ["scale", "bias", "input_mean", "input_var"].enumerated().map { index, label in
      let tensor = try inputs.required(index + 1, label)
      guard tensor.count == channels else {
        throw OperatorError("\(label) has \(tensor.count) elements (expected \(channels), x's channels).")
      }
      return tensor
    }
    return try x.type.dispatchReal(Run(op: self, x: x, parameters: parameters, channels: channels)).prefix(
      Swift.max(outputs, 1)
    ).map { $0 }
  }

  /// The factor and addend per channel that inference applies: y = x · factor + addend.
  package func affine(
    scale: [Double], bias: [Double], mean: [Double], variance: [Double]
  ) -> (factor: [Double], addend: [Double]) {
    let factor = scale.indices.map { scale[$0] / (variance[$0] + Double(epsilon)).squareRoot() }
    return (factor, factor.indices.map { bias[$0] - mean[$0] * factor[$0] })
  }

  private struct Run: RealVisitor {
    let op: BatchNormalization
    let x: Tensor
    let parameters: [Tensor]
    let channels: Int

    func visit<T: RealElement>(_ type: T.Type) throws -> [Tensor] {
      let scale = parameters[0].doubles
      let bias = parameters[1].doubles
      var mean = parameters[2].doubles
      var variance = parameters[3].doubles
      let plane = x.shape.dropFirst(2).reduce(1, *)
      let batch = x.shape.first ?? 1
      var extra: [Tensor] = []
      if op.isTraining {
        let (given, givenVariance) = (mean, variance)
        x.converted(to: T.elementType).withElements(of: T.self) { x in
          for c in 0..<channels {
            var sum = 0.0
            for b in 0..<batch { for i in 0..<plane { sum += Double(x[(b * channels + c) * plane + i]) } }
            mean[c] = sum / Double(batch * plane)
            var squares = 0.0
            for b in 0..<batch {
              for i in 0..<plane {
                let d = Double(x[(b * channels + c) * plane + i]) - mean[c]
                squares += d * d
              }
            }
            variance[c] = squares / Double(batch * plane)
          }
        }
        let kept = Double(op.momentum)
        for (old, new, like) in [
          (given, mean, parameters[2]), (givenVariance, variance, parameters[3]),
        ] {
          let running = old.indices.map { old[$0] * kept + new[$0] * (1 - kept) }
          extra.append(Tensor(doubles: running, shape: like.shape, type: like.type))
        }
      }
      let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
        Tensor(of: T.self, shape: self.x.shape) { y in
          for c in 0..<channels {
            let m = T(mean[c])
            let factor = T(scale[c] / (variance[c] + Double(op.epsilon)).squareRoot())
            let addend = T(bias[c])
            for b in 0..<batch {
              let start = (b * channels + c) * plane
              for i in start..<start + plane { y[i] = (x[i] - m) * factor + addend }
            }
          }
        }
      }
      return [y.converted(to: x.type)] + extra
    }
  }
}

extension BatchNormalization: DifferentiableOperator {
  /// With h = g · scale and n = (x − mean) / deviation: ∂x = h / deviation, in training less what goes through the
  /// batch's mean and variance; ∂scale = Σ g · n; ∂bias = Σ g.
  ///
  /// The running mean and variance that training gives have no gradient.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, upstream) = (try site.input(0), try site.upstreamOfFirst())
    let shape = try builder.shape(x)
    // One number for each channel, as it broadcasts to x.
    let channels = shape.count < 2 ? [1] : [shape[1]] + shape.dropFirst(2).map { _ in 1 }
    let parameters = try (1..<5).map { index in
      let parameter = try site.input(index)
      guard builder.infos[parameter]?.type == builder.infos[x]?.type else {
        throw OperatorError("parameters of another type than x have no gradient here")
      }
      return try builder.reshape(parameter, channels)
    }
    func own(_ sums: ValueName, _ index: Int) throws -> ValueName {
      try builder.reshape(builder.sum(sums, to: channels), builder.shape(site.input(index)))
    }
    var gradients = [ValueName?](repeating: nil, count: site.node.inputs.count)
    let normalized: ValueName
    if isTraining {
      let rows = Float(shape.elementCount / Swift.max(1, channels[0]))
      let form = try NormalizedForm(x, epsilon: epsilon, &builder) { value, builder in
        try builder.product(builder.sum(value, to: channels), 1 / rows)
      }
      normalized = form.normalized
      if site.wants(0) {
        gradients[0] = try form.gradient(builder.product(upstream, parameters[0]), &builder)
      }
    } else {
      let deviation = try builder.add(Sqrt(), builder.sum(parameters[3], epsilon))
      let factor = try builder.quotient(parameters[0], deviation)
      normalized = try builder.quotient(builder.difference(x, parameters[2]), deviation)
      if site.wants(0) { gradients[0] = try builder.product(upstream, factor) }
      if site.wants(3) { gradients[3] = try own(builder.negative(builder.product(upstream, factor)), 3) }
      if site.wants(4) {
        // ∂y/∂variance = −½ · scale · n / deviation².
        let slope = try builder.product(builder.quotient(factor, deviation), -0.5)
        gradients[4] = try own(builder.product(builder.product(upstream, normalized), slope), 4)
      }
    }
    if site.wants(1) { gradients[1] = try own(builder.product(upstream, normalized), 1) }
    if site.wants(2) { gradients[2] = try own(upstream, 2) }
    return gradients
  }
}
