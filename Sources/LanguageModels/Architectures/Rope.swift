import Glibc
import Tensors

/// Rotations by angles that grow with the position: of pair i by position · base^(−2i / rotated), then scaled.
package struct Rope: Sendable, Hashable {
  package var base: Double
  /// Features of a head that are turned, from the first on.
  package var rotated: Int
  /// Whether pairs are neighbours, else the two halves of what is turned.
  package var isInterleaved: Bool
  package var scaling: Scaling

  /// How a model made for `original` tokens is stretched to more.
  package enum Scaling: Sendable, Hashable {
    case none
    /// Frequencies divided by the factor.
    case linear(Double)
    /// The base grows with the number of positions beyond `original`.
    case dynamic(factor: Double, original: Int)
    /// Long waves are divided by the factor, short ones are left, with a ramp between.
    case llama3(factor: Double, low: Double, high: Double, original: Int)
    case yarn(Yarn)
    /// Each frequency divided by a factor of its own: one list up to `original` positions, another beyond.
    case long(short: [Double], long: [Double], magnitude: Double, original: Int)
    /// Each frequency divided by a factor of its own.
    case factors([Double])
  }

  /// - Source: Peng et al., *YaRN: Efficient Context Window Extension of Large Language Models*, 2023.
  package struct Yarn: Sendable, Hashable {
    package var factor: Double
    package var original: Int
    /// Turns within `original` positions above which a frequency is left, and below which it is divided.
    package var fast = 32.0
    package var slow = 1.0
    /// What cosines and sines are multiplied by; `nil` for 0.1 · ln(factor) + 1.
    package var magnitude: Double?
    /// Whether the ends of the ramp are whole numbers.
    package var isRounded = true
  }
}

extension Rope {
  /// The natural logarithm, for readers that have no other use of a mathematics library.
  static func logarithm(_ x: Double) -> Double { log(x) }

  /// Radians per position of each pair, for a graph of this many positions.
  func frequencies(positions: Int) -> [Float] {
    func plain(_ base: Double) -> [Double] {
      (0..<rotated / 2).map { pow(base, -2 * Double($0) / Double(rotated)) }
    }
    let free = plain(base)
    let scaled: [Double]
    switch scaling {
    case .none: scaled = free
    case .linear(let factor): scaled = free.map { $0 / factor }
    case .dynamic(let factor, let original):
      let growth = factor * Double(max(positions, original)) / Double(original) - (factor - 1)
      scaled = plain(base * pow(growth, Double(rotated) / Double(rotated - 2)))
    case .llama3(let factor, let low, let high, let original):
      scaled = free.map { frequency in
        let turns = Double(original) * frequency / (2 * .pi)
        let share = min(max((turns - low) / (high - low), 0), 1)
        return (1 - share) * frequency / factor + share * frequency
      }
    case .yarn(let yarn): scaled = yarn.frequencies(free, base: base, rotated: rotated)
    case .long(let short, let long, _, let original):
      scaled = zip(free, positions > original ? long : short).map { $0 / $1 }
    case .factors(let factors): scaled = zip(free, factors).map { $0 / $1 }
    }
    return scaled.map { Float($0) }
  }

  /// What cosines and sines are multiplied by.
  var magnitude: Double {
    switch scaling {
    case .yarn(let yarn): yarn.magnitude ?? 0.1 * log(yarn.factor) + 1
    case .long(_, _, let magnitude, _): magnitude
    default: 1
    }
  }

  /// Cosines and sines `[positions, rotated / 2]`.
  ///
  /// Angles are float32 products as in PyTorch, whose rounding far positions were trained with.
  func tables(positions: Int, threads: Int) -> (cosines: Tensor, sines: Tensor) {
    let frequencies = frequencies(positions: positions)
    let count = frequencies.count
    let magnitude = magnitude
    func table(_ function: @escaping @Sendable (Double) -> Double) -> Tensor {
      Tensor(of: Float.self, shape: [positions, count]) { out in
        guard let base = out.baseAddress else { return }
        nonisolated(unsafe) let start = base
        parallel(positions, grain: 512, threads: threads) { rows in
          for row in rows {
            for i in 0..<count {
              start[row * count + i] = Float(magnitude * function(Double(Float(row) * frequencies[i])))
            }
          }
        }
      }
    }
    return (table { cos($0) }, table { sin($0) })
  }
}

extension Rope.Yarn {
  /// Between the pair that turns `fast` times within the original length, and the one that turns `slow` times, a ramp
  /// from the frequency as it is to the frequency divided by the factor.
  fileprivate func frequencies(_ free: [Double], base: Double, rotated: Int) -> [Double] {
    func pair(turning turns: Double) -> Double {
      Double(rotated) * log(Double(original) / (turns * 2 * .pi)) / (2 * log(base))
    }
    var (low, high) = (pair(turning: fast), pair(turning: slow))
    if isRounded { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    low = max(low, 0)
    high = min(high, Double(rotated - 1))
    let span = max(high - low, 0.001)
    return free.enumerated().map { index, frequency in
      let divided = min(max((Double(index) - low) / span, 0), 1)
      return frequency / factor * divided + frequency * (1 - divided)
    }
  }
}
