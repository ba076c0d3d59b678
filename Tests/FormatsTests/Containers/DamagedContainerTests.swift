import Formats
import Foundation
import Tensors
import Testing

/// Weight files are hostile input: each damaged one ends in an error that says where and what.
@Suite struct DamagedContainerTests {
  @Test func thereAreEnoughOfThem() {
    #expect(DamagedContainer.gguf.count >= 50)
    #expect(DamagedContainer.safetensors.count + DamagedContainer.folders.count >= 50)
  }

  @Test(arguments: DamagedContainer.gguf) func damagedGGUFIsRefused(_ file: DamagedContainer) throws {
    try check(file) { _ = try GGUFFile.open($0) }
  }

  @Test(arguments: DamagedContainer.safetensors) func damagedSafetensorsIsRefused(_ file: DamagedContainer)
    throws
  {
    try check(file) { _ = try SafetensorsFile.open($0) }
  }

  @Test(arguments: DamagedContainer.folders) func damagedFolderIsRefused(_ folder: DamagedContainer) throws {
    try check(folder) { _ = try HuggingFaceFolder.open($0) }
  }

  private func check(_ file: DamagedContainer, _ open: (String) throws -> Void) throws {
    let folder = try TemporaryFolder()
    let path = try file.write(folder)
    let before = peakMemory()
    let error = #expect(throws: ImportError.self) { try open(path) }
    let text = error?.description ?? ""
    #expect(text.contains(file.says), "\(text)")
    #expect(text.hasPrefix(folder.url.path))
    #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 })
    #expect(peakMemory() - before < 256 << 20)
  }

  @Test func undamagedFilesOpen() throws {
    let folder = try TemporaryFolder()
    let gguf = folder.path("m.gguf")
    try Data(GGUFBuilder.small.bytes).write(to: URL(fileURLWithPath: gguf))
    let file = try GGUFFile.open(gguf)
    #expect(file.weights["w"]?.shape == [2, 4])
    #expect(file.weights["b"]?.tensor?.floats == [8, 9, 10, 11])
    let safetensors = folder.path("m.safetensors")
    try Data(DamagedContainer.smallSafetensors).write(to: URL(fileURLWithPath: safetensors))
    #expect(try SafetensorsFile.open(safetensors).weights["w"]?.shape == [2, 4])
  }

  /// Padding after the last tensor may be missing; nothing else may.
  @Test func everyTruncationIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model")
    let gguf = GGUFBuilder.small.bytes
    for length in 0..<gguf.count - 16 {
      try Data(gguf.prefix(length)).write(to: URL(fileURLWithPath: path))
      #expect(throws: ImportError.self, "first \(length) bytes") { try GGUFFile.open(path) }
    }
    for length in DamagedContainer.smallSafetensors.indices {
      try Data(DamagedContainer.smallSafetensors.prefix(length)).write(to: URL(fileURLWithPath: path))
      #expect(throws: ImportError.self, "first \(length) bytes") { try SafetensorsFile.open(path) }
    }
  }

  /// Random damage: the file may still open, but nothing else than `ImportError` may come of it, also where the values
  /// of what opened are read.
  @Test func changedBytesNeverCrash() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("model")
    var random = SplitMix(state: 7)
    for (whole, open) in [
      (GGUFBuilder.small.bytes, { try GGUFFile.open($0).weights }),
      (DamagedContainer.smallSafetensors, { try SafetensorsFile.open($0).weights }),
    ] as [([UInt8], (String) throws -> WeightTable)] {
      var refused = 0
      for _ in 0..<1000 {
        var bytes = whole
        for _ in 0...Int.random(in: 0..<3, using: &random) {
          bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        do {
          for tensor in try open(path).tensors { _ = try tensor.floats(threads: 1) }
        } catch is ImportError { refused += 1 }
      }
      #expect(refused > 200)
    }
  }
}
