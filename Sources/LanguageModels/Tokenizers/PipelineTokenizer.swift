/// A tokenizer made of steps, as tokenizer.json describes one: added tokens are found, the text between them is
/// normalized, cut into words, each word into tokens by the model, and a template is put around all.
///
/// Truncation and padding that a file may ask for are not done: a text keeps its length.
package struct PipelineTokenizer: Tokenizer {
  /// The steps before the model.
  struct Preparation: Sendable {
    var normalizers: [any Normalizer]
    var preTokenizers: [any PreTokenizer]
    fileprivate var normalizedTokens = AddedTokenSplitter([])

    func normalize(_ text: [UInt8]) -> [UInt8] { normalizers.reduce(text) { $1.normalize($0) } }

    /// Whether a step puts a blank before the text.
    var prefixesSpace: Bool {
      normalizers.contains { $0 is PrependNormalizer }
        || preTokenizers.contains {
          ($0 as? ByteLevel)?.prefixesSpace == true || ($0 as? Metaspace)?.isPrefixing == true
        }
    }

    /// The same steps without a blank before the text.
    var withoutPrefix: Preparation {
      var result = self
      result.normalizers.removeAll { $0 is PrependNormalizer }
      result.preTokenizers = preTokenizers.map { step in
        switch step {
        case var step as ByteLevel:
          step.prefixesSpace = false
          return step
        case var step as Metaspace:
          step.prefix = .never
          return step
        default: return step
        }
      }
      return result
    }
  }

  let model: any TokenModel
  let addedTokens: [AddedToken]
  private let added: [Int32: AddedToken]
  private let rawTokens: AddedTokenSplitter
  let preparation: Preparation
  private let unprefixed: Preparation
  let template: Template
  let decoders: [any TokenDecoder]

  package let vocabularySize: Int
  package var bos: Int32?
  package var eos: Int32?

  init(
    model: any TokenModel, addedTokens: [AddedToken], normalizers: [any Normalizer],
    preTokenizers: [any PreTokenizer], template: Template, decoders: [any TokenDecoder]
  ) {
    self.model = model
    self.addedTokens = addedTokens
    added = Dictionary(addedTokens.map { ($0.token, $0) }) { _, last in last }
    let normalized = addedTokens.filter(\.isNormalized)
    rawTokens = AddedTokenSplitter(addedTokens.filter { !$0.isNormalized })
    func ready(_ preparation: Preparation) -> Preparation {
      var preparation = preparation
      preparation.normalizedTokens = AddedTokenSplitter(normalized, normalize: preparation.normalize)
      return preparation
    }
    var preTokenizers = preTokenizers
    if preTokenizers.isEmpty, model.mergesOnly { preTokenizers = [JointSplit(model.vocabulary)] }
    let steps = Preparation(normalizers: normalizers, preTokenizers: preTokenizers)
    preparation = ready(steps)
    unprefixed = ready(steps.withoutPrefix)
    self.template = template
    self.decoders = decoders
    vocabularySize = max(model.vocabulary.size, Int(addedTokens.map(\.token).max() ?? -1) + 1)
  }

  // MARK: encoding

  package func encode(_ text: String, addsSpecialTokens: Bool, prefixSpace: Bool?) -> [Int32] {
    var bytes = Array(text.utf8)
    if prefixSpace == true, !preparation.prefixesSpace, let first = bytes.first, first != 0x20 {
      bytes.insert(0x20, at: 0)
    }
    var tokens: [Int32] = addsSpecialTokens ? template.before : []
    tokens.reserveCapacity(bytes.count / 3)
    encode(bytes, prefixSpace == false ? unprefixed : preparation, &tokens)
    if addsSpecialTokens { tokens += template.after }
    return tokens
  }

  private func encode(_ text: [UInt8], _ preparation: Preparation, _ tokens: inout [Int32]) {
    var cache = WordCache()
    var scratch = MergeScratch()
    for part in rawTokens.split(text.span) {
      switch part {
      case .token(let token): tokens.append(token)
      case .text(let range):
        let normalized = preparation.normalize(Array(text[range]))
        for part in preparation.normalizedTokens.split(normalized.span) {
          switch part {
          case .token(let token): tokens.append(token)
          case .text(let inner):
            var words = Words(
              Array(normalized[inner]), isFirst: range.lowerBound == 0 && inner.lowerBound == 0)
            for step in preparation.preTokenizers { step.split(&words) }
            let text = words.text.span
            for word in words.ranges { cache.append(text.extracting(word), to: &tokens, &scratch, model) }
          }
        }
      }
    }
  }

  // MARK: decoding

  /// The text that the vocabulary or the list of added tokens has for a token.
  func text(of token: Int32) -> [UInt8]? {
    added[token]?.content ?? model.vocabulary.text(of: token).map(Array.init)
  }

  package func decode(_ tokens: [Int32], skipsSpecialTokens: Bool) -> String {
    var texts = tokens.filter { !(skipsSpecialTokens && added[$0]?.isSpecial == true) }.compactMap(text)
    if decoders.isEmpty { texts = [Array(texts.joined(separator: [0x20]))] }
    for decoder in decoders { texts = decoder.decode(texts) }
    return String(decoding: texts.joined(), as: UTF8.self)
  }

  package func bytes(of token: Int32) -> [UInt8] {
    guard let text = text(of: token) else { return [] }
    return decoders.reduce(text) { $1.decodeInside($0) }
  }
}

extension Metaspace {
  var isPrefixing: Bool { prefix != .never }
}
