import Formats
import Foundation
import Testing

@testable import LanguageModels

/// A model that cannot be opened is refused with one sentence: file, place, what was found and expected, what to do.
struct OpeningErrorTests {
  private func message(_ fixture: DecoderFixture, _ folder: URL) throws -> String {
    let path = try fixture.write(to: folder)
    do {
      _ = try LanguageModel.open(path)
      return ""
    } catch {
      return "\(error)".replacingOccurrences(of: path, with: "F")
    }
  }

  private func message(_ change: (inout DecoderFixture) -> Void) throws -> String {
    var fixture = try DecoderFixture("llama-bias")
    change(&fixture)
    return try withFolder { try message(fixture, $0) }
  }

  @Test func unknownArchitecture() throws {
    #expect(
      try message { $0.config["model_type"] = "mamba" }
        == "F/config.json, metadata \"model_type\": architecture \"mamba\" is not known (known: llama, mistral, qwen2, "
        + "qwen3, gemma2, gemma3_text, gemma3, phi3, gpt2, gpt_neox). Open a model of one of these.")
    #expect(
      try message { $0.config["model_type"] = nil }
        == "F/config.json: \"model_type\" is missing. Export the model again.")
  }

  @Test func tensorsThatDoNotFit() throws {
    let name = "model.layers.1.mlp.up_proj.weight"
    #expect(
      try message { $0.tensors.removeAll { $0.name == name } }
        == "F: tensor \"\(name)\" is missing. Export the model again.")
    #expect(
      try message { $0.config["intermediate_size"] = 128 }
        == "F/model.safetensors, tensor \"model.layers.0.mlp.gate_proj.weight\": the shape is 96x64, expected 128x64 "
        + "by the configuration. Use the configuration and the weights of one model.")
    #expect(
      try message {
        $0.tensors.append(.init(name: "model.layers.0.extra.weight", shape: [2], scale: 1, offset: 0))
      }
        == "F/model.safetensors, tensor \"model.layers.0.extra.weight\": no layer of architecture llama uses it, so the "
        + "model would not be what it was. Open a plain model of this architecture.")
    // A bias that one block has, all must have.
    let bias = "model.layers.1.self_attn.q_proj.bias"
    #expect(
      try message { $0.tensors.removeAll { $0.name == bias } }
        == "F: tensor \"\(bias)\" is missing. Export the model again.")
  }

  @Test func impossibleConfigurations() throws {
    #expect(
      try message { $0.config["num_key_value_heads"] = 3 }
        == "F/config.json: the configuration contradicts itself: 3 heads of keys do not divide 4 heads of queries. "
        + "The file is damaged or of another format.")
    #expect(
      try message { $0.config["hidden_size"] = 0 }
        == "F/config.json, metadata \"hidden_size\": 0 stands where a number from 1 must. The file is damaged or of "
        + "another format.")
    #expect(
      try message { $0.config["hidden_act"] = "relu6" }
        == "F/config.json, metadata \"hidden_act\": activation relu6 is not supported. Export the model without it."
    )
    #expect(
      try message { $0.config["rope_parameters"] = ["rope_type": "spiral"] }
        == "F/config.json, metadata \"rope_parameters\": scaling of rotations spiral is not supported. Export the model "
        + "without it.")
    #expect(
      try message { $0.config["vocab_size"] = "many" }
        == "F/config.json, metadata \"vocab_size\": the value is not a whole number. The file is damaged or of another "
        + "format.")
    for (key, value) in [
      ("num_key_value_heads", 0), ("num_key_value_heads", -1), ("head_dim", Int.max), ("head_dim", 7),
      ("num_hidden_layers", 1 << 27), ("num_attention_heads", 1 << 27), ("intermediate_size", -5),
      ("vocab_size", Int.max), ("max_position_embeddings", 0),
    ] {
      #expect(try !message { $0.config[key] = value }.isEmpty, "\(key) \(value)")
    }
  }

  /// Files of before, whose rotations stand under other keys, give the same model.
  @Test func olderKeysOfRotations() throws {
    var fixture = try DecoderFixture("llama-linear")
    fixture.config["rope_parameters"] = nil
    fixture.config["rope_theta"] = 10000.0
    fixture.config["rope_scaling"] = ["type": "linear", "factor": 4.0]
    try withFolder { folder in
      let old = try LanguageModel.open(fixture.write(to: folder.appendingPathComponent("old")))
      let new = try LanguageModel.open(
        DecoderFixture("llama-linear").write(to: folder.appendingPathComponent("new")))
      #expect(old.configuration == new.configuration)
    }
    var gemma = try DecoderFixture("gemma3")
    gemma.config["rope_parameters"] = nil
    gemma.config["rope_theta"] = 10000.0
    gemma.config["rope_local_base_freq"] = 100.0
    gemma.config["rope_scaling"] = ["rope_type": "linear", "factor": 4.0]
    try withFolder { folder in
      let old = try LanguageModel.open(gemma.write(to: folder.appendingPathComponent("old")))
      let new = try LanguageModel.open(
        DecoderFixture("gemma3").write(to: folder.appendingPathComponent("new")))
      #expect(old.configuration == new.configuration)
    }
  }
}
