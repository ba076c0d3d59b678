import GoldenFiles
import Testing

/// Compares with `Tests/Golden/FOLDER/NAME.txt`.
func expectGolden(
  _ name: String, _ text: String, in folder: String = "Screen",
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  if let difference = try GoldenFile.difference("\(folder)/\(name).txt", text + "\n") {
    Issue.record("\(difference)", sourceLocation: sourceLocation)
  }
}
