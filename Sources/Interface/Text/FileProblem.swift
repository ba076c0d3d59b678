import Yams

/// What is wrong with a file of the user's, and where: thrown where nothing of it can be used, else a warning.
package struct FileProblem: Error, Hashable, CustomStringConvertible {
  package var file: String
  package var line: Int?
  package var problem: String

  package init(file: String, line: Int?, problem: String) {
    self.file = file
    self.line = line
    self.problem = problem
  }

  package var description: String { line.map { "\(file), line \($0): \(problem)" } ?? "\(file): \(problem)" }
}

extension YamlError {
  /// Where the text stops being YAML, as far as that is known.
  var line: Int? {
    switch self {
    case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
    case .duplicatedKeysInMapping(_, let context): context.mark.line
    default: nil
    }
  }
}
