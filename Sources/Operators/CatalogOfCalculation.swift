import Graph

/// The families that calculate: functions of elements, reductions, products, constants and subgraphs.
extension Catalog {
  static let elementwiseOperators: [any Operator.Type] = []
  static let arithmeticOperators: [any Operator.Type] = []
  static let reductionOperators: [any Operator.Type] = []
  static let productOperators: [any Operator.Type] = []
  static let constantOperators: [any Operator.Type] = []
  static let controlOperators: [any Operator.Type] = []
  static let simulationOperators: [any Operator.Type] = []
}
