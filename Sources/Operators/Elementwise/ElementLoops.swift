import Graph
import Tensors

/// A function of one element as a type, so that loops over it are specialised.
protocol ElementOperation<Input, Output> {
  associatedtype Input: TensorElement
  associatedtype Output: TensorElement
  func apply(_ x: Input) -> Output
}

/// A function of two elements as a type.
protocol PairOperation<Left, Right, Output> {
  associatedtype Left: TensorElement
  associatedtype Right: TensorElement
  associatedtype Output: TensorElement
  func apply(_ a: Left, _ b: Right) -> Output
}

/// A new tensor of the operation's results; `x` has the type it takes.
func mapElements<O: ElementOperation>(_ x: Tensor, by operation: O) -> Tensor {
  x.withElements(of: O.Input.self) { source in
    Tensor(of: O.Output.self, shape: x.shape) { out in
      for i in 0..<out.count { out[i] = operation.apply(source[i]) }
    }
  }
}

/// A new tensor of the results of pairs, broadcast to `shape`; the operands have the types the operation takes.
func mapPairs<O: PairOperation>(_ a: Tensor, _ b: Tensor, shape: Shape, by operation: O) -> Tensor {
  let loop = StridedLoop(
    shape: shape, strides: [a.shape.broadcastStrides(to: shape), b.shape.broadcastStrides(to: shape)])
  let (n, p, q) = (loop.innerCount, loop.innerStrides[0], loop.innerStrides[1])
  return a.withElements(of: O.Left.self) { x in
    b.withElements(of: O.Right.self) { y in
      Tensor(of: O.Output.self, shape: shape) { out in
        guard let x = x.baseAddress, let y = y.baseAddress, let out = out.baseAddress else { return }
        loop.forEachRow { position, offsets in
          mapRow(operation, x + offsets[0], p, y + offsets[1], q, out + position, n)
        }
      }
    }
  }
}

private func mapRow<O: PairOperation>(
  _ operation: O, _ x: UnsafePointer<O.Left>, _ p: Int, _ y: UnsafePointer<O.Right>, _ q: Int,
  _ out: UnsafeMutablePointer<O.Output>, _ n: Int
) {
  switch (p, q) {
  case (1, 1): for i in 0..<n { out[i] = operation.apply(x[i], y[i]) }
  case (1, 0):
    let constant = y[0]
    for i in 0..<n { out[i] = operation.apply(x[i], constant) }
  case (0, 1):
    let constant = x[0]
    for i in 0..<n { out[i] = operation.apply(constant, y[i]) }
  default: for i in 0..<n { out[i] = operation.apply(x[i &* p], y[i &* q]) }
  }
}

/// A closure as an operation, for functions where a call per element does not matter.
private struct ElementClosure<T: TensorElement, R: TensorElement>: ElementOperation {
  let function: (T) -> R
  func apply(_ x: T) -> R { function(x) }
}

private struct PairClosure<A: TensorElement, B: TensorElement, R: TensorElement>: PairOperation {
  let function: (A, B) -> R
  func apply(_ a: A, _ b: B) -> R { function(a, b) }
}

/// A new tensor of `f` of each element; `T` is the type `x` has.
func mapElements<T: TensorElement, R: TensorElement>(_ x: Tensor, _ f: (T) -> R) -> Tensor {
  withoutActuallyEscaping(f) { mapElements(x, by: ElementClosure(function: $0)) }
}

/// A new tensor of `f` of pairs of elements, broadcast to `shape`; `A` and `B` are the types the operands have.
func mapPairs<A: TensorElement, B: TensorElement, R: TensorElement>(
  _ a: Tensor, _ b: Tensor, shape: Shape, _ f: (A, B) -> R
) -> Tensor {
  withoutActuallyEscaping(f) { mapPairs(a, b, shape: shape, by: PairClosure(function: $0)) }
}

extension Tensor {
  /// The tensor in the type it is computed in: `float32` for the smaller floats, 8-bit integers for packed ones.
  var computing: Tensor { type == .float16 ? converted(to: .float32) : working }
}

extension ElementType {
  /// The type an element is computed in.
  var computing: ElementType { self == .float16 ? .float32 : working }

  /// `float32` and its smaller relatives, and `float64`.
  var isReal: Bool { isFloatingPoint }
  var isNumber: Bool { isFloatingPoint || isInteger }
}
