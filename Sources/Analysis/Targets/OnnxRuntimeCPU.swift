import Graph
import Quantization
import Tensors

extension DeploymentTarget {
  static let onnxruntimeCPU = DeploymentTarget(
    name: "onnxruntime-cpu", title: "ONNX Runtime on CPUs",
    source: "ONNX Runtime 1.32 (its quantization tools and MLAS) and ONNX's operator versions",
    rules: [
      LintRule("saturation") { layer in
        let isUnsigned =
          layer.settings.mode == .dynamic
          || layer.activations.contains { $0.encoding.codes.upperBound > 127 }
        guard isUnsigned, let channels = layer.saturatingChannels, channels.count > 0 else { return nil }
        let here =
          layer.instructions.hasDotProducts
          ? "This machine is not one of them." : "This machine is one of them."
        return
          "in \(channels.count) of \(channels.of) output channels two products of neighbouring weights can exceed 32 767, where x86 without VNNI saturates. \(here) Use 7-bit weights (bits: 7) or reduced activations."
      },
      LintRule("container") { layer in
        guard let bits = layer.weightBits, ![2, 4, 8].contains(bits) else { return nil }
        return "its \(bits)-bit weights are stored in 8 bits: no smaller than 8-bit ones."
      },
      LintRule("narrow-activations") { layer in
        guard let narrow = layer.activations.first(where: { $0.encoding.scheme.bits < 8 }) else { return nil }
        return
          "\"\(narrow.value)\" has \(narrow.encoding.scheme.bits) bits (expected 8): it is clipped in float and the layer computes in float."
      },
      LintRule("wide-activations") { layer in
        guard let wide = layer.activations.first(where: { $0.encoding.scheme.bits > 8 }) else { return nil }
        return
          "\"\(wide.value)\" has \(wide.encoding.scheme.bits) bits (expected 8): needs opset 21 and has no integer kernel."
      },
      LintRule("opset") { layer in
        guard layer.weight?.encoding.channelAxis != nil, layer.group == nil, layer.opset < 13 else {
          return nil
        }
        return
          "scales per channel need opset 13 (the model has \(layer.opset)): Lathe raises it on writing, quantize_static does not."
      },
      LintRule("channel-bounds") { layer in
        guard layer.hasChannelBounds, layer.settings.mode.isStatic else { return nil }
        return
          "a bound of each channel (equalization through a ReLU6) is a Min between the layer and its codes, which is not fused: the layer computes in float. Leave the correction out for this target."
      },
      LintRule("blocks") { layer in
        guard let group = layer.group else { return nil }
        if layer.operatorName == "MatMul" {
          guard group < 16 || group & (group - 1) != 0 else { return nil }
          return
            "groups of \(group) do not fit MatMulNBits (expected a power of two from 16): the weight is made real before each product."
        }
        return
          "\(layer.operatorName) in groups of \(group) needs opset 21, and its weight is made real before each run: smaller, not faster."
      },
      LintRule("two-bits") { layer in
        guard layer.weightBits == 2, layer.settings.mode != .weightOnly else { return nil }
        return "2-bit weights are stored as 4-bit ones and computed in float (expected 8 bits)."
      },
      LintRule("dynamic-convolution") { layer in
        guard layer.settings.mode == .dynamic, layer.operatorName.hasPrefix("Conv") else { return nil }
        return "a dynamic Conv becomes ConvInteger, which is slower than float there. Use mode static."
      },
    ])
}
