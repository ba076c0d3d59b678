import Foundation
import Quantization
import Tensors
import Testing

/// Ranges that `Golden/observers.py` computed from the same values, independently.
@Suite struct ObserverGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var values: String
    var observer: String
    var bits: Int
    var share: Double?
    var range: [Float]

    var testDescription: String { "\(observer) \(share ?? Double(bits)) of \(values)" }

    var choice: ObserverChoice {
      switch observer {
      case "entropy": .entropy
      case "mse": .mse
      default: .percentile(share ?? 0)
      }
    }

    static let all: [Case] = {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden/observers.json")
      guard let data = try? Data(contentsOf: path) else { return [] }
      return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
    }()
  }

  static func values(_ kind: String) -> [Float] {
    var state: UInt64 = 12345
    return (0..<20_000).map { index in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let u = Double(state >> 11) / Double(1 << 53)
      let side = u - 0.5
      return switch kind {
      case "uniform": Float(side)
      case "one-signed": Float(max(side, 0) * 4)
      case "aligned heavy tail" where index == 0: 128
      case "heavy tail", "aligned heavy tail": Float(side / (0.505 - abs(side)))
      default: Float(1 + u / (1.002 - u))
      }
    }
  }

  @Test func thereAreCases() { #expect(Case.all.count == 30) }

  /// Equal but for what a histogram of 4 096 to 8 192 bins leaves open.
  ///
  /// That is a step of 0.01 for MSE and a bin for percentiles. For the entropy it is dealt into 2 048 bins of other
  /// edges, which moves the least by a few of them; nothing where the edges are the same.
  @Test(arguments: Case.all) func rangesAreThoseOfTheDefinition(_ found: Case) {
    let values = Self.values(found.values)
    var observer = found.choice.makeObserver()
    observer.observe(values)
    let range = observer.range(bits: found.bits, symmetric: false)
    let largest = values.map(abs).max() ?? 0
    let slack: Float =
      switch found.choice {
      case .entropy: (found.values.hasPrefix("aligned") ? 0.001 : 6) / 2048 * largest
      case .mse: 0.0101 * largest
      default: 1.001 / 4096 * largest
      }
    #expect(abs(range.lowerBound - found.range[0]) <= slack, "\(range) \(found.range)")
    #expect(abs(range.upperBound - found.range[1]) <= slack, "\(range) \(found.range)")
  }

  /// With a heavy tail the search leaves values out.
  @Test(arguments: [8, 4]) func entropyDiffersFromTheExtremes(_ bits: Int) {
    let values = Self.values("heavy tail")
    var (entropy, whole) = (ObserverChoice.entropy.makeObserver(), ObserverChoice.minMax.makeObserver())
    entropy.observe(values)
    whole.observe(values)
    let range = entropy.range(bits: bits, symmetric: false)
    #expect(range.upperBound < 0.9 * whole.range(bits: bits, symmetric: false).upperBound)
    #expect(range.lowerBound > 0.9 * whole.range(bits: bits, symmetric: false).lowerBound)
  }
}
