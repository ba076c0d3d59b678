import Graph
import Tensors

/// What a recipe means for a graph: every layer with what it was asked and what it will do.
package struct Resolution: Sendable, Hashable {
  /// In the order of the nodes.
  package var layers: [ResolvedLayer]
  package var warnings: [String]

  package init(layers: [ResolvedLayer] = [], warnings: [String] = []) {
    self.layers = layers
    self.warnings = warnings
  }

  package subscript(node: String) -> ResolvedLayer? { layers.first { $0.node == node } }
}

/// One layer under a recipe.
package struct ResolvedLayer: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable {
    /// Has weights.
    case weighted
    /// Has none, and may run on codes (Add, pooling, Concat, Reshape).
    case activation
  }

  /// A constant that holds weights, and how its axes lie.
  package struct Weight: Sendable, Hashable {
    package var role: WeightRole
    package var value: ValueName
    package var shape: Shape
    package var elements: Int { shape.elementCount }
  }

  package var node: String
  /// As ONNX spells it: `Conv`.
  package var operatorName: String
  package var kind: Kind
  package var weights: [Weight]
  package var requested: LayerSettings
  package var effective: LayerSettings
  /// Why `effective` differs from `requested`, or what the user should know: one sentence each.
  package var reasons: [String]
  /// Index of the last rule that matched.
  package var rule: Int?

  package init(
    node: String, operatorName: String, kind: Kind, weights: [Weight] = [], requested: LayerSettings,
    effective: LayerSettings, reasons: [String] = [], rule: Int? = nil
  ) {
    self.node = node
    self.operatorName = operatorName
    self.kind = kind
    self.weights = weights
    self.requested = requested
    self.effective = effective
    self.reasons = reasons
    self.rule = rule
  }
}
