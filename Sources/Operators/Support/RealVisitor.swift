import Tensors

extension RealElement {
  /// The elements of a tensor in this precision.
  static func elements(of tensor: Tensor) -> [Self] {
    tensor.converted(to: elementType).array(of: Self.self)
  }

  /// Elements of this precision as a tensor of another type.
  static func tensor(_ elements: [Self], shape: Shape, type: ElementType) -> Tensor {
    Tensor(elements, shape: shape).converted(to: type)
  }
}

/// Work on real numbers, written once for the two precisions layers compute in: `Double` for float64 operands, `Float`
/// for all narrower ones, whose results are rounded to their own type once at the end.
protocol RealVisitor {
  associatedtype Output
  func visit<T: RealElement>(_ type: T.Type) throws -> Output
}

extension ElementType {
  /// Calls the visitor with the precision this type computes in.
  func dispatchReal<V: RealVisitor>(_ visitor: V) throws -> V.Output {
    self == .float64 ? try visitor.visit(Double.self) : try visitor.visit(Float.self)
  }
}
