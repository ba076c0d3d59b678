import Foundation
import Graph
import Quantization
import Tensors

extension Exporter {
  /// Our ranges as the cache that ONNX Runtime 1.32's `quantize_static(…, calibration_cache_path=…)` reads instead
  /// of calibrating: a `TensorsData` object with one entry per tensor, method MinMax.
  static let onnxruntimeCalibrationCache = Exporter(
    name: "onnxruntime-cache", title: "ONNX Runtime calibration cache", ending: "json", needsCandidate: true,
    export: { input in
      guard let candidate = input.candidate else {
        throw QuantizationError("the calibration cache needs ranges: run the recipe with data first.")
      }
      let chosen = candidate.observed.filter { $0.value.lower.isFinite && $0.value.upper.isFinite }
      guard !chosen.isEmpty else {
        throw QuantizationError(
          "recipe \"\(input.recipe.name)\" has no static layer, so there are no ranges to put into a calibration cache."
        )
      }
      // The toolkit wants every activation; those that have no encoding here go by what was seen of them.
      let ranges = input.extremes.merging(
        chosen.mapValues { $0.lower...Swift.max($0.lower, $0.upper) }, uniquingKeysWith: { $1 })
      func array(_ value: Float) -> String {
        "{\"data\": [\(value)], \"dtype\": \"float32\", \"CLS\": \"numpy.array\"}"
      }
      let entries = try ranges.sorted { $0.key < $1.key }.map { name, range in
        let key = String(decoding: try JSONEncoder().encode(name), as: UTF8.self)
        return
          "    \(key): {\"lowest\": \(array(range.lowerBound)), \"highest\": \(array(range.upperBound)), \"CLS\": \"TensorData\"}"
      }
      let text = """
        {
          "CLS": "TensorsData",
          "data": {
        \(entries.joined(separator: ",\n"))
          },
          "calibration_method": {"CLS": "CalibrationMethod", "value": "CalibrationMethod.MinMax"},
          "smooth_quant": false
        }

        """
      return Exported(text: text, losses: lossesOfRanges(candidate))
    })

  private static func lossesOfRanges(_ candidate: Candidate) -> [String] {
    let widths = Set(candidate.encoded.activations.values.map(\.scheme.bits)).filter { $0 != 8 && $0 != 16 }
    return widths.sorted().map { "ONNX Runtime has no \($0)-bit activations; the cache holds ranges only." }
  }
}
