import Analysis
import Datasets
import Execution
import Formats
import Foundation
import Graph
import Quantization
import Tensors
import Workflows

/// Everything a report of a comparison says, as data: `markdown` and `html` only lay it out.
package struct ComparisonPage: Sendable {
  /// A file that figures depend on.
  package struct HashedFile: Sendable {
    package var role: String
    package var path: String
    package var bytes: Int
    package var sha256: String
  }

  /// One layer of one candidate.
  package struct Layer: Sendable {
    package var name: String
    package var operatorName: String
    package var float32Bytes: Int
    package var bytes: Int
    /// 8 · bytes over the weights' number.
    package var bits: Double
    /// Of the weights alone: real numbers of the codes against float32; `nil` where nothing differs.
    package var weightSqnrDb: Double?
  }

  package struct Candidate: Sendable {
    package var trial: Trial
    package var recipe: String
    package var seeds: String
    package var layers: [Layer]
  }

  package var report: ComparisonReport
  package var candidates: [Candidate]
  package var files: [HashedFile]
  /// What was measured with: a title and a value each.
  package var circumstances: [(title: String, value: String)]

  /// - Errors: `MappedFile.Failure` or `DatasetError` where a file can no longer be read.
  package init(_ comparison: Comparison, of project: Project) throws {
    report = comparison.report
    candidates = zip(comparison.report.candidates, comparison.prepared).map { trial, prepared in
      Candidate(
        trial: trial, recipe: prepared.recipe.yaml, seeds: Self.seeds(prepared.recipe),
        layers: Self.layers(prepared.candidate, of: project.model))
    }
    var files: [HashedFile] = []
    func add(_ role: String, _ path: String) throws {
      files.append(
        HashedFile(
          role: role, path: path, bytes: Model.bytes(ofFile: path), sha256: try SHA256.hex(ofFile: path)))
    }
    for path in project.model.files { try add("model", path) }
    for path in try project.dataPath.map({ try Dataset.files($0) }) ?? [] { try add("data", path) }
    for path in try project.trainDataPath.map({ try Dataset.files($0) }) ?? [] {
      try add("training data", path)
    }
    self.files = files
    let machine = comparison.report.machine
    circumstances = [
      ("Lathe", Version.text), ("numerics version", "\(Numerics.version)"), ("processor", machine.cpu),
      ("kernels in use", project.kernelLevel),
      ("kernels it can run", (["scalar"] + machine.features).joined(separator: ", ")),
      ("threads", "\(machine.threads)"), ("written", ISO8601DateFormatter().string(from: Date())),
    ]
  }

  private static func seeds(_ recipe: Recipe) -> String {
    let calibration = "calibration \(recipe.calibration.seed)"
    return recipe.training.map { "\(calibration), training \($0.seed)" } ?? calibration
  }

  private static func layers(_ candidate: Quantization.Candidate, of model: Model) -> [Layer] {
    let encoded = candidate.encoded
    return model.layers.compactMap { layer in
      guard let name = layer.weight, let weight = encoded.graph.constants[name], weight.count > 0 else {
        return nil
      }
      let isQuantized = (encoded.layers[layer.name]?.mode ?? .float) != .float
      let codes = isQuantized ? encoded.weights[name] : nil
      let bytes = codes.map { Sizes.bytes(of: $0).container } ?? 4 * weight.count
      let real = codes == nil ? nil : encoded.decodedConstant(name, model.infos)
      return Layer(
        name: layer.name, operatorName: layer.operatorName, float32Bytes: 4 * weight.count, bytes: bytes,
        bits: 8 * Double(bytes) / Double(weight.count),
        weightSqnrDb: real.flatMap { TensorError(of: $0, against: weight.converted(to: .float32)).sqnrDb })
    }
  }

  /// Writes the page as Markdown or HTML, by the file's ending.
  ///
  /// - Errors: `ExportError`.
  package func write(to path: String) throws(ExportError) {
    let text = path.lowercased().hasSuffix(".html") ? html : markdown
    let file = try OutputFile(path: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}

extension Trial {
  /// `int`, `sim` or `float`: how the figures were computed.
  var badge: String {
    switch execution {
    case .integer: "int"
    case .simulated: "sim"
    case .float: "float"
    }
  }
}
