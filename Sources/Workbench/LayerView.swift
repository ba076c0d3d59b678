import Graph
import Quantization
import Tensors
import Workflows

/// A layer as the current candidate has it: what lists show.
package struct LayerView: Sendable, Hashable {
  package let facts: LayerFacts
  /// `nil` for a node that recipes do not speak of.
  package let resolved: ResolvedLayer?
  /// Bytes under the candidate: codes in their container, scales, zero points, bias.
  package let bytesAfter: Int

  package init(facts: LayerFacts, resolved: ResolvedLayer?) {
    self.facts = facts
    self.resolved = resolved
    bytesAfter = Self.bytes(facts, resolved)
  }

  /// float32 bytes of weights and bias.
  package var bytesBefore: Int { facts.bytes }

  private static func bytes(_ facts: LayerFacts, _ resolved: ResolvedLayer?) -> Int {
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

  /// Bits of the weights that take effect, 32 for float; `nil` where there are none.
  package var weightBits: Int? {
    guard let resolved, resolved.kind == .weighted else { return nil }
    return resolved.effective.mode == .float ? 32 : resolved.effective.weights.bits
  }

  /// Bits of the activations that it reads, 32 for float; `nil` where recipes do not speak of the layer.
  package var activationBits: Int? {
    resolved.map { Self.activationBits($0.effective) }
  }

  /// Bits of the activations under settings, 32 for float.
  package static func activationBits(_ settings: LayerSettings) -> Int {
    switch settings.mode {
    case .static, .qat: settings.activations.bits
    case .dynamic: 8
    case .weightOnly, .float: 32
    }
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

extension LayerView {
  /// What the list of layers is made of.
  package struct Sources: Sendable, Equatable {
    fileprivate var facts: [LayerFacts]
    fileprivate var resolved: [ResolvedLayer]
  }

  fileprivate static func all(_ sources: Sources) -> LayerList {
    let resolved = Dictionary(sources.resolved.map { ($0.node, $0) }, uniquingKeysWith: { $1 })
    return LayerList(
      sources.facts.compactMap { facts in
        let layer = resolved[facts.name]
        return layer == nil && !facts.hasWeights ? nil : LayerView(facts: facts, resolved: layer)
      })
  }
}

/// Layers in the order of the graph, and where each is.
package struct LayerList: Sendable {
  package let views: [LayerView]
  private let places: [String: Int]

  fileprivate init(_ views: [LayerView]) {
    self.views = views
    places = Dictionary(
      views.enumerated().map { ($0.element.facts.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
  }

  package subscript(name: String) -> LayerView? { places[name].map { views[$0] } }
}

/// Layers that an edit changes.
package struct LayerScope: Sendable {
  /// In the order of the graph.
  package var names: [String] = []
  package var bytesBefore = 0
  package var bytesAfter = 0

  package struct Sources: Sendable, Equatable {
    fileprivate var views: LayerView.Sources
    fileprivate var marked: Set<String>
    fileprivate var layer: String?
  }
}

extension State {
  /// The layers that recipes speak of, under the current candidate, in the order of the graph.
  ///
  /// A clamp that fuses into the node before it is not one.
  package var layerViews: [LayerView] { layerList.views }

  /// The same under another candidate, or with `nil` as float32 has them.
  package func layerViews(of entry: CandidateEntry?) -> [LayerView] {
    let resolved =
      entry?.resolution.layers
      ?? (currentEntry?.resolution.layers ?? []).map { layer in
        var layer = layer
        layer.effective.mode = .float
        return layer
      }
    return LayerView.all(LayerView.Sources(facts: project?.model.layers ?? [], resolved: resolved)).views
  }

  package var layerList: LayerList {
    let sources = layerSources
    return layerMemo.answer(sources) { LayerView.all(sources) }
  }

  private var layerSources: LayerView.Sources {
    LayerView.Sources(facts: project?.model.layers ?? [], resolved: currentEntry?.resolution.layers ?? [])
  }

  /// The marked layers, else the one under the cursor, with their bytes.
  package var layerScope: LayerScope {
    let sources = LayerScope.Sources(views: layerSources, marked: marked, layer: marked.isEmpty ? layer : nil)
    return scopeMemo.answer(sources) {
      var scope = LayerScope()
      let list = layerList
      for facts in sources.views.facts
      where marked.isEmpty ? facts.name == layer : marked.contains(facts.name) {
        scope.names.append(facts.name)
        scope.bytesBefore += list[facts.name]?.bytesBefore ?? 0
        scope.bytesAfter += list[facts.name]?.bytesAfter ?? 0
      }
      return scope
    }
  }
}
