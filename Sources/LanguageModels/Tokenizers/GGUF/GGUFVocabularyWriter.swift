import Formats

extension GGUFVocabulary {
  /// What a GGUF file has to say so that its readers make the same tokenizer.
  ///
  /// SentencePiece's BPE is written as `llama`: its scores are minus the rank of the merge that makes a token, and its
  /// readers join whatever is a token. That is the same where the merges were made from a SentencePiece model, as those of
  /// Llama, Mistral and Gemma are.
  ///
  /// - Parameter file: how errors name the tokenizer.
  /// - Errors: `ImportError` naming the step that GGUF has no word for.
  package init(_ tokenizer: PipelineTokenizer, file: String) throws(ImportError) {
    let writer = GGUFVocabularyWriter(tokenizer: tokenizer, file: file)
    switch tokenizer.model {
    case let model as MergeModel: self = try writer.merges(model)
    case let model as ScoredMergeModel:
      self = writer.vocabulary("llama")
      unknown = model.unknown
      scores = model.scores
    case let model as UnigramModel: self = try writer.unigram(model)
    case let model as WordPieceModel: self = try writer.wordPiece(model)
    default: throw writer.unsupported("model", "the model")
    }
    bos = tokenizer.template.before.first ?? tokenizer.bos
    eos = tokenizer.eos
    addsBOS = !tokenizer.template.before.isEmpty
    addsSpacePrefix = tokenizer.preparation.prefixesSpace
    if model == "bert" {
      separator = tokenizer.template.after.last
      addsSeparator = separator != nil
      eos = nil
    } else {
      eos = tokenizer.template.after.last ?? eos
      addsEOS = !tokenizer.template.after.isEmpty
    }
    guard tokenizer.template.before.count < 2, tokenizer.template.after.count < 2 else {
      throw writer.unsupported("post_processor", "more than one token before or behind the text")
    }
  }
}

private struct GGUFVocabularyWriter {
  typealias Types = GGUFVocabulary.TokenType

  let tokenizer: PipelineTokenizer
  let file: String

  func unsupported(_ place: String, _ what: String) -> ImportError {
    ImportError(file: file, place: .value(place), reason: .unsupported(what: "in GGUF,", found: what))
  }

  /// Texts and types of all tokens; numbers without one are filled up.
  func vocabulary(_ model: String) -> GGUFVocabulary {
    var result = GGUFVocabulary(model: model, tokens: [])
    for token in 0..<Int32(tokenizer.vocabularySize) {
      if let text = tokenizer.text(of: token) {
        result.tokens.append(String(decoding: text, as: UTF8.self))
        result.types.append(Types.normal)
      } else {
        result.tokens.append("[PAD\(token)]")
        result.types.append(Types.unused)
      }
    }
    for added in tokenizer.addedTokens {
      result.types[Int(added.token)] = added.isSpecial ? Types.control : Types.userDefined
    }
    return result
  }

  func merges(_ model: MergeModel) throws(ImportError) -> GGUFVocabulary {
    guard model.continuingPrefix.isEmpty, model.endSuffix.isEmpty else {
      throw unsupported("model", "marks at the ends of pieces")
    }
    return tokenizer.preparation.preTokenizers.contains { $0 is ByteLevel }
      ? try byteLevel(model) : try sentencePiece(model)
  }

  private func byteLevel(_ model: MergeModel) throws(ImportError) -> GGUFVocabulary {
    // Composition (NFC), which Qwen's tokenizers do first, is not in GGUF; llama.cpp leaves it away as well.
    guard tokenizer.preparation.normalizers.allSatisfy({ ($0 as? UnicodeNormalizer)?.form == .nfc }) else {
      throw unsupported("normalizer", "this normalizer before a byte-level vocabulary")
    }
    var patterns: [String] = []
    for step in tokenizer.preparation.preTokenizers { patterns += [try pattern(step)].compactMap { $0 } }
    let candidates = GGUFPreTokenizer.all.filter { $0.patterns == patterns }
    guard let pre = candidates.first(where: { $0.ignoresMerges == model.ignoresMerges }) else {
      throw unsupported(
        "pre_tokenizer", "the pattern \"\(patterns.joined(separator: "\", \""))\"; no name is known for it")
    }
    var result = vocabulary("gpt2")
    result.pre = pre.names[0]
    result.merges = model.list.map { merge in
      [merge.left, merge.right].map { String(decoding: model.vocabulary.text(of: $0) ?? [], as: UTF8.self) }
        .joined(separator: " ")
    }
    result.unknown = model.unknown
    return result
  }

  /// The pattern of a step, `nil` for the one that only writes bytes.
  private func pattern(_ step: any PreTokenizer) throws(ImportError) -> String? {
    switch step {
    case let step as PatternSplit:
      guard !step.isInverted, step.behavior == .isolated else { break }
      return step.pattern.source
    case let step as ByteLevel: return step.pattern?.source
    case let step as CharacterSplit where step.kind == .number:
      return step.behavior == .isolated ? #"\p{N}"# : #"\p{N}+"#
    case let step as CharacterSplit where step.kind == .punctuation && step.behavior == .contiguous:
      return PublishedPatterns.falconSigns
    default: break
    }
    throw unsupported("pre_tokenizer", "a step that cuts words otherwise than at patterns")
  }

  private func sentencePiece(_ model: MergeModel) throws(ImportError) -> GGUFVocabulary {
    let steps = tokenizer.preparation
    let escapes =
      steps.preTokenizers.contains { $0 is Metaspace }
      || steps.normalizers.contains {
        guard let step = $0 as? ReplaceNormalizer, case .text([0x20]) = step.target else { return false }
        return step.content == Array("▁".utf8)
      }
    guard escapes, steps.normalizers.allSatisfy({ $0 is PrependNormalizer || $0 is ReplaceNormalizer }) else {
      throw unsupported("normalizer", "byte-pair encoding that is neither byte-level nor SentencePiece's")
    }
    var result = vocabulary("llama")
    // What no merge makes stands behind all that a merge makes.
    result.scores = Array(repeating: -Float(model.list.count), count: result.tokens.count)
    for (rank, merge) in model.list.enumerated().reversed() { result.scores[Int(merge.token)] = -Float(rank) }
    if model.byteTokens != nil {
      for token in result.tokens.indices where ByteTokens.byte(named: Array(result.tokens[token].utf8)) != nil
      {
        result.types[token] = Types.byte
      }
    }
    result.unknown = model.unknown
    if let unknown = model.unknown { result.types[Int(unknown)] = Types.unknown }
    return result
  }

  func unigram(_ model: UnigramModel) throws(ImportError) -> GGUFVocabulary {
    var result = vocabulary("t5")
    result.scores = model.scores.map(Float.init)
    result.scores += Array(repeating: 0, count: result.tokens.count - result.scores.count)
    result.unknown = model.unknown
    if let unknown = model.unknown { result.types[Int(unknown)] = Types.unknown }
    for step in tokenizer.preparation.normalizers {
      switch step {
      case let step as CharacterMapNormalizer: result.characterMap = step.map.bytes
      case let step as ReplaceNormalizer where step.content == [0x20]: result.removesExtraSpaces = true
      case is StripNormalizer: break
      default: throw unsupported("normalizer", "this normalizer before a unigram vocabulary")
      }
    }
    return result
  }

  func wordPiece(_ model: WordPieceModel) throws(ImportError) -> GGUFVocabulary {
    guard let normalizer = tokenizer.preparation.normalizers.first as? BertNormalizer else {
      throw unsupported("normalizer", "WordPiece without BERT's normalizer")
    }
    var result = vocabulary("bert")
    for token in result.tokens.indices where result.types[token] == Types.normal {
      // By bytes: a mark that combines with the prefix must not hide it.
      let text = result.tokens[token].utf8
      let isInner = text.starts(with: model.prefix)
      result.tokens[token] =
        isInner
        ? String(decoding: text.dropFirst(model.prefix.count), as: UTF8.self) : "▁" + result.tokens[token]
    }
    result.unknown = model.unknown
    result.lowercases = normalizer.lowercases
    result.stripsAccents = normalizer.stripsAccents
    return result
  }
}
