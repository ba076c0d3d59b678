import Tensors

/// Watches one value during calibration and proposes the range worth representing.
///
/// Memory does not grow with what is observed. Every sample is given once, in order.
package protocol Observer: Sendable {
  /// Smallest and largest value so far.
  var seen: Extremes { get }
  /// Takes in the values of one sample; all finite, with their extremes.
  mutating func observe(_ values: Span<Float>, extremes: Extremes)
  /// Adds what `later` saw of the samples that follow this one's.
  mutating func merge(_ later: Self)
  /// The range for codes of this width; it may leave zero out. Meaningless before the first value.
  func range(bits: Int, symmetric: Bool) -> ClosedRange<Float>
  /// Counts in this many equal bins from the smallest to the largest value seen, where the observer knows.
  func bins(_ count: Int) -> [Float]
}

extension Observer {
  package func bins(_ count: Int) -> [Float] { [] }
}

extension ObserverChoice {
  package func makeObserver() -> any Observer {
    switch self {
    case .minMax: MinMaxObserver()
    case .movingAverage(let constant): MovingAverageObserver(constant: constant)
    case .percentile(let share): PercentileObserver(share: share)
    case .entropy: EntropyObserver()
    case .mse: SquaredErrorObserver()
    case .histogramL2: HistogramL2Observer()
    }
  }
}

/// The widest codes whose range a histogram can choose; wider ones take the whole range.
let widestSearchedBits = 10

/// Smallest and largest of some values, and whether all were numbers.
package struct Extremes: Sendable, Hashable {
  package var lowest: Float = .infinity
  package var highest: Float = -.infinity
  package var count = 0
  package var isFinite = true

  package init() {}

  /// The extremes of `values`, in one pass.
  package init(_ values: Span<Float>) {
    self = values.withUnsafeBufferPointer { Extremes($0) }
  }

  /// Eight lanes at a time; NaN and infinities are found by their exponent.
  init(_ values: UnsafeBufferPointer<Float>) {
    count = values.count
    var low = SIMD8<Float>(repeating: .infinity)
    var high = SIMD8<Float>(repeating: -.infinity)
    var carry = SIMD8<UInt32>(repeating: 0)
    let whole = values.count / 8 * 8
    let raw = UnsafeRawBufferPointer(values)
    for offset in stride(from: 0, to: whole, by: 8) {
      let lanes = raw.loadUnaligned(fromByteOffset: offset * 4, as: SIMD8<Float>.self)
      low.replace(with: lanes, where: lanes .< low)
      high.replace(with: lanes, where: lanes .> high)
      carry |= (unsafeBitCast(lanes, to: SIMD8<UInt32>.self) & 0x7f80_0000) &+ 0x0080_0000
    }
    var bits: UInt32 = 0
    for lane in 0..<8 {
      lowest = Swift.min(lowest, low[lane])
      highest = Swift.max(highest, high[lane])
      bits |= carry[lane]
    }
    for value in values[whole...] {
      if value < lowest { lowest = value }
      if value > highest { highest = value }
      bits |= (value.bitPattern & 0x7f80_0000) &+ 0x0080_0000
    }
    isFinite = bits & 0x8000_0000 == 0
  }

  /// The largest magnitude; 0 before the first value.
  package var magnitude: Float { count == 0 ? 0 : Swift.max(abs(lowest), abs(highest)) }

  package mutating func merge(_ other: Extremes) {
    lowest = Swift.min(lowest, other.lowest)
    highest = Swift.max(highest, other.highest)
    count += other.count
    isFinite = isFinite && other.isFinite
  }
}
