import Formats
import Foundation
import Graph
import Tensors

/// One conformance test of ONNX: a model, and folders with inputs and expected outputs.
struct ConformanceCase {
  var name: String
  var model: URL
  var operators: [String]
  /// Folders with `input_N.pb` and `output_N.pb`; empty for a light model.
  var dataSets: [URL]

  enum Outcome {
    case passed
    case failed(String)
  }

  /// Random outputs: only types and shapes can be compared.
  var isRandom: Bool {
    operators.contains { $0.hasPrefix("Random") || $0 == "Bernoulli" || $0 == "Multinomial" }
      || name.hasPrefix("test_training_dropout") && !name.contains("zero_ratio")
  }

  func run() -> Outcome {
    do {
      let graph = try ONNX.read(path: model.path)
      for folder in dataSets {
        var inputs: [ValueName: Tensor] = [:]
        for (i, input) in graph.inputs.enumerated() {
          let path = folder.appendingPathComponent("input_\(i).pb").path
          guard FileManager.default.fileExists(atPath: path) else { continue }
          inputs[input.name] = try ONNX.readTensor(path: path)
        }
        let expected = try graph.outputs.indices.map {
          try ONNX.readTensor(path: folder.appendingPathComponent("output_\($0).pb").path)
        }
        if let problem = try check(graph, inputs, expected) { return .failed(problem) }
      }
      return .passed
    } catch {
      return .failed("\(error)")
    }
  }

  /// Runs the graph and compares; also what inference says against what comes out.
  func check(_ graph: Graph, _ inputs: [ValueName: Tensor], _ expected: [Tensor]) throws -> String? {
    let known = inputs.mapValues { OperandInfo(type: $0.type, shape: $0.shape) }
    let infos = try graph.infer(inputs: known)
    let results = try graph.evaluate(inputs)
    for (output, want) in zip(graph.outputs, expected) {
      guard let got = results[output.name] else { return "output \(output.name) is missing" }
      if let info = infos[output.name] {
        if info.type != got.type {
          return "\(output.name) is inferred \(info.type.name), is \(got.type.name)"
        }
        if let shape = info.shape, shape != got.shape {
          return "\(output.name) is inferred \(shape.shapeText), is \(got.shape.shapeText)"
        }
      }
      if let difference = Tolerance(got.type).difference(got, want, onlyShape: isRandom) {
        return "\(output.name): \(difference)"
      }
    }
    return nil
  }
}

/// When two tensors count as equal: |got − want| ≤ absolute + relative · |want|, NaN equal to NaN.
///
/// ONNX's own runner takes 1e-3 and 1e-7; sums in another order need the larger absolute part. 16-bit floats may
/// differ by one step, smaller types and integers not at all.
struct Tolerance {
  var relative = 1e-3
  var absolute = 1e-5

  init(_ type: ElementType) {
    switch type {
    case .float16: (relative, absolute) = (2e-3, 1e-4)
    case .bfloat16: (relative, absolute) = (1e-2, 1e-3)
    case .float32, .float64: break
    default: (relative, absolute) = (0, 0)
    }
  }

  /// What differs, or `nil`.
  func difference(_ got: Tensor, _ want: Tensor, onlyShape: Bool = false) -> String? {
    if got.type != want.type { return "is \(got.type.name), expected \(want.type.name)" }
    if got.shape != want.shape { return "has shape \(got.shape.shapeText), expected \(want.shape.shapeText)" }
    if onlyShape { return nil }
    if relative == 0, got.type.isInteger || got.type == .bool {
      let a = got.words.integers
      let b = want.words.integers
      guard let i = a.indices.first(where: { a[$0] != b[$0] }) else { return nil }
      return "element \(i) is \(got.integers[i]), expected \(want.integers[i])"
    }
    let a = got.doubles
    let b = want.doubles
    for i in a.indices {
      if a[i] == b[i] || a[i].isNaN && b[i].isNaN { continue }
      if abs(a[i] - b[i]) <= absolute + relative * abs(b[i]) { continue }
      return "element \(i) is \(a[i]), expected \(b[i])"
    }
    return nil
  }
}
