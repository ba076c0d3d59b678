import Graph
import Quantization
import Tensors

extension Exporter {
  /// A Python file that calls ONNX Runtime 1.32's `quantize_static` or `quantize_dynamic` as the recipe says.
  static let onnxruntimeScript = Exporter(
    name: "onnxruntime", title: "ONNX Runtime script", ending: "py", needsCandidate: false,
    comment: "#",
    export: { input in OnnxRuntimeScript(input).exported() })
}

/// Builds the script, layer by layer, and collects what the target cannot say.
private struct OnnxRuntimeScript {
  let input: ExportInput
  var losses: [String] = []
  let layers: [ResolvedLayer]

  init(_ input: ExportInput) {
    self.input = input
    layers = input.resolution.layers.filter { $0.kind == .weighted }
  }

  func exported() -> Exported {
    var copy = self
    let text = copy.build()
    return Exported(text: text, losses: copy.losses)
  }

  private func nodes(_ mode: Mode) -> [String] { layers.filter { $0.effective.mode == mode }.map(\.node) }

  /// Layers that `quantize_static` takes: calibrated ones, trained or not.
  private var calibrated: [ResolvedLayer] { layers.filter(\.effective.mode.isStatic) }

  private mutating func build() -> String {
    noteMethods()
    let weightOnly = nodes(.weightOnly)
    if !weightOnly.isEmpty {
      losses.append(
        "\(weightOnly.count) weight-only layers stay float: quantize_static and quantize_dynamic have no such mode; `lathe quantize … -o model.onnx` writes them."
      )
    }
    if calibrated.isEmpty { return dynamicScript() }
    let trained = nodes(.qat)
    if !trained.isEmpty {
      losses.append(
        "\(trained.count) trained layers are calibrated only: quantize_static does not train; `lathe quantize … -o model.onnx` writes the trained network."
      )
    }
    let dynamic = nodes(.dynamic)
    if !dynamic.isEmpty {
      losses.append("\(dynamic.count) dynamic layers stay float: one call is static or dynamic, not both.")
    }
    return staticScript()
  }

  /// What the toolkit has no word for.
  private mutating func noteMethods() {
    let methods = Set(layers.filter { $0.effective.mode != .float }.map(\.effective.weights.method))
    for method in Quantization.Method.allCases where methods.contains(method) && method != .nearest {
      losses.append(
        "\(method.title) becomes rounding to nearest; `lathe quantize … -o model.onnx` writes weights so rounded."
      )
    }
    let scales = layers.filter { $0.effective.mode != .float && $0.effective.mode != .qat }
      .compactMap(\.effective.weights.scale)
    if let scale = scales.first(where: { $0 != .max && $0 != .span }) {
      losses.append(
        "weight ranges (\(scale.text)) become the largest weight; `lathe quantize … -o model.onnx` writes weights in the ranges found."
      )
    }
    for correction in Correction.allCases where correction != .foldBatchNorm {
      guard layers.contains(where: { input.recipe.corrects($0.effective, by: correction) }) else { continue }
      losses.append(
        "\(correction.rawValue) is not done; `lathe quantize … -o model.onnx` writes the network with it.")
    }
    if !input.recipe.choices.isEmpty {
      losses.append(
        "\(input.recipe.choices.map(\.rawValue).joined(separator: ", ")) are not chosen here but as the recipe has them; `lathe quantize … -o model.onnx` writes the network that was chosen."
      )
    }
  }

  private mutating func staticScript() -> String {
    let settings = calibrated.first?.effective ?? input.recipe.defaults
    let chosen = calibrated
    let perChannel = settings.weights.granularity != .tensor
    var options: [String] = []
    let method: String
    switch settings.activations.observer {
    case .minMax: method = "MinMax"
    case .movingAverage(let constant):
      method = "MinMax"
      options += ["\"CalibMovingAverage\": True", "\"CalibMovingAverageConstant\": \(constant)"]
    case .percentile(let share):
      method = "Percentile"
      options.append("\"CalibPercentile\": \(share)")
    case .entropy: method = "Entropy"
    case .mse, .histogramL2:
      method = "MinMax"
      losses.append(
        "observer \(settings.activations.observer.name) is unknown there: export onnxruntime-cache and pass it as calibration_cache_path."
      )
    }
    if settings.activations.symmetric { options.append("\"ActivationSymmetric\": True") }
    if !settings.weights.symmetric { options.append("\"WeightSymmetric\": False") }
    for layer in chosen where layer.effective.activations.observer != settings.activations.observer {
      losses.append("\(layer.node): an observer of its own is not expressible; the common one is used.")
    }
    let overrides = weightOverrides(chosen, common: settings)
    if !overrides.isEmpty { options.append("\"TensorQuantOverrides\": overrides") }
    let activation = settings.activations.bits == 16 ? "QUInt16" : "QUInt8"
    if settings.activations.bits != 8, settings.activations.bits != 16 {
      losses.append("\(settings.activations.bits)-bit activations become 8-bit.")
    }
    return """
      \(header)
      from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
      from onnxruntime.quantization.shape_inference import quant_pre_process

      # Tensors whose weights differ from the common setting.
      overrides = {
      \(overrides.joined(separator: "\n"))
      }


      class Samples(CalibrationDataReader):
          \"\"\"Calibration inputs from an .npz with one array per model input, one sample at a time.\"\"\"

          def __init__(self, path, count):
              arrays = np.load(path)
              self.items = iter([{k: arrays[k][i:i + 1] for k in arrays.files} for i in range(count)])

          def get_next(self):
              return next(self.items, None)


      model, data, output = sys.argv[1:4]
      cache = sys.argv[4] if len(sys.argv) > 4 else None
      quant_pre_process(model, output + ".pre", skip_symbolic_shape=True)
      quantize_static(
          output + ".pre", output, None if cache else Samples(data, \(input.recipe.calibration.samples)),
          quant_format=QuantFormat.QDQ, activation_type=QuantType.\(activation), weight_type=QuantType.QInt8,
          per_channel=\(perChannel ? "True" : "False"), calibrate_method=CalibrationMethod.\(method),
          nodes_to_exclude=\(Python.list(excluded(keeping: \.isStatic), indent: "    ")),
          extra_options={\(options.joined(separator: ", "))}, calibration_cache_path=cache)
      os.remove(output + ".pre")

      """
  }

  private mutating func dynamicScript() -> String {
    let dynamic = layers.filter { $0.effective.mode == .dynamic }
    if dynamic.isEmpty { losses.append("no layer is quantized by this recipe; the script changes nothing.") }
    let perChannel = dynamic.first.map { $0.effective.weights.granularity != .tensor } ?? false
    for layer in dynamic where layer.effective.weights.bits != 8 {
      losses.append("\(layer.node): \(layer.effective.weights.bits)-bit weights become 8-bit.")
    }
    return """
      \(header)
      from onnxruntime.quantization import QuantType, quantize_dynamic

      model, output = sys.argv[1], sys.argv[-1]
      quantize_dynamic(
          model, output, weight_type=QuantType.QInt8, per_channel=\(perChannel ? "True" : "False"),
          op_types_to_quantize=\(Python.list(Array(Set(dynamic.map(\.operatorName))).sorted(), indent: "    ")),
          nodes_to_exclude=\(Python.list(excluded(keeping: { $0 == .dynamic }), indent: "    ")))

      """
  }

  private var header: String {
    """
    # Recipe \(Python.string(input.recipe.name)), for ONNX Runtime 1.32. Written by Lathe.
    # python3 quantize.py \(Python.string(input.modelPath)) calibration.npz quantized.onnx [calibration_cache.json]
    import os
    import sys

    import numpy as np
    """
  }

  /// Every node that could be quantized and must not be.
  private func excluded(keeping isKept: (Mode) -> Bool) -> [String] {
    input.resolution.layers.filter { !isKept($0.effective.mode) }.map(\.node)
  }

  private mutating func weightOverrides(_ layers: [ResolvedLayer], common: LayerSettings) -> [String] {
    var lines: [String] = []
    for layer in layers {
      let weights = layer.effective.weights
      guard weights.bits != 8 || weights.granularity != common.weights.granularity else { continue }
      if case .group = weights.granularity {
        losses.append("\(layer.node): groups of weights become channels.")
      }
      if weights.bits != 4, weights.bits != 8 {
        losses.append("\(layer.node): \(weights.bits)-bit weights become 8-bit.")
      }
      let type = weights.bits == 4 ? "QInt4" : "QInt8"
      for weight in layer.weights {
        let axis = weights.granularity == .tensor ? "" : ", \"axis\": \(weight.role.channelAxis)"
        lines.append(
          "    \(Python.string(weight.value)): [{\"quant_type\": QuantType.\(type)\(axis), \"symmetric\": \(weights.symmetric ? "True" : "False")}],"
        )
      }
    }
    return lines
  }
}
