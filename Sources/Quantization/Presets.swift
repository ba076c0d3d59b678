import Graph
import Tensors

/// A named recipe.
package struct Preset: Sendable, Hashable {
  package var name: String
  /// One line for lists; names the toolkit and version it follows, where it does.
  package var summary: String
  package var recipe: Recipe

  package init(name: String, summary: String, recipe: Recipe) {
    self.name = name
    self.summary = summary
    self.recipe = recipe
  }
}

package enum Presets {
  package static let all: [Preset] = [
    float, staticInt8, staticInt8Corrected, staticInt8Best, dynamicInt8, weightInt8, weightInt4, qatInt8,
    qatW4A8, qatW4A4,
    qatW3A3, qatW2A4,
    fbgemmStatic, pytorchDynamic, tfliteDynamicRange, onnxruntimeQDQ, onnxruntimeDefault,
  ]

  package static subscript(name: String) -> Preset? { all.first { $0.name == name } }

  static let float = preset("float", "no quantization: the model as it is", LayerSettings(mode: .float))

  static let staticInt8 = preset(
    "static-int8", "8-bit weights per channel and calibrated 8-bit activations (MSE ranges)",
    LayerSettings(mode: .static))

  static let staticInt8Corrected = preset(
    "static-int8-corrected", "static-int8 without what rounding the weights adds to each output on average",
    LayerSettings(mode: .static), corrections: [.foldBatchNorm, .biasCorrection])

  static let staticInt8Best = preset(
    "static-int8-best",
    "static-int8 with ranges, rounding, corrections and single layers spared, as measured on samples held back",
    LayerSettings(mode: .static), choices: Choice.allCases)

  static let dynamicInt8 = preset(
    "dynamic-int8", "8-bit weights per channel, activation ranges computed at run time; no data needed",
    LayerSettings(mode: .dynamic))

  static let weightInt8 = preset(
    "weight-int8", "8-bit weights per channel, activations in float; no data needed",
    LayerSettings(mode: .weightOnly))

  static let weightInt4 = preset(
    "weight-int4", "4-bit weights in groups of 32, activations in float; no data needed",
    LayerSettings(mode: .weightOnly, weights: WeightSettings(bits: 4, granularity: .group(32))))

  static let fbgemmStatic = preset(
    "pytorch-fbgemm-static",
    "PyTorch 2.13 get_default_qconfig(\"fbgemm\"): HistogramObserver, 7-bit activations, weights per channel on -128…127",
    LayerSettings(
      mode: .static, weights: WeightSettings(range: .full, scale: .span),
      activations: ActivationSettings(reducedRange: true, observer: .histogramL2)))

  static let pytorchDynamic = preset(
    "pytorch-dynamic",
    "PyTorch 2.13 quantize_dynamic(model): Linear layers, qint8 per tensor, activations per tensor on 0…127",
    LayerSettings(mode: .float),
    rules: [
      Rule(
        match: Match(operators: ["Gemm", "MatMul"]),
        change: SettingsChange(
          from: LayerSettings(mode: .float),
          to: LayerSettings(
            mode: .dynamic, weights: WeightSettings(granularity: .tensor, range: .full, scale: .span),
            activations: ActivationSettings(reducedRange: true, dynamic: .tensor))))
    ])

  static let tfliteDynamicRange = preset(
    "tflite-dynamic-range",
    "TensorFlow Lite Optimize.DEFAULT without data: int8 per channel, tensors under 1 024 elements left alone",
    LayerSettings(mode: .dynamic, weights: WeightSettings(range: .narrow, minimumElements: 1024)))

  static let onnxruntimeQDQ = preset(
    "onnxruntime-qdq",
    "ONNX Runtime 1.32 quantize_static(QDQ, per_channel=True, QUInt8 × QInt8, MinMax), as its documentation recommends",
    LayerSettings(
      mode: .static, weights: WeightSettings(range: .narrow),
      activations: ActivationSettings(observer: .minMax)))

  static let onnxruntimeDefault = preset(
    "onnxruntime-default",
    "ONNX Runtime 1.32 quantize_static with its default arguments: QInt8 × QInt8 per tensor, MinMax",
    LayerSettings(
      mode: .static, weights: WeightSettings(granularity: .tensor, range: .narrow),
      activations: ActivationSettings(observer: .minMax)))

  static let qatInt8 = training("qat-int8", weights: 8, activations: 8)
  static let qatW4A8 = training("qat-w4a8", weights: 4, activations: 8)
  static let qatW4A4 = training("qat-w4a4", weights: 4, activations: 4)
  static let qatW3A3 = training("qat-w3a3", weights: 3, activations: 3)
  static let qatW2A4 = training("qat-w2a4", weights: 2, activations: 4)

  /// Every layer has these widths, first and last too, and so do the graph's inputs.
  private static func training(_ name: String, weights: Int, activations: Int) -> Preset {
    let defaults = LayerSettings(
      mode: .qat, weights: WeightSettings(bits: weights, scale: .mse),
      activations: ActivationSettings(bits: activations, observer: .mse))
    return Preset(
      name: name,
      summary:
        "QAT: \(weights)-bit weights, \(activations)-bit activations in every layer, first and last included",
      recipe: Recipe(
        name: name, defaults: defaults, inputs: InputSettings(bits: activations),
        training: TrainingSettings(distill: TrainingSettings.Distillation())))
  }

  private static func preset(
    _ name: String, _ summary: String, _ defaults: LayerSettings, rules: [Rule] = [],
    corrections: [Correction] = [.foldBatchNorm], choices: [Choice] = []
  ) -> Preset {
    Preset(
      name: name, summary: summary,
      recipe: Recipe(
        name: name, defaults: defaults, rules: rules, corrections: corrections, choices: choices))
  }
}
