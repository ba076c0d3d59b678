import Graph

/// The families that calculate: functions of elements, reductions, products, constants and subgraphs.
extension Catalog {
  package static let elementwiseOperators: [any Operator.Type] = [
    Sqrt.self, Exp.self, Log.self, Reciprocal.self, Tanh.self, Sigmoid.self, HardSwish.self,
    Softplus.self, Softsign.self, Mish.self, Erf.self, Sin.self, Cos.self, Tan.self, Asin.self,
    Acos.self, Atan.self, Sinh.self, Cosh.self, Asinh.self, Acosh.self, Atanh.self, Ceil.self,
    Floor.self, Round.self, Abs.self, Neg.self, Relu.self, Sign.self, LeakyRelu.self, Elu.self,
    Selu.self, Celu.self, ThresholdedRelu.self, HardSigmoid.self, Swish.self, Gelu.self, Shrink.self,
    Clip.self, PRelu.self, Cast.self, CastLike.self, BitCast.self,
    Identity.self, Dropout.self, IsNaN.self, IsInf.self,
  ]
  package static let arithmeticOperators: [any Operator.Type] = [
    Add.self, Sub.self, Mul.self, Div.self, Mod.self, Pow.self, Max.self, Min.self, Sum.self, Mean.self,
    Equal.self, Less.self, LessOrEqual.self, Greater.self, GreaterOrEqual.self, And.self, Or.self,
    Xor.self, Not.self, BitwiseAnd.self, BitwiseOr.self, BitwiseXor.self, BitwiseNot.self,
    BitShift.self, Where.self,
  ]
  package static let reductionOperators: [any Operator.Type] = [
    ReduceSum.self, ReduceMean.self, ReduceProd.self, ReduceMax.self, ReduceMin.self, ReduceL1.self,
    ReduceL2.self, ReduceSumSquare.self, ReduceLogSum.self, ReduceLogSumExp.self, ArgMax.self,
    ArgMin.self, CumSum.self, CumProd.self, TopK.self, Softmax.self, LogSoftmax.self, Hardmax.self,
    LpNormalization.self, MeanVarianceNormalization.self,
  ]
  package static let productOperators: [any Operator.Type] = [MatMul.self, Gemm.self, Einsum.self]
  package static let constantOperators: [any Operator.Type] = [
    Constant.self, ConstantOfShape.self, ShapeOf.self, Size.self, RangeOf.self, EyeLike.self,
  ]
  package static let controlOperators: [any Operator.Type] = [If.self, Loop.self, Scan.self]
  package static let simulationOperators: [any Operator.Type] = [
    QuantizeDequantize.self, DynamicQuantizeDequantize.self, FakeQuantize.self, ErrorEnergy.self,
  ]
  /// What only gradients are made of.
  package static let gradientOperators: [any Operator.Type] = [
    SumToShape.self, ClampGradient.self, ElementwiseGradient.self, ConvolutionWeightGradient.self,
    MaxPoolGradient.self, AveragePoolGradient.self, GatherGradient.self, FakeQuantizeGradient.self,
    StopGradient.self,
  ]
}
