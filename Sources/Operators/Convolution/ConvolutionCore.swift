import Tensors

/// The sizes of one convolution, forward or transposed.
struct ConvolutionSizes {
  var batch: Int
  /// Channels of the input and output, over all groups.
  var inputs: Int
  var outputs: Int
  var groups: Int
  /// With three spatial axes.
  var window: WindowGeometry
}

/// y[b, o, position] = bias[o] + Σ over the channels of o's group and taps of w[o, i, tap] · x[b, i, index].
///
/// - Parameters: x `[batch, inputs, input…]`, w `[outputs, inputs / groups, kernel…]`, bias `[outputs]`, y
///   `[batch, outputs, output…]`, all dense.
func convolve<T: RealElement>(
  _ x: UnsafeBufferPointer<T>, _ w: UnsafeBufferPointer<T>, bias: [T]?, _ y: UnsafeMutableBufferPointer<T>,
  _ sizes: ConvolutionSizes
) {
  let g = sizes.window
  let plane = g.input.elementCount
  let outPlane = g.output.elementCount
  let taps = g.taps
  let perGroup = sizes.inputs / sizes.groups
  let outPerGroup = sizes.outputs / sizes.groups
  let rows = TapRows(g)
  let step = rows.step
  for b in 0..<sizes.batch {
    for o in 0..<sizes.outputs {
      let start = (b * sizes.outputs + o) * outPlane
      let out = UnsafeMutableBufferPointer(rebasing: y[start..<start + outPlane])
      out.update(repeating: bias?[o] ?? 0)
      let image = (b * sizes.inputs + o / outPerGroup * perGroup) * plane
      let filter = o * perGroup * taps
      // Four channels in one pass read and write the sums a quarter as often.
      let inFours = perGroup - perGroup % 4
      for i in stride(from: 0, to: inFours, by: 4) {
        let x0 = image + i * plane
        for tap in 0..<taps {
          let w0 = w[filter + i * taps + tap]
          let w1 = w[filter + (i + 1) * taps + tap]
          let w2 = w[filter + (i + 2) * taps + tap]
          let w3 = w[filter + (i + 3) * taps + tap]
          rows.forEach(tap: tap) { at, from, count in
            let a = x0 &+ from
            let b = a &+ plane
            let c = b &+ plane
            let d = c &+ plane
            if step == 1 {
              for p in 0..<count {
                out[at &+ p] += (w0 * x[a &+ p] + w1 * x[b &+ p]) + (w2 * x[c &+ p] + w3 * x[d &+ p])
              }
            } else {
              for p in 0..<count {
                let q = p &* step
                out[at &+ p] += (w0 * x[a &+ q] + w1 * x[b &+ q]) + (w2 * x[c &+ q] + w3 * x[d &+ q])
              }
            }
          }
        }
      }
      for i in inFours..<perGroup {
        for tap in 0..<taps {
          let weight = w[filter + i * taps + tap]
          rows.forEach(tap: tap) { at, from, count in
            let a = image &+ i &* plane &+ from
            if step == 1 {
              for p in 0..<count { out[at &+ p] += weight * x[a &+ p] }
            } else {
              for p in 0..<count { out[at &+ p] += weight * x[a &+ p &* step] }
            }
          }
        }
      }
    }
  }
}

/// The transpose of `convolve`: every element of x adds itself times a filter to a window of y.
///
/// `sizes.window` describes the forward convolution from y's sizes (its `input`) to x's (its `output`).
/// - Parameters: x `[batch, inputs, output…]`, w `[inputs, outputs / groups, kernel…]`, y
///   `[batch, outputs, input…]`.
func convolveTransposed<T: RealElement>(
  _ x: UnsafeBufferPointer<T>, _ w: UnsafeBufferPointer<T>, bias: [T]?, _ y: UnsafeMutableBufferPointer<T>,
  _ sizes: ConvolutionSizes
) {
  let g = sizes.window
  let plane = g.output.elementCount
  let outPlane = g.input.elementCount
  let taps = g.taps
  let perGroup = sizes.inputs / sizes.groups
  let outPerGroup = sizes.outputs / sizes.groups
  let rows = TapRows(g)
  for b in 0..<sizes.batch {
    for o in 0..<sizes.outputs {
      let start = (b * sizes.outputs + o) * outPlane
      let out = UnsafeMutableBufferPointer(rebasing: y[start..<start + outPlane])
      out.update(repeating: bias?[o] ?? 0)
      let group = o / outPerGroup
      for i in group * perGroup..<(group + 1) * perGroup {
        let image = (b * sizes.inputs + i) * plane
        let filter = (i * outPerGroup + o % outPerGroup) * taps
        for tap in 0..<taps {
          let weight = w[filter + tap]
          rows.forEach(tap: tap) { from, at, count in
            let step = rows.step
            if step == 1 {
              for p in 0..<count { out[at &+ p] += weight * x[image &+ from &+ p] }
            } else {
              for p in 0..<count { out[at &+ p &* step] += weight * x[image &+ from &+ p] }
            }
          }
        }
      }
    }
  }
}

/// The rows of a plane that one tap of a window reads, worked out once per operator instead of per channel.
struct TapRows {
  struct Row {
    /// Offset of the first output of the row in the output plane.
    var output: Int
    /// Offset of what it reads in the input plane; neighbours read `step` apart.
    var input: Int
    var count: Int
  }

  let step: Int
  private let rows: [Row]
  /// Where each tap's rows begin.
  private let starts: [Int]

  /// - Parameter g: a window over three axes.
  init(_ g: WindowGeometry) {
    step = g.strides[2]
    var rows: [Row] = []
    var starts: [Int] = [0]
    for kd in 0..<g.kernel[0] {
      let depths = g.validPositions(axis: 0, tap: kd)
      for kh in 0..<g.kernel[1] {
        let heights = g.validPositions(axis: 1, tap: kh)
        for kw in 0..<g.kernel[2] {
          let widths = g.validPositions(axis: 2, tap: kw)
          if !widths.isEmpty {
            for d in depths {
              let z = g.index(axis: 0, position: d, tap: kd)
              for h in heights {
                let y = g.index(axis: 1, position: h, tap: kh)
                let x = g.index(axis: 2, position: widths.lowerBound, tap: kw)
                let row = Row(
                  output: (d * g.output[1] + h) * g.output[2] + widths.lowerBound,
                  input: (z * g.input[1] + y) * g.input[2] + x, count: widths.count)
                // Rows that follow each other without a gap on both sides are one.
                if g.strides[2] == 1, rows.count > starts[starts.count - 1], let last = rows.last,
                  last.output + last.count == row.output, last.input + last.count == row.input
                {
                  rows[rows.count - 1].count += row.count
                } else {
                  rows.append(row)
                }
              }
            }
          }
          starts.append(rows.count)
        }
      }
    }
    self.rows = rows
    self.starts = starts
  }

  @inline(__always)
  func forEach(tap: Int, _ body: (_ output: Int, _ input: Int, _ count: Int) -> Void) {
    rows.withUnsafeBufferPointer { rows in
      for index in starts[tap]..<starts[tap + 1] {
        let row = rows[index]
        body(row.output, row.input, row.count)
      }
    }
  }
}
