import Quantization
import Testing

/// Recipes that were cut off, mistyped or made to hurt: an error that names the place, never a crash.
@Suite struct DamagedRecipeTests {
  /// Lists of ten references each, nine deep: a thousand million scalars if anything walks them.
  static let bomb =
    "a0: &a0 [x]\n"
    + (1...9).map {
      "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ", "))]\n"
    }
    .joined()

  static let damaged: [String] =
    [
      "", "\n", "---\n---\n", "lathe", "[1]", "- lathe: 1", "\u{1}", "lathe: 1\n\u{7}: x",
      "lathe: 1\n\tname: x",
      "lathe: one", "lathe: -1", "lathe: 99999999999999999999999", "lathe: [1]", "lathe: {a: 1}",
      "lathe: 1.5",
      "lathe: 1\nlathe: 1", "lathe: 1\nname: {a: b}", "lathe: 1\nname: [a]", "lathe: 1\nname: *x",
      "lathe: 1\nname: \"a", "lathe: 1\nname: 'a", "lathe: 1\ndefaults: static",
      "lathe: 1\ndefaults: [static]",
      "lathe: 1\ndefaults: {mode: [static]}", "lathe: 1\ndefaults: {mode: static, mode: float}",
      "lathe: 1\ndefaults: {weights: 8}", "lathe: 1\ndefaults: {weights: {bits: 0}}",
      "lathe: 1\ndefaults: {weights: {bits: -8}}", "lathe: 1\ndefaults: {weights: {bits: 1e400}}",
      "lathe: 1\ndefaults: {weights: {bits: 9223372036854775808}}",
      "lathe: 1\ndefaults: {weights: {bits: [8]}}",
      "lathe: 1\ndefaults: {weights: {granularity: {group: -32}}}",
      "lathe: 1\ndefaults: {weights: {granularity: {group: 32, group: 64}}}",
      "lathe: 1\ndefaults: {weights: {granularity: {}}}", "lathe: 1\ndefaults: {weights: {symmetric: maybe}}",
      "lathe: 1\ndefaults: {activations: {observer: {percentile: .nan}}}",
      "lathe: 1\ndefaults: {activations: {observer: {percentile: .inf}}}",
      "lathe: 1\ndefaults: {activations: {observer: {percentile: 101}}}",
      "lathe: 1\ndefaults: {activations: {observer: {}}}", "lathe: 1\ninputs: 8",
      "lathe: 1\ninputs: {bits: 64}",
      "lathe: 1\nrules: 1", "lathe: 1\nrules: [1]", "lathe: 1\nrules: [[]]", "lathe: 1\nrules: [{}]",
      "lathe: 1\nrules: [{match: a, mode: float}]", "lathe: 1\nrules: [{match: {name: {a: b}}, mode: float}]",
      "lathe: 1\nrules: [{match: {name: []}, mode: float}]",
      "lathe: 1\nrules: [{match: {size: 3}, mode: float}]",
      "lathe: 1\nrules: [{match: {name: \"regex:[\"}, mode: float}]",
      "lathe: 1\nrules: [{match: {name: \"regex:(?P<\"}, mode: float}]", "lathe: 1\ncalibration: 5",
      "lathe: 1\ncalibration: {samples: 0}", "lathe: 1\ncalibration: {samples: -1}",
      "lathe: 1\ncalibration: {seed: x}", "lathe: 1\ncorrections: fold-batch-norm",
      "lathe: 1\ncorrections: [{}]", "lathe: 1\ntraining: 4", "lathe: 1\ntraining: [4]",
      "lathe: 1\ntraining: {epochs: 9223372036854775807}", "lathe: 1\ntraining: {momentum: .nan}",
      "lathe: 1\ntraining: {learning-rate: .inf}", "lathe: 1\ntraining: {optimizer: [adam]}",
      "lathe: 1\ntraining: {milestones: 3}", "lathe: 1\ntraining: {augment: flip}",
      "lathe: 1\ntraining: {distill: true}", "lathe: 1\ntraining: {seed: -1}",
      "lathe: 1\nname: x\n" + bomb, bomb,
      String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 200_000),
      "lathe: 1\nname: " + String(repeating: "[", count: 200_000),
      "lathe: 1\ntraining: {epochs: *a9}\n" + bomb,
    ]

  @Test(arguments: damaged) func isAnError(_ yaml: String) {
    let error = #expect(throws: RecipeError.self) { try Recipe(yaml: yaml, file: "r.yaml") }
    #expect(error?.description.hasPrefix("r.yaml") == true)
    #expect(error?.description.unicodeScalars.contains { $0.value < 32 } == false)
  }

  /// A recipe cut off anywhere reads as far as it goes, or is an error.
  @Test func everyPrefixEnds() {
    for length in 0..<RecipeTests.full.utf8.count {
      let yaml = String(decoding: RecipeTests.full.utf8.prefix(length), as: UTF8.self)
      do { _ = try Recipe(yaml: yaml, file: "r.yaml") } catch { #expect(error is RecipeError) }
    }
  }
}
