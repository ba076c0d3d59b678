import Formats

extension JSONPlace {
  func preTokenizers() throws(ImportError) -> [any PreTokenizer] {
    var result: [any PreTokenizer] = []
    for part in try flattened("pretokenizers") { result += try part.preTokenizer() }
    return result
  }

  private func preTokenizer() throws(ImportError) -> [any PreTokenizer] {
    switch try required("type").text() {
    case "ByteLevel":
      return [
        ByteLevel(
          prefixesSpace: try flag("add_prefix_space", default: true),
          pattern: try flag("use_regex", default: true) ? PublishedPatterns.gpt2 : nil)
      ]
    case "Split": return [try split()]
    case "Metaspace": return [try metaspace()]
    case "BertPreTokenizer":
      return [
        CharacterSplit(kind: .whitespace, behavior: .removed),
        CharacterSplit(kind: .punctuation, behavior: .isolated),
      ]
    case "Whitespace": return [WordsAndSigns()]
    case "WhitespaceSplit": return [CharacterSplit(kind: .whitespace, behavior: .removed)]
    case "Digits":
      let isolates = try flag("individual_digits", default: false)
      return [CharacterSplit(kind: .number, behavior: isolates ? .isolated : .contiguous)]
    case "Punctuation":
      return [CharacterSplit(kind: .punctuation, behavior: try member("behavior")?.behavior() ?? .isolated)]
    case "CharDelimiterSplit":
      return [TextSplit(separator: Array(String(try scalar("delimiter")).utf8), behavior: .removed)]
    case "FixedLength": return [FixedLengthSplit(length: try required("length").integer(in: 1...1 << 20))]
    default: throw try unsupported("the pre-tokenizer")
    }
  }

  private func split() throws(ImportError) -> any PreTokenizer {
    let behavior = try required("behavior").behavior()
    let isInverted = try flag("invert", default: false)
    switch try required("pattern").target() {
    case .text(let text): return TextSplit(separator: text, behavior: behavior, isInverted: isInverted)
    case .pattern(let pattern):
      return PatternSplit(pattern: pattern, behavior: behavior, isInverted: isInverted)
    }
  }

  /// Files of before version 0.15 of the package say `add_prefix_space` instead of a scheme.
  private func metaspace() throws(ImportError) -> Metaspace {
    Metaspace(
      replacement: Array(String(try scalar("replacement", default: "▁")).utf8), prefix: try metaspacePrefix(),
      splits: try flag("split", default: true))
  }

  func metaspacePrefix() throws(ImportError) -> Metaspace.Prefix {
    if let scheme = member("prepend_scheme") {
      guard let prefix = Metaspace.Prefix(rawValue: try scheme.text()) else {
        throw scheme.error(.unsupported(what: "the scheme", found: try scheme.text()))
      }
      return prefix
    }
    return try flag("add_prefix_space", default: true) ? .always : .never
  }

  private func behavior() throws(ImportError) -> SplitBehavior {
    guard let behavior = SplitBehavior(rawValue: try text()) else {
      throw error(.unsupported(what: "the behavior", found: try text()))
    }
    return behavior
  }
}
