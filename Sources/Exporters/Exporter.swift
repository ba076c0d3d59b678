import Graph
import Quantization

/// What an exporter is given.
package struct ExportInput: Sendable {
  /// Path of the model file, as the exported configuration should name it.
  package var modelPath: String
  /// The simplified graph that the recipe was resolved for.
  package var graph: Graph
  package var recipe: Recipe
  package var resolution: Resolution
  /// Ranges and encodings; `nil` for exporters that need none.
  package var candidate: Candidate?
  /// Smallest and largest value of every float activation, for exporters that need a candidate.
  package var extremes: [ValueName: ClosedRange<Float>]

  package init(
    modelPath: String, graph: Graph, recipe: Recipe, resolution: Resolution, candidate: Candidate? = nil,
    extremes: [ValueName: ClosedRange<Float>] = [:]
  ) {
    self.modelPath = modelPath
    self.graph = graph
    self.recipe = recipe
    self.resolution = resolution
    self.candidate = candidate
    self.extremes = extremes
  }
}

/// A configuration for another tool, and what it cannot say.
package struct Exported: Sendable {
  package var text: String
  /// One sentence for each thing of the recipe that the target cannot express.
  package var losses: [String]

  package init(text: String, losses: [String] = []) {
    self.text = text
    self.losses = losses
  }
}

extension Exported {
  /// With a note of the user as a comment on top, where the exporter's files have such.
  package func noted(_ note: String, by exporter: Exporter) -> Exported {
    let lines = note.split(whereSeparator: \.isNewline).map { line in
      // What is no text would make the file one that cannot be read.
      String(
        String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
    }
    guard let comment = exporter.comment, !lines.isEmpty else { return self }
    var noted = self
    let words = lines.map { "\(comment) \($0)\n" }.joined()
    // The line that names an interpreter stays the first.
    let start = text.hasPrefix("#!") ? text.firstIndex(of: "\n").map(text.index(after:)) : nil
    noted.text.insert(contentsOf: words, at: start ?? text.startIndex)
    return noted
  }
}

/// Turns a recipe into another toolkit's configuration.
///
/// A new one is one file and one line in `all`.
package struct Exporter: Sendable {
  /// Name on the command line.
  package var name: String
  package var title: String
  /// Usual file ending, without the dot.
  package var ending: String
  /// Whether it needs ranges, so that calibration must have run.
  package var needsCandidate: Bool
  /// What begins a comment in its files; `nil` where they have none.
  package var comment: String?
  package var export: @Sendable (ExportInput) throws -> Exported

  package static let all: [Exporter] = [.recipe, .onnxruntimeScript, .onnxruntimeCalibrationCache]

  package static subscript(name: String) -> Exporter? { all.first { $0.name == name } }
}
