import Execution
import Foundation
import Graph
import Operators
import Tensors

/// Mean and variance of a network's values as batch-norm statistics have them, without samples.
///
/// - A layer with a folded batch norm gives β with deviation |γ|, whatever it reads.
/// - A clamp cuts the normal distribution off. A sum adds means and variances, as if its terms did not depend on each
///   other. Slicing, padding with zeros, reshaping and joining move them.
/// - Averages keep the mean; the variance is then unknown. So it is after a layer without a norm, of which the mean
///   alone is exact.
/// - Anything else, and what the network is given, is unknown.
struct Expectations {
  /// Of one value, each of its shape.
  struct Moments {
    var mean: Tensor
    var variance: Tensor?
  }

  private(set) var values: [ValueName: Moments] = [:]
  private let graph: Graph
  private let infos: [ValueName: OperandInfo]
  private let threads: Int

  /// - Parameters:
  ///   - graph: with batch norms folded.
  ///   - infos: what is known of every value.
  init(_ graph: Graph, infos: [ValueName: OperandInfo], threads: Int) {
    (self.graph, self.infos, self.threads) = (graph, infos, threads)
    for node in graph.nodes {
      guard let output = node.outputs.first.flatMap({ $0 }), infos[output]?.type == .float32,
        let shape = infos[output]?.shape
      else { continue }
      if let moments = moments(node, shape), moments.mean.shape == shape { values[output] = moments }
    }
  }

  private func moments(_ node: Node, _ shape: Shape) -> Moments? {
    if let norm = norm(of: node), shape.count > 1, shape[1] == norm.shift.count {
      return Moments(
        mean: spread(norm.shift, shape), variance: spread(norm.gain.map { $0 * $0 }, shape))
    }
    let computed = node.inputs.compactMap { $0 }.filter { infos[$0]?.constant == nil }
    let known = computed.compactMap { values[$0] }
    guard !known.isEmpty, known.count == computed.count, Set(computed).count == computed.count else {
      return nil
    }
    let means = Dictionary(uniqueKeysWithValues: zip(computed, known.map(\.mean)))
    let variances = Dictionary(
      uniqueKeysWithValues: zip(computed, known).compactMap { name, value in value.variance.map { (name, $0) }
      })
    func moved() -> Moments? {
      run(node, means).map { mean in
        Moments(mean: mean, variance: variances.count == computed.count ? run(node, variances) : nil)
      }
    }
    switch node.operatorName.type {
    case "Conv", "ConvTranspose", "Gemm", "MatMul", "AveragePool", "GlobalAveragePool", "ReduceMean":
      return computed.count == 1 ? run(node, means).map { Moments(mean: $0) } : nil
    case "Add" where computed.count == 2: return moved()
    case "Concat" where computed.count == node.inputs.count: return moved()
    default: break
    }
    let operands = node.inputs.map { $0.flatMap { infos[$0] } }
    switch (node.op as? any ActivationOperator)?.encodingRule(operands) {
    case .clamp(let lower, let upper)?:
      return known[0].variance.flatMap { clamped(known[0].mean, $0, Double(lower), Double(upper)) }
    // The greatest of several is no value moved.
    case .keepsInput(0)? where computed.count == 1 && !node.operatorName.type.contains("Max"): return moved()
    default: return nil
    }
  }

  private func norm(of node: Node) -> FoldedNorm? {
    node.inputs.lazy.compactMap { $0.flatMap { graph.foldedNorms[$0] } }.first
  }

  /// One number for each channel, on axis 1, at every position.
  private func spread(_ numbers: [Float], _ shape: Shape) -> Tensor {
    let run = shape.dropFirst(2).reduce(1, *)
    return Tensor(of: Float.self, shape: shape) { out in
      for index in out.indices { out[index] = numbers[index / run % numbers.count] }
    }
  }

  /// What a node makes of these values; `nil` where it does not run on them.
  private func run(_ node: Node, _ inputs: [ValueName: Tensor]) -> Tensor? {
    guard let output = node.outputs[0] else { return nil }
    var part = Graph(nodes: [node])
    for case let name? in node.inputs where inputs[name] == nil {
      part.constants[name] = infos[name]?.constant
    }
    part.inputs = inputs.sorted { $0.key < $1.key }.map { name, tensor in
      ValueInfo(name: name, type: .float32, dimensions: tensor.shape.map { .fixed($0) })
    }
    part.outputs = [ValueInfo(name: output, type: .float32, dimensions: nil)]
    let options = CompileOptions(inputShapes: inputs.mapValues(\.shape), threads: threads)
    return try? compile(EncodedGraph(graph: part), options).run(inputs)[output]
  }

  private func clamped(_ mean: Tensor, _ variance: Tensor, _ lower: Double, _ upper: Double) -> Moments? {
    guard mean.shape == variance.shape else { return nil }
    let found = zip(mean.array(of: Float.self), variance.array(of: Float.self)).map { mean, variance in
      ClampedNormal(mean: Double(mean), variance: Double(variance), lower: lower, upper: upper)
    }
    return Moments(
      mean: Tensor(found.map { Float($0.mean) }, shape: mean.shape),
      variance: Tensor(found.map { Float($0.variance) }, shape: mean.shape))
  }
}

/// Mean and variance of a normally distributed number behind a clamp.
///
/// - Source: Nagel et al. 2019, appendix C.
package struct ClampedNormal: Sendable {
  package let mean: Double
  package let variance: Double

  /// - Parameters:
  ///   - lower: may be −∞, as `upper` may be ∞.
  package init(mean: Double, variance: Double, lower: Double, upper: Double) {
    let deviation = max(variance, 0).squareRoot()
    guard deviation > 0 else {
      self.mean = min(max(mean, lower), upper)
      self.variance = 0
      return
    }
    let (a, b) = ((lower - mean) / deviation, (upper - mean) / deviation)
    let (below, above) = (Self.share(below: a), Self.share(below: -b))
    let inside = 1 - below - above
    // At an open end there is neither density nor anything cut off.
    let (densityA, densityB) = (Self.density(a), Self.density(b))
    let (atLower, atUpper) = (lower.isFinite ? lower * below : 0, upper.isFinite ? upper * above : 0)
    self.mean = atLower + atUpper + mean * inside + deviation * (densityA - densityB)
    let squares =
      (lower.isFinite ? lower * lower * below + deviation * (mean + lower) * densityA : 0)
      + (upper.isFinite ? upper * upper * above - deviation * (mean + upper) * densityB : 0)
      + (mean * mean + deviation * deviation) * inside
    self.variance = max(squares - self.mean * self.mean, 0)
  }

  private static func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
  private static func share(below x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
}
