import Foundation
import Interface
import Testing

/// Compares drawings with `Tests/Golden/Interface/NAME.txt`; with `LATHE_UPDATE_GOLDEN` set it writes the file instead.
func expectGolden(
  _ name: String, _ drawings: [(title: String, text: String)],
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let actual = drawings.map { "== \($0.title)\n\($0.text)\n" }.joined(separator: "\n")
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/Interface/\(name).txt")
  if ProcessInfo.processInfo.environment["LATHE_UPDATE_GOLDEN"] != nil {
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try actual.write(to: file, atomically: true, encoding: .utf8)
    return
  }
  let expected = try String(contentsOf: file, encoding: .utf8)
  guard actual != expected else { return }
  let (old, new) = (expected.components(separatedBy: "\n"), actual.components(separatedBy: "\n"))
  let line =
    zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
  let (was, `is`) = (line < old.count ? old[line] : "(end)", line < new.count ? new[line] : "(end)")
  Issue.record(
    "\(name).txt, line \(line + 1):\n  expected \(was)\n  drawn    \(`is`)\n\n\(actual)",
    sourceLocation: sourceLocation)
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
