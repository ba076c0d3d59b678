import Graph
import Tensors

/// Rows normalised to mean 0 (unless `isRootMeanSquare`) and variance 1, then scaled and shifted.
///
/// The statistics are sums in double: exact enough for every operand type.
struct RowNormalization: RealVisitor {
  let x: Tensor
  /// Elements normalised together: neighbours in memory.
  let width: Int
  let epsilon: Float
  let isRootMeanSquare: Bool
  /// Factor and addend of an element, by its flat index.
  let gain: PeriodicValues?
  let bias: PeriodicValues?

  struct Result {
    var y: Tensor
    /// Per row.
    var means: [Double]
    var inverseDeviations: [Double]
  }

  func visit<T: RealElement>(_ type: T.Type) throws -> Result {
    let rows = width == 0 ? 0 : x.count / width
    var means = [Double](repeating: 0, count: rows)
    var inverses = [Double](repeating: 0, count: rows)
    let gains = gain.map { $0.values.map { T($0) } }
    let biases = bias.map { $0.values.map { T($0) } }
    let y = x.converted(to: T.elementType).withElements(of: T.self) { x in
      Tensor(of: T.self, shape: self.x.shape) { y in
        for row in 0..<rows {
          let start = row * width
          var sum = 0.0
          if !isRootMeanSquare { for i in start..<start + width { sum += Double(x[i]) } }
          let mean = sum / Double(width)
          var squares = 0.0
          for i in start..<start + width {
            let d = Double(x[i]) - mean
            squares += d * d
          }
          let inverse = 1 / (squares / Double(width) + Double(epsilon)).squareRoot()
          means[row] = mean
          inverses[row] = inverse
          let (m, s) = (T(mean), T(inverse))
          for i in start..<start + width { y[i] = (x[i] - m) * s }
          if let gain, let gains { gain.forEach(in: start..<start + width) { y[$0] *= gains[$1] } }
          if let bias, let biases { bias.forEach(in: start..<start + width) { y[$0] += biases[$1] } }
        }
      }
    }
    return Result(y: y.converted(to: x.type), means: means, inverseDeviations: inverses)
  }
}

/// Values that an element finds by its flat index: index / run mod count.
///
/// One per channel is a run of the plane's size, one per feature a run of 1.
struct PeriodicValues {
  let values: [Double]
  let run: Int

  /// Calls `body` with each flat index of the range and the index of its value.
  @inline(__always)
  func forEach(in range: Range<Int>, _ body: (_ index: Int, _ value: Int) -> Void) {
    guard run > 0, !values.isEmpty else { return }
    var index = range.lowerBound
    var value = index / run % values.count
    var left = run - index % run
    while index < range.upperBound {
      let end = Swift.min(index + left, range.upperBound)
      for i in index..<end { body(i, value) }
      index = end
      left = run
      value = value + 1 == values.count ? 0 : value + 1
    }
  }
}
