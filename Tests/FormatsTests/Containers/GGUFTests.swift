import Formats
import Foundation
import Tensors
import Testing

@Suite struct GGUFTests {
  /// Every type of value, alone and in lists, and lists of lists.
  static let everyValue: GGUFMetadata = {
    var metadata = GGUFMetadata()
    let values: [GGUFValue] = [
      .uint8(200), .int8(-100), .uint16(60_000), .int16(-30_000), .uint32(4_000_000_000),
      .int32(-2_000_000_000),
      .uint64(.max), .int64(.min), .float32(-0.1), .float64(1e300), .bool(true), .string("naïve ✓"),
      .string(""),
      .array(.uint8([1, 255])), .array(.int8([-1, 127])), .array(.uint16([1])), .array(.int16([-1])),
      .array(.uint32([7, 8])), .array(.int32([-7])), .array(.uint64([.max])), .array(.int64([.min])),
      .array(.float32([1.5, -.infinity])), .array(.float64([.pi])), .array(.bool([true, false])),
      .array(.string(["a", "", "ü"])),
      .array(.array([.int32([1, 2]), .string(["x"]), .array([.bool([])])])),
      .array(.string([])),
    ]
    for (index, value) in values.enumerated() { metadata["key.\(values.count - index)"] = value }
    return metadata
  }()

  @Test func everyValueComesBackInOrder() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.gguf")
    try GGUFWriter([], metadata: Self.everyValue, path: path).write()
    let file = try GGUFFile.open(path)
    #expect(file.version == 3)
    #expect(file.metadata.keys == Self.everyValue.keys)
    for (key, value) in Self.everyValue.entries { #expect(file.metadata[key] == value, "\(key)") }
  }

  @Test(arguments: [nil, 8, 64, 4096]) func tensorsComeBackAligned(_ alignment: UInt32?) throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.gguf")
    var metadata = GGUFMetadata()
    metadata["general.alignment"] = alignment.map { .uint32($0) }
    let row = (0..<96).map { Float($0) / 7 - 5 }
    let float = Tensor(row, shape: [3, 32])
    let q8 = try #require(GGMLType.named("Q8_0"))
    let format = try #require(q8.format)
    let blocks = Tensor(shape: [3 * 34], type: .uint8) { out in
      row.withUnsafeBufferPointer { row in
        guard let from = row.baseAddress, let to = out.baseAddress else { return }
        format.encode(from, count: 96, importance: nil, into: to)
      }
    }
    let writer = try GGUFWriter(
      [
        TensorOutput("f32", float), TensorOutput("f16", float.converted(to: .float16)),
        TensorOutput("scalar", Tensor(scalar: Float(3))),
        TensorOutput("q8", shape: [3, 32], kind: .blocks(q8)) { sink in
          try blocks.withBytes { try sink.append($0) }
        },
        TensorOutput("bf16", float.converted(to: .bfloat16)),
        TensorOutput("i32", Tensor([Int32(1), -2, 3], shape: [3])),
        TensorOutput("none", Tensor([Float](), shape: [0, 4])),
      ], metadata: metadata, path: path)
    try writer.write()
    let file = try GGUFFile.open(path)
    #expect(file.alignment == Int(alignment ?? 32))
    #expect(file.weights.tensors.map(\.name) == ["f32", "f16", "scalar", "q8", "bf16", "i32", "none"])
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == writer.fileSize)
    for tensor in file.weights.tensors where tensor.count > 0 {
      #expect(Int(bitPattern: tensor.storage.bytes.baseAddress) % file.alignment == 0, "\(tensor.name)")
      #expect(tensor.storage.isMapped)
    }
    #expect(file.weights["f32"]?.tensor?.floats == row)
    #expect(file.weights["q8"]?.typeName == "Q8_0")
    #expect(file.weights["q8"]?.blocks?.shape == [3, 34])
    let q8Floats = try #require(file.weights["q8"]).floats(threads: 2)
    #expect(zip(q8Floats.floats, row).allSatisfy { abs($0 - $1) < 0.05 })
    #expect(q8Floats.floats != row)
    #expect(file.weights["i32"]?.tensor?.integers == [1, -2, 3])
    #expect(file.weights["scalar"]?.shape == [])
    #expect(file.weights["none"]?.count == 0)
    // Rows alone are rows of the whole.
    for name in ["f32", "f16", "bf16", "q8", "i32"] {
      let tensor = try #require(file.weights[name])
      let whole = try tensor.floats(threads: 1).floats
      let last = tensor.rowCount - 1
      var part = [Float](repeating: 0, count: tensor.rowLength)
      try part.withUnsafeMutableBufferPointer { out in
        try tensor.decode(rows: last..<last + 1, into: #require(out.baseAddress))
      }
      #expect(part == Array(whole.suffix(tensor.rowLength)), "\(name)")
    }
  }

  /// What gguf-py wrote, written again, is the same file.
  @Test(.enabled(if: Shared.exists), arguments: ["f16", "q8_0", "q4_0"])
  func sharedFileWrittenAgainIsTheSame(_ type: String) throws {
    let path = Self.sharedModel(type)
    let file = try GGUFFile.open(path)
    #expect(file.weights.tensors.count == 20)
    #expect(try file.metadata.integer("llama.block_count") == 2)
    #expect(try file.metadata.strings("tokenizer.ggml.tokens")?.count == 2048)
    #expect(file.weights["blk.0.ffn_down.weight"]?.shape == [128, 384])
    #expect(file.weights["blk.0.ffn_down.weight"]?.typeName == type.uppercased())
    let folder = try TemporaryFolder()
    let copy = folder.path("copy.gguf")
    try GGUFWriter(file.weights.tensors.map { TensorOutput($0) }, metadata: file.metadata, path: copy).write()
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// The GGUF files were made from the safetensors file.
  @Test(.enabled(if: Shared.exists)) func sharedFilesHoldTheSameNumbers() throws {
    let folder = try HuggingFaceFolder.open(Self.sharedFolder)
    #expect(folder.config["model_type"]?.string == "llama")
    #expect(folder.generation?.object != nil)
    #expect(folder.file("tokenizer.json") != nil)
    #expect(folder.file("merges.txt") == nil)
    let whole = try #require(folder.weights["model.layers.1.mlp.down_proj.weight"]).floats(threads: 1).floats
    #expect(whole.count == 128 * 384)
    let scale = whole.reduce(0) { max($0, abs($1)) }
    for (type, bound) in [("f16", Float(0.0005)), ("q8_0", 0.005), ("q4_0", 0.08)] {
      let tensor = try #require(try GGUFFile.open(Self.sharedModel(type)).weights["blk.1.ffn_down.weight"])
      let floats = try tensor.floats(threads: 2).floats
      let worst = zip(floats, whole).map { abs($0 - $1) }.max() ?? .infinity
      #expect(worst <= bound * scale, "\(type): \(worst / scale)")
      #expect(worst > 0 || type == "f16")
    }
  }

  @Test func modelInPartsIsOneModel() throws {
    let folder = try TemporaryFolder()
    let names = (1...3).map { folder.path("m-0000\($0)-of-00003.gguf") }
    for (index, path) in names.enumerated() {
      var metadata = GGUFMetadata()
      if index == 0 { metadata["general.name"] = .string("three parts") }
      metadata["split.no"] = .uint16(UInt16(index))
      metadata["split.count"] = .uint16(3)
      metadata["split.tensors.count"] = .int32(3)
      let tensor = Tensor([Float](repeating: Float(index), count: 4), shape: [4])
      try GGUFWriter([TensorOutput("t\(index)", tensor)], metadata: metadata, path: path).write()
    }
    for path in names {
      let file = try GGUFFile.open(path)
      #expect(file.metadata["general.name"]?.string == "three parts")
      #expect(file.weights.tensors.map(\.name) == ["t0", "t1", "t2"])
      #expect(file.weights["t2"]?.tensor?.floats == [2, 2, 2, 2])
    }
  }

  @Test func unknownBlocksAreNamedButNotRead() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.gguf")
    let type = try #require(GGMLType.named("IQ2_XXS"))
    let bytes = Tensor([UInt8](repeating: 7, count: 66), shape: [66])
    try GGUFWriter(
      [
        TensorOutput("w", shape: [1, 256], kind: .blocks(type)) { sink in
          try bytes.withBytes { try sink.append($0) }
        }
      ],
      metadata: GGUFMetadata(), path: path
    ).write()
    let tensor = try #require(try GGUFFile.open(path).weights["w"])
    #expect(tensor.typeName == "IQ2_XXS")
    #expect(tensor.blocks?.byteCount == 66)
    let error = #expect(throws: ImportError.self) { try tensor.floats(threads: 1) }
    #expect(error?.description.contains("IQ2_XXS is not supported") == true)
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.gguf")
    let tensor = Tensor([Float(1), 2], shape: [2])
    let q4 = try #require(GGMLType.named("Q4_0"))
    for (tensors, says) in [
      ([TensorOutput("a", tensor), TensorOutput("a", tensor)], "twice"),
      ([TensorOutput(String(repeating: "n", count: 64), tensor)], "longer than 63"),
      ([TensorOutput("a", tensor.reshaped([1, 1, 1, 1, 2]))], "5 axes"),
      ([TensorOutput("a", Tensor([UInt16(1)], shape: [1]))], "no type"),
      ([TensorOutput("a", shape: [2, 16], kind: .blocks(q4)) { _ in }], "no whole number of Q4_0 blocks"),
      ([TensorOutput("a", shape: [2], kind: .numbers(.float32)) { _ in }], "has 0 bytes"),
      (
        [
          TensorOutput("a", shape: [2], kind: .numbers(.float32)) {
            try $0.append(UnsafeRawBufferPointer(start: nil, count: 0))
          }
        ],
        "has 0 bytes"
      ),
      (
        [
          TensorOutput("a", shape: [1], kind: .numbers(.float32)) { sink in
            try tensor.withBytes { try sink.append($0) }
          }
        ],
        "has 8 bytes"
      ),
    ] {
      let error = #expect(throws: ExportError.self) {
        try GGUFWriter(tensors, metadata: GGUFMetadata(), path: path).write()
      }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
    // Nothing is left behind, neither the file nor a part of it.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
  }

  @Test func typedMetadataSaysWhatIsWrong() throws {
    var metadata = GGUFMetadata(file: "m.gguf")
    metadata["a"] = .string("x")
    #expect(try metadata.integer("b") == nil)
    #expect(try metadata.string("a") == "x")
    let error = #expect(throws: ImportError.self) { try metadata.integer("a") }
    #expect(
      error?.description
        == "m.gguf, metadata \"a\": a value of type string stands where a whole number must. "
        + "The file is damaged or of another format.")
    #expect(throws: ImportError.self) { try metadata.required("b", metadata.string("b")) }
  }

  @Test func importanceMatrixComesBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("imatrix.gguf")
    let matrix = ImportanceMatrix(
      datasets: ["wiki.txt"], chunks: 3, chunkSize: 512,
      entries: [
        .init(name: "blk.0.attn_q.weight", sums: [2, 4, 8], counts: [2]),
        .init(name: "blk.0.ffn_up_exps.weight", sums: [3, 6, 5, 5], counts: [3, 0]),
      ])
    try matrix.write(path: path)
    let read = try ImportanceMatrix.read(path: path)
    #expect(read == matrix)
    #expect(read["blk.0.attn_q.weight"]?.means == [1, 2, 4])
    #expect(read["blk.0.ffn_up_exps.weight"]?.means == [1, 2, 1, 1])
    let other = folder.path("m.gguf")
    try GGUFWriter([], metadata: GGUFMetadata(), path: other).write()
    #expect(throws: ImportError.self) { try ImportanceMatrix.read(path: other) }
  }

  static let sharedFolder = Shared.folder.appendingPathComponent("models/llm/tinystories-656K").path
  static func sharedModel(_ type: String) -> String { sharedFolder + "/tinystories-656K-\(type).gguf" }
}
