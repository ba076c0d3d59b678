import Formats
import Foundation
import Graph

/// A model as its file, or the folder of its files, holds it.
package struct ModelFile: Sendable {
  package var path: String
  /// Name of the format.
  package var format: String
  package var source: Graph
  package var files: [String]
  package var language: Language?

  /// Reads a file of any known format by its ending.
  ///
  /// - Errors: `WorkflowError` for an ending that is not known; what reading throws.
  package init(_ path: String) throws {
    self.path = path
    guard let known = Format.forPath(path), let open = known.open else {
      let endings = Format.all.filter { $0.open != nil }.flatMap(\.endings).map { ".\($0)" }
      throw WorkflowError(
        "\(path): is not a model file by its ending (expected \(endings.joined(separator: ", ")))."
      )
    }
    (format, source, files) = (known.name, try open(path), [path])
  }
}
