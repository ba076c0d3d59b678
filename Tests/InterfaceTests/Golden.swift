import GoldenFiles
import Interface
import Testing

/// Compares drawings with `Tests/Golden/Interface/NAME.txt`.
func expectGolden(
  _ name: String, _ drawings: [(title: String, text: String)],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let text = drawings.map { "== \($0.title)\n\($0.text)\n" }.joined(separator: "\n")
  if let difference = try GoldenFile.difference("Interface/\(name).txt", text) {
    Issue.record("\(difference)", sourceLocation: sourceLocation)
  }
}

/// A drawing at several sizes, and in ASCII at the first.
func drawings(
  _ sizes: [(Int, Int)], _ draw: (inout Canvas, Rect) -> Void
) -> [(title: String, text: String)] {
  var result = sizes.map { (title: "\($0.0)x\($0.1)", text: picture($0.0, $0.1, .unicode, draw)) }
  if let (width, height) = sizes.first {
    result.append((title: "\(width)x\(height) ascii", text: picture(width, height, .ascii, draw)))
  }
  return result
}
