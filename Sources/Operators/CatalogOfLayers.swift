import Graph

/// The families that make layers and move data: convolution, pooling, normalisation, recurrence, attention, shape and
/// data movement, quantization.
extension Catalog {
  package static let layerOperators: [any Operator.Type] =
    convolutionOperators + poolingOperators + normalizationOperators + movementOperators + recurrentOperators
    + attentionOperators + quantizationOperators

  static let convolutionOperators: [any Operator.Type] = [
    Conv.self, ConvTranspose.self, ConvInteger.self, QLinearConv.self, MatMulInteger.self, QLinearMatMul.self,
  ]
  static let poolingOperators: [any Operator.Type] = [
    MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
    GlobalLpPool.self,
  ]
  static let normalizationOperators: [any Operator.Type] = [
    BatchNormalization.self, InstanceNormalization.self, GroupNormalization.self, LayerNormalization.self,
    RMSNormalization.self, LRN.self,
  ]
  static let movementOperators: [any Operator.Type] = [
    Reshape.self, Flatten.self, Squeeze.self, Unsqueeze.self, Transpose.self, DepthToSpace.self,
    SpaceToDepth.self, Concat.self, Split.self, Slice.self, Expand.self, Tile.self, Trilu.self, Gather.self,
    GatherElements.self, GatherND.self, Scatter.self, ScatterElements.self, ScatterND.self,
    TensorScatter.self, Pad.self, CenterCropPad.self, OneHot.self, NonZero.self, Compress.self,
    ReverseSequence.self, Resize.self, Upsample.self,
  ]
  static let recurrentOperators: [any Operator.Type] = [RNN.self, GRU.self, LSTM.self]
  static let attentionOperators: [any Operator.Type] = [Attention.self, RotaryEmbedding.self]
  static let quantizationOperators: [any Operator.Type] = [
    QuantizeLinear.self, DequantizeLinear.self, DynamicQuantizeLinear.self, MicrosoftQuantizeLinear.self,
    MicrosoftDequantizeLinear.self, MatMulNBits.self,
  ]
}
