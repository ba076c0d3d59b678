import Graph
import Quantization
import Tensors

extension DeploymentTarget {
  static let tflite = DeploymentTarget(
    name: "tflite", title: "TensorFlow Lite (LiteRT)",
    source: "LiteRT's 8-bit quantization specification; ai-edge-quantizer's recipes",
    rules: [
      LintRule("symmetric-weights") { layer in
        layer.shiftedWeights > 0
          ? "\(layer.shiftedWeights) scales have a zero point that is not 0 (expected int8 weights on -127…127 with zero point 0)."
          : nil
      },
      LintRule("narrow-range") { layer in
        guard layer.weightBits == 8, let weight = layer.weight, weight.codes.type == .int8 else { return nil }
        let lowest = weight.codes.withElements(of: Int8.self) { codes in codes.count { $0 == -128 } }
        return lowest > 0
          ? "\(lowest) weights have code -128 (expected -127…127). Set weights: {range: narrow}." : nil
      },
      LintRule("weight-bits") { layer in
        guard let bits = layer.weightBits, bits != 8, bits != 4 else { return nil }
        return "\(bits)-bit weights have no type there (expected 4 or 8)."
      },
      LintRule("blocks") { layer in
        guard let group = layer.group, ![32, 64, 128, 256].contains(group) else { return nil }
        return "groups of \(group) (expected 32, 64, 128 or 256)."
      },
      LintRule("divisible") { layer in
        guard let group = layer.group, let features = layer.features, features % group != 0 else {
          return nil
        }
        return "\(features) input features are not a multiple of the group of \(group)."
      },
      LintRule("activation-bits") { layer in
        guard let other = layer.activations.first(where: { ![8, 16].contains($0.encoding.scheme.bits) })
        else { return nil }
        return "\"\(other.value)\" has \(other.encoding.scheme.bits) bits (expected 8 or 16)."
      },
      LintRule("symmetric-16") { layer in
        guard
          let other = layer.activations.first(where: {
            $0.encoding.scheme.bits == 16 && $0.encoding.scheme.symmetry == .affine
          })
        else { return nil }
        return "\"\(other.value)\" is affine in 16 bits (expected symmetric)."
      },
    ])
}
