import Graph
import Tensors

/// A new tensor of `f` of each element; `T` is the type `x` has.
@inline(__always)
func mapElements<T: TensorElement, R: TensorElement>(_ x: Tensor, _ f: (T) -> R) -> Tensor {
  x.withElements(of: T.self) { source in
    Tensor(of: R.self, shape: x.shape) { out in
      for i in 0..<out.count { out[i] = f(source[i]) }
    }
  }
}

/// A new tensor of `f` of pairs of elements, broadcast to `shape`; `A` and `B` are the types the operands have.
@inline(__always)
func mapPairs<A: TensorElement, B: TensorElement, R: TensorElement>(
  _ a: Tensor, _ b: Tensor, shape: Shape, _ f: (A, B) -> R
) -> Tensor {
  let loop = StridedLoop(
    shape: shape, strides: [a.shape.broadcastStrides(to: shape), b.shape.broadcastStrides(to: shape)])
  let n = loop.innerCount
  let steps = (loop.innerStrides[0], loop.innerStrides[1])
  return a.withElements(of: A.self) { x in
    b.withElements(of: B.self) { y in
      Tensor(of: R.self, shape: shape) { out in
        loop.forEachRow { position, offsets in
          let (p, q) = (offsets[0], offsets[1])
          switch steps {
          case (1, 1): for i in 0..<n { out[position &+ i] = f(x[p &+ i], y[q &+ i]) }
          case (1, 0):
            let constant = y[q]
            for i in 0..<n { out[position &+ i] = f(x[p &+ i], constant) }
          case (0, 1):
            let constant = x[p]
            for i in 0..<n { out[position &+ i] = f(constant, y[q &+ i]) }
          default:
            for i in 0..<n { out[position &+ i] = f(x[p &+ i &* steps.0], y[q &+ i &* steps.1]) }
          }
        }
      }
    }
  }
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
