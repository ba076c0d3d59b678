/// Kinds of hardware that are not this machine: what they run, from documentation and not measured here.
package struct OtherHardware: Sendable, Encodable {
  package var kind: String
  /// What runs models there.
  package var runtime: String
  package var formats: String
  /// What to ask of a recipe for it.
  package var advice: String
  package var source: String

  package static let all: [OtherHardware] = [
    OtherHardware(
      kind: "GPU (NVIDIA)", runtime: "TensorRT",
      formats: "int8 × int8, fp8, fp4; int4 for weights in groups of 64 or 128",
      advice: "symmetric int8 with zero points 0; float16 is the float32 of a GPU and the baseline to beat",
      source: "TensorRT, Quantization Schemes"),
    OtherHardware(
      kind: "NPU (Qualcomm)", runtime: "QNN",
      formats: "8-bit weights with 8- or 16-bit activations, affine, fixed before the run",
      advice: "static mode; 16-bit activations where 8 lose accuracy; encodings as AIMET writes them",
      source: "aimet-onnx 2.42, encodings"),
    OtherHardware(
      kind: "TPU (Edge TPU)", runtime: "LiteRT with the Edge TPU compiler",
      formats: "int8 weights and activations, every operator",
      advice: "static mode for all layers, inputs and outputs too; what stays float runs on the host",
      source: "Coral, TensorFlow models on the Edge TPU"),
    OtherHardware(
      kind: "phone CPU", runtime: "LiteRT, ONNX Runtime",
      formats: "int8 × int8 with dot-product instructions (Armv8.2 and later); int4 weights",
      advice: "weights on -127…127 with zero point 0; no u8 × s8 saturation there",
      source: "LiteRT, 8-bit quantization specification"),
    OtherHardware(
      kind: "phone NPU (Apple)", runtime: "Core ML",
      formats: "8-bit weights and activations; 4-bit and palette weights",
      advice: "weights alone save size and gave no speed-up in its own table",
      source: "coremltools, Optimization: Performance"),
    OtherHardware(
      kind: "microcontroller (Cortex-M)", runtime: "LiteRT for Microcontrollers with CMSIS-NN",
      formats: "int8 weights per channel with int8 or int16 activations",
      advice: "static mode for all layers: there is rarely a float unit, and flash holds the weights",
      source: "CMSIS-NN, supported operators"),
  ]
}
