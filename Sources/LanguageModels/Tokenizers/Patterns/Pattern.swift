/// A compiled pattern and how it is searched for in UTF-8.
struct Pattern: Sendable {
  /// As the file writes it.
  let source: String
  /// The branches of the outermost choice, each a program.
  private let branches: [PatternProgram]
  /// For each ASCII character, the branches that a match beginning with it may take, in order; for 128, all.
  private let candidates: [[Int]]

  init(_ source: String) throws(PatternError) {
    self.source = source
    let node = try PatternParser.parse(source)
    var nodes = [node]
    if case .alternatives(let parts) = node { nodes = parts }
    var branches: [PatternProgram] = []
    for node in nodes { branches.append(try PatternProgram(node)) }
    self.branches = branches
    candidates = (UInt32(0)...128).map { value in
      nodes.indices.filter { value == 128 || nodes[$0].mayBeEmpty || nodes[$0].mayBegin(with: value) }
    }
  }

  /// The matches in `range`, which stands for the whole text, from left to right; empty ones are not told.
  ///
  /// - Parameter body: is given each match.
  func forEachMatch(
    in text: Span<UInt8>, _ range: Range<Int>, scratch: inout PatternScratch, _ body: (Range<Int>) -> Void
  ) {
    let part = text.extracting(range)
    scratch.stepsLeft = PatternScratch.stepBudget(part.count)
    var place = 0
    while place < part.count, scratch.stepsLeft > 0 {
      if let end = matchEnd(in: part, at: place, &scratch), end > place {
        body(range.lowerBound + place..<range.lowerBound + end)
        place = end
      } else {
        place += scalar(of: part, at: place).length
      }
    }
  }

  private func matchEnd(in text: Span<UInt8>, at place: Int, _ scratch: inout PatternScratch) -> Int? {
    for branch in candidates[Int(min(text[place], 128))] {
      if let end = branches[branch].match(text, at: place, step: 0, &scratch) { return end }
    }
    return nil
  }
}

/// Memory that matching needs, kept from match to match.
struct PatternScratch {
  /// Most steps for a text of so many bytes, after which no more matches are found, so that no pattern of a file can
  /// hang the program; published patterns take fewer than 20 per byte.
  static func stepBudget(_ bytes: Int) -> Int { 1_000_000 + 200 * bytes }

  struct Choice {
    var step: Int
    var place: Int
    /// For a run that may give up: the place before which it may not go;
    /// −1 for a fork, −1 − n for a lazy run that may take n more.
    var floor: Int
    var run: Int
  }

  var choices: [Choice] = []
  var stepsLeft = 0
}

extension PatternProgram {
  /// Where the match ends that begins at `place` and `step`, if there is one.
  func match(_ text: Span<UInt8>, at place: Int, step: Int, _ scratch: inout PatternScratch) -> Int? {
    let base = scratch.choices.count
    var place = place
    var step = step
    while true {
      scratch.stepsLeft &-= 1
      if scratch.stepsLeft < 0 {
        scratch.choices.removeSubrange(base...)
        return nil
      }
      var holds = true
      switch steps[step] {
      case .accept:
        scratch.choices.removeSubrange(base...)
        return place
      case .set(let number):
        if place < text.count, case let next = scalar(of: text, at: place), set(number, contains: next.value)
        {
          place &+= next.length
          step &+= 1
        } else {
          holds = false
        }
      case .run(let number, let counts, let greed):
        holds = run(number, counts, greed, text, &place, step, &scratch)
        step &+= 1
      case .fork(let first, let second):
        scratch.choices.append(.init(step: second, place: place, floor: -1, run: 0))
        step = first
      case .jump(let target): step = target
      case .look(let end, let isNegated):
        holds = (match(text, at: place, step: step &+ 1, &scratch) != nil) != isNegated
        step = end
      case .atomic(let end):
        if let reached = match(text, at: place, step: step &+ 1, &scratch) {
          place = reached
          step = end
        } else {
          holds = false
        }
      case .anchor(let anchor):
        holds = anchor.holds(text, at: place)
        step &+= 1
      }
      while !holds {
        guard scratch.choices.count > base else { return nil }
        holds = goBack(text, &place, &step, &scratch)
      }
    }
  }

  /// Takes scalars of a set; `false` if there are fewer than needed.
  private func run(
    _ number: Int, _ counts: ClosedRange<Int>, _ greed: PatternNode.Greed, _ text: Span<UInt8>,
    _ place: inout Int,
    _ step: Int, _ scratch: inout PatternScratch
  ) -> Bool {
    let most = greed == .lazy ? counts.lowerBound : counts.upperBound
    var taken = 0
    var floor = place
    while taken < most, place < text.count {
      let next = scalar(of: text, at: place)
      guard set(number, contains: next.value) else { break }
      place &+= next.length
      taken &+= 1
      if taken == counts.lowerBound { floor = place }
    }
    scratch.stepsLeft &-= taken
    guard taken >= counts.lowerBound else { return false }
    switch greed {
    case .possessive: break
    case .greedy:
      if place > floor {
        scratch.choices.append(.init(step: step &+ 1, place: place, floor: floor, run: number))
      }
    case .lazy:
      let left = counts.upperBound &- taken
      if left > 0 {
        scratch.choices.append(.init(step: step &+ 1, place: place, floor: -1 &- left, run: number))
      }
    }
    return true
  }

  /// Takes up the latest choice; `false` if nothing is left of it.
  private func goBack(
    _ text: Span<UInt8>, _ place: inout Int, _ step: inout Int, _ scratch: inout PatternScratch
  ) -> Bool {
    let last = scratch.choices.count &- 1
    let choice = scratch.choices[last]
    step = choice.step
    place = choice.place
    if choice.floor >= 0 {
      place = startOfScalar(of: text, before: place)
      if place > choice.floor { scratch.choices[last].place = place } else { scratch.choices.removeLast() }
      return true
    }
    scratch.choices.removeLast()
    guard choice.floor < -1 else { return true }
    guard place < text.count, case let next = scalar(of: text, at: place),
      set(choice.run, contains: next.value)
    else {
      return false
    }
    place &+= next.length
    if choice.floor < -2 {
      scratch.choices.append(.init(step: step, place: place, floor: choice.floor &+ 1, run: choice.run))
    }
    return true
  }
}

extension PatternNode.Anchor {
  func holds(_ text: Span<UInt8>, at place: Int) -> Bool {
    switch self {
    case .textStart: place == 0
    case .textEnd: place == text.count
    case .textEndOrLastNewline: place == text.count || place == text.count - 1 && text[place] == 0x0A
    case .lineStart: place == 0 || text[place - 1] == 0x0A && place < text.count
    case .lineEnd: place == text.count || text[place] == 0x0A
    case .wordBoundary: Self.isWord(text, before: place) != Self.isWord(text, at: place)
    case .noBoundary: Self.isWord(text, before: place) == Self.isWord(text, at: place)
    }
  }

  private static func isWord(_ text: Span<UInt8>, at place: Int) -> Bool {
    place < text.count && NamedSets.word.contains(scalar(of: text, at: place).value)
  }

  private static func isWord(_ text: Span<UInt8>, before place: Int) -> Bool {
    place > 0 && isWord(text, at: startOfScalar(of: text, before: place))
  }
}
