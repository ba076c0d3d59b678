import Foundation
import Graph
import Quantization
import Tensors
import Testing

/// Scales and zero points that `Golden/weights.py` computed from the same weights, independently.
@Suite struct WeightGoldenTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var values: String
    var symmetric: Bool
    var bits: Int
    var method: String
    var scales: [Float]
    var zeroPoints: [Int32]
    /// Σ |w − ŵ|^p of each row; p is 0.7 for HQQ, else 2.
    var errors: [Double]

    var testDescription: String {
      "\(method) of \(values), \(bits) bits, \(symmetric ? "symmetric" : "affine")"
    }
    var power: Double { method == "hqq" ? 0.7 : 2 }

    var settings: WeightSettings {
      var settings = WeightSettings(bits: bits, symmetric: symmetric)
      switch method {
      case "hqq": settings.method = .hqq
      case "percentile": settings.scale = .percentile(98)
      default: settings.scale = WeightSettings.Scale.all.first { $0.name == method }
      }
      return settings
    }

    static let all: [Case] = {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden/weights.json")
      guard let data = try? Data(contentsOf: path) else { return [] }
      return (try? JSONDecoder().decode([Case].self, from: data)) ?? []
    }()
  }

  static let (rows, columns) = (4, 400)

  static func weights(_ kind: String) -> Tensor {
    var state: UInt64 = 12345
    let values = (0..<rows * columns).map { index -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let side = Double(state >> 11) / Double(1 << 53) - 0.5
      return switch kind {
      case "uniform": Float(side)
      case "one-signed": Float(max(side, 0))
      case "shifted": Float(0.25 + side)
      default: index % columns == 0 ? 128 : Float(side / (0.505 - abs(side)))
      }
    }
    return Tensor(values, shape: [rows, columns])
  }

  static func encoded(_ weights: Tensor, _ settings: WeightSettings) throws -> EncodedTensor {
    let candidate = try quantizedLayer(
      "Gemm", weight: weights, attributes: ["transB": .int(1)],
      settings: LayerSettings(mode: .weightOnly, weights: settings), input: [1, weights.shape[1]])
    return try #require(candidate.encoded.weights["w"])
  }

  /// Σ |w − ŵ|^p of each row.
  static func errors(_ weights: Tensor, _ encoded: EncodedTensor, power: Double) -> [Double] {
    let encoding = encoded.encoding
    let codes =
      encoded.codes.type == .int8
      ? encoded.codes.array(of: Int8.self).map { Int32($0) }
      : encoded.codes.array(of: UInt8.self).map { Int32($0) }
    var sums = [Double](repeating: 0, count: weights.shape[0])
    for (index, weight) in weights.array(of: Float.self).enumerated() {
      let row = index / weights.shape[1]
      let distance = abs(Double(weight) - Double(encoding.real(codes[index], at: row)))
      sums[row] += distance == 0 ? 0 : Foundation.pow(distance, power)
    }
    return sums
  }

  @Test func thereAreCases() { #expect(Case.all.count == 102) }

  /// Searches may settle on a neighbour whose error is the same but for rounding; thresholds may not.
  @Test(arguments: Case.all) func numbersAreThoseOfTheDefinition(_ wanted: Case) throws {
    let weights = Self.weights(wanted.values)
    let found = try Self.encoded(weights, wanted.settings)
    let errors = Self.errors(weights, found, power: wanted.power)
    for row in 0..<Self.rows {
      #expect(abs(errors[row] - wanted.errors[row]) <= 1e-3 * wanted.errors[row])
      guard wanted.method == "percentile" || wanted.method == "entropy" else { continue }
      let scale = found.encoding.scales[row]
      #expect(abs(scale - wanted.scales[row]) <= 1e-5 * scale)
      #expect(found.encoding.zeroPoints[row] == wanted.zeroPoints[row])
    }
  }

  /// Half-quadratic quantization starts with rounding to nearest and keeps the best round, whatever the scale it
  /// starts from.
  @Test(arguments: [2, 3, 4, 8], [true, false]) func hqqIsNeverWorseThanNearest(
    _ bits: Int, _ symmetric: Bool
  ) throws {
    for kind in ["uniform", "one-signed", "shifted", "heavy tail"] {
      for (scale, range) in [
        (.max, .automatic), (.max, .narrow), (.max, .signed), (.mse, .automatic), (.percentile(99), .full),
      ] as [(WeightSettings.Scale, Scheme.CodeRange)] {
        let weights = Self.weights(kind)
        var settings = WeightSettings(bits: bits, symmetric: symmetric, range: range, scale: scale)
        let nearest = Self.errors(weights, try Self.encoded(weights, settings), power: 0.7)
        settings.method = .hqq
        let found = try Self.encoded(weights, settings)
        let hqq = Self.errors(weights, found, power: 0.7)
        for row in 0..<Self.rows { #expect(hqq[row] <= nearest[row] * (1 + 1e-9), "\(kind) \(scale.text)") }
        #expect(found.encoding.zeroPoints.allSatisfy(found.encoding.codes.contains))
        #expect(found.encoding.scales.allSatisfy { ($0 < 0) == (symmetric && range == .signed && $0 < 0) })
      }
    }
  }

  /// It does move what it can: a tail of few weights no longer sets the scale.
  @Test func hqqLeavesOutliersAlone() throws {
    let weights = Self.weights("shifted")
    let nearest = Self.errors(weights, try Self.encoded(weights, WeightSettings(bits: 3)), power: 0.7)
    let hqq = Self.errors(
      weights, try Self.encoded(weights, WeightSettings(bits: 3, method: .hqq)), power: 0.7)
    for row in 0..<Self.rows { #expect(hqq[row] < 0.98 * nearest[row]) }
  }

  /// No search ends with a larger squared error than the whole range.
  @Test(arguments: [WeightSettings.Scale.mse, .percentileSweep], [true, false])
  func searchesAreNeverWorseThanMax(_ scale: WeightSettings.Scale, _ symmetric: Bool) throws {
    for granularity in [.tensor, .channel] as [Scheme.Granularity] {
      for bits in [2, 4, 8] {
        let weights = Self.weights("heavy tail")
        func error(_ scale: WeightSettings.Scale) throws -> Double {
          let settings = WeightSettings(
            bits: bits, symmetric: symmetric, granularity: granularity, scale: scale)
          let encoded = try Self.encoded(weights, settings)
          let encoding = encoded.encoding
          var (sum, index) = (0.0, 0)
          let codes =
            symmetric
            ? encoded.codes.array(of: Int8.self).map { Int32($0) }
            : encoded.codes.array(of: UInt8.self).map { Int32($0) }
          for weight in weights.array(of: Float.self) {
            let cell = granularity == .tensor ? 0 : index / Self.columns
            let distance = Double(weight) - Double(encoding.real(codes[index], at: cell))
            sum += distance * distance
            index += 1
          }
          return sum
        }
        #expect(try error(scale) <= error(.max) * (1 + 1e-6))
      }
    }
  }

  /// A group is too short for a histogram: the threshold is that of the whole weight, and no group exceeds it.
  @Test func groupsShareOneEntropyThreshold() throws {
    let weights = Self.weights("heavy tail")
    func scales(_ granularity: Scheme.Granularity, _ scale: WeightSettings.Scale) throws -> [Float] {
      try Self.encoded(weights, WeightSettings(bits: 4, granularity: granularity, scale: scale)).encoding
        .scales
    }
    let whole = try scales(.tensor, .entropy)[0]
    let (found, all) = (try scales(.group(40), .entropy), try scales(.group(40), .max))
    #expect(found.count == 40 && found.contains { $0 < whole })
    for (found, all) in zip(found, all) {
      #expect(abs(found - min(all, whole)) <= 1e-5 * found)
    }
    #expect(zip(found, all).contains { $0 < $1 })
  }
}
