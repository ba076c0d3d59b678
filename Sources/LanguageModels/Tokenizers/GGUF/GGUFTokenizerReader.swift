import Formats

extension PipelineTokenizer {
  /// A tokenizer from the metadata of a GGUF file.
  ///
  /// Special tokens that stand in a text are found there, as the `tokenizers` package does; llama.cpp does so when it is
  /// asked to.
  ///
  /// - Parameter file: how errors name it.
  package init(_ vocabulary: GGUFVocabulary, file: String) throws(ImportError) {
    let reader = GGUFTokenizerReader(source: vocabulary, file: file)
    self =
      switch vocabulary.model {
      case "llama": try reader.sentencePiece()
      case "gpt2": try reader.byteLevel()
      case "bert": try reader.wordPiece()
      case "t5": try reader.unigram()
      default:
        throw reader.error("model", .unsupported(what: "the tokenizer", found: vocabulary.model))
      }
    bos = reader.known(vocabulary.bos ?? reader.standard.bos)
    eos = reader.known(vocabulary.eos ?? reader.standard.eos)
  }
}

/// Makes the steps of a tokenizer from GGUF's arrays.
private struct GGUFTokenizerReader {
  typealias Types = GGUFVocabulary.TokenType

  let source: GGUFVocabulary
  let file: String

  private static let space: [UInt8] = [0x20]
  private static let visibleSpace = Array("▁".utf8)

  /// What llama.cpp assumes where a file does not say it.
  var standard: (bos: Int32?, eos: Int32?, unknown: Int32?, separator: Int32?) {
    switch source.model {
    case "llama": (1, 2, 0, nil)
    case "bert": (101, nil, 100, 102)
    case "t5": (nil, 1, 2, nil)
    default: (nil, nil, nil, nil)
    }
  }

  func error(_ key: String, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file, place: .value("tokenizer.ggml.\(key)"), reason: reason)
  }

  func known(_ token: Int32?) -> Int32? {
    token.flatMap { source.tokens.indices.contains(Int($0)) ? $0 : nil }
  }

  private var unknown: Int32? { known(source.unknown ?? standard.unknown) }

  private func type(of token: Int) -> Int32 { source.types.isEmpty ? Types.normal : source.types[token] }

  /// The vocabulary, each text changed.
  private func vocabulary(_ change: (String, Int) -> [UInt8] = { text, _ in Array(text.utf8) })
    throws(ImportError) -> Vocabulary
  {
    guard !source.tokens.isEmpty else { throw error("tokens", .missing("any token")) }
    let count = source.tokens.count
    guard count <= Vocabulary.sizeLimit else {
      throw error("tokens", .limit(what: "tokens", found: count, most: Vocabulary.sizeLimit))
    }
    guard source.types.isEmpty || source.types.count == count else {
      throw error("token_type", .count(what: "types", found: source.types.count, expected: count))
    }
    var vocabulary = Vocabulary(capacity: count)
    for (number, text) in source.tokens.enumerated() {
      vocabulary.insert(change(text, number), token: Int32(number))
    }
    return vocabulary
  }

  private func scores() throws(ImportError) -> [Float] {
    guard source.scores.count == source.tokens.count else {
      throw error(
        "scores", .count(what: "scores", found: source.scores.count, expected: source.tokens.count))
    }
    return source.scores
  }

  private var addedTokens: [AddedToken] {
    source.tokens.indices.compactMap { number in
      let type = type(of: number)
      guard [Types.unknown, Types.control, Types.userDefined].contains(type) else { return nil }
      return AddedToken(
        token: Int32(number), content: Array(source.tokens[number].utf8), isSpecial: type != Types.userDefined
      )
    }
  }

  private func template(addsBOS: Bool, addsEOS: Bool) -> Template {
    let bos = known(source.bos ?? standard.bos)
    let eos = known(source.eos ?? standard.eos)
    return Template(
      before: (source.addsBOS ?? addsBOS) ? [bos].compactMap { $0 } : [],
      after: (source.addsEOS ?? addsEOS) ? [eos].compactMap { $0 } : [])
  }

  // MARK: models

  func sentencePiece() throws(ImportError) -> PipelineTokenizer {
    let prefixes = source.addsSpacePrefix ?? true
    let model = ScoredMergeModel(vocabulary: try vocabulary(), scores: try scores(), unknown: unknown)
    let escape = ReplaceNormalizer(target: .text(Self.space), content: Self.visibleSpace)
    let unescape = ReplaceNormalizer(target: .text(Self.visibleSpace), content: Self.space)
    let decoders: [any TokenDecoder] = [
      ReplaceDecoder(replacing: unescape), ByteFallbackDecoder(), FuseDecoder(),
    ]
    return PipelineTokenizer(
      model: model, addedTokens: addedTokens,
      normalizers: prefixes ? [PrependNormalizer(content: Self.visibleSpace), escape] : [escape],
      preTokenizers: [], template: template(addsBOS: true, addsEOS: false),
      decoders: decoders + (prefixes ? [StripDecoder(content: Self.space, start: 1, stop: 0)] : []))
  }

  func byteLevel() throws(ImportError) -> PipelineTokenizer {
    let name = source.pre ?? "default"
    guard let pre = GGUFPreTokenizer.named(name) else {
      throw error("pre", .unsupported(what: "the way of cutting words", found: name))
    }
    let vocabulary = try vocabulary()
    var model = MergeModel(vocabulary: vocabulary, merges: try merges(vocabulary))
    model.ignoresMerges = pre.ignoresMerges
    model.unknown = unknown
    let splits: [any PreTokenizer] = pre.patterns.map {
      PatternSplit(pattern: PublishedPatterns.compiled($0), behavior: .isolated)
    }
    return PipelineTokenizer(
      model: model, addedTokens: addedTokens, normalizers: [],
      preTokenizers: splits + [ByteLevel(prefixesSpace: source.addsSpacePrefix ?? false, pattern: nil)],
      template: template(addsBOS: pre.addsBOS, addsEOS: false), decoders: [ByteLevelDecoder()])
  }

  private func merges(
    _ vocabulary: Vocabulary
  ) throws(ImportError) -> [(left: Int32, right: Int32, token: Int32)] {
    guard !source.merges.isEmpty else { throw error("merges", .missing("any merge")) }
    var merges: [(left: Int32, right: Int32, token: Int32)] = []
    merges.reserveCapacity(source.merges.count)
    for (number, text) in source.merges.enumerated() {
      let bytes = Array(text.utf8)
      guard let blank = bytes.dropFirst().firstIndex(of: 0x20) else {
        throw error(
          "merges[\(number)]", .malformed("found \"\(text)\", expected two texts with a blank between"))
      }
      let left = Array(bytes[..<blank])
      let right = Array(bytes[(blank + 1)...])
      guard let first = vocabulary.token(of: left), let second = vocabulary.token(of: right),
        let token = vocabulary.token(of: left + right)
      else {
        throw error("merges[\(number)]", .malformed("a part or the whole of \"\(text)\" is no token"))
      }
      merges.append((first, second, token))
    }
    return merges
  }

  /// GGUF writes the pieces that begin a word with `▁` before them and those within one as they are; specials too.
  func wordPiece() throws(ImportError) -> PipelineTokenizer {
    let prefix = Array("##".utf8)
    let vocabulary = try vocabulary { text, number in
      let bytes = Array(text.utf8)
      if bytes.starts(with: Self.visibleSpace) { return Array(bytes.dropFirst(Self.visibleSpace.count)) }
      let isSpecial =
        type(of: number) != Types.normal
        || bytes.first == UInt8(ascii: "[") && bytes.last == UInt8(ascii: "]")
      return isSpecial ? bytes : prefix + bytes
    }
    guard let unknown else { throw error("unknown_token_id", .missing("the token for unknown words")) }
    let separator = known(source.separator ?? standard.separator)
    var template = template(addsBOS: true, addsEOS: false)
    if source.addsSeparator ?? true { template.after += [separator].compactMap { $0 } }
    let lowercases = source.lowercases ?? true
    return PipelineTokenizer(
      model: WordPieceModel(vocabulary: vocabulary, unknown: unknown, prefix: prefix, longestWord: .max),
      addedTokens: addedTokens,
      normalizers: [
        BertNormalizer(stripsAccents: source.stripsAccents ?? lowercases, lowercases: lowercases)
      ],
      preTokenizers: [
        CharacterSplit(kind: .whitespace, behavior: .removed),
        CharacterSplit(kind: .punctuation, behavior: .isolated),
      ], template: template, decoders: [WordPieceDecoder(prefix: prefix, cleansUp: true)])
  }

  func unigram() throws(ImportError) -> PipelineTokenizer {
    let scores = try scores()
    var normalizers: [any Normalizer] = []
    if !source.characterMap.isEmpty {
      guard let map = CharacterMap(source.characterMap) else {
        throw error("precompiled_charsmap", .malformed("the sizes of the map do not fit together"))
      }
      normalizers.append(CharacterMapNormalizer(map: map, search: .longest))
    }
    if source.removesExtraSpaces ?? false {
      normalizers.append(
        ReplaceNormalizer(target: .pattern(PublishedPatterns.compiled(" {2,}")), content: Self.space))
      normalizers.append(
        ReplaceNormalizer(target: .pattern(PublishedPatterns.compiled(#"\A +| +\z"#)), content: []))
    }
    let prefixes = source.addsSpacePrefix ?? true
    // Words can be cut at blanks only where no piece goes across one.
    let crosses = source.tokens.contains { $0.unicodeScalars.dropFirst().contains("▁") }
    let model = UnigramModel(
      vocabulary: try vocabulary(), scores: scores.map(Double.init), unknown: unknown,
      usesBytes: source.types.contains(Types.byte))
    return PipelineTokenizer(
      model: model, addedTokens: addedTokens, normalizers: normalizers,
      preTokenizers: [
        Metaspace(replacement: Self.visibleSpace, prefix: prefixes ? .always : .never, splits: !crosses)
      ], template: template(addsBOS: false, addsEOS: true),
      decoders: [MetaspaceDecoder(replacement: Self.visibleSpace, dropsFirst: prefixes)])
  }
}
