import Jobs
import Quantization
import Workflows

extension Project {
  /// A recipe as another toolkit's configuration; calibrates only where the exporter needs ranges.
  ///
  /// - Parameter note: of the user, for a comment in the file.
  package func export(
    _ recipe: Recipe, name: String, by exporter: Exporter, note: String = "",
    candidate: Candidate? = nil, reporter: Reporter
  ) throws -> Exported {
    let ready =
      try candidate ?? (exporter.needsCandidate ? prepare(recipe, name: name, reporter: reporter) : nil)
    return try exporter.export(
      ExportInput(
        modelPath: model.path, graph: model.graph, recipe: recipe,
        resolution: ready?.resolution ?? recipe.resolve(model.graph, infos: model.infos), candidate: ready,
        extremes: exporter.needsCandidate ? try extremes(recipe, reporter: reporter) : [:])
    ).noted(note, by: exporter)
  }
}
