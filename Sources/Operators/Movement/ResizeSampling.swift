import Tensors

extension Resize {
  /// Where output element `index` lies in the input, between elements; `nil` outside a cropped image.
  func position(_ index: Int, _ axis: Axis) -> Double? {
    let x = Double(index)
    let input = Double(axis.input)
    // A scale that came from sizes gives the size again, but for rounding.
    let exact = input * axis.scale
    let output = (exact - Double(axis.output)).magnitude < 1e-9 * exact ? Double(axis.output) : exact
    switch coordinates {
    case .halfPixel: return (x + 0.5) / axis.scale - 0.5
    case .pytorchHalfPixel: return axis.output == 1 ? 0 : (x + 0.5) / axis.scale - 0.5
    case .halfPixelSymmetric:
      let offset = input / 2 * (1 - Double(axis.output) / output)
      return offset + (x + 0.5) / axis.scale - 0.5
    case .alignCorners: return output == 1 ? 0 : x * (input - 1) / (output - 1)
    case .asymmetric: return x / axis.scale
    case .tfHalfPixelForNearest: return (x + 0.5) / axis.scale
    case .tfCropAndResize:
      let (low, high) = (axis.region.lowerBound, axis.region.upperBound)
      let inside =
        output == 1 ? (high - low) * (input - 1) / 2 : x * (high - low) * (input - 1) / (output - 1)
      let position = low * (input - 1) + inside
      return position < 0 || position > input - 1 ? nil : position
    }
  }

  /// The input element that output element `index` copies, −1 for the extrapolation value.
  func nearestIndex(_ index: Int, _ axis: Axis) -> Int {
    guard let x = position(index, axis) else { return -1 }
    let rounded =
      switch nearest {
      case .floor: x.rounded(.down)
      case .ceil: x.rounded(.up)
      case .preferFloor: (x - 0.5).rounded(.up)
      case .preferCeil: (x + 0.5).rounded(.down)
      }
    return Int(Swift.min(Swift.max(rounded, 0), Double(axis.input - 1)))
  }

  /// The weights of an axis: for each output element `taps` input elements and how much of each it takes.
  func filter(_ axis: Axis) -> AxisFilter {
    // A stretched filter reaches over 1 / scale times as many elements.
    let squeeze = antialias ? Swift.min(axis.scale, 1) : 1
    let radius: Double = mode == .cubic ? 2 : 1
    let first = Int((-radius / squeeze).rounded(.down)) + 1
    let taps = 2 - 2 * first
    var result = AxisFilter(taps: taps, indices: [], weights: [], isOutside: [])
    for index in 0..<axis.output {
      let x = position(index, axis)
      result.isOutside.append(x == nil)
      let base = (x ?? 0).rounded(.down)
      let ratio = (x ?? 0) - base
      var weights = (0..<taps).map { weight(Double(first + $0) - ratio, squeeze: squeeze) }
      let places = (0..<taps).map { Int(base) + first + $0 }
      if excludesOutside {
        for tap in 0..<taps where places[tap] < 0 || places[tap] >= axis.input { weights[tap] = 0 }
      }
      let sum = weights.reduce(0, +)
      if antialias || excludesOutside, sum != 0 { for tap in 0..<taps { weights[tap] /= sum } }
      result.indices += places.map { Swift.min(Swift.max($0, 0), axis.input - 1) }
      result.weights += weights
    }
    return result
  }

  /// The filter at a distance in input elements.
  private func weight(_ distance: Double, squeeze: Double) -> Double {
    let x = (distance * squeeze).magnitude
    guard mode == .cubic else { return Swift.max(0, 1 - x) }
    let a = Double(cubicCoefficient)
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}

/// The weights one axis is resampled with, `taps` for each output element.
struct AxisFilter {
  var taps: Int
  var indices: [Int]
  var weights: [Double]
  /// Output elements that take the extrapolation value.
  var isOutside: [Bool]
}

/// Resampling by weights, one axis after another.
struct ResizeRun {
  let op: Resize
  let x: Tensor
  let axes: [Resize.Axis]

  func resampled<T: RealElement>(_ type: T.Type) -> Tensor {
    var shape = x.shape
    var values = T.elements(of: x)
    for (axis, sampling) in axes.enumerated() where !sampling.isIdentity {
      let outer = Array(shape[..<axis]).elementCount
      let inner = Array(shape[(axis + 1)...]).elementCount
      values = along(values, op.filter(sampling), sampling, outer: outer, inner: inner)
      shape[axis] = sampling.output
    }
    guard x.type.isInteger else { return T.tensor(values, shape: shape, type: x.type) }
    let bits = x.type.bits
    let low: Double = x.type.isSignedInteger ? -Double(sign: .plus, exponent: bits - 1, significand: 1) : 0
    let high = Double(sign: .plus, exponent: bits - (x.type.isSignedInteger ? 1 : 0), significand: 1) - 1
    let rounded = values.map { Swift.min(Swift.max(Double($0).rounded(.toNearestOrEven), low), high) }
    return Tensor(doubles: rounded, shape: shape, type: x.type)
  }

  private func along<T: RealElement>(
    _ x: [T], _ filter: AxisFilter, _ axis: Resize.Axis, outer: Int, inner: Int
  ) -> [T] {
    var y = [T](repeating: 0, count: outer * axis.output * inner)
    let weights = filter.weights.map { T($0) }
    let fill = T(op.extrapolation)
    x.withUnsafeBufferPointer { x in
      y.withUnsafeMutableBufferPointer { y in
        for block in 0..<outer {
          for position in 0..<axis.output {
            let out = (block * axis.output + position) * inner
            if filter.isOutside[position] {
              for i in 0..<inner { y[out + i] = fill }
              continue
            }
            for tap in position * filter.taps..<(position + 1) * filter.taps where weights[tap] != 0 {
              let from = (block * axis.input + filter.indices[tap]) * inner
              let weight = weights[tap]
              for i in 0..<inner { y[out &+ i] += weight * x[from &+ i] }
            }
          }
        }
      }
    }
    return y
  }
}
