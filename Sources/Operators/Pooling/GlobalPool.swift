import Graph
import Tensors

/// The mean of all spatial elements of each channel.
///
/// - Input: x `[batch, channels, spatial…]`, any number of spatial axes.
/// - Output: `[batch, channels, 1…]`.
/// - Source: ONNX GlobalAveragePool-22.
package struct GlobalAveragePool: ActivationOperator {
  package static let name = OperatorName("GlobalAveragePool", since: 22)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs, globalPoolingShape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let shape = try globalPoolingShape(x.shape)
    return [try x.type.dispatchReal(PlaneRun(x: x, shape: shape, kind: .mean))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .ownOutput }
}

/// The largest of all spatial elements of each channel.
///
/// - Source: ONNX GlobalMaxPool-22.
package struct GlobalMaxPool: ActivationOperator {
  package static let name = OperatorName("GlobalMaxPool", since: 22)
  package init() {}
  package init(attributes: Attributes) throws {}
  package var attributes: Attributes { [:] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs, globalPoolingShape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let shape = try globalPoolingShape(x.shape)
    return [try x.type.dispatchReal(PlaneRun(x: x, shape: shape, kind: .largest))]
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }
}

func globalPoolingShape(_ x: Shape) throws -> Shape {
  try expect(rank: 2, of: x, "x")
  return x.indices.map { $0 < 2 ? x[$0] : 1 }
}

/// The image with its spatial axes as one.
func flattenedImage(_ x: Tensor) throws -> Tensor {
  try expect(rank: 2, of: x.shape, "x")
  return x.reshaped([x.shape[0], x.shape[1], x.shape.dropFirst(2).reduce(1, *)])
}

private struct PlaneRun: RealVisitor {
  enum Kind { case mean, largest }
  let x: Tensor
  let shape: Shape
  let kind: Kind

  func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
    let planes = shape.elementCount
    let plane = x.shape.dropFirst(2).reduce(1, *)
    let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
      Tensor(of: T.self, shape: shape) { y in
        for p in 0..<planes {
          switch kind {
          case .mean:
            // Sums of many floats keep their accuracy in double.
            var sum = 0.0
            for i in p * plane..<(p + 1) * plane { sum += Double(x[i]) }
            y[p] = T(sum / Double(plane))
          case .largest:
            var best = -T.infinity
            for i in p * plane..<(p + 1) * plane where x[i] > best || x[i].isNaN { best = x[i] }
            y[p] = best
          }
        }
      }
    }
    return y.converted(to: x.type)
  }
}

extension GlobalAveragePool: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    let share = try builder.product(
      site.upstreamOfFirst(), 1 / Float(shape.dropFirst(2).reduce(1, *)))
    return [try builder.expand(share, to: shape)]
  }
}

extension GlobalMaxPool: DifferentiableOperator {
  /// That of a pooling by one window.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let shape = try builder.shape(site.input(0))
    let pool = MaxPool(window: WindowAttributes(kernel: Array(shape.dropFirst(2))))
    return [try builder.add(MaxPoolGradient(pool), site.input(0), site.upstreamOfFirst())]
  }
}
