import Graph

/// Every operator, found by what a file calls it.
///
/// An operator is one declaration in a family's file and one line in that family's list; a test walks them all.
package enum Catalog {
  package static let operators: [any Operator.Type] =
    elementwiseOperators + arithmeticOperators + reductionOperators + productOperators + constantOperators
    + controlOperators + simulationOperators + gradientOperators
    + layerOperators

  /// The operator of this type and domain (`""` is ONNX's own, which files also call `ai.onnx`).
  package static func find(domain: String, type: String) -> (any Operator.Type)? {
    byName[Key(domain: domain == "ai.onnx" ? "" : domain, type: type)]
  }

  private struct Key: Hashable {
    var domain: String
    var type: String
  }

  private static let byName = Dictionary(
    operators.map { (Key(domain: $0.name.domain, type: $0.name.type), $0) },
    uniquingKeysWith: { first, _ in first })
}
