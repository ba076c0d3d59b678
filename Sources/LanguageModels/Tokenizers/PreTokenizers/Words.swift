/// A text and the words it is cut into; what lies between the words is dropped.
struct Words {
  var text: [UInt8]
  /// In order, none empty.
  var ranges: [Range<Int>]
  /// Whether the text begins where the whole text begins (and does not follow a special token).
  let isFirst: Bool

  init(_ text: [UInt8], isFirst: Bool) {
    self.text = text
    ranges = text.isEmpty ? [] : [0..<text.count]
    self.isFirst = isFirst
  }

  /// Writes every word anew.
  mutating func rewrite(_ body: (Span<UInt8>, _ isFirst: Bool, inout [UInt8]) -> Void) {
    var result: [UInt8] = []
    result.reserveCapacity(text.count * 3 / 2 + 8)
    for number in ranges.indices {
      let start = result.count
      body(text.span.extracting(ranges[number]), isFirst && ranges[number].lowerBound == 0, &result)
      ranges[number] = start..<result.count
    }
    ranges.removeAll(where: \.isEmpty)
    text = result
  }

  /// Cuts every word at the matches that `find` tells, in order.
  mutating func cut(
    _ behavior: SplitBehavior, isInverted: Bool = false,
    _ find: (Span<UInt8>, Range<Int>, (Range<Int>) -> Void) -> Void
  ) {
    var result: [Range<Int>] = []
    result.reserveCapacity(max(ranges.count, text.count / 4))
    for range in ranges {
      var cutter = Cutter(behavior: behavior, place: range.lowerBound)
      find(text.span, range) { match in
        if cutter.place < match.lowerBound {
          cutter.add(cutter.place..<match.lowerBound, isMatch: isInverted, &result)
        }
        cutter.add(match, isMatch: !isInverted, &result)
      }
      if cutter.place < range.upperBound {
        cutter.add(cutter.place..<range.upperBound, isMatch: isInverted, &result)
      }
      cutter.finish(&result)
    }
    ranges = result
  }
}

/// What becomes of the matches when a text is cut at them.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  /// Neighbouring matches are one word, and so is what lies between two.
  case contiguous = "Contiguous"
}

/// Makes words of a run of matches and of what lies between them.
private struct Cutter {
  let behavior: SplitBehavior
  /// Where the next piece begins.
  var place: Int
  private var waiting: Range<Int>?
  private var waitingIsMatch = false

  init(behavior: SplitBehavior, place: Int) {
    self.behavior = behavior
    self.place = place
  }

  mutating func add(_ piece: Range<Int>, isMatch: Bool, _ words: inout [Range<Int>]) {
    place = piece.upperBound
    switch behavior {
    case .removed: if !isMatch { words.append(piece) }
    case .isolated: words.append(piece)
    case .mergedWithPrevious:
      // A match joins the piece before it, unless that is a match as well.
      if isMatch, !waitingIsMatch, let last = waiting {
        waiting = last.lowerBound..<piece.upperBound
      } else {
        finish(&words)
        waiting = piece
      }
      waitingIsMatch = isMatch
    case .mergedWithNext:
      if let last = waiting, waitingIsMatch, !isMatch {
        waiting = last.lowerBound..<piece.upperBound
      } else {
        finish(&words)
        waiting = piece
      }
      waitingIsMatch = isMatch
    case .contiguous:
      if let last = waiting, waitingIsMatch == isMatch {
        waiting = last.lowerBound..<piece.upperBound
      } else {
        finish(&words)
        waiting = piece
      }
      waitingIsMatch = isMatch
    }
  }

  mutating func finish(_ words: inout [Range<Int>]) {
    if let waiting { words.append(waiting) }
    waiting = nil
  }
}

/// Cuts a text into words: one step of a tokenizer's pre-tokenization.
protocol PreTokenizer: Sendable {
  func split(_ words: inout Words)
}
