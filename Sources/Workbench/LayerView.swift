import Graph
import Quantization
import Tensors
import Workflows

/// A layer as the current candidate has it: what lists show.
package struct LayerView: Sendable, Hashable {
  package var facts: LayerFacts
  /// `nil` for a node that recipes do not speak of.
  package var resolved: ResolvedLayer?

  /// float32 bytes of weights and bias.
  package var bytesBefore: Int { facts.bytes }

  /// Bytes under the candidate: codes in their container, scales, zero points, bias.
  package var bytesAfter: Int {
    guard let resolved, resolved.kind == .weighted, resolved.effective.mode != .float else {
      return facts.bytes
    }
    let settings = resolved.effective.weights
    let coded = resolved.weights.reduce(0) { total, weight in
      total + settings.bytes(of: weight.shape, role: weight.role)
    }
    let elements = resolved.weights.reduce(0) { $0 + $1.elements }
    return coded + (facts.parameters - elements) * 4
  }

  package var isChanged: Bool { resolved.map { !$0.reasons.isEmpty } ?? false }
}

extension WeightSettings {
  /// Bytes of a weight: codes in their container; float32 scales; zero points as codes.
  fileprivate func bytes(of shape: Shape, role: WeightRole) -> Int {
    let container = Sizes.containerBits(bits)
    let channels = role.channelAxis < shape.count ? shape[role.channelAxis] : 1
    let scales: Int
    switch granularity {
    case .tensor: scales = 1
    case .channel: scales = channels
    case .group(let size):
      let features = role.featureAxis < shape.count ? shape[role.featureAxis] : 1
      scales = shape.elementCount / Swift.max(features, 1) * ((features + size - 1) / Swift.max(size, 1))
    }
    return (shape.elementCount * container + 7) / 8 + scales * 4
      + (symmetric ? 0 : (scales * container + 7) / 8)
  }
}

extension State {
  /// The layers that recipes speak of, under the current candidate, in the order of the graph.
  ///
  /// A clamp that fuses into the node before it is not one.
  package var layerViews: [LayerView] {
    guard let project else { return [] }
    let resolved = Dictionary(
      (currentEntry?.resolution.layers ?? []).map { ($0.node, $0) }, uniquingKeysWith: { $1 })
    return project.model.layers.compactMap { facts in
      let layer = resolved[facts.name]
      return layer == nil && !facts.hasWeights ? nil : LayerView(facts: facts, resolved: layer)
    }
  }
}
