import Execution
import Foundation
import Graph
import Quantization
import Tensors
import Testing

@Suite struct AnalyticBiasCorrectionTests {
  /// Closed forms against Simpson's rule on the density.
  @Test(arguments: [
    (0.3, 1.7, 0.0, Double.infinity), (-2, 0.5, 0, .infinity), (1, 2, 0, 6), (5, 3, 0, 6),
    (-1, 1, -0.5, 0.75),
    (0, 1, -.infinity, 0.5), (2, 0.1, -.infinity, .infinity),
  ]) func clampedMomentsAreThoseOfTheDensity(
    _ mean: Double, _ deviation: Double, _ lower: Double, _ upper: Double
  ) {
    let steps = 40_000
    let (start, end) = (mean - 12 * deviation, mean + 12 * deviation)
    let width = (end - start) / Double(steps)
    var (first, second) = (0.0, 0.0)
    for step in 0...steps {
      let x = start + Double(step) * width
      let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4 : 2
      let z = (x - mean) / deviation
      let density = Foundation.exp(-z * z / 2) / (deviation * (2 * Double.pi).squareRoot())
      let y = min(max(x, lower), upper)
      first += weight * density * y * width / 3
      second += weight * density * y * y * width / 3
    }
    let found = ClampedNormal(mean: mean, variance: deviation * deviation, lower: lower, upper: upper)
    #expect(abs(found.mean - first) < 1e-6)
    #expect(abs(found.variance - (second - first * first)) < 1e-6)
  }

  @Test func aConstantIsClamped() {
    let found = ClampedNormal(mean: 7, variance: 0, lower: 0, upper: 6)
    #expect(found.mean == 6 && found.variance == 0)
  }

  /// The shift of a bias is the error of the weights times what batch norm says of their inputs, padding left at zero.
  @Test func shiftsFollowTheFormula() throws {
    let graph = try NormedNetwork.network()
    let plain = try NormedNetwork.candidate(graph, .weightOnly, corrections: [], source: nil)
    let found = try NormedNetwork.candidate(
      graph, .weightOnly, corrections: [.analyticBiasCorrection], source: nil)
    let first = try #require(graph.foldedNorms["first_w"])
    let second = try #require(graph.foldedNorms["second_w"])
    let relu = first.gain.indices.map {
      ClampedNormal(
        mean: Double(first.shift[$0]), variance: Double(first.gain[$0] * first.gain[$0]), lower: 0,
        upper: .infinity)
    }
    let relu6 = second.gain.indices.map {
      ClampedNormal(
        mean: Double(second.shift[$0]) + relu[$0].mean,
        variance: Double(second.gain[$0] * second.gain[$0]) + relu[$0].variance, lower: 0, upper: 6)
    }
    // Of 6 × 6 positions, those at which each tap of a 3 × 3 window lies inside.
    let inside = (0..<9).map { Double($0 / 3 == 1 ? 6 : 5) * Double($0 % 3 == 1 ? 6 : 5) / 36 }
    for (layer, expected, groups) in [
      ("second", relu.map(\.mean), 1), ("third", relu6.map(\.mean), 2),
    ] {
      let float = try #require(graph.constants["\(layer)_w"])
      let rounded = try #require(plain.encoded.decodedConstant("\(layer)_w", [:])).array(of: Float.self)
      let old = try #require(graph.constants["\(layer)_b"]).array(of: Float.self)
      let node = try #require(found.encoded.graph.nodes.first { $0.name == layer })
      let new = try #require(found.encoded.graph.constants[node.inputs[2] ?? ""]).array(
        of: Float.self)
      let (channels, inputs) = (float.shape[0], float.shape[1])
      var largest = 0.0
      for channel in 0..<channels {
        var shift = 0.0
        for input in 0..<inputs {
          let from = channel / (channels / groups) * inputs + input
          for tap in 0..<9 {
            let place = (channel * inputs + input) * 9 + tap
            let lost = Double(rounded[place]) - Double(float.array(of: Float.self)[place])
            shift += lost * expected[from] * inside[tap]
          }
        }
        largest = max(largest, abs(shift))
        #expect(abs(Double(old[channel]) - shift - Double(new[channel])) < 1e-4, "\(layer) \(channel)")
      }
      #expect(largest > 0.01)
    }
    // The first reads the input and the last an average: only the latter's mean is known.
    #expect(
      found.warnings == [
        "analytic-bias-correction: 1 of 4 layers read what batch norm says nothing of; their biases stay"
      ])
    let node = try #require(found.encoded.graph.nodes.first { $0.name == "fc" })
    let last = try #require(found.encoded.graph.constants[node.inputs[2] ?? ""]).array(of: Float.self)
    #expect(last != graph.constants["fc_b"]?.array(of: Float.self))
  }

  /// Where there are samples as well they are taken.
  @Test func samplesComeFirst() throws {
    let graph = try NormedNetwork.network()
    let empirical = try NormedNetwork.candidate(graph, .static, corrections: [.biasCorrection])
    let both = try NormedNetwork.candidate(
      graph, .static, corrections: [.biasCorrection, .analyticBiasCorrection])
    #expect(
      both.encoded.biases.mapValues { $0.codes.array(of: Int32.self) }
        == empirical.encoded.biases.mapValues { $0.codes.array(of: Int32.self) })
    #expect(both.warnings == empirical.warnings)
  }

  /// It brings what layers give on real samples nearer to their float means, too.
  @Test func meansComeNearer() throws {
    let graph = try NormedNetwork.network()
    func distance(_ corrections: [Correction], _ layer: String) throws -> Double {
      let candidate = try NormedNetwork.candidate(graph, .weightOnly, corrections: corrections)
      let seen = try NormedNetwork.moments(try simulated(candidate.encoded), of: "\(layer)_out")
      let wanted = try NormedNetwork.moments(graph, of: "\(layer)_out")
      return zip(seen, wanted).reduce(0) { $0 + ($1.0.mean - $1.1.mean) * ($1.0.mean - $1.1.mean) }
    }
    for layer in ["second", "third"] {
      #expect(try distance([.analyticBiasCorrection], layer) < 0.5 * distance([], layer), "\(layer)")
    }
  }
}
