import Formats
import Foundation
import Tensors
import Testing

/// Leaves files in `.build/interop` for the readers they are for (`Tests/Interop`), and the numbers they must find.
@Suite struct InteropFilesTests {
  static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent(".build/interop")

  private func path(_ name: String) throws -> String {
    let path = Self.folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    return path.path
  }

  private func write(_ values: [Float], _ name: String) throws {
    try values.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: path(name)))
  }

  @Test func metadataAndTensors() throws {
    let gguf = try path("values.gguf")
    let tensor = Tensor((0..<24).map { Float($0) / 3 }, shape: [2, 3, 4])
    try GGUFWriter(
      [TensorOutput("f32", tensor), TensorOutput("f16", tensor.converted(to: .float16))],
      metadata: GGUFTests.everyValue, path: gguf
    ).write()
    let safetensors = try path("types.safetensors")
    try SafetensorsWriter.write(
      SafetensorsTests.everyType, metadata: [("format", "pt"), ("made by", "lathe ✓")], path: safetensors)
    try ImportanceMatrix(
      datasets: ["a.txt", "b.txt"], chunks: 2, chunkSize: 128,
      entries: [.init(name: "blk.0.attn_q.weight", sums: [2, 4, 8], counts: [2])]
    ).write(path: path("imatrix.gguf"))
    #expect(FileManager.default.fileExists(atPath: gguf))
  }

  @Test(.enabled(if: Shared.exists), arguments: ["q4_0", "q8_0"]) func decodedBlocks(_ type: String) throws {
    let file = try GGUFFile.open(GGUFTests.sharedModel(type))
    for tensor in file.weights.tensors {
      let values = try tensor.floats(threads: 2).floats
      #expect(values.allSatisfy { $0.isFinite })
      try write(values, "decoded-\(type)/\(tensor.name).f32")
    }
  }

  @Test(.enabled(if: Shared.exists)) func compressedTensors() throws {
    let source = try HuggingFaceFolder.open(GGUFTests.sharedFolder)
    let modules = try CompressedExample.modules(of: source)
    try CompressedTensors.write(modules, source: source, folder: path("compressed"))
    for (name, weight) in modules {
      let values = CompressedExample.reals(weight)
      #expect(Set(values).count > 2)
      try write(values, "compressed-values/\(name).f32")
    }
  }
}
