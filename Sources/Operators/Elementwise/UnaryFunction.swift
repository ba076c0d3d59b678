import Graph
import Tensors

/// A function of one float element; computed in `Float` (smaller floats too) or `Double`.
///
/// - Input: x, a float tensor. Output: y, same type and shape.
package protocol UnaryFunction: ElementwiseOperator, Lowerable {
  func value<T: RealElement>(_ x: T) -> T
}

/// A function that is also defined on integers.
package protocol NumberFunction: UnaryFunction {
  func value<T: IntegerElement>(_ x: T) -> T
}

extension UnaryFunction {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isReal, "a float type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    [try evaluateReal(try inputs.required(0, "X"))]
  }

  @inline(__always)
  func evaluateReal(_ x: Tensor) throws -> Tensor {
    switch x.type {
    case .float32: mapElements(x, by: RealFunction<Self, Float>(function: self))
    case .float64: mapElements(x, by: RealFunction<Self, Double>(function: self))
    case let type where type.isReal:
      mapElements(x.computing, by: RealFunction<Self, Float>(function: self)).converted(to: type)
    default: throw OperatorError("input X is \(x.type.name), expected a float type")
    }
  }
}

extension NumberFunction {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "X")
    try x.require("X", \.isNumber, "a number type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "X")
    let number = x.working
    let result: Tensor
    switch number.type {
    case .int8: result = mapElements(number, by: IntegerFunction<Self, Int8>(function: self))
    case .int16: result = mapElements(number, by: IntegerFunction<Self, Int16>(function: self))
    case .int32: result = mapElements(number, by: IntegerFunction<Self, Int32>(function: self))
    case .int64: result = mapElements(number, by: IntegerFunction<Self, Int64>(function: self))
    case .uint8: result = mapElements(number, by: IntegerFunction<Self, UInt8>(function: self))
    case .uint16: result = mapElements(number, by: IntegerFunction<Self, UInt16>(function: self))
    case .uint32: result = mapElements(number, by: IntegerFunction<Self, UInt32>(function: self))
    case .uint64: result = mapElements(number, by: IntegerFunction<Self, UInt64>(function: self))
    default: return [try evaluateReal(x)]
    }
    return [result.converted(to: x.type)]
  }
}

private struct RealFunction<F: UnaryFunction, T: RealElement>: ElementOperation {
  let function: F
  func apply(_ x: T) -> T { function.value(x) }
}

private struct IntegerFunction<F: NumberFunction, T: IntegerElement>: ElementOperation {
  let function: F
  func apply(_ x: T) -> T { function.value(x) }
}
