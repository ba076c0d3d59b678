import Graph

/// The families that calculate: functions of elements, reductions, products, constants and subgraphs.
extension Catalog {
  static let elementwiseOperators: [any Operator.Type] = [
    Sqrt.self, Exp.self, Log.self, Reciprocal.self, Tanh.self, Sigmoid.self, HardSwish.self,
    Softplus.self, Softsign.self, Mish.self, Erf.self, Sin.self, Cos.self, Tan.self, Asin.self,
    Acos.self, Atan.self, Sinh.self, Cosh.self, Asinh.self, Acosh.self, Atanh.self, Ceil.self,
    Floor.self, Round.self, Abs.self, Neg.self, Relu.self, Sign.self, LeakyRelu.self, Elu.self,
    Selu.self, Celu.self, ThresholdedRelu.self, HardSigmoid.self, Swish.self, Gelu.self, Shrink.self,
  ]
  static let arithmeticOperators: [any Operator.Type] = []
  static let reductionOperators: [any Operator.Type] = []
  static let productOperators: [any Operator.Type] = []
  static let constantOperators: [any Operator.Type] = []
  static let controlOperators: [any Operator.Type] = []
  static let simulationOperators: [any Operator.Type] = []
}
