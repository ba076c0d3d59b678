/// The patterns that a name under `tokenizer.ggml.pre` stands for, and what else llama.cpp derives from it.
struct GGUFPreTokenizer: Sendable {
  /// The first is written for a tokenizer that uses these patterns.
  var names: [String]
  /// Applied one after the other, each to the pieces of the one before.
  var patterns: [String]
  var ignoresMerges = false
  /// Where the file does not say whether BOS is added.
  var addsBOS = false

  static func named(_ name: String) -> GGUFPreTokenizer? { all.first { $0.names.contains(name) } }

  /// Source: names and patterns in llama.cpp's llama-vocab.cpp; the patterns in the form the tokenizers themselves
  /// publish.
  static let all: [GGUFPreTokenizer] = [
    .init(
      names: [
        "gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code",
        "roberta-bpe", "gigachat", "a.x-4.0", "mellum", "modern-bert", "mpt", "olmo", "jais", "trillion",
        "granite-docling", "exaone4",
      ], patterns: [PublishedPatterns.gpt2Source]),
    .init(
      names: [
        "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
        "jina-v5-nano",
      ], patterns: [PublishedPatterns.llama3], ignoresMerges: true, addsBOS: true),
    .init(names: ["smaug-bpe", "dbrx", "glm4", "chatglm-bpe"], patterns: [PublishedPatterns.llama3]),
    .init(
      names: [
        "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "hunyuan", "megrez", "solar-open",
        "grok-2",
      ], patterns: [PublishedPatterns.qwen2]),
    .init(names: ["qwen35"], patterns: [PublishedPatterns.qwen35]),
    .init(
      names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"], patterns: [PublishedPatterns.gpt4o]),
    .init(
      names: ["tekken"], patterns: [PublishedPatterns.tekken], ignoresMerges: true, addsBOS: true),
    .init(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm"],
      patterns: [#"\p{N}{1,3}"#, PublishedPatterns.ideographsAndKana, PublishedPatterns.deepseek3]),
    .init(
      names: ["deepseek-llm"],
      patterns: [
        #"[\r\n]"#, PublishedPatterns.deepseekLetters, PublishedPatterns.deepseekSigns, #"\s+$"#,
        PublishedPatterns.deepseekIdeographs, #"\p{N}+"#,
      ]),
    .init(
      names: ["deepseek-coder"],
      patterns: [
        #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, PublishedPatterns.deepseekIdeographs, #"\p{N}"#,
      ]),
    .init(
      names: [
        "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2",
      ], patterns: [#"\p{N}"#, PublishedPatterns.gpt2Source]),
    .init(
      names: ["falcon"],
      patterns: [PublishedPatterns.falconSigns, PublishedPatterns.gpt2Source, "[0-9][0-9][0-9]"]),
    .init(
      names: ["default"],
      patterns: [
        PublishedPatterns.falconSigns, PublishedPatterns.gpt2Source, #"\p{N}+"#, "[0-9][0-9][0-9]",
      ]),
    .init(names: ["bloom", "poro-chat", "gpt3-finnish"], patterns: [PublishedPatterns.bloom]),
    .init(names: ["viking"], patterns: [PublishedPatterns.bloom, #"\p{N}"#]),
    .init(names: ["seed-coder"], patterns: [PublishedPatterns.seedCoder]),
    .init(names: ["bailingmoe", "bailingmoe2", "llada-moe"], patterns: [PublishedPatterns.bailing]),
    .init(names: ["exaone-moe"], patterns: [PublishedPatterns.exaoneMoE]),
  ]
}
