import Datasets
import Foundation
import Tensors

extension TextSource {
  /// The windows of this text for one model, and the text's tokens that a window holds at most.
  ///
  /// Windows that are shorter than the longest are filled up with the beginnings of those that follow: attention is
  /// causal, nothing there is scored, and what calibrates on a window sees no made-up tokens.
  /// - Parameters:
  ///   - card: the card that names the file; `nil` where the file was given by itself.
  ///   - context: tokens the model takes at most.
  ///   - vocabulary: tokens the model knows.
  /// - Errors: `DatasetError` for a file that cannot be read, a window that the model does not take, a stride that would
  ///   leave text out, a token the model does not know, a text in which nothing is scored.
  package func windows(
    card: String? = nil, tokenizer: any Tokenizer, context: Int, vocabulary: Int
  ) throws(DatasetError) -> TokenWindows {
    let place = card ?? file
    let plan = try WindowPlan(self, bos: bos == .none ? nil : tokenizer.bos, context: context, place: place)
    var windows: [WindowPlan.Window] = []
    for document in try documents(card: card) {
      var tokens = tokenizer.encode(document, addsSpecialTokens: false, prefixSpace: prefixSpace)
      if eos, let end = tokenizer.eos { tokens.append(end) }
      if let wrong = tokens.first(where: { !(0..<vocabulary).contains(Int($0)) }) {
        throw DatasetError(
          file: place,
          reason: .unsupported(
            "the token \(wrong) of a tokenizer for a model of \(vocabulary) tokens",
            advice: "Take the tokenizer that belongs to the model."))
      }
      plan.cut(tokens, into: &windows)
    }
    guard !windows.isEmpty else {
      throw DatasetError(
        file: place,
        reason: .malformed(
          "the text holds no window in which a token is scored (windows of \(plan.length) tokens)"))
    }
    return TokenWindows(filling: windows)
  }

  /// Whole documents, in the order of the text; those that `from` or `bytes` cuts through are dropped.
  private func documents(card: String?) throws(DatasetError) -> [String] {
    let (text, isFromStart, isToEnd) = try read(card: card)
    var documents = [text]
    if let split {
      documents = text.components(separatedBy: split)
      if !isFromStart { documents.removeFirst() }
      if !isToEnd, !documents.isEmpty { documents.removeLast() }
    }
    if strip { documents = documents.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } }
    return documents.filter { !$0.isEmpty }
  }
}

/// How the tokens of a document become windows.
private struct WindowPlan {
  struct Window {
    var tokens: [Int32]
    var scored: Range<Int>
  }

  /// Tokens of a whole window.
  let length: Int
  private let bos: Int32?
  private let replaces: Bool
  /// Tokens of the text in a whole window, and between the starts of two.
  private let room: Int
  private let stride: Int
  private let scoreFrom: Int?
  /// Whether a window that its document does not fill is used, where others before it were filled.
  private let keepsRest: Bool

  init(_ source: TextSource, bos: Int32?, context: Int, place: String) throws(DatasetError) {
    length = source.window ?? Swift.min(TextSource.usualWindow, context)
    guard (2...Swift.max(context, 2)).contains(length) else {
      throw DatasetError(
        file: place,
        reason: .wrongValue(
          key: "window", expected: "2 to \(context), the tokens the model takes", found: "\(length)"))
    }
    self.bos = bos
    replaces = source.bos == .replacing
    room = bos == nil || replaces ? length : length - 1
    stride = source.stride ?? room
    guard stride <= room else {
      throw DatasetError(
        file: place,
        reason: .wrongValue(
          key: "stride", expected: "at most \(room), the text's tokens in a window", found: "\(stride)"))
    }
    scoreFrom =
      switch source.scoreFrom {
      case .position(let position)?: position
      case .half?: length / 2
      case nil: nil
      }
    keepsRest = source.split != nil
  }

  func cut(_ text: [Int32], into windows: inout [Window]) {
    let text = replaces ? (bos.map { [$0] } ?? []) + text : text
    let start = bos != nil && !replaces ? 1 : 0
    var (first, end) = (0, 0)
    while first == 0 || end < text.count {
      let scoredBefore = end
      end = Swift.min(first + room, text.count)
      guard end - first == room || first == 0 || keepsRest else { return }
      var tokens = Array(text[first..<end])
      if let bos, !tokens.isEmpty {
        if replaces { tokens[0] = bos } else { tokens.insert(bos, at: 0) }
      }
      // What follows position p is token p + 1.
      let from = scoreFrom ?? Swift.max(scoredBefore - first + start - 1, 0)
      if from < tokens.count - 1 { windows.append(Window(tokens: tokens, scored: from..<tokens.count - 1)) }
      first += stride
    }
  }
}

extension TokenWindows {
  /// - Parameter windows: at least one.
  fileprivate init(filling windows: [WindowPlan.Window]) {
    let length = windows.reduce(0) { Swift.max($0, $1.tokens.count) }
    var tokens: [Int32] = []
    tokens.reserveCapacity(length * windows.count)
    for (index, window) in windows.enumerated() {
      let whole = tokens.count + length
      tokens += window.tokens
      var next = index
      while tokens.count < whole {
        next = (next + 1) % windows.count
        tokens += windows[next].tokens.prefix(whole - tokens.count)
      }
    }
    self.init(length: length, tokens: tokens, scored: windows.map(\.scored))
  }

  /// Windows of tokens drawn at random, each from the one that starts a document, for a model without data.
  package static func madeUp(
    _ count: Int, length: Int, vocabulary: Int, bos: Int32?, seed: UInt64
  ) -> TokenWindows {
    var random = SplitMix64(seed: seed)
    var tokens: [Int32] = []
    for place in 0..<count * length {
      let token = Int32(random.below(vocabulary))
      tokens.append(place % length == 0 ? bos ?? token : token)
    }
    return TokenWindows(
      length: length, tokens: tokens, scored: Array(repeating: 0..<Swift.max(length - 1, 0), count: count))
  }
}
