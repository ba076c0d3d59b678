import Formats
import Foundation
import LanguageModels
import Testing

/// Damaged tokenizer files give errors that name the file and the place, and never end the program.
struct DamagedTokenizerTests {
  struct Damage: Sendable, CustomTestStringConvertible {
    var name: String
    /// A tokenizer.json.
    var text: String
    /// What the message must say.
    var says: String

    var testDescription: String { name }
  }

  private static let model =
    #"{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}"#
  private static func file(
    model: String = model, normalizer: String = "null", preTokenizer: String = "null", post: String = "null",
    decoder: String = "null", added: String = "[]"
  ) -> String {
    #"{"added_tokens":\#(added),"normalizer":\#(normalizer),"pre_tokenizer":\#(preTokenizer),"#
      + #""post_processor":\#(post),"decoder":\#(decoder),"model":\#(model)}"#
  }
  private static func split(_ pattern: String) -> String {
    file(
      preTokenizer:
        #"{"type":"Split","pattern":{"Regex":"\#(pattern)"},"behavior":"Isolated","invert":false}"#)
  }
  private static func bpe(_ rest: String) -> String { file(model: #"{"type":"BPE",\#(rest)}"#) }

  static let all: [Damage] = [
    .init(name: "empty", text: "", says: "empty"),
    .init(name: "blanks only", text: "  \n", says: "byte 3"),
    .init(name: "not JSON", text: "hello", says: "byte 0"),
    .init(name: "cut off", text: String(file().dropLast(20)), says: "byte"),
    .init(name: "cut within a text", text: #"{"model": {"type": "BP"#, says: "byte"),
    .init(name: "cut within an escape", text: #"{"a": "\"#, says: "escape"),
    .init(name: "unknown escape", text: #"{"a": "\q"}"#, says: "escape"),
    .init(name: "short escape", text: #"{"a": "\u12"}"#, says: "hexadecimal"),
    .init(name: "half a surrogate", text: #"{"a": "\ud800"}"#, says: "surrogate"),
    .init(name: "two high surrogates", text: #"{"a": "\ud800\ud800"}"#, says: "surrogate"),
    .init(name: "control in a text", text: "{\"a\": \"\u{1}\"}", says: "control"),
    .init(name: "two values", text: "{} {}", says: "byte 3"),
    .init(name: "deep", text: String(repeating: "[", count: 100_000), says: "levels"),
    .init(name: "a list", text: "[]", says: "expected an object"),
    .init(name: "bad number", text: #"{"a": 1e}"#, says: "number"),
    .init(name: "huge number", text: #"{"a": 1e999}"#, says: "number"),
    .init(name: "missing comma", text: #"{"a": 1 "b": 2}"#, says: "byte 8"),
    .init(name: "key without quotes", text: "{a: 1}", says: "key"),
    .init(name: "no model", text: "{}", says: "model"),
    .init(name: "model is a text", text: file(model: #""BPE""#), says: "an object"),
    .init(name: "unknown model", text: file(model: #"{"type":"Oracle"}"#), says: "Oracle"),
    .init(name: "no vocabulary", text: bpe(#""merges":[]"#), says: "vocab"),
    .init(name: "empty vocabulary", text: bpe(#""vocab":{},"merges":[]"#), says: "model.vocab"),
    .init(name: "vocabulary as a list", text: bpe(#""vocab":["a"],"merges":[]"#), says: "model.vocab"),
    .init(name: "negative number", text: bpe(#""vocab":{"a":-1},"merges":[]"#), says: "\"a\""),
    .init(name: "fraction", text: bpe(#""vocab":{"a":0.5},"merges":[]"#), says: "\"a\""),
    .init(name: "number beyond reason", text: bpe(#""vocab":{"a":2000000000},"merges":[]"#), says: "\"a\""),
    .init(name: "number of a text", text: bpe(#""vocab":{"a":"0"},"merges":[]"#), says: "\"a\""),
    .init(name: "no merges", text: bpe(#""vocab":{"a":0}"#), says: "merges"),
    .init(name: "merge of one", text: bpe(#""vocab":{"a":0},"merges":["a"]"#), says: "model.merges[0]"),
    .init(
      name: "merge of three", text: bpe(#""vocab":{"a":0},"merges":[["a","a","a"]]"#), says: "model.merges[0]"
    ),
    .init(name: "merge of the unknown", text: bpe(#""vocab":{"a":0},"merges":["a c"]"#), says: "\"c\""),
    .init(name: "merge to the unknown", text: bpe(#""vocab":{"a":0},"merges":["a a"]"#), says: "\"aa\""),
    .init(name: "merge of numbers", text: bpe(#""vocab":{"a":0},"merges":[[0,0]]"#), says: "model.merges[0]"),
    .init(name: "dropout", text: bpe(#""vocab":{"a":0},"merges":[],"dropout":0.1"#), says: "model.dropout"),
    .init(
      name: "unigram without scores", text: file(model: #"{"type":"Unigram","vocab":[["a"]]}"#),
      says: "model.vocab[0]"),
    .init(
      name: "unigram, unknown out of range",
      text: file(model: #"{"type":"Unigram","unk_id":1,"vocab":[["a",0]]}"#),
      says: "model.unk_id"),
    .init(name: "unigram, empty", text: file(model: #"{"type":"Unigram","vocab":[]}"#), says: "model.vocab"),
    .init(
      name: "WordPiece without its unknown", text: file(model: #"{"type":"WordPiece","vocab":{"a":0}}"#),
      says: "[UNK]"),
    .init(name: "unknown normalizer", text: file(normalizer: #"{"type":"Fancy"}"#), says: "Fancy"),
    .init(name: "normalizer without type", text: file(normalizer: "{}"), says: "\"normalizer\": \"type\""),
    .init(
      name: "character map that is no base64",
      text: file(
        normalizer: #"{"type":"Precompiled","precompiled_charsmap":"@@@"}"#), says: "precompiled_charsmap"),
    .init(
      name: "character map of the wrong size",
      text: file(
        normalizer: #"{"type":"Precompiled","precompiled_charsmap":"/////w=="}"#),
      says: "precompiled_charsmap"),
    .init(
      name: "sequence without parts", text: file(normalizer: #"{"type":"Sequence"}"#), says: "\"normalizers\""
    ),
    .init(
      name: "unknown part of a sequence",
      text: file(normalizer: #"{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFX"}]}"#),
      says: "normalizer.normalizers[1]"),
    .init(name: "unknown pre-tokenizer", text: file(preTokenizer: #"{"type":"Fancy"}"#), says: "Fancy"),
    .init(
      name: "unknown behaviour",
      text: file(preTokenizer: #"{"type":"Split","pattern":{"String":"a"},"behavior":"Odd"}"#), says: "Odd"),
    .init(name: "pattern not closed", text: split("(a"), says: "not closed"),
    .init(name: "pattern closed twice", text: split("a)"), says: "closes nothing"),
    .init(name: "set not closed", text: split("[a"), says: "not closed"),
    .init(name: "set in the wrong order", text: split("[b-a]"), says: "wrong order"),
    .init(name: "repetition of nothing", text: split("*a"), says: "repeats nothing"),
    .init(name: "repetition of the empty", text: split("(a*)*"), says: "empty"),
    .init(name: "repetition beyond reason", text: split("a{99999}"), says: "1000"),
    .init(name: "expansion beyond reason", text: split("((a{0,1}b){900}c){900}"), says: "too long"),
    .init(name: "unknown property", text: split(#"\\p{Klingon}"#), says: "Klingon"),
    .init(name: "look behind", text: split("(?<=a)b"), says: "not supported"),
    .init(name: "back reference", text: split(#"(a)\\1"#), says: "not supported"),
    .init(name: "escape at the end", text: split(#"a\\"#), says: "ends too early"),
    .init(name: "nested beyond reason", text: split(String(repeating: "(", count: 9_000)), says: "nested"),
    .init(
      name: "template with an unknown token",
      text: file(
        post: #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[X]"}}],"special_tokens":{}}"#),
      says: "special_tokens"),
    .init(
      name: "template without a text",
      text: file(post: #"{"type":"TemplateProcessing","single":[],"special_tokens":{}}"#), says: "template"),
    .init(
      name: "template with a number of no token",
      text: file(post: #"{"type":"BertProcessing","sep":["x",9],"cls":["y",9]}"#), says: "token 9"),
    .init(name: "unknown decoder", text: file(decoder: #"{"type":"CTC"}"#), says: "CTC"),
    .init(
      name: "added token without number", text: file(added: #"[{"content":"x"}]"#), says: "added_tokens[0]"),
    .init(
      name: "added token far away", text: file(added: #"[{"id":4000000,"content":"x"}]"#),
      says: "added_tokens[0].id"),
  ]

  @Test func thereAreFiftyAndMore() { #expect(Self.all.count >= 50) }

  @Test func theUndamagedFileOpens() throws {
    let tokenizer = try PipelineTokenizer(json: Array(Self.file().utf8), file: "x.json")
    #expect(tokenizer.encode("abba") == [2, 1, 0])
  }

  @Test(arguments: all) func damageIsSaid(_ damage: Damage) {
    do throws(ImportError) {
      _ = try PipelineTokenizer(json: Array(damage.text.utf8), file: "x.json")
      Issue.record("the file was opened")
    } catch {
      #expect(error.description.hasPrefix("x.json"), "\(error)")
      #expect(error.description.contains(damage.says), "\(error)")
    }
  }

  /// Wherever a byte of a good file is lost or changed, opening gives a tokenizer that works or an error.
  @Test(arguments: ["unigram", "llama3", "bert-cased"]) func anyByteMayBeWrong(_ name: String) throws {
    let bytes = Array(
      try Data(contentsOf: TokenizerFixtures.folder.appendingPathComponent("\(name).json")))
    var opened = 0
    for step in 0..<60 {
      var damaged = bytes
      let place = step * bytes.count / 60
      switch step % 3 {
      case 0: damaged.removeSubrange(place...)
      case 1: damaged[place] = UInt8(step * 37 & 0xFF)
      default: damaged.remove(at: place)
      }
      do throws(ImportError) {
        let tokenizer = try PipelineTokenizer(json: damaged, file: "x.json")
        let tokens = tokenizer.encode("Once upon a time… 123 日本\r\n  ﬁn ½")
        #expect(tokens.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
        _ = tokenizer.decode(tokens)
        opened += 1
      } catch {
        #expect(error.description.hasPrefix("x.json"), "\(error)")
      }
    }
    #expect(opened < 60)
  }

  @Test func whatIsNotThereIsSaid() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func message() -> String {
      do throws(ImportError) {
        _ = try PipelineTokenizer.open(folder.path)
        return ""
      } catch {
        return error.description
      }
    }
    #expect(message().contains("tokenizer.json is missing"))
    try Data().write(to: folder.appendingPathComponent("tokenizer.model"))
    #expect(message().contains("found tokenizer.model"))
    try Data(Self.file().utf8).write(to: folder.appendingPathComponent("tokenizer.json"))
    #expect(message() == "")
    try Data("{".utf8).write(to: folder.appendingPathComponent("config.json"))
    #expect(message().contains("config.json"))
    #expect(throws: ImportError.self) { try PipelineTokenizer.open(folder.path + "/nothing") }
  }

  @Test func boundsComeFromTheFilesBesideIt() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ name: String, _ text: String) throws {
      try Data(text.utf8).write(to: folder.appendingPathComponent(name))
    }
    try write("tokenizer.json", Self.file())
    try write("config.json", #"{"bos_token_id":0,"eos_token_id":[1,2]}"#)
    var tokenizer = try PipelineTokenizer.open(folder.path)
    #expect(tokenizer.bos == 0)
    #expect(tokenizer.eos == 1)
    try write("tokenizer_config.json", #"{"bos_token":null,"eos_token":{"content":"ab"}}"#)
    tokenizer = try PipelineTokenizer.open(folder.appendingPathComponent("tokenizer.json").path)
    #expect(tokenizer.bos == nil)
    #expect(tokenizer.eos == 2)
  }

  /// A pattern whose search would take 2ⁿ steps ends, and what it does not decide stays as it is.
  @Test func noPatternHangs() throws {
    let text = Self.split("(a|aa)+c")
    let tokenizer = try PipelineTokenizer(json: Array(text.utf8), file: "x.json")
    #expect(tokenizer.encode(String(repeating: "a", count: 100_000) + "b").count == 100_000)
  }
}
