import Formats

extension GGUFVocabulary {
  /// Before every key of a tokenizer.
  private static let prefix = "tokenizer.ggml."
  static let modelKey = prefix + "model"
  /// What llama.cpp reads where a file has no vocabulary.
  static let noModel = "none"

  /// What a file's metadata says about its tokenizer.
  ///
  /// - Errors: `ImportError` for what is missing, of another type, or of another count than the tokens.
  package init(_ metadata: GGUFMetadata) throws(ImportError) {
    func key(_ name: String) -> String { Self.prefix + name }
    func token(_ name: String) throws(ImportError) -> Int32? {
      try metadata.integer(key(name)).flatMap { Int32(exactly: $0) }
    }
    let model = try metadata.required(key("model"), metadata.string(key("model")))
    let tokens = try metadata.required(key("tokens"), metadata.strings(key("tokens")))
    self.init(model: model, tokens: tokens)
    pre = try metadata.string(key("pre"))
    scores = try metadata.numbers(key("scores"))?.map { Float($0) } ?? []
    types = try metadata.integers(key("token_type"))?.map { Int32(clamping: $0) } ?? []
    merges = try metadata.strings(key("merges")) ?? []
    for (name, count) in [("scores", scores.count), ("token_type", types.count)]
    where count != 0 && count != tokens.count {
      throw ImportError(
        file: metadata.file, place: .metadata(key(name)),
        reason: .count(what: "values", found: count, expected: tokens.count))
    }
    bos = try token("bos_token_id")
    eos = try token("eos_token_id")
    unknown = try token("unknown_token_id")
    separator = try token("seperator_token_id")
    padding = try token("padding_token_id")
    addsBOS = try metadata.bool(key("add_bos_token"))
    addsEOS = try metadata.bool(key("add_eos_token"))
    addsSeparator = try metadata.bool(key("add_sep_token"))
    addsSpacePrefix = try metadata.bool(key("add_space_prefix"))
    removesExtraSpaces = try metadata.bool(key("remove_extra_whitespaces"))
    characterMap =
      try metadata.integers(key("precompiled_charsmap"))?.map { UInt8(truncatingIfNeeded: $0) } ?? []
    lowercases = try metadata.bool(key("normalizer.lowercase"))
    stripsAccents = try metadata.bool(key("normalizer.strip_accents"))
  }

  /// Puts the same into the metadata of a file to be written.
  package func write(into metadata: inout GGUFMetadata) {
    func set(_ name: String, _ value: GGUFValue?) { if let value { metadata[Self.prefix + name] = value } }
    func set(_ name: String, token: Int32?) {
      set(name, token.flatMap { UInt32(exactly: $0) }.map { .uint32($0) })
    }
    func set(_ name: String, flag: Bool?) { set(name, flag.map { .bool($0) }) }
    set("model", .string(model))
    set("pre", pre.map { .string($0) })
    set("tokens", .array(.string(tokens)))
    if !scores.isEmpty { set("scores", .array(.float32(scores))) }
    if !types.isEmpty { set("token_type", .array(.int32(types))) }
    if !merges.isEmpty { set("merges", .array(.string(merges))) }
    set("bos_token_id", token: bos)
    set("eos_token_id", token: eos)
    set("unknown_token_id", token: unknown)
    set("seperator_token_id", token: separator)
    set("padding_token_id", token: padding)
    set("add_bos_token", flag: addsBOS)
    set("add_eos_token", flag: addsEOS)
    set("add_sep_token", flag: addsSeparator)
    set("add_space_prefix", flag: addsSpacePrefix)
    set("remove_extra_whitespaces", flag: removesExtraSpaces)
    if !characterMap.isEmpty { set("precompiled_charsmap", .array(.uint8(characterMap))) }
    set("normalizer.lowercase", flag: lowercases)
    set("normalizer.strip_accents", flag: stripsAccents)
  }
}
