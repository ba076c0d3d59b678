import Foundation
import Testing

/// A weight file, or a folder of them, that must not open, and a word of the sentence that says why.
struct DamagedContainer: Sendable, CustomTestStringConvertible {
  var name: String
  var says: String
  /// Puts the files into a folder; returns the path to open.
  var write: @Sendable (TemporaryFolder) throws -> String

  var testDescription: String { name }

  init(_ name: String, says: String, _ file: String, _ bytes: @escaping @Sendable () -> [UInt8]) {
    self.init(name, says: says, open: file) { [(file, bytes())] }
  }

  init(
    _ name: String, says: String, open: String, links: [(name: String, target: String)] = [],
    _ files: @escaping @Sendable () -> [(String, [UInt8])]
  ) {
    self.name = name
    self.says = says
    write = { folder in
      for (name, bytes) in files() { try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name))) }
      for link in links {
        try FileManager.default.createSymbolicLink(
          atPath: folder.path(link.name), withDestinationPath: link.target)
      }
      return open.isEmpty ? folder.url.path : folder.path(open)
    }
  }
}
