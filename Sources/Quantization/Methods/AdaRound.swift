import Execution
import Foundation
import Graph
import Operators
import Tensors

/// Learns for each weight whether it is rounded down or up.
///
/// A weight is s · (⌊w / s⌋ + h(v)) with h a sigmoid that reaches 0 and 1. What is made small is the squared distance
/// between the layer's outputs with float weights on the float network's values and with these on what the quantized
/// network gives, behind a clamp that follows and in units of their mean square; λ · Σ 1 − |2h − 1|^β, with β falling,
/// drives every h to 0 or 1.
/// - Source: Nagel et al., *Up or down? Adaptive rounding for post-training quantization*, 2020.
enum AdaRound {
  static let iterations = 2000
  /// Rows in one step of the optimizer.
  static let rows = 512
  static let learningRate: Float = 1e-2
  static let lambda: Float = 0.01
  static let beta: (first: Float, last: Float) = (20, 2)
  /// Share of the iterations before h is driven to 0 or 1.
  static let warmUp = 0.2
  /// h(v) = clamp(σ(v) · (ζ − γ) + γ).
  static let (zeta, gamma): (Float, Float) = (1.1, -0.1)

  /// Bytes held for a layer that multiplies at as many positions of a sample.
  static func bytes(_ layer: LayerMatrix, positions: Int, samples: Int) -> Int {
    let rows = samples * LayerRows.positions(layer, of: positions, samples: samples)
    return 4 * (rows * (2 * layer.groups * layer.features + layer.rows) + 9 * layer.rows * layer.features)
  }
}

extension Quantizer {
  /// Rounds the weights of one layer.
  ///
  /// - Parameters:
  ///   - quantized: the simulated network, computed up to the layer.
  ///   - float: the same of the float network.
  func roundByAdaRound(
    _ layer: LayerMatrix, _ encoded: inout EncodedGraph, quantized: (graph: Graph, stream: SampleStream),
    float: SampleStream, _ report: (Double) throws -> Void
  ) throws {
    guard let old = encoded.weights[layer.weight], let weights = encoded.graph.constants[layer.weight],
      let place = encoded.graph.nodes.firstIndex(where: { $0.name == layer.node })
    else { return }
    let node = encoded.graph.nodes[place]
    let bias = layer.role.bias.flatMap { node.inputs.indices.contains($0) ? node.inputs[$0] : nil }
    let encoder = WeightEncoder(old.encoding, shape: layer.shape)
    var rounding = AdaptiveRounding(layer, weights, old.encoding, cells: encoder.layout.cellOfElement)
    let seed = recipe.calibration.seed
    let inputs = try LayerRows(layer, quantized.graph, quantized.stream, seed: seed)
    let problem = try LayerDistance(
      layer, bias: bias.flatMap { encoded.graph.constants[$0] },
      // Bounds of single channels are wide of most outputs, and are not part of the distance.
      clamp: encoded.graph.clamp(after: place, consumers: encoded.graph.consumers, infos: infos).map {
        ($0.lower, $0.upper)
      },
      rows: min(AdaRound.rows, inputs.count), threads: threads)
    let targets = try problem.outputs(
      LayerRows(layer, encoded.graph, float, seed: seed), weights: rounding.original)
    // λ has no unit, so distances count in that of the outputs.
    let meanSquare = targets.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(targets.count)
    let share = Float(2 / (Double(problem.rows) * max(meanSquare, 1e-30)))
    var random = SplitMix64(seed: seed)
    var order: [Int] = []
    var next = 0
    for iteration in 0..<AdaRound.iterations {
      if next + problem.rows > order.count {
        order = random.permutation(inputs.count)
        next = 0
      }
      let rows = order[next..<next + problem.rows]
      next += problem.rows
      let gradient = try problem.gradient(inputs, targets, rows, weights: rounding.weights)
      gradient.withElements(of: Float.self) {
        rounding.step($0, share: share, iteration: iteration, threads: threads)
      }
      if iteration % 100 == 0 { try report(Double(iteration) / Double(AdaRound.iterations)) }
    }
    encoded.weights[layer.weight] = rounding.rounded(layer).withUnsafeBufferPointer {
      encoder.encode($0, WeightScales(of: old.encoding))
    }
  }
}

/// The weights of a layer as they are learned; `[groups, features, rows of a group]`.
private struct AdaptiveRounding {
  /// Float weights.
  let original: [Float]
  /// s · (⌊w / s⌋ + h(v)), inside the codes.
  private(set) var weights: [Float]
  private var v: [Float]
  private var mean: [Float]
  private var square: [Float]
  private let scales: [Float]
  /// ⌊w / s⌋ and the least and greatest code, all without the zero point.
  private let floors: [Float]
  private let lowest: [Float]
  private let highest: [Float]

  init(_ layer: LayerMatrix, _ tensor: Tensor, _ encoding: Encoding, cells: [Int]) {
    let values = tensor.array(of: Float.self)
    let elements = layer.elements
    original = elements.map { values[$0] }
    scales = elements.map { encoding.scales[cells[$0]] }
    let zeros = elements.map { Float(encoding.zeroPoints[cells[$0]]) }
    let codes = encoding.codes
    lowest = zeros.map { Float(codes.lowerBound) - $0 }
    highest = zeros.map { Float(codes.upperBound) - $0 }
    floors = zip(original, scales).map { ($0 / $1).rounded(.down) }
    v = zip(zip(original, scales), floors).map {
      let share = min(max($0.0 / $0.1 - $1, 1e-4), 1 - 1e-4)
      return -log((AdaRound.zeta - AdaRound.gamma) / (share - AdaRound.gamma) - 1)
    }
    mean = [Float](repeating: 0, count: v.count)
    (square, weights) = (mean, original)
    for index in v.indices { weights[index] = soft(index, up: Self.up(v[index])) }
  }

  /// h(v).
  private static func up(_ v: Float) -> Float {
    let h = (AdaRound.zeta - AdaRound.gamma) / (1 + exp(-v)) + AdaRound.gamma
    return min(max(h, 0), 1)
  }

  private func soft(_ index: Int, up: Float) -> Float {
    scales[index] * min(max(floors[index] + up, lowest[index]), highest[index])
  }

  /// One step of Adam.
  ///
  /// - Parameters:
  ///   - gradient: half of the gradient of the summed squared distance by the weights.
  ///   - share: what it is multiplied with.
  mutating func step(
    _ gradient: UnsafeBufferPointer<Float>, share: Float, iteration: Int, threads: Int
  ) {
    let done = Double(iteration) / Double(AdaRound.iterations)
    let annealed = max(0, (done - AdaRound.warmUp) / (1 - AdaRound.warmUp))
    let beta =
      AdaRound.beta.last + (AdaRound.beta.first - AdaRound.beta.last)
      * Float(0.5 * (1 + cos(annealed * .pi)))
    let lambda = done < AdaRound.warmUp ? 0 : AdaRound.lambda
    let (b1, b2): (Float, Float) = (0.9, 0.999)
    let size =
      AdaRound.learningRate * (1 - pow(b2, Float(iteration + 1))).squareRoot()
      / (1 - pow(b1, Float(iteration + 1)))
    let (scales, floors, lowest, highest) = (scales, floors, lowest, highest)
    nonisolated(unsafe) let gradient = gradient
    v.withUnsafeMutableBufferPointer { v in
      mean.withUnsafeMutableBufferPointer { mean in
        square.withUnsafeMutableBufferPointer { square in
          weights.withUnsafeMutableBufferPointer { weights in
            // Each weight has variables of its own.
            nonisolated(unsafe) let (v, mean, square, weights) = (v, mean, square, weights)
            parallel(v.count, grain: 2048, threads: threads) { range in
              for i in range {
                let sigmoid = 1 / (1 + exp(-v[i]))
                let wide = (AdaRound.zeta - AdaRound.gamma) * sigmoid + AdaRound.gamma
                let h = min(max(wide, 0), 1)
                let code = floors[i] + h
                var byH: Float = 0
                if code >= lowest[i] && code <= highest[i] { byH = share * gradient[i] * scales[i] }
                if lambda > 0 {
                  let side = 2 * h - 1
                  let magnitude = pow(abs(side), beta - 1)
                  byH -= 2 * lambda * beta * (side < 0 ? -magnitude : magnitude)
                }
                let byV =
                  wide > 0 && wide < 1
                  ? byH * (AdaRound.zeta - AdaRound.gamma) * sigmoid * (1 - sigmoid) : 0
                mean[i] = b1 * mean[i] + (1 - b1) * byV
                square[i] = b2 * square[i] + (1 - b2) * byV * byV
                v[i] -= size * mean[i] / (square[i].squareRoot() + 1e-8)
                weights[i] = scales[i] * min(max(floors[i] + Self.up(v[i]), lowest[i]), highest[i])
              }
            }
          }
        }
      }
    }
  }

  /// The weights in the order of their tensor, each rounded the way it tends to.
  func rounded(_ layer: LayerMatrix) -> [Float] {
    var result = [Float](repeating: 0, count: v.count)
    for (index, element) in layer.elements.enumerated() {
      result[element] = soft(index, up: Self.up(v[index]) >= 0.5 ? 1 : 0)
    }
    return result
  }
}
