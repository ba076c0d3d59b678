import Formats
import Foundation
import Graph
import Tensors
import Testing

/// Model files are hostile input: each damaged one ends in an error that says where and what, never in a crash.
@Suite struct MalformedInputTests {
  @Test(arguments: DamagedFile.all) func damagedFileIsRefused(_ file: DamagedFile) throws {
    let folder = try TemporaryFolder()
    let path = try file.write(folder)
    let before = peakMemory()
    let error = #expect(throws: ImportError.self) { try ONNX.read(path: path) }
    let text = error?.description ?? ""
    #expect(text.contains(file.says), "\(text)")
    #expect(text.hasPrefix(path))
    #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 || $0.value == 0x202e })
    // The largest of these files has 2 MB.
    #expect(peakMemory() - before < 256 << 20)
  }

  @Test func undamagedFileOpens() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model.onnx")
    try Data(ONNXBytes.model(graph: ONNXBytes.graph()).bytes).write(to: URL(fileURLWithPath: path))
    let graph = try ONNX.read(path: path)
    #expect(graph.nodes.map(\.name) == ["product", "sum", "relu"])
    #expect(graph.constants["b"]?.array(of: Float.self) == [1, 2, 3, 4])
    #expect(graph.constants["w"]?.storage.isMapped == true)
  }

  @Test func everyTruncationIsRefused() throws {
    let folder = try TemporaryFolder()
    let whole = ONNXBytes.model(graph: ONNXBytes.graph()).bytes
    let path = folder.path("model.onnx")
    for length in whole.indices {
      try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: path))
      #expect(throws: ImportError.self, "first \(length) bytes") { try ONNX.read(path: path) }
    }
  }

  /// Random damage: the file may still be a model, but nothing else than `ImportError` may come of it.
  @Test func changedBytesNeverCrash() throws {
    let folder = try TemporaryFolder()
    let whole = ONNXBytes.model(graph: ONNXBytes.graph()).bytes
    let path = folder.path("model.onnx")
    var random = SplitMix(state: 1)
    var refused = 0
    for _ in 0..<4000 {
      var bytes = whole
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      do {
        _ = try ONNX.read(path: path)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1000)
  }

  @Test func foldersAndMissingFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    let missing = #expect(throws: ImportError.self) { try ONNX.read(path: folder.path("none.onnx")) }
    #expect(missing?.description.contains("No such file") == true)
    let directory = #expect(throws: ImportError.self) { try ONNX.read(path: folder.url.path) }
    #expect(directory?.description.contains("not a regular file") == true)
  }

  /// The sentence, word for word.
  @Test func errorSaysWhatToDo() {
    let error = ImportError(
      file: "m.onnx", place: .tensor("w\u{1b}[0m"), reason: .count(what: "bytes", found: 3, expected: 4))
    #expect(
      error.description
        == "m.onnx, tensor \"w[0m\": wrong number of bytes (found 3, expected 4). Export the model again.")
  }
}
