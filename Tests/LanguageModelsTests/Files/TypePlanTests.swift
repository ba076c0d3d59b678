import Formats
import LanguageModels
import Tensors
import Testing

@Suite struct TypePlanTests {
  private func types(
    _ mixture: String, of file: GGUFFile, hasImportance: Bool = false
  ) throws -> [String: String] {
    let plan = TypePlan(
      try #require(Mixture.named(mixture)), tensors: file.weights.tensors.map { WeightRows($0) },
      context: try TypePlan.Context(file.metadata, hasImportance: hasImportance))
    return Dictionary(uniqueKeysWithValues: plan.choices.map { ($0.name, $0.effective.name) })
  }

  @Test func mixturesNameTypesThereAre() {
    for mixture in Mixture.all {
      #expect(GGMLType.named(mixture.base)?.isReadable == true, "\(mixture.name)")
      #expect(Mixture.named(mixture.name.lowercased())?.fileType == mixture.fileType)
    }
    #expect(Set(Mixture.all.map(\.fileType)).count == Mixture.all.count)
    #expect(Mixture.named("Q9_K") == nil)
  }

  /// Sixteen blocks: more bits for the first two, the last two, and every third between, counted from the third.
  @Test func moreBitsForSomeLayers() throws {
    let path = WeightFiles.temporary("m.gguf")
    let file = try WeightFiles.made(blocks: 16, width: 256, keyWidth: 256, feedForward: 256, path: path)
    let types = try types("Q4_K_M", of: file)
    let more = (0..<16).filter { types["blk.\($0).attn_v.weight"] == "Q6_K" }
    #expect(more == [0, 1, 4, 7, 10, 13, 14, 15])
    #expect((0..<16).filter { types["blk.\($0).ffn_down.weight"] == "Q6_K" } == more)
    #expect(types["blk.2.attn_v.weight"] == "Q4_K")
    #expect(types["blk.0.attn_q.weight"] == "Q4_K")
    #expect(types["output.weight"] == "Q6_K")
    #expect(types["token_embd.weight"] == "Q4_K")
    #expect(types["blk.0.attn_norm.weight"] == "F32")
    let small = try self.types("Q3_K_M", of: file)
    #expect(
      (0..<16).map { small["blk.\($0).attn_v.weight"] } == ["Q5_K", "Q5_K"]
        + Array(repeating: "Q4_K", count: 14))
    #expect(small["blk.0.ffn_down.weight"] == "Q5_K")
    #expect(small["blk.1.ffn_down.weight"] == "Q4_K")
    #expect(small["blk.9.attn_output.weight"] == "Q4_K")
    let q40 = try self.types("Q4_0", of: file, hasImportance: true)
    #expect((0..<16).filter { q40["blk.\($0).ffn_down.weight"] == "Q4_1" } == [0, 1])
    #expect(try self.types("Q4_0", of: file)["blk.0.ffn_down.weight"] == "Q4_0")
    #expect(try self.types("Q8_0", of: file)["output.weight"] == "Q8_0")
    #expect(try self.types("Q2_K", of: file)["blk.0.attn_v.weight"] == "Q3_K")
  }

  @Test func sharedKeysTiedEmbeddingsAndExperts() throws {
    let grouped = try WeightFiles.made(
      blocks: 1, width: 256, keyWidth: 64, feedForward: 256, isTied: true,
      path: WeightFiles.temporary("a.gguf"))
    #expect(try types("Q2_K", of: grouped)["blk.0.attn_v.weight"] == "Q4_K")
    #expect(try types("Q2_K", of: grouped)["token_embd.weight"] == "Q6_K")
    #expect(try types("Q4_0", of: grouped)["token_embd.weight"] == "Q6_K")
    let experts = try WeightFiles.made(
      blocks: 1, width: 256, keyWidth: 256, feedForward: 256, experts: 8,
      path: WeightFiles.temporary("b.gguf"))
    let types = try types("Q3_K_M", of: experts)
    #expect(types["blk.0.attn_k.weight"] == "Q8_0")
    #expect(types["blk.0.attn_v.weight"] == "Q8_0")
    #expect(types["blk.0.attn_output.weight"] == "Q5_K")
  }

  /// Rows of 128 and 384 are no whole number of blocks of 256, rows of 40 none of 32.
  @Test func rowsThatDoNotFitFallBack() throws {
    let path = WeightFiles.temporary("m.gguf")
    let file = try WeightFiles.made(blocks: 1, width: 128, keyWidth: 64, feedForward: 40, path: path)
    for (mixture, expected) in [
      ("Q2_K", "Q4_0"), ("Q3_K_S", "Q4_0"), ("Q4_K_S", "Q5_0"), ("Q5_K_S", "Q5_1"), ("Q6_K", "Q8_0"),
    ] {
      let plan = TypePlan(
        try #require(Mixture.named(mixture)), tensors: file.weights.tensors.map { WeightRows($0) },
        context: try TypePlan.Context(file.metadata, hasImportance: false))
      let query = try #require(plan.choices.first { $0.name == "blk.0.attn_q.weight" })
      #expect(query.requested.name == String(mixture.prefix(4)))
      #expect(query.effective.name == expected)
      #expect(query.isFallback)
      let down = try #require(plan.choices.first { $0.name == "blk.0.ffn_down.weight" })
      #expect(down.effective.name == "F16")
      let output = try #require(plan.choices.first { $0.name == "output.weight" })
      #expect(output.requested.name == "Q6_K" && output.effective.name == "Q8_0")
      #expect(plan.fallbacks.count == 9)
    }
  }
}
