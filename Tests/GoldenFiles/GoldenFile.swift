import Foundation

/// Drawings kept as text in `Tests/Golden`, which a test compares with what is drawn now.
package enum GoldenFile {
  /// The environment variable that, set to anything, writes the files anew instead of comparing.
  package static let renewing = "LATHE_UPDATE_GOLDEN"
  package static var isRenewing: Bool { ProcessInfo.processInfo.environment[renewing] != nil }

  package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Golden")

  /// Where `text` first differs from the file `name` (`Frames/help.txt`), in words; `nil` where they are the same.
  /// - Errors: of the file system, where a file is to be written and cannot.
  package static func difference(_ name: String, _ text: String) throws -> String? {
    let file = folder.appendingPathComponent(name)
    if isRenewing {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return nil
    }
    guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
      return "\(name) is missing; \(renewing)=1 writes it"
    }
    guard text != expected else { return nil }
    let (old, new) = (expected.components(separatedBy: "\n"), text.components(separatedBy: "\n"))
    let line = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    let place = line ?? min(old.count, new.count)
    func excerpt(_ lines: [String]) -> String {
      place < lines.count ? lines[place..<min(place + 3, lines.count)].joined(separator: "\n") : "(end)"
    }
    let heading = new.prefix(place).last { $0.hasPrefix("== ") }.map { " (\($0))" } ?? ""
    return
      "\(name), line \(place + 1)\(heading); if the change is meant, \(renewing)=1 writes it.\nexpected:\n\(excerpt(old))\ndrawn:\n\(excerpt(new))"
  }
}
