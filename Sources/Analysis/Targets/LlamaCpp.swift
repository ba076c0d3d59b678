import Graph
import Quantization
import Tensors

extension DeploymentTarget {
  static let llamaCpp = DeploymentTarget(
    name: "llama.cpp", title: "llama.cpp (GGUF)",
    source: "llama.cpp's llama-quant.cpp and ggml-common.h",
    rules: [
      LintRule("weights-only") { layer in
        guard !layer.activations.isEmpty || layer.settings.mode != .weightOnly else { return nil }
        return
          "mode \(layer.settings.mode.rawValue) has \(layer.activations.count) encoded activations; GGUF holds weights only (expected mode weight-only)."
      },
      LintRule("operator") { layer in
        guard let weight = layer.weight, !["MatMul", "Gemm", "Gather"].contains(layer.operatorName) else {
          return nil
        }
        return
          "\(layer.operatorName) with \(weight.codes.count) weights has no block format there (expected matrices and embeddings of a decoder)."
      },
      LintRule("block-32") { layer in
        guard let features = layer.features, features % 32 != 0 else { return nil }
        return "\(features) input features are not a multiple of 32: the tensor stays F16."
      },
      LintRule("block-256") { layer in
        guard layer.format == nil, let features = layer.features, features % 32 == 0, features % 256 != 0,
          (layer.weightBits ?? 8) < 8
        else { return nil }
        return
          "\(features) input features are not a multiple of 256: K-quants are replaced by Q4_0, Q5_0, Q5_1 or Q8_0."
      },
      LintRule("format") { layer in
        guard let format = layer.format, GGMLType.named(format) == nil else { return nil }
        return "\(format) is no type of GGUF (expected one of its own, such as Q4_K). Choose another format."
      },
      LintRule("group") { layer in
        guard layer.weight != nil, layer.format == nil, layer.group != 32 else { return nil }
        return
          "\(layer.group.map { "groups of \($0)" } ?? "\(layer.weight?.encoding.scales.count ?? 0) scales for the tensor") (expected groups of 32): scales are computed anew there."
      },
    ])
}
