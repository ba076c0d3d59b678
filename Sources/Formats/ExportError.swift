/// Why a file could not be written, as data; the sentence is made in `description`.
package struct ExportError: Error, Equatable, CustomStringConvertible {
  package enum Reason: Equatable, Sendable {
    /// What was tried, and the system's own words.
    case system(action: String, String)
    /// An operator the written form needs, missing from the catalogue.
    case missingOperator(String)
    case unsupported(String)
  }

  package var file: String
  package var reason: Reason

  package init(file: String, reason: Reason) {
    self.file = file
    self.reason = reason
  }

  package var description: String {
    switch reason {
    case .system(let action, let why):
      "\(displayText(file)): cannot \(action) (\(why)). Check the folder, its permissions and the space left."
    case .missingOperator(let name): "\(displayText(file)): operator \(name) is not in the catalogue."
    case .unsupported(let what): "\(displayText(file)): \(displayText(what))"
    }
  }
}
