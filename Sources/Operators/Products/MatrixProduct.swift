import Graph
import Tensors

/// C = A · B of dense row-major matrices, m × k and k × n, sums in the order of k.
@inline(__always)
func multiplyMatrices<T: NumericElement>(
  _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ c: UnsafeMutablePointer<T>, m: Int, k: Int, n: Int,
  _ add: (_ sum: T, _ x: T, _ y: T) -> T
) {
  for row in 0..<m {
    let sums = c + row * n
    for i in 0..<n { sums[i] = T(converting: 0 as Int64) }
    for inner in 0..<k {
      let (x, line) = (a[row * k + inner], b + inner * n)
      for i in 0..<n { sums[i] = add(sums[i], x, line[i]) }
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
  case .float32: result = try stacks(x, y) { (s: Float, x: Float, y: Float) in s + x * y }
  case .float64: result = try stacks(x, y) { (s: Double, x: Double, y: Double) in s + x * y }
  case .int8: result = try stacks(x, y) { (s: Int8, x: Int8, y: Int8) in s &+ x &* y }
  case .int16: result = try stacks(x, y) { (s: Int16, x: Int16, y: Int16) in s &+ x &* y }
  case .int32: result = try stacks(x, y) { (s: Int32, x: Int32, y: Int32) in s &+ x &* y }
  case .int64: result = try stacks(x, y) { (s: Int64, x: Int64, y: Int64) in s &+ x &* y }
  case .uint8: result = try stacks(x, y) { (s: UInt8, x: UInt8, y: UInt8) in s &+ x &* y }
  case .uint16: result = try stacks(x, y) { (s: UInt16, x: UInt16, y: UInt16) in s &+ x &* y }
  case .uint32: result = try stacks(x, y) { (s: UInt32, x: UInt32, y: UInt32) in s &+ x &* y }
  case .uint64: result = try stacks(x, y) { (s: UInt64, x: UInt64, y: UInt64) in s &+ x &* y }
  default: throw OperatorError("input A is \(a.type.name), expected a number type")
  }
  return result.converted(to: a.type)
}

@inline(__always)
private func stacks<T: NumericElement>(_ a: Tensor, _ b: Tensor, _ add: (T, T, T) -> T) throws -> Tensor {
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
              out + (position + i) * m * n, m: m, k: k, n: n, add)
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
