/// A text found by letters of it, in order and in any case: `rst` finds `run-stale`.
package struct FuzzyMatch: Hashable, Sendable {
  /// Larger is better; comparable between texts found by the same query.
  package let score: Int
  /// Places of the characters that were found, ascending.
  package let places: [Int]

  /// Where letters may be found.
  package enum Manner: Hashable, Sendable {
    /// Anywhere: for names.
    case anywhere
    /// In pieces that begin where words do: for sentences, in which any letters are somewhere.
    case fromWordStarts
  }

  private static let found = 16
  private static let consecutive = 14
  private static let wordStart = 10
  private static let whole = 40

  /// The best way to find one word of a query in a text, or `nil`.
  ///
  /// Each letter counts, more so at the start of a word or right behind the one before; each character between costs
  /// one.
  package init?(_ word: String, in text: String, manner: Manner = .anywhere) {
    let wanted = word.map { Self.folded($0) }
    let characters = Array(text)
    let there = characters.map { Self.folded($0) }
    guard !wanted.isEmpty, wanted.count <= there.count else { return nil }
    // best[i]: the best score with the letters so far where the last one is found at i; from[k][i]: where the one before was.
    var best: [Int?] = []
    var from: [[Int]] = []
    for (index, letter) in wanted.enumerated() {
      var next = [Int?](repeating: nil, count: there.count)
      var before = [Int](repeating: -1, count: there.count)
      // The best of those that are not right before, with what the gap costs so far.
      var far: (score: Int, place: Int)?
      for place in there.indices {
        if index > 0, place >= 2, let score = best[place - 2], score > (far?.score ?? .min) {
          far = (score, place - 2)
        }
        if far != nil { far?.score -= 1 }
        guard there[place] == letter else { continue }
        let isStart = Self.isWordStart(characters, place)
        let own = Self.found + (isStart ? Self.wordStart : 0)
        let mayBegin = isStart || manner == .anywhere
        if index == 0 {
          if mayBegin { next[place] = own - Swift.min(place, 9) }
          continue
        }
        if mayBegin, let far {
          next[place] = far.score + own
          before[place] = far.place
        }
        if place > 0, let score = best[place - 1], score + own + Self.consecutive > (next[place] ?? .min) {
          next[place] = score + own + Self.consecutive
          before[place] = place - 1
        }
      }
      best = next
      from.append(before)
    }
    guard let end = best.indices.filter({ best[$0] != nil }).max(by: { (best[$0] ?? 0) < (best[$1] ?? 0) }),
      let score = best[end]
    else { return nil }
    var places = [end]
    for before in from.dropFirst().reversed() { places.append(before[places[places.count - 1]]) }
    self.places = places.reversed()
    self.score = score + (wanted.count == there.count ? Self.whole : 0)
  }

  private static func folded(_ character: Character) -> Character {
    character.lowercased().first ?? character
  }

  /// Whether a word begins here: behind what is no letter or digit, or an upper-case letter behind a lower-case one.
  private static func isWordStart(_ text: [Character], _ place: Int) -> Bool {
    guard place > 0 else { return true }
    let (before, here) = (text[place - 1], text[place])
    guard here.isLetter || here.isNumber else { return false }
    return !(before.isLetter || before.isNumber) || before.isLowercase && here.isUppercase
  }

  /// The text with the characters at these places in the style of matches.
  package static func highlight(_ text: String, _ places: Set<Int>, _ style: Style = .text) -> [Run] {
    if places.isEmpty { return text.isEmpty ? [] : [Run(text, style)] }
    var runs: [Run] = []
    for (place, character) in text.enumerated() {
      let own = places.contains(place) ? Style.match : style
      if runs.last?.style == own {
        runs[runs.count - 1].text.append(character)
      } else {
        runs.append(Run(String(character), own))
      }
    }
    return runs
  }
}
