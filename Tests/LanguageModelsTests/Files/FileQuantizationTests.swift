import Formats
import Foundation
import LanguageModels
import Tensors
import Testing

@Suite struct FileQuantizationTests {
  /// Writes the shared model in each mixture; left for llama.cpp to open.
  @Test(
    .enabled(if: WeightFiles.haveShared), arguments: Mixture.all.filter { !$0.needsImportance }.map(\.name))
  func sharedModelInEveryMixture(_ name: String) throws {
    let mixture = try #require(Mixture.named(name))
    let file = try WeightFiles.model("f16")
    let path = try WeightFiles.interop("mixtures/\(name).gguf")
    let work = try FileQuantization(file, mixture, threads: 2)
    try work.write(to: path)
    let written = try GGUFFile.open(path)
    #expect(written.metadata["general.file_type"] == .uint32(mixture.fileType))
    #expect(written.weights.tensors.map(\.name) == file.weights.tensors.map(\.name))
    #expect(written.metadata["tokenizer.ggml.tokens"] == file.metadata["tokenizer.ggml.tokens"])
    for tensor in written.weights.tensors {
      let original = try #require(file.weights[tensor.name]).floats(threads: 1).floats
      let values = try tensor.floats(threads: 1).floats
      let error = zip(values, original).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let energy = original.reduce(Float(0)) { $0 + $1 * $1 }
      // Two bits keep a signal 6 times larger than the noise; nothing here has fewer.
      #expect(error < energy / 30, "\(tensor.name) \(tensor.typeName): \(error / energy)")
    }
  }

  @Test(.enabled(if: WeightFiles.haveShared)) func blocksEqualTheirEncoder() throws {
    let file = try WeightFiles.model("f16")
    let path = WeightFiles.temporary("q8.gguf")
    defer { unlink(path) }
    try FileQuantization(file, #require(Mixture.named("Q8_0")), threads: 2).write(to: path)
    let written = try GGUFFile.open(path)
    let reference = try WeightFiles.model("q8_0")
    for tensor in written.weights.tensors where tensor.format != nil {
      #expect(try blocks(written, tensor.name) == blocks(reference, tensor.name), "\(tensor.name)")
    }
    #expect(written.weights.tensors.map(\.typeName) == reference.weights.tensors.map(\.typeName))
  }

  /// The same bytes on any number of threads, and no buffer for the whole of a tensor of 12 million weights.
  @Test func threadsDoNotMatterAndMemoryIsBounded() throws {
    let source = WeightFiles.temporary("wide.gguf")
    defer { unlink(source) }
    let shape = [12_000, 1024]
    try GGUFWriter(
      [
        TensorOutput("blk.0.ffn_up.weight", shape: shape, kind: .numbers(.float32)) { sink in
          for row in 0..<shape[0] {
            let values = (0..<shape[1]).map { Float(($0 &* 7919 &+ row &* 104_729) % 2039) / 1000 - 1 }
            try values.withUnsafeBytes { try sink.append($0) }
          }
        }
      ], metadata: GGUFMetadata(), path: source
    ).write()
    let file = try GGUFFile.open(source)
    let mixture = try #require(Mixture.named("Q8_0"))
    var outputs: [Data] = []
    for threads in [1, 3] {
      let path = WeightFiles.temporary("q8.gguf")
      defer { unlink(path) }
      let work = try FileQuantization(file, mixture, threads: threads)
      #expect(work.workingSet < 20 << 20)
      var last = 0
      var reports = 0
      try work.write(to: path) { done, total, _ in
        #expect(done >= last && done <= total && total == 12_000 * 1024)
        last = done
        reports += 1
      }
      #expect(last == 12_000 * 1024)
      #expect(reports > 2)
      outputs.append(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    #expect(outputs[0] == outputs[1])
    #expect(outputs[0].count > 12_000 * 1024)
  }

  @Test(.enabled(if: WeightFiles.haveShared)) func importanceReachesTheEncoder() throws {
    let file = try WeightFiles.model("f16")
    let name = "blk.0.attn_q.weight"
    let path = WeightFiles.temporary("q4.gguf")
    defer { unlink(path) }
    let mixture = try #require(Mixture.named("Q4_0"))
    // The first quarter of the inputs counts a thousand times more.
    let sums = (0..<128).map { Float($0 < 32 ? 1000 : 1) }
    func written(_ importance: ImportanceMatrix?) throws -> (floats: [Float], metadata: GGUFMetadata) {
      try FileQuantization(
        file, mixture, importance: importance.map { ($0, "my.gguf") }, threads: 1
      ).write(to: path)
      let result = try GGUFFile.open(path)
      return (try #require(result.weights[name]).floats(threads: 1).floats, result.metadata)
    }
    let original = try #require(file.weights[name]).floats(threads: 1).floats
    func error(_ x: [Float]) -> Float {
      zip(x, original).enumerated().reduce(0) {
        $0 + sums[$1.offset % 128] * ($1.element.0 - $1.element.1) * ($1.element.0 - $1.element.1)
      }
    }
    let plain = try written(nil)
    let matrix = ImportanceMatrix(
      datasets: ["a", "b"], chunks: 4, chunkSize: 32, entries: [.init(name: name, sums: sums, counts: [1])])
    let weighted = try written(matrix)
    #expect(error(weighted.floats) < error(plain.floats))
    #expect(weighted.metadata["quantize.imatrix.file"] == .string("my.gguf"))
    #expect(weighted.metadata["quantize.imatrix.chunks_count"] == .uint32(4))
    #expect(plain.metadata["quantize.imatrix.file"] == nil)
    let wrong = ImportanceMatrix(
      datasets: [], chunks: 1, chunkSize: 1, entries: [.init(name: name, sums: [1, 2], counts: [1])])
    let failure = #expect(throws: FileQuantization.Failure.self) { try written(wrong) }
    #expect(failure == .importance(tensor: name, found: 2, expected: 128))
  }

  @Test(.enabled(if: WeightFiles.haveShared)) func blocksAreNotQuantizedAgainByMistake() throws {
    let file = try WeightFiles.model("q8_0")
    let mixture = try #require(Mixture.named("Q4_0"))
    let failure = #expect(throws: FileQuantization.Failure.self) {
      try FileQuantization(file, mixture, threads: 1)
    }
    #expect(failure?.description.contains("Q8_0 already") == true)
    let path = WeightFiles.temporary("again.gguf")
    defer { unlink(path) }
    try FileQuantization(file, mixture, threads: 1, allowsRequantizing: true).write(to: path)
    #expect(try GGUFFile.open(path).weights["blk.1.ffn_up.weight"]?.typeName == "Q4_0")
    // The same type is a copy, and needs no leave.
    try FileQuantization(file, #require(Mixture.named("Q8_0")), threads: 1).write(to: path)
    let (copy, original) = (try blocks(GGUFFile.open(path)), try blocks(file))
    #expect(copy == original)
  }

  private func blocks(_ file: GGUFFile, _ name: String = "blk.1.ffn_up.weight") throws -> [UInt8] {
    try #require(file.weights[name]?.blocks).array(of: UInt8.self)
  }

  @Test func weightsThatAreNoNumbersAreNamed() throws {
    let source = WeightFiles.temporary("nan.gguf")
    defer { unlink(source) }
    var values = [Float](repeating: 0.5, count: 64 * 32)
    values[40 * 32 + 3] = .nan
    values[41 * 32] = .infinity
    try GGUFWriter(
      [TensorOutput("blk.0.ffn_up.weight", Tensor(values, shape: [64, 32]))], metadata: GGUFMetadata(),
      path: source
    ).write()
    let file = try GGUFFile.open(source)
    for mixture in ["Q4_0", "Q8_0", "Q5_1"] {
      let work = try FileQuantization(file, #require(Mixture.named(mixture)), threads: 2)
      let path = WeightFiles.temporary("out.gguf")
      let failure = #expect(throws: FileQuantization.Failure.self) { try work.write(to: path) }
      #expect(failure == .notFinite(tensor: "blk.0.ffn_up.weight", row: 40))
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test(.enabled(if: WeightFiles.haveShared)) func whatProgressThrowsEndsTheWork() throws {
    let path = WeightFiles.temporary("out.gguf")
    let work = try FileQuantization(WeightFiles.model("f16"), #require(Mixture.named("Q4_0")), threads: 1)
    #expect(throws: CancellationError.self) {
      try work.write(to: path) { done, total, _ in if done > total / 2 { throw CancellationError() } }
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
