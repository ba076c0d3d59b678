import Formats
import Foundation
import Graph
import LanguageModels
import Quantization

extension Model {
  /// Writes a candidate as a model file; the ending picks the format.
  ///
  /// Returns what the file cannot say.
  package func write(_ encoded: EncodedGraph, to path: String) throws -> [String] {
    if path.lowercased().hasSuffix(".gguf"), let model = language?.model {
      return try model.writeGGUF(encoded, to: path)
    }
    guard let format = Format.forPath(path), let write = format.write else {
      let known = Format.all.filter { $0.write != nil }.flatMap(\.endings).map { ".\($0)" }
      throw WorkflowError(
        "\(path): no model format has this ending (expected \(known.joined(separator: ", "))).")
    }
    return try write(encoded, path)
  }

  /// Bytes of the candidate's file in the format the model came in; of a language model in GGUF.
  func writtenBytes(_ encoded: EncodedGraph) throws -> Int {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent(
      "model."
        + (language?.model != nil ? "gguf" : Format.all.first { $0.name == format }?.endings.first ?? ""))
    _ = try write(encoded, to: file.path)
    return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: [.fileSizeKey])
      .reduce(0) { try $0 + ($1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
  }
}

/// Sizes of a candidate beside float32 (DESIGN's table of figures).
package struct SizeSummary: Sendable, Hashable {
  package var weightBytes: Int
  package var compression: Double
  package var bitsPerWeight: Double?
}

extension Model {
  package func sizes(of candidate: Candidate) -> SizeSummary {
    let sizes = Sizes(candidate.encoded, infos: infos)
    return SizeSummary(
      weightBytes: sizes.weightBytes,
      compression: Double(Sizes(graph, infos: infos).weightBytes) / Double(Swift.max(sizes.weightBytes, 1)),
      bitsPerWeight: sizes.bitsPerWeight)
  }
}
