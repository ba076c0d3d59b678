import Foundation
import Quantization
import Tensors
import Testing

/// Values of some shape, the same every time.
func sample(_ count: Int, seed: UInt64 = 1, _ shape: (Double) -> Double) -> [Float] {
  var state = seed
  func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) / Double(1 << 53)
  }
  return (0..<count).map { _ in
    Float(shape((-2 * log(max(uniform(), 1e-12))).squareRoot() * cos(2 * .pi * uniform())))
  }
}

@Suite struct ObserverTests {
  static let shapes: [(name: String, values: [Float])] = [
    ("normal", sample(20_000) { $0 }),
    ("one-signed", sample(20_000) { max($0, 0) }),
    ("heavy tail", sample(20_000) { $0 * $0 * $0 }),
    ("shifted", sample(20_000) { 3 + $0 }),
    ("negative", sample(20_000) { -abs($0) }),
  ]

  @Test(arguments: 0...40) func extremesOfEveryLength(_ count: Int) {
    let values = sample(count, seed: UInt64(count) + 3) { $0 }
    let extremes = values.withUnsafeBufferPointer { Extremes(Span(_unsafeElements: $0)) }
    #expect(extremes.lowest == values.min() ?? .infinity)
    #expect(extremes.highest == values.max() ?? -.infinity)
    #expect(extremes.isFinite && extremes.count == count)
    for bad in [Float.nan, .infinity, -.infinity] where count > 0 {
      for place in 0..<count {
        var broken = values
        broken[place] = bad
        #expect(broken.withUnsafeBufferPointer { !Extremes(Span(_unsafeElements: $0)).isFinite })
      }
    }
  }

  @Test(arguments: ObserverChoice.all, [0, 1, 2, 3, 4])
  func splittingAndMergingChangeNothing(_ choice: ObserverChoice, _ shape: Int) {
    let values = Self.shapes[shape].values
    func observed(_ observer: some Observer) -> ClosedRange<Float> {
      var (first, second) = (observer, observer)
      for (index, start) in stride(from: 0, to: values.count, by: 500).enumerated() {
        let part = Array(values[start..<start + 500])
        if index < 13 { first.observe(part) } else { second.observe(part) }
      }
      first.merge(second)
      return first.range(bits: 8, symmetric: false)
    }
    var whole = choice.makeObserver()
    for start in stride(from: 0, to: values.count, by: 500) {
      whole.observe(Array(values[start..<start + 500]))
    }
    let range = whole.range(bits: 8, symmetric: false)
    let merged = observed(choice.makeObserver())
    // Merging maps histograms of different ranges onto each other; for that observer it is an approximation.
    let slack: Float = choice == .histogramL2 ? 0.02 * (range.upperBound - range.lowerBound) : 1e-5
    #expect(abs(merged.lowerBound - range.lowerBound) <= slack)
    #expect(abs(merged.upperBound - range.upperBound) <= slack)
    // The range lies inside of what was seen, but may include zero.
    #expect(range.lowerBound >= min(whole.seen.lowest, 0) && range.upperBound <= max(whole.seen.highest, 0))
  }

  @Test func histogramDoesNotDependOnOrder() {
    let values = sample(3_000) { $0 * $0 * $0 }
    func histogram(_ values: [Float], parts: Int) -> MagnitudeHistogram {
      var result = MagnitudeHistogram()
      for start in stride(from: 0, to: values.count, by: values.count / parts) {
        let part = Array(values[start..<min(start + values.count / parts, values.count)])
        part.withUnsafeBufferPointer {
          result.add(Span(_unsafeElements: $0), largest: part.map { abs($0) }.max() ?? 0)
        }
      }
      return result
    }
    let whole = histogram(values, parts: 1)
    #expect(histogram(values.sorted { abs($0) < abs($1) }, parts: 1_000) == whole)
    #expect(histogram(values.reversed(), parts: 30) == whole)
    // At least half of the bins of a sign are in range, and every value is counted where it lies.
    let largest = Double(values.map { abs($0) }.max() ?? 0)
    #expect(largest < whole.width * 8_192 && largest >= whole.width * 4_096)
    for bin in stride(from: 0, to: 8_192, by: 97) {
      let inside = values.count { $0 >= 0 && Int(Double($0) / whole.width) == bin }
      #expect(whole.positive(bin) == UInt64(inside))
    }
  }

  @Test func histogramGrowsOverManyOrdersOfMagnitude() {
    var histogram = MagnitudeHistogram()
    for value in [Float(0), 1e-30, 1e-10, 1, 1e20] {
      [value].withUnsafeBufferPointer { histogram.add(Span(_unsafeElements: $0), largest: value) }
    }
    #expect(histogram.positive(0) == 4)
    #expect(histogram.ascending().reduce(0) { $0 + $1.count } == 5)
  }

  @Test func movingAverageByHand() {
    var observer = ObserverChoice.movingAverage(0.25).makeObserver()
    for sample in [[Float(-1), 2], [-3, 1], [0, 8]] { observer.observe(sample) }
    // −1 → −1 + (−3 + 1)/4 = −1.5 → −1.5 + 1.5/4; 2 → 1.75 → 1.75 + 6.25/4
    #expect(observer.range(bits: 8, symmetric: false) == -1.125...3.3125)
  }

  @Test(arguments: [0, 1, 2, 3, 4], [99.0, 99.9, 99.99])
  func percentileAgainstSorting(_ shape: Int, _ share: Double) {
    let values = Self.shapes[shape].values.sorted()
    var observer = ObserverChoice.percentile(share).makeObserver()
    observer.observe(values)
    let range = observer.range(bits: 8, symmetric: false)
    let left = (100 - share) / 100
    func at(_ part: Double) -> Float {
      values[min(max(Int(part * Double(values.count)), 0), values.count - 1)]
    }
    let isOneSided = values[0] >= 0 || values[values.count - 1] <= 0
    let lower = values[0] >= 0 ? 0 : at(isOneSided ? left : left / 2)
    let upper = values[values.count - 1] <= 0 ? 0 : at(1 - (isOneSided ? left : left / 2))
    // Between neighbouring values any quantile is as good; a bin is narrower than 1/4096 of the largest.
    let slack = max(abs(values[0]), abs(values[values.count - 1])) / 4_096
    func isNear(_ found: Float, _ exact: Float) -> Bool {
      let position = values.count { $0 < exact }
      let neighbours = values[max(position - 2, 0)...min(position + 2, values.count - 1)]
      guard let low = neighbours.min(), let high = neighbours.max() else { return false }
      return found >= low - slack && found <= high + slack || abs(found - exact) <= slack
    }
    #expect(isNear(range.lowerBound, lower), "\(range) \(lower)")
    #expect(isNear(range.upperBound, upper), "\(range) \(upper)")
  }

  @Test(arguments: [0, 1, 2, 3, 4], [4, 8])
  func squaredErrorAgainstEveryValue(_ shape: Int, _ bits: Int) {
    let values = Self.shapes[shape].values
    var observer = ObserverChoice.mse.makeObserver()
    observer.observe(values)
    func error(_ range: ClosedRange<Float>) -> Double {
      let encoding = Encoding.covering(range, bits: bits, symmetric: false)
      return values.reduce(0) { $0 + pow(Double($1 - encoding.real(encoding.code($1))), 2) }
    }
    let (low, high) = (observer.seen.lowest, observer.seen.highest)
    var best = Double.infinity
    for step in 10...100 {
      let f = Float(step) / 100
      best = min(best, error(low * f...high * f))
    }
    #expect(error(observer.range(bits: bits, symmetric: false)) <= best * 1.01)
  }

  /// KL divergence written out as DESIGN has it, bin by bin.
  @Test(arguments: [0, 1, 2, 3], [4, 8])
  func entropyAgainstTheDefinition(_ shape: Int, _ bits: Int) {
    let values = Self.shapes[shape].values
    let magnitude = values.map { abs($0) }.max() ?? 0
    var bins = [Double](repeating: 0, count: 2_048)
    for value in values { bins[min(Int(abs(value) / magnitude * 2_048), 2_047)] += 1 }
    let isTwoSided = (values.min() ?? 0) < 0
    let levels = 1 << (isTwoSided ? bits - 1 : bits)
    var best = (divergence: Double.infinity, kept: 0)
    var divergences = [Double](repeating: .infinity, count: 2_049)
    for kept in max(128, levels)...2_048 {
      var p = Array(bins[..<kept])
      p[kept - 1] += bins[kept...].reduce(0, +)
      var q = [Double](repeating: 0, count: kept)
      for level in 0..<levels {
        let part = level * kept / levels..<(level + 1) * kept / levels
        let filled = part.filter { bins[$0] > 0 }
        let sum = part.reduce(0) { $0 + bins[$1] }
        for bin in filled { q[bin] = sum / Double(filled.count) }
      }
      func smooth(_ x: [Double]) -> [Double] {
        let sum = x.reduce(0, +)
        return x.map { (1 - 1e-4) * $0 / sum + 1e-4 / Double(kept) }
      }
      let divergence = zip(smooth(p), smooth(q)).reduce(0) { $0 + $1.0 * log($1.0 / $1.1) }
      divergences[kept] = divergence
      if divergence <= best.divergence + 1e-12 { best = (divergence, kept) }
    }
    #expect(EntropyObserver.threshold(bins, levels: levels) == best.kept)
    var observer = ObserverChoice.entropy.makeObserver()
    observer.observe(values)
    let range = observer.range(bits: bits, symmetric: false)
    let found = max(-range.lowerBound, range.upperBound) / magnitude * 2_048
    // The observer's bins are finer ones put together: its choice is as good, if not the same.
    let kept = min(max(Int(found.rounded()), 128), 2_048)
    #expect(divergences[kept] <= best.divergence * 1.2 + 1e-6, "\(found) \(best.kept)")
  }

  @Test func entropyCutsARareOutlier() {
    var values = sample(100_000) { $0 }
    values.append(100)
    var observer = ObserverChoice.entropy.makeObserver()
    observer.observe(values)
    #expect(observer.range(bits: 8, symmetric: false).upperBound < 20)
  }

  @Test(arguments: ObserverChoice.all) func zerosAndNothing(_ choice: ObserverChoice) {
    var observer = choice.makeObserver()
    observer.observe([])
    #expect(observer.seen.count == 0)
    observer.observe([Float](repeating: 0, count: 100))
    let range = observer.range(bits: 8, symmetric: false)
    #expect(range == 0...0)
    let encoding = Encoding.covering(range, bits: 8, symmetric: false)
    #expect(encoding.scales == [1] && encoding.zeroPoints == [0])
  }

  @Test(arguments: ObserverChoice.all) func sixteenBitsTakeAtLeastTheBulk(_ choice: ObserverChoice) {
    var observer = choice.makeObserver()
    observer.observe(Self.shapes[0].values)
    let range = observer.range(bits: 16, symmetric: false)
    #expect(range.upperBound > 3 && range.lowerBound < -3)
  }

  @Test(
    .disabled(if: isSanitized, "a sanitizer takes the time")
  )
  func fiftyMillionElementsTakeSeconds() {
    let values = sample(1_000_000) { max($0, 0) }
    var observer = ObserverChoice.mse.makeObserver()
    let begin = ContinuousClock.now
    for _ in 0..<50 { observer.observe(values) }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    #expect(observer.seen.count == 50_000_000)
    #expect(seconds < 5, "took \(seconds) s")
  }
}
