import Tensors
import Testing

struct StridedLoopTests {
  static let shapes: [Shape] = [
    [], [1], [3], [0], [2, 3], [1, 3], [2, 1, 3], [2, 3, 4], [2, 0, 3], [1, 1], [3, 1, 2, 2],
  ]

  /// Positions and offsets against the definition, over dense, repeated and turned operands.
  @Test(arguments: shapes)
  func visitsEveryElementWithItsOffsets(_ shape: Shape) {
    let dense = shape.rowMajorStrides
    let turned = Array(dense.reversed())
    let repeated = shape.indices.map { $0 % 2 == 0 ? 0 : dense[$0] }
    let strides = [dense, turned, repeated]
    let loop = StridedLoop(shape: shape, strides: strides)
    var seen: [[Int]] = []
    loop.forEachRow { position, offsets in
      #expect(position == seen.count)
      for i in 0..<loop.innerCount { seen.append((0..<3).map { offsets[$0] + i * loop.innerStrides[$0] }) }
    }
    var expected: [[Int]] = []
    for element in 0..<shape.elementCount {
      var rest = element
      var index = [Int](repeating: 0, count: shape.count)
      for axis in shape.indices.reversed() {
        index[axis] = rest % shape[axis]
        rest /= shape[axis]
      }
      expected.append(strides.map { zip($0, index).reduce(0) { $0 + $1.0 * $1.1 } })
    }
    #expect(seen == expected)
  }

  @Test func denseOperandsAreOneRow() {
    let loop = StridedLoop(shape: [4, 5, 6], strides: [[30, 6, 1], [30, 6, 1]])
    #expect(loop.innerCount == 120)
  }

  @Test(arguments: [ElementType.float32, .int64, .uint8, .float16, .int4, .uint2, .bool])
  func gatheringTransposesAnyType(_ type: ElementType) {
    let source = Tensor(integers: (0..<6).map { $0 % 2 }, shape: [2, 3], type: type)
    let turned = source.gathering(shape: [3, 2], strides: [1, 3])
    #expect(turned.type == type)
    #expect(turned.integers == [0, 1, 1, 0, 0, 1])
    let backwards = source.gathering(shape: [6], strides: [-1], offset: 5)
    #expect(backwards.integers == [1, 0, 1, 0, 1, 0])
  }

  @Test func broadcastRepeats() {
    let column = Tensor([Int32(1), 2], shape: [2, 1])
    #expect(column.broadcast(to: [2, 2, 3]).integers == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
  }
}
