import Tensors

/// How the elements of a weight share scales: contiguous runs, each with its cell in the scales.
struct WeightLayout {
  let shape: Shape
  let granularity: Scheme.Granularity
  let channelAxis: Int
  let groupAxis: Int

  init(shape: Shape, granularity: Scheme.Granularity, channelAxis: Int, groupAxis: Int) {
    self.shape = shape
    self.granularity = granularity
    self.channelAxis = channelAxis
    self.groupAxis = groupAxis
  }

  /// Scales there are.
  var cells: Int {
    switch granularity {
    case .tensor: 1
    case .channel: shape[channelAxis]
    case .group(let size):
      shape.indices.reduce(1) { $0 * ($1 == groupAxis ? (shape[$1] + size - 1) / size : shape[$1]) }
    }
  }

  /// By element, the place of its scale.
  var cellOfElement: [Int] {
    var result = [Int](repeating: 0, count: shape.elementCount)
    forEachRun { range, cell, advances in
      for (offset, index) in range.enumerated() { result[index] = advances ? cell + offset : cell }
    }
    return result
  }

  /// Calls `body` with every run: the range of elements, the cell of the first, and whether each further element
  /// has the next cell (else all share one).
  func forEachRun(_ body: (Range<Int>, _ cell: Int, _ advances: Bool) -> Void) {
    let count = shape.elementCount
    guard count > 0 else { return }
    let axis: Int
    let size: Int
    switch granularity {
    case .tensor:
      body(0..<count, 0, false)
      return
    case .channel: (axis, size) = (channelAxis, 1)
    case .group(let group): (axis, size) = (groupAxis, group)
    }
    let length = shape[axis]
    let inner = shape[(axis + 1)...].elementCount
    let outer = count / (length * inner)
    let isChannel = granularity == .channel
    let blocks = (length + size - 1) / size
    for index in 0..<outer {
      let base = index * length * inner
      if isChannel && inner == 1 {
        body(base..<base + length, 0, true)
      } else if isChannel {
        for k in 0..<length { body(base + k * inner..<base + (k + 1) * inner, k, false) }
      } else if inner == 1 {
        for block in 0..<blocks {
          body(base + block * size..<base + min((block + 1) * size, length), index * blocks + block, false)
        }
      } else {
        for k in 0..<length {
          body(base + k * inner..<base + (k + 1) * inner, (index * blocks + k / size) * inner, true)
        }
      }
    }
  }
}

extension ArraySlice where Element == Int {
  fileprivate var elementCount: Int { reduce(1, *) }
}

/// Scales and zero points of a weight, before its codes.
struct WeightScales {
  var scales: [Float]
  var zeroPoints: [Int32]
  /// Cells in which every weight is zero.
  var isZero: [Bool]

  init(scales: [Float], zeroPoints: [Int32], isZero: [Bool]) {
    (self.scales, self.zeroPoints, self.isZero) = (scales, zeroPoints, isZero)
  }

  /// Numbers that are known, for weights that are new.
  init(of encoding: Encoding) {
    self.init(
      scales: encoding.scales, zeroPoints: encoding.zeroPoints, isZero: encoding.scales.map { _ in false })
  }
}

/// Turns float32 weights into codes, rounding to nearest.
struct WeightEncoder {
  let layout: WeightLayout
  let scheme: Scheme
  let scale: WeightSettings.Scale
  let method: Method

  init(settings: WeightSettings, shape: Shape, channelAxis: Int, groupAxis: Int) {
    layout = WeightLayout(
      shape: shape, granularity: settings.granularity, channelAxis: channelAxis, groupAxis: groupAxis)
    scheme = settings.scheme
    scale = settings.scale ?? .max
    method = settings.method
  }

  /// For numbers that are known.
  init(_ encoding: Encoding, shape: Shape) {
    layout = WeightLayout(
      shape: shape, granularity: encoding.scheme.granularity, channelAxis: encoding.channelAxis ?? 0,
      groupAxis: encoding.groupAxis ?? 0)
    scheme = encoding.scheme
    scale = .max
    method = .nearest
  }

  /// Scales by DESIGN "Weights", as far as they go by the weights alone; `nil` when a weight is NaN or infinite.
  func scales(_ weights: UnsafeBufferPointer<Float>) -> WeightScales? {
    guard Extremes(weights).isFinite else { return nil }
    let found = searched(WeightRanges(weights, layout), weights)
    return method == .hqq ? splitHalfQuadratically(found, weights) : found
  }

  /// The numbers for whole ranges.
  func covering(_ ranges: WeightRanges) -> WeightScales {
    let numbers = zip(ranges.low, ranges.high).map(scaleAndZero)
    return WeightScales(
      scales: numbers.map(\.0), zeroPoints: numbers.map(\.1),
      isZero: zip(ranges.low, ranges.high).map { $0 == 0 && $1 == 0 })
  }

  private func scaleAndZero(_ low: Float, _ high: Float) -> (Float, Int32) {
    let codes = scheme.codes
    if scheme.symmetry == .affine { return Encoding.affine(Double(low), Double(high), codes.upperBound) }
    let largest = Double(max(-low, high))
    if scale == .span {
      return (Swift.max(Float(2 * largest / Double(codes.upperBound - codes.lowerBound)), Float.ulpOfOne), 0)
    }
    if scheme.range == .signed {
      let extreme = high > -low ? Double(high) : Double(low)
      return (Encoding.usable(extreme / Double(codes.lowerBound)), 0)
    }
    return (Encoding.usable(largest / Double(codes.upperBound)), 0)
  }

  /// The codes under these scales.
  func encode(_ weights: UnsafeBufferPointer<Float>, _ numbers: WeightScales) -> EncodedTensor {
    let encoding = Encoding(
      scheme: scheme, channelAxis: scheme.granularity == .tensor ? nil : layout.channelAxis,
      groupAxis: isGrouped ? layout.groupAxis : nil, scales: numbers.scales, zeroPoints: numbers.zeroPoints)
    let (lowest, highest) = (encoding.codes.lowerBound, encoding.codes.upperBound)
    let isSigned = scheme.symmetry == .symmetric
    // int8 and uint8 bits are the same bytes.
    let codes = Tensor(shape: layout.shape, type: isSigned ? .int8 : .uint8) { bytes in
      let bytes = bytes.bindMemory(to: UInt8.self)
      layout.forEachRun { range, cell, advances in
        if advances {
          for (offset, index) in range.enumerated() {
            let zero = numbers.zeroPoints[cell + offset]
            let code = code(weights[index], numbers.scales[cell + offset], zero, lowest, highest)
            bytes[index] = UInt8(truncatingIfNeeded: code)
          }
        } else {
          let (scale, zero) = (numbers.scales[cell], numbers.zeroPoints[cell])
          for index in range {
            bytes[index] = UInt8(truncatingIfNeeded: code(weights[index], scale, zero, lowest, highest))
          }
        }
      }
    }
    return EncodedTensor(codes: codes, encoding: encoding)
  }

  var isGrouped: Bool { if case .group = scheme.granularity { true } else { false } }

  @inline(__always)
  func code(_ x: Float, _ scale: Float, _ zero: Int32, _ lowest: Int32, _ highest: Int32) -> Int32 {
    let steps = multiplies ? x * (1 / scale) : x / scale
    return Int32(nearest(min(max(steps, Float(lowest - zero)), Float(highest - zero)))) &+ zero
  }

  /// PyTorch multiplies by the reciprocal, which rounds the extreme weight, at 127.5 steps, its own way.
  private var multiplies: Bool { scale == .span }
}

/// Round half to even for |x| < 2^22: adding 1.5 · 2^23 leaves no fraction bits.
@inline(__always)
func nearest(_ x: Float) -> Float { (x + 12_582_912) - 12_582_912 }
