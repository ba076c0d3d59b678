import Graph
import Quantization
import Tensors

extension DeploymentTarget {
  static let tensorRT = DeploymentTarget(
    name: "tensorrt", title: "NVIDIA TensorRT",
    source: "TensorRT's guide, \"Working with Quantized Types\" and \"Quantization Schemes\"",
    rules: [
      LintRule("symmetric-activations") { layer in
        guard let shifted = layer.shiftedActivation else { return nil }
        return
          "\"\(shifted.value)\" has zero point \(shifted.zeroPoint) in uint8 (expected symmetric int8). Set activations: {symmetric: true}."
      },
      LintRule("signed-codes") { layer in
        guard let unsigned = layer.unsignedActivation else { return nil }
        return
          "\"\(unsigned.value)\" is symmetric, but in uint8 with zero point \(unsigned.zeroPoint) (expected int8 with 0): its codes have to be moved by \(unsigned.zeroPoint) in the file."
      },
      LintRule("symmetric-weights") { layer in
        layer.shiftedWeights > 0
          ? "\(layer.shiftedWeights) scales have a zero point that is not 0 (expected symmetric weights)."
          : nil
      },
      LintRule("weight-bits") { layer in
        guard let bits = layer.weightBits, bits != 8, bits != 4 else { return nil }
        return "\(bits)-bit weights have no type there (expected 8, or 4 for weights alone)."
      },
      LintRule("int4") { layer in
        guard layer.weightBits == 4 else { return nil }
        if layer.settings.mode != .weightOnly {
          return
            "4-bit weights are for weight-only layers there (found mode \(layer.settings.mode.rawValue))."
        }
        guard layer.group != 64, layer.group != 128 else { return nil }
        return
          "4-bit weights need groups of 64 or 128 (found \(layer.group.map { "\($0)" } ?? "one scale per channel"))."
      },
      LintRule("divisible") { layer in
        guard let group = layer.group, let features = layer.features, features % group != 0 else {
          return nil
        }
        return "\(features) input features are not a multiple of the group of \(group)."
      },
      LintRule("dynamic") { layer in
        layer.settings.mode == .dynamic
          ? "int8 activations need a range fixed before the run (found mode dynamic). Use mode static." : nil
      },
      LintRule("activation-bits") { layer in
        guard let other = layer.activations.first(where: { $0.encoding.scheme.bits != 8 }) else { return nil }
        return "\"\(other.value)\" has \(other.encoding.scheme.bits) bits (expected 8)."
      },
      LintRule("bias") { layer in
        layer.hasIntegerBias
          ? "its int32 bias is stored as codes (expected a float bias, QuantizeBias=False in ONNX Runtime's tools)."
          : nil
      },
    ])
}
