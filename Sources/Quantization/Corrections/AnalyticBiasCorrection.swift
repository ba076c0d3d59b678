import Execution
import Graph
import Operators
import Tensors

/// Bias correction without samples: b − (ŵ − w) · E[x], with E[x] from batch-norm statistics.
///
/// A normalised layer gives β ± |γ|, taken as a normal distribution; a clamp that follows cuts it off. What other
/// operators make of that is in `Expectations`. Padding counts: the error is multiplied with E[x] at every position.
/// - Source: Nagel et al., *Data-free quantization through weight equalization and bias correction*, 2019, section 4.2
///   and appendix C.
extension Quantizer {
  /// Corrects the layers whose corrections say so, but for those that samples correct; a layer without a bias gets one.
  ///
  /// - Parameter done: layers whose means are right.
  func correctBiasesAnalytically(
    _ encoded: inout EncodedGraph, _ resolution: Resolution, besides done: Set<String>,
    _ warnings: inout [String]
  ) throws {
    let wanted = Set(
      resolution.layers.filter {
        recipe.corrects($0.effective, by: .analyticBiasCorrection)
          && !recipe.corrects($0.effective, by: .biasCorrection)
      }.map(\.node)
    ).subtracting(done)
    let layers = try encoded.correctedLayers(wanted)
    guard !layers.isEmpty else { return }
    let expectations = Expectations(graph, infos: infos, threads: threads)
    let simulation = try simulated(encoded)
    var missing = 0
    for layer in layers {
      guard let node = graph.nodes.first(where: { $0.name == layer.node }),
        let read = layer.role.activation.flatMap({ node.inputs[$0] }),
        let mean = expectations.values[read]?.mean
      else {
        missing += 1
        continue
      }
      var writer = NodeWriter(fresh: FreshNames(in: simulation))
      let x = writer.constant(mean, "\(layer.weight).expected")
      let shift = try layer.shift(in: simulation, of: x, encoded, &writer)
      var part = Graph(constants: simulation.constants)
      part.outputs = [ValueInfo(name: shift, type: .float32, dimensions: nil)]
      writer.finish(&part)
      let found = try compile(
        EncodedGraph(graph: part), CompileOptions(inputShapes: [:], threads: threads)
      ).run([:])[shift]
      // Every sample expects the same.
      guard let found, found.count >= layer.channels else { continue }
      encoded.correct(layer, by: Array(found.array(of: Float.self).prefix(layer.channels)))
    }
    if missing > 0 {
      warnings.append(
        "analytic-bias-correction: \(missing) of \(layers.count) layers read what batch norm says nothing of; their biases stay"
      )
    }
  }
}
