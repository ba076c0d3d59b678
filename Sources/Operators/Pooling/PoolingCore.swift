import Graph
import Tensors

/// The shape a pooling makes of `x`, and its window.
struct PoolingSizes {
  let window: WindowGeometry
  let planes: Int
  let shape: Shape

  init(_ x: Shape, _ attributes: WindowAttributes, roundUp: Bool) throws {
    let image = try ImageShape(x, "x")
    window = try attributes.geometry(
      input: image.spatial, kernel: attributes.kernel ?? image.spatial, roundUp: roundUp)
    planes = image.batch * image.channels
    shape = try checked([image.batch, image.channels] + window.output)
  }

  /// Calls `body` with every plane and the rows one tap of the window reads in it, tap by tap.
  @inline(__always)
  func combine<T: RealElement>(
    _ x: UnsafeBufferPointer<T>, into y: UnsafeMutableBufferPointer<T>, _ combine: (T, T) -> T
  ) {
    let g = window.threeDimensional
    let rows = TapRows(g)
    let step = rows.step
    let plane = g.input.elementCount
    let outPlane = g.output.elementCount
    for p in 0..<planes {
      let image = p * plane
      let out = p * outPlane
      for tap in 0..<g.taps {
        rows.forEach(tap: tap) { at, from, count in
          let target = out &+ at
          let source = image &+ from
          for i in 0..<count { y[target &+ i] = combine(y[target &+ i], x[source &+ i &* step]) }
        }
      }
    }
  }

  /// Elements each window covers: those inside the input, and with `includesPadding` those in the written-out padding
  /// too (but not what rounding up adds beyond it).
  func counts(includesPadding: Bool) -> [Int] {
    let g = window.threeDimensional
    let perAxis = (0..<3).map { axis in
      (0..<g.output[axis]).map { position in
        (0..<g.kernel[axis]).count(where: { tap in
          let index = g.index(axis: axis, position: position, tap: tap)
          return includesPadding
            ? index < g.input[axis] + g.padsEnd[axis] : index >= 0 && index < g.input[axis]
        })
      }
    }
    var result: [Int] = []
    for d in perAxis[0] { for h in perAxis[1] { for w in perAxis[2] { result.append(d * h * w) } } }
    return result
  }
}

/// Shape inference shared by the poolings: one output of the input's type.
func inferPooling(
  _ inputs: [OperandInfo?], types: Set<ElementType> = realTypes, _ shape: (Shape) throws -> Shape
) throws -> OperandInfo {
  let x = try inputs.required(0, "x")
  try expect(x.type, in: types, "x")
  return OperandInfo(type: x.type, shape: try x.shape.map(shape))
}
