import Formats
import Foundation
import Graph
import Testing

@testable import LanguageModels
@testable import Tensors

/// What is written as GGUF is the model it was written from.
struct WriteGGUFTests {
  /// What has no place in GGUF, by the model it is met in.
  private static let notes = [
    "llama-dynamic": "rotations that change with the length beyond 16 tokens are not written.",
    "mistral": "llama.cpp may not use the window of 5 tokens for llama.",
    "qwen2-window": "the blocks with a window are written as a list, which llama.cpp may not read.",
    "gemma2": "the scale 0.2236068 of scores is written as attention.scale, which llama.cpp may not read.",
    "phi3": "llama.cpp may not use the window of 7 tokens for phi3.",
  ]

  @Test(arguments: DecoderFixture.names)
  func everyArchitectureComesBack(_ name: String) throws {
    let fixture = try DecoderFixture(name)
    try withFolder { folder in
      let model = try LanguageModel.open(
        fixture.write(to: folder.appendingPathComponent("model")), positions: fixture.positions)
      let path = folder.appendingPathComponent("model.gguf").path
      let all = try model.writeGGUF(to: path)
      // The folder has no tokenizer.json.
      let notes = all.filter { !$0.hasPrefix("the file has no vocabulary") }
      #expect(all.count == notes.count + 1)
      if let note = Self.notes[name] {
        #expect(notes == [note])
      } else {
        #expect(notes == [] || name == "gemma3")
      }
      let back = try LanguageModel.open(path, positions: fixture.positions)
      #expect(back.format == "gguf")
      // The growth of the base is the one thing that is lost, as the note says.
      guard name != "llama-dynamic" else { return }
      let (first, second) = (try model.logits(fixture.tokens), try back.logits(fixture.tokens))
      #expect(zip(first, second).map { abs($0 - $1) }.max() ?? .infinity < 1e-4)
      // And from there once more: now nothing is turned round.
      let again = folder.appendingPathComponent("again.gguf").path
      #expect(try back.writeGGUF(to: again).isEmpty)
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: again)) == Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }

  /// Blocks of a candidate are written as they are, their rows in the order of the file.
  @Test(arguments: ["llama", "phi3", "gpt-neox"])
  func blocksAreKept(_ name: String) throws {
    let fixture = try DecoderFixture(name)
    try withFolder { folder in
      let model = try LanguageModel.open(fixture.write(to: folder.appendingPathComponent("model")))
      var encoded = EncodedGraph(graph: model.graph)
      var rounded = model
      for (constant, tensor) in model.graph.constants
      where constant.hasSuffix(".weight") && tensor.rank == 2 {
        let weight = try tensor.inBlocks(of: Q8_0())
        encoded.weights[constant] = weight
        rounded.graph.constants[constant] = weight.decoded
      }
      let path = folder.appendingPathComponent("model.gguf").path
      _ = try model.writeGGUF(encoded, to: path)
      let back = try LanguageModel.open(path)
      let file = try GGUFFile.open(path)
      #expect(file.weights["blk.0.attn_output.weight"]?.typeName == "Q8_0")
      #expect(file.weights["blk.0.attn_norm.weight"]?.typeName == "F32")
      #expect(file.metadata["general.file_type"]?.integer == 7)
      #expect(
        back.stored["blocks/1/attention/v.weight"]?.blocks?.shape == [name == "gpt-neox" ? 64 : 32, 68])
      let (first, second) = (try rounded.logits(fixture.tokens), try back.logits(fixture.tokens))
      #expect(zip(first, second).map { abs($0 - $1) }.max() ?? .infinity < 1e-4)
    }
  }

  /// A file made row by row from a folder holds the same blocks as one made from a candidate.
  @Test(arguments: ["llama-bias", "llama-3", "phi3", "gpt2", "gpt-neox", "gemma2"])
  func rowsAreQuantized(_ name: String) throws {
    let fixture = try DecoderFixture(name)
    try withFolder { folder in
      let model = try LanguageModel.open(fixture.write(to: folder.appendingPathComponent("model")))
      var encoded = EncodedGraph(graph: model.graph)
      for (constant, tensor) in model.graph.constants
      where constant.hasSuffix(".weight") && tensor.rank == 2 && constant != "position-embedding.weight" {
        encoded.weights[constant] = try tensor.inBlocks(of: Q8_0())
      }
      let candidate = folder.appendingPathComponent("candidate.gguf").path
      let notes = try model.writeGGUF(encoded, to: candidate)
      let rows = folder.appendingPathComponent("rows.gguf").path
      let mixture = try #require(Mixture.named("Q8_0"))
      let made = try FileQuantization.of(model, mixture, threads: 2)
      #expect(made.notes == notes)
      try made.work.write(to: rows)
      let (first, second) = (try GGUFFile.open(candidate), try GGUFFile.open(rows))
      #expect(first.metadata.entries.map(\.key).sorted() == second.metadata.entries.map(\.key).sorted())
      #expect(Set(first.weights.tensors.map(\.name)) == Set(second.weights.tensors.map(\.name)))
      for tensor in first.weights.tensors {
        let other = try #require(second.weights[tensor.name])
        #expect(other.typeName == tensor.typeName && other.shape == tensor.shape, "\(tensor.name)")
        #expect(tensor.storage.bytes.elementsEqual(other.storage.bytes), "\(tensor.name)")
      }
    }
  }

  /// Layers that are one tensor in the file have one type there.
  @Test func mixedTypesOfOneTensorBecomeHalves() throws {
    let fixture = try DecoderFixture("phi3")
    try withFolder { folder in
      let model = try LanguageModel.open(fixture.write(to: folder.appendingPathComponent("model")))
      var encoded = EncodedGraph(graph: model.graph)
      let name = "blocks/0/attention/k.weight"
      encoded.weights[name] = try #require(model.graph.constants[name]).inBlocks(of: Q8_0())
      let path = folder.appendingPathComponent("model.gguf").path
      let notes = try model.writeGGUF(encoded, to: path)
      #expect(
        notes.contains(
          "blk.0.attn_qkv.weight is one tensor in GGUF, but blocks/0/attention/q.weight, "
            + "blocks/0/attention/k.weight, blocks/0/attention/v.weight have different types: it is F16."))
      #expect(try GGUFFile.open(path).weights["blk.0.attn_qkv.weight"]?.typeName == "F16")
      let back = try LanguageModel.open(path)
      let decoded = try #require(encoded.weights[name]).decoded.converted(to: .float16).floats
      #expect(back.graph.constants[name]?.floats == decoded)
    }
  }
}

extension Tensor {
  /// A float32 matrix in blocks.
  fileprivate func inBlocks(of format: any BlockFormat) throws -> EncodedTensor {
    let (rows, columns) = (shape[0], shape[1])
    let (bits, group) = try #require(format.uniform)
    let bytes = columns / format.elements * format.bytes
    let blocks = withElements(of: Float.self) { x in
      Tensor(shape: [rows, bytes], type: .uint8) { out in
        guard let from = x.baseAddress, let to = out.baseAddress else { return }
        for row in 0..<rows {
          format.encode(from + row * columns, count: columns, importance: nil, into: to + row * bytes)
        }
      }
    }
    var scales = [Float](repeating: 0, count: count / group)
    var minimums = scales
    let codes = blocks.withBytes { bytes in
      Tensor(of: Int8.self, shape: shape) { codes in
        guard let from = bytes.baseAddress, let to = codes.baseAddress else { return }
        format.unpack(from, count: count, codes: to, scales: &scales, minimums: &minimums)
      }
    }
    let scheme = Scheme(bits: bits, symmetry: .symmetric, granularity: .group(group), format: format.name)
    return EncodedTensor(
      codes: codes,
      encoding: Encoding(
        scheme: scheme, channelAxis: 0, groupAxis: 1, scales: scales,
        zeroPoints: [Int32](repeating: 0, count: scales.count), codes: -128...127), blocks: blocks)
  }
}
