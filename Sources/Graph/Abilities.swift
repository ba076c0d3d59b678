import Tensors

/// Which input of an operator holds weights that can be quantized, and how its axes lie.
package struct WeightRole: Sendable, Hashable {
  /// Index of the weight among the node's inputs.
  package var input: Int
  /// Index of the bias, where the operator has one that an int32 accumulator can hold.
  package var bias: Int?
  /// Index of the activation multiplied with the weight; `nil` for a table that is looked up (Gather).
  package var activation: Int?
  /// Axis of the output channels (DESIGN "Channel axis").
  package var channelAxis: Int
  /// Axis of the input features, along which groups run.
  package var featureAxis: Int

  package init(input: Int, bias: Int? = nil, activation: Int?, channelAxis: Int, featureAxis: Int) {
    self.input = input
    self.bias = bias
    self.activation = activation
    self.channelAxis = channelAxis
    self.featureAxis = featureAxis
  }
}

/// An operator with weights: a layer in the sense of the design.
package protocol WeightedOperator: Operator {
  /// The weights, given what is known of the inputs; an input that is not a constant is not a weight.
  func weightRoles(_ inputs: [OperandInfo?]) -> [WeightRole]
  /// Multiply–accumulates for operands of these shapes.
  func multiplyAccumulates(_ inputs: [OperandInfo?], _ outputs: [OperandInfo]) -> Int
}

/// How the output's encoding follows from the inputs' when an operator takes part in static quantization.
package enum EncodingRule: Sendable, Hashable {
  /// The output is observed and has an encoding of its own (Add, AveragePool, Concat).
  case ownOutput
  /// The output keeps the encoding of this input (MaxPool, Reshape, Transpose, Slice).
  case keepsInput(Int)
  /// A clamp that fuses into the operator before it (Relu, Clip with constant bounds): encoded after, not between.
  case clamp(lower: Float, upper: Float)
  /// An upper bound for each channel (Min with one constant for each), which fuses in the same way.
  case clampChannels(upper: [Float])
}

/// An operator without weights that can run on codes.
package protocol ActivationOperator: Operator {
  /// `nil` when these operands make it impossible (a Clip whose bounds are computed).
  func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule?
}

/// An operator whose result at an element depends only on that element and on constants: a 256-entry table in
/// integers, and fusable with its neighbours in float.
package protocol ElementwiseOperator: Operator {}
