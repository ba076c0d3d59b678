import Tensors

/// The least and greatest weight of every cell, each with zero inside.
struct WeightRanges {
  var low: [Float]
  var high: [Float]

  init(_ weights: UnsafeBufferPointer<Float>, _ layout: WeightLayout) {
    low = [Float](repeating: 0, count: layout.cells)
    high = low
    low.withUnsafeMutableBufferPointer { low in
      high.withUnsafeMutableBufferPointer { high in
        layout.forEachRun { range, cell, advances in
          if advances {
            for (offset, index) in range.enumerated() {
              low[cell + offset] = min(low[cell + offset], weights[index])
              high[cell + offset] = max(high[cell + offset], weights[index])
            }
          } else {
            let extremes = Extremes(UnsafeBufferPointer(rebasing: weights[range]))
            low[cell] = min(low[cell], extremes.lowest)
            high[cell] = max(high[cell], extremes.highest)
          }
        }
      }
    }
  }

  /// Both ends times a fraction.
  func shrunk(to fraction: Float) -> WeightRanges {
    var result = self
    for cell in low.indices {
      result.low[cell] *= fraction
      result.high[cell] *= fraction
    }
    return result
  }

  /// What these ranges and others share, of each cell; others hold zero or are made to.
  func clipped(_ cell: Int, to range: ClosedRange<Float>) -> (low: Float, high: Float) {
    (max(low[cell], min(range.lowerBound, 0)), min(high[cell], max(range.upperBound, 0)))
  }
}

extension WeightEncoder {
  /// The fractions of a range that searches try, greatest first.
  static let fractions: [Float] = (30...100).reversed().map { Float($0) / 100 }

  /// The numbers of the ranges that the settings choose.
  func searched(_ whole: WeightRanges, _ weights: UnsafeBufferPointer<Float>) -> WeightScales {
    let base = covering(whole)
    func numbers(_ ranges: WeightRanges) -> WeightScales { self.numbers(base, whole, ranges) }
    switch scale {
    case .max, .span, .outputMSE: return base
    case .mse:
      return least(Self.fractions.lazy.map { numbers(whole.shrunk(to: $0)) }, base) {
        squaredErrors(weights, $0)
      }
    case .entropy: return numbers(entropies(whole, weights))
    case .percentile(let share): return numbers(percentiles(whole, SortedCells(weights, layout), share))
    case .percentileSweep:
      let sorted = SortedCells(weights, layout)
      let tries = WeightSettings.Scale.sweptPercentiles.lazy.map { numbers(percentiles(whole, sorted, $0)) }
      return least(tries, base) { squaredErrors(weights, $0) }
    }
  }

  /// The numbers for narrower ranges; of a symmetric encoding the scale in proportion.
  ///
  /// - Parameter base: the numbers for the whole ranges.
  func numbers(_ base: WeightScales, _ whole: WeightRanges, _ ranges: WeightRanges) -> WeightScales {
    var result = base
    for cell in base.scales.indices where !base.isZero[cell] {
      let (low, high) = (ranges.low[cell], ranges.high[cell])
      guard low < 0 || high > 0 else { continue }
      if scheme.symmetry == .affine {
        (result.scales[cell], result.zeroPoints[cell]) = Encoding.affine(
          Double(low), Double(high), scheme.codes.upperBound)
      } else {
        let scale = base.scales[cell] * (max(-low, high) / max(-whole.low[cell], whole.high[cell]))
        if abs(scale) >= Float.leastNormalMagnitude { result.scales[cell] = scale }
      }
    }
    return result
  }

  /// For each cell the numbers with the least of the errors that `errors` finds by cell; ties to the earlier.
  func least(
    _ tries: some Sequence<WeightScales>, _ base: WeightScales, _ errors: (WeightScales) throws -> [Double]
  ) rethrows -> WeightScales {
    var result = base
    var least = [Double](repeating: .infinity, count: base.scales.count)
    for numbers in tries {
      let errors = try errors(numbers)
      for cell in errors.indices where errors[cell] < least[cell] && !base.isZero[cell] {
        least[cell] = errors[cell]
        (result.scales[cell], result.zeroPoints[cell]) = (numbers.scales[cell], numbers.zeroPoints[cell])
      }
    }
    return result
  }

  /// Σ (w − ŵ)² of each cell.
  private func squaredErrors(_ weights: UnsafeBufferPointer<Float>, _ numbers: WeightScales) -> [Double] {
    var errors = [Double](repeating: 0, count: numbers.scales.count)
    errors.withUnsafeMutableBufferPointer { errors in
      forEachRounded(weights, numbers) { index, cell, steps in
        let distance = Double(weights[index] - steps * numbers.scales[cell])
        errors[cell] += distance * distance
      }
    }
    return errors
  }

  /// Calls `body` with the place of every weight, its cell and its code without the zero point.
  @inline(__always)
  func forEachRounded(
    _ weights: UnsafeBufferPointer<Float>, _ numbers: WeightScales, _ body: (Int, Int, Float) -> Void
  ) {
    let (lowest, highest) = (scheme.codes.lowerBound, scheme.codes.upperBound)
    numbers.scales.withUnsafeBufferPointer { scales in
      numbers.zeroPoints.withUnsafeBufferPointer { zeros in
        layout.forEachRun { range, cell, advances in
          for (offset, index) in range.enumerated() {
            let cell = advances ? cell + offset : cell
            let code = code(weights[index], scales[cell], zeros[cell], lowest, highest)
            body(index, cell, Float(code &- zeros[cell]))
          }
        }
      }
    }
  }

  private func entropies(_ whole: WeightRanges, _ weights: UnsafeBufferPointer<Float>) -> WeightRanges {
    let cells = SortedCells(
      weights,
      isGrouped
        ? WeightLayout(
          shape: layout.shape, granularity: .tensor, channelAxis: layout.channelAxis,
          groupAxis: layout.groupAxis) : layout)
    let ranges = cells.indices.map { cell in
      var observer = EntropyObserver()
      return cells.withCell(cell) { values in
        let span = Span(_unsafeElements: values)
        observer.observe(span, extremes: Extremes(span))
        return observer.range(bits: scheme.bits, symmetric: scheme.symmetry == .symmetric)
      }
    }
    var result = whole
    for cell in whole.low.indices where !ranges.isEmpty {
      (result.low[cell], result.high[cell]) = whole.clipped(cell, to: ranges[isGrouped ? 0 : cell])
    }
    return result
  }

  /// Of the magnitudes where the encoding is symmetric; else as the percentile observer leaves values out: half at each
  /// end, all at the open end of weights of one sign.
  private func percentiles(_ whole: WeightRanges, _ sorted: SortedCells, _ share: Double) -> WeightRanges {
    var result = whole
    let left = 1 - share / 100
    for cell in whole.low.indices {
      let (low, high) = (whole.low[cell], whole.high[cell])
      let range: ClosedRange<Float>
      if scheme.symmetry == .symmetric {
        let threshold = sorted.magnitudeQuantile(cell, 1 - left)
        range = -threshold...threshold
      } else if low < 0 && high > 0 {
        range = sorted.quantile(cell, left / 2)...sorted.quantile(cell, 1 - left / 2)
      } else {
        range = high > 0 ? 0...sorted.quantile(cell, 1 - left) : sorted.quantile(cell, left)...0
      }
      (result.low[cell], result.high[cell]) = whole.clipped(cell, to: range)
    }
    return result
  }
}

/// The weights cell by cell, those of a cell in ascending order.
private struct SortedCells {
  private var values: [Float]
  private var starts: [Int]

  init(_ weights: UnsafeBufferPointer<Float>, _ layout: WeightLayout) {
    let cells = layout.cellOfElement
    starts = [Int](repeating: 0, count: layout.cells + 1)
    for cell in cells { starts[cell + 1] += 1 }
    for cell in 0..<layout.cells { starts[cell + 1] += starts[cell] }
    var next = starts
    values = [Float](repeating: 0, count: cells.count)
    for (index, cell) in cells.enumerated() {
      values[next[cell]] = weights[index]
      next[cell] += 1
    }
    for cell in 0..<layout.cells { values[starts[cell]..<starts[cell + 1]].sort() }
  }

  var indices: Range<Int> { 0..<starts.count - 1 }

  func withCell<Result>(_ cell: Int, _ body: (UnsafeBufferPointer<Float>) -> Result) -> Result {
    values.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[starts[cell]..<starts[cell + 1]]))
    }
  }

  /// Below which this part of the cell lies, linear between neighbours.
  func quantile(_ cell: Int, _ part: Double) -> Float {
    Self.quantile(values[starts[cell]..<starts[cell + 1]], part)
  }

  func magnitudeQuantile(_ cell: Int, _ part: Double) -> Float {
    Self.quantile(values[starts[cell]..<starts[cell + 1]].map(abs).sorted()[...], part)
  }

  private static func quantile(_ sorted: ArraySlice<Float>, _ part: Double) -> Float {
    guard let last = sorted.last else { return 0 }
    let place = part * Double(sorted.count - 1)
    let index = sorted.startIndex + Int(place)
    guard index + 1 < sorted.endIndex else { return last }
    let (low, high) = (Double(sorted[index]), Double(sorted[index + 1]))
    return Float(low + (high - low) * (place - place.rounded(.down)))
  }
}
