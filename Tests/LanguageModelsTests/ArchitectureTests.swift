import Execution
import Formats
import Foundation
import Graph
import Testing

@testable import LanguageModels
@testable import Tensors

/// Every architecture computes what Hugging Face transformers computes with the same numbers.
struct ArchitectureTests {
  @Test func everyArchitectureHasFixtures() throws {
    let types = try Set(DecoderFixture.names.map { try DecoderFixture($0).config["model_type"] as? String })
    for architecture in Architecture.all {
      #expect(architecture.modelTypes.contains { types.contains($0) }, "\(architecture.modelTypes)")
    }
  }

  @Test(arguments: DecoderFixture.names)
  func logitsEqualTheReference(_ name: String) throws {
    let fixture = try DecoderFixture(name)
    try withFolder { folder in
      let model = try LanguageModel.open(fixture.write(to: folder), positions: fixture.positions)
      #expect(model.format == "safetensors")
      let logits = try model.logits(fixture.tokens)
      #expect(distance(logits, fixture) < 1e-3)
      let compiled = try model.compiledLogits(fixture.tokens)
      #expect(distance(compiled, fixture) < 1e-3)
    }
  }

  /// Two samples at once, one of them padded at the end, are the samples by themselves.
  @Test(arguments: ["llama", "gemma3", "gpt2"])
  func samplesOfABatchAreApart(_ name: String) throws {
    let fixture = try DecoderFixture(name)
    try withFolder { folder in
      let model = try LanguageModel.open(fixture.write(to: folder))
      let other = fixture.tokens.map { ($0 + 11) % 96 }
      let alone = try model.logits(other)
      let short = Array(other[..<9]) + Array(repeating: 0, count: other.count - 9)
      let both = try model.graph.evaluate([
        "tokens": Tensor(integers: fixture.tokens + short, shape: [2, other.count]),
        "positions": Tensor(integers: Array(other.indices) + Array(other.indices), shape: [2, other.count]),
      ])["logits"]
      let floats = try #require(both?.floats)
      let size = alone.count / other.count
      let first = try model.logits(fixture.tokens)
      #expect(zip(floats, first).allSatisfy { abs($0 - $1) < 1e-4 })
      #expect(zip(floats[first.count..<first.count + 9 * size], alone).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  /// Half-precision weights give the graph of the same numbers in float32.
  @Test(arguments: [ElementType.float16, .bfloat16])
  func narrowWeightsAreDecoded(_ type: ElementType) throws {
    let fixture = try DecoderFixture("phi3")
    try withFolder { folder in
      let wide = try LanguageModel.open(fixture.write(to: folder.appendingPathComponent("wide")))
      let narrow = try LanguageModel.open(
        fixture.write(to: folder.appendingPathComponent("narrow"), as: type))
      for (name, tensor) in wide.graph.constants where tensor.type == .float32 && wide.stored[name] != nil {
        let expected = tensor.converted(to: type).floats
        #expect(narrow.graph.constants[name]?.floats == expected, "\(name)")
      }
      #expect(wide.stored.count == 2 * 7 + 2)
    }
  }
}

extension LanguageModel {
  /// Inputs for one sample from position 0.
  func inputs(_ tokens: [Int]) -> [ValueName: Tensor] {
    [
      "tokens": Tensor(integers: tokens, shape: [1, tokens.count]),
      "positions": Tensor(integers: Array(tokens.indices), shape: [1, tokens.count]),
    ]
  }

  /// Logits by the operators' reference computations.
  func logits(_ tokens: [Int]) throws -> [Float] {
    try #require(try graph.evaluate(inputs(tokens))["logits"]).floats
  }

  func compiledLogits(_ tokens: [Int]) throws -> [Float] {
    let inputs = inputs(tokens)
    let program = try compile(
      EncodedGraph(graph: graph), CompileOptions(inputShapes: inputs.mapValues(\.shape), threads: 2))
    return try #require(try program.run(inputs)["logits"]).floats
  }
}

/// The largest difference to the logits of the fixture's rows.
private func distance(_ logits: [Float], _ fixture: DecoderFixture) -> Float {
  guard let size = fixture.logits.first?.count, logits.count == size * fixture.tokens.count else {
    return .infinity
  }
  var largest: Float = 0
  for (row, expected) in zip(fixture.rows, fixture.logits) {
    for (i, value) in expected.enumerated() { largest = max(largest, abs(logits[row * size + i] - value)) }
  }
  return largest
}
