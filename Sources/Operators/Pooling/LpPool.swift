import Graph
import Tensors

/// The p-norm of each window: (Σ |x|^p)^(1/p).
///
/// - Input: x `[batch, channels, spatial…]`, one to three spatial axes.
/// - Output: `[batch, channels, spatial′…]`.
/// - Source: ONNX LpPool-22.
package struct LpPool: Operator {
  package static let name = OperatorName("LpPool", since: 22)

  package var window: WindowAttributes
  package var roundUp: Bool
  package var power: Int

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes, needsKernel: true)
    roundUp = try attributes.isSet("ceil_mode")
    power = try attributes.integer("p", default: 2)
    guard power > 0 else { throw OperatorError("attribute \"p\" is \(power) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("ceil_mode", roundUp)
    writer.add("p", power, unless: 2)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs) { try PoolingSizes($0, window, roundUp: roundUp).shape }]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let sizes = try PoolingSizes(x.shape, window, roundUp: roundUp)
    return [try x.type.dispatchReal(LpRun(x: x, sizes: sizes, power: power))]
  }
}

/// The p-norm of all spatial elements of each channel.
///
/// - Source: ONNX GlobalLpPool-22.
package struct GlobalLpPool: Operator {
  package static let name = OperatorName("GlobalLpPool", since: 22)
  package var power: Int

  package init(attributes: Attributes) throws {
    power = try attributes.integer("p", default: 2)
    guard power > 0 else { throw OperatorError("attribute \"p\" is \(power) (expected at least 1).") }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("p", power, unless: 2)
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    [try inferPooling(inputs, globalPoolingShape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let flat = try flattenedImage(x)
    let sizes = try PoolingSizes(flat.shape, WindowAttributes(), roundUp: false)
    let y = try x.type.dispatchReal(LpRun(x: flat, sizes: sizes, power: power))
    return [y.reshaped(try globalPoolingShape(x.shape))]
  }
}

private struct LpRun: RealVisitor {
  let x: Tensor
  let sizes: PoolingSizes
  let power: Int

  func visit<T: RealElement>(_ type: T.Type) throws -> Tensor {
    let p = T(power)
    let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
      Tensor(of: T.self, shape: sizes.shape) { y in
        switch power {
        case 1: sizes.combine(x, into: y) { $0 + $1.magnitude }
        case 2: sizes.combine(x, into: y) { $0 + $1 * $1 }
        default: sizes.combine(x, into: y) { $0 + T.pow($1.magnitude, p) }
        }
        for i in y.indices { y[i] = power == 2 ? y[i].squareRoot() : T.pow(y[i], 1 / p) }
      }
    }
    return y.converted(to: x.type)
  }
}
