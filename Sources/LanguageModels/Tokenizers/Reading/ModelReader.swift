import Formats

extension JSONPlace {
  func model() throws(ImportError) -> any TokenModel {
    switch try modelType() {
    case "BPE": return try mergeModel()
    case "Unigram": return try unigramModel()
    case "WordPiece":
      let vocabulary = try vocabulary()
      return WordPieceModel(
        vocabulary: vocabulary, unknown: try unknownToken(vocabulary, default: "[UNK]"),
        prefix: try bytes("continuing_subword_prefix") ?? Array("##".utf8),
        longestWord: try member("max_input_chars_per_word")?.integer(in: 0...1 << 30) ?? 100)
    case "WordLevel":
      let vocabulary = try vocabulary()
      return WordModel(vocabulary: vocabulary, unknown: vocabulary.token(of: try bytes("unk_token") ?? []))
    case let type: throw error(.unsupported(what: "the model", found: type))
    }
  }

  /// Files of before version 0.9 of the package do not name the type.
  private func modelType() throws(ImportError) -> String {
    if let type = try text("type") { return type }
    if member("merges") != nil { return "BPE" }
    if case .array = try required("vocab").value { return "Unigram" }
    return member("max_input_chars_per_word") != nil ? "WordPiece" : "WordLevel"
  }

  /// Numbers a vocabulary of so many texts may use: a few may be free, but a small file cannot ask for a large table.
  static func tokenLimit(_ texts: Int) -> Int { min(4 * texts + 4096, Vocabulary.sizeLimit) }

  private func vocabulary() throws(ImportError) -> Vocabulary {
    let place = try required("vocab")
    guard case .object(let members) = place.value else { throw place.wrong("an object of texts and numbers") }
    guard !members.isEmpty else { throw place.error(.missing("any token")) }
    var vocabulary = Vocabulary(capacity: members.count)
    let limit = Self.tokenLimit(members.count)
    for member in members {
      guard case .number(let number) = member.value, let token = Int32(exactly: number),
        (0..<limit).contains(Int(token))
      else {
        let name = String(decoding: member.key, as: UTF8.self)
        throw place.error(
          .malformed("the number of \"\(name)\" is not a whole number from 0 to \(limit - 1)"))
      }
      vocabulary.insert(member.key, token: token)
    }
    return vocabulary
  }

  private func unknownToken(_ vocabulary: Vocabulary, default standard: String) throws(ImportError) -> Int32 {
    let text = try bytes("unk_token") ?? Array(standard.utf8)
    guard let token = vocabulary.token(of: text) else {
      throw error(.missing("\"\(String(decoding: text, as: UTF8.self))\" (unk_token) in \"vocab\""))
    }
    return token
  }

  private func mergeModel() throws(ImportError) -> MergeModel {
    if let dropout = member("dropout"), try dropout.number() > 0 {
      throw dropout.error(
        .unsupported(what: "leaving merges away at random", found: "\(try dropout.number())"))
    }
    let vocabulary = try vocabulary()
    let prefix = try bytes("continuing_subword_prefix") ?? []
    var model = MergeModel(vocabulary: vocabulary, merges: try merges(vocabulary, prefix: prefix))
    model.continuingPrefix = prefix
    model.endSuffix = try bytes("end_of_word_suffix") ?? []
    model.unknown = vocabulary.token(of: try bytes("unk_token") ?? [])
    model.fusesUnknown = try flag("fuse_unk", default: false)
    model.byteTokens = try flag("byte_fallback", default: false) ? ByteTokens(vocabulary) : nil
    model.ignoresMerges = try flag("ignore_merges", default: false)
    return model
  }

  private func merges(
    _ vocabulary: Vocabulary, prefix: [UInt8]
  ) throws(ImportError) -> [(left: Int32, right: Int32, token: Int32)] {
    let place = try required("merges")
    guard case .array(let values) = place.value else { throw place.wrong("a list of pairs") }
    var merges: [(left: Int32, right: Int32, token: Int32)] = []
    merges.reserveCapacity(values.count)
    for (number, value) in values.enumerated() {
      func problem(_ what: String) -> ImportError {
        JSONPlace(file: file, path: "\(place.path)[\(number)]", value: value).error(.malformed(what))
      }
      guard let (left, right) = Self.pair(value) else {
        throw problem("found \(value.kind), expected two texts")
      }
      let joined = left + right.dropFirst(min(prefix.count, right.count))
      var tokens: [Int32] = []
      for text in [left, right, joined] {
        guard let token = vocabulary.token(of: text) else {
          throw problem("\"\(String(decoding: text, as: UTF8.self))\" is not in \"vocab\"")
        }
        tokens.append(token)
      }
      merges.append((tokens[0], tokens[1], tokens[2]))
    }
    return merges
  }

  /// The two sides of a merge: `"a b"` or, since version 0.20 of the package, `["a", "b"]`.
  private static func pair(_ value: JSONValue) -> (left: [UInt8], right: [UInt8])? {
    switch value {
    case .string(let text):
      let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
      return parts.count == 2 ? (Array(parts[0]), Array(parts[1])) : nil
    case .array(let values):
      guard values.count == 2, case .string(let left) = values[0], case .string(let right) = values[1] else {
        return nil
      }
      return (left, right)
    default: return nil
    }
  }

  private func unigramModel() throws(ImportError) -> UnigramModel {
    let place = try required("vocab")
    guard case .array(let values) = place.value else { throw place.wrong("a list of texts and scores") }
    guard !values.isEmpty else { throw place.error(.missing("any token")) }
    guard values.count <= Vocabulary.sizeLimit else {
      throw place.error(.limit(what: "tokens", found: values.count, most: Vocabulary.sizeLimit))
    }
    var vocabulary = Vocabulary(capacity: values.count)
    var scores: [Double] = []
    for (number, value) in values.enumerated() {
      guard case .array(let pair) = value, pair.count == 2, case .string(let text) = pair[0],
        case .number(let score) = pair[1]
      else {
        throw JSONPlace(file: file, path: "\(place.path)[\(number)]", value: value).wrong(
          "a text and a score")
      }
      vocabulary.insert(text, token: Int32(number))
      scores.append(score)
    }
    return UnigramModel(
      vocabulary: vocabulary, scores: scores,
      unknown: try member("unk_id").map { (place) throws(ImportError) in
        Int32(try place.integer(in: 0...values.count - 1))
      }, usesBytes: try flag("byte_fallback", default: false))
  }
}
