import Graph

/// A model file format: how its files are recognised, read and written.
package struct Format: Sendable {
  /// The name on the command line, for example `onnx`.
  package var name: String
  /// File endings without the dot, in lower case.
  package var endings: [String]
  /// Reads a model; `nil` for a format that is only written.
  package var open: (@Sendable (_ path: String) throws -> Graph)?
  /// Writes a model, float or quantized, and returns what the file cannot say; `nil` for a format that is only read.
  ///
  /// The file is written beside its destination and renamed into place.
  package var write: (@Sendable (_ model: EncodedGraph, _ path: String) throws -> [String])?

  package init(
    name: String, endings: [String], open: (@Sendable (String) throws -> Graph)?,
    write: (@Sendable (EncodedGraph, String) throws -> [String])?
  ) {
    self.name = name
    self.endings = endings
    self.open = open
    self.write = write
  }

  /// Every format; a new one is one line here.
  package static let all: [Format] = [.onnx]

  static let onnx = Format(
    name: "onnx", endings: ["onnx"], open: { try ONNX.read(path: $0) },
    write: { try ONNX.write($0, path: $1) })

  /// The format of a file by its ending.
  package static func forPath(_ path: String) -> Format? {
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    return all.first { $0.endings.contains(ending) }
  }
}
