import Graph
import Tensors

/// A number with the sums and products of its type: integers wrap.
protocol SummableElement: NumericElement {
  static func addingProduct(_ sum: Self, _ x: Self, _ y: Self) -> Self
  static func product(_ x: Self, _ y: Self) -> Self
}

extension SummableElement where Self: BinaryFloatingPoint {
  static func addingProduct(_ sum: Self, _ x: Self, _ y: Self) -> Self { sum + x * y }
  static func product(_ x: Self, _ y: Self) -> Self { x * y }
}

extension SummableElement where Self: FixedWidthInteger {
  static func addingProduct(_ sum: Self, _ x: Self, _ y: Self) -> Self { sum &+ x &* y }
  static func product(_ x: Self, _ y: Self) -> Self { x &* y }
}

extension Float: SummableElement {}
extension Double: SummableElement {}
extension Int8: SummableElement {}
extension Int16: SummableElement {}
extension Int32: SummableElement {}
extension Int64: SummableElement {}
extension UInt8: SummableElement {}
extension UInt16: SummableElement {}
extension UInt32: SummableElement {}
extension UInt64: SummableElement {}

/// C = A · B of dense row-major matrices, m × k and k × n, sums in the order of k.
///
/// C starts as zeros.
func multiplyMatrices<T: SummableElement>(
  _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ c: UnsafeMutablePointer<T>, m: Int, k: Int, n: Int
) {
  for row in 0..<m {
    let (sums, factors) = (c + row * n, a + row * k)
    var inner = 0
    // Four rows of B at a time, each sum still in the order of k.
    while inner + 4 <= k {
      let (x0, x1, x2, x3) = (factors[inner], factors[inner + 1], factors[inner + 2], factors[inner + 3])
      let y0 = b + inner * n
      let (y1, y2, y3) = (y0 + n, y0 + 2 * n, y0 + 3 * n)
      for i in 0..<n {
        let first = T.addingProduct(T.addingProduct(sums[i], x0, y0[i]), x1, y1[i])
        sums[i] = T.addingProduct(T.addingProduct(first, x2, y2[i]), x3, y3[i])
      }
      inner += 4
    }
    while inner < k {
      let (x, y) = (factors[inner], b + inner * n)
      for i in 0..<n { sums[i] = T.addingProduct(sums[i], x, y[i]) }
      inner += 1
    }
  }
}

/// The product of stacks of matrices (NumPy's matmul) of operands of at least two axes, computed in their type.
///
/// A is `[…, m, k]`, B `[…, k, n]`, the result `[…, m, n]`; the axes in front broadcast.
func multiplyStacks(_ a: Tensor, _ b: Tensor) throws -> Tensor {
  let (x, y) = (a.computing, b.computing)
  let result: Tensor
  switch x.type {
  case .float32: result = try stacks(x, y, Float.self)
  case .float64: result = try stacks(x, y, Double.self)
  case .int8: result = try stacks(x, y, Int8.self)
  case .int16: result = try stacks(x, y, Int16.self)
  case .int32: result = try stacks(x, y, Int32.self)
  case .int64: result = try stacks(x, y, Int64.self)
  case .uint8: result = try stacks(x, y, UInt8.self)
  case .uint16: result = try stacks(x, y, UInt16.self)
  case .uint32: result = try stacks(x, y, UInt32.self)
  case .uint64: result = try stacks(x, y, UInt64.self)
  default: throw OperatorError("input A is \(a.type.name), expected a number type")
  }
  return result.converted(to: a.type)
}

private func stacks<T: SummableElement>(_ a: Tensor, _ b: Tensor, _ type: T.Type) throws -> Tensor {
  let shape = try stackShape(a.shape, b.shape)
  let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
  let batch = Shape(shape.dropLast(2))
  // Offsets of the matrices of A and B for each matrix of the result.
  let loop = StridedLoop(
    shape: batch,
    strides: [
      Shape(a.shape.dropLast(2)).broadcastStrides(to: batch),
      Shape(b.shape.dropLast(2)).broadcastStrides(to: batch),
    ])
  return a.withElements(of: T.self) { x in
    b.withElements(of: T.self) { y in
      Tensor(of: T.self, shape: shape) { out in
        guard let x = x.baseAddress, let y = y.baseAddress, let out = out.baseAddress, m * n > 0 else {
          return
        }
        loop.forEachRow { position, offsets in
          for i in 0..<loop.innerCount {
            multiplyMatrices(
              x + (offsets[0] + i * loop.innerStrides[0]) * m * k,
              y + (offsets[1] + i * loop.innerStrides[1]) * k * n,
              out + (position + i) * m * n, m: m, k: k, n: n)
          }
        }
      }
    }
  }
}

/// The shape of a product of stacks of matrices, or what does not fit.
func stackShape(_ a: Shape, _ b: Shape) throws -> Shape {
  guard a[a.count - 1] == b[b.count - 2] else {
    throw OperatorError(
      "A of shape \(a.shapeText) has \(a[a.count - 1]) columns, but B of shape \(b.shapeText) has \(b[b.count - 2]) rows"
    )
  }
  guard let batch = try broadcastShapes([Shape(a.dropLast(2)), Shape(b.dropLast(2))]) else { return [] }
  return try checked(batch + [a[a.count - 2], b[b.count - 1]])
}
