/// One step of a compiled pattern.
enum PatternStep: Sendable {
  case set(Int)
  /// As many of a set as there are within the counts; going back gives them up one by one (greedy), takes one more
  /// (lazy) or is not possible (possessive).
  case run(set: Int, ClosedRange<Int>, PatternNode.Greed)
  /// Goes on at `first`; going back goes on at `second`.
  case fork(first: Int, second: Int)
  case jump(Int)
  /// The steps up to `end` must (or must not) match here; they take nothing.
  case look(end: Int, isNegated: Bool)
  /// The steps up to `end` are matched once, with no way back into them.
  case atomic(end: Int)
  case anchor(PatternNode.Anchor)
  case accept
}

/// A pattern as a list of steps.
struct PatternProgram: Sendable {
  static let stepLimit = 20_000

  private(set) var steps: [PatternStep] = []
  private(set) var sets: [ScalarSet] = []
  /// For each ASCII character one bit per set; more than 64 sets are asked one by one.
  private(set) var setsOfASCII = Array(repeating: UInt64(0), count: 128)

  init(_ node: PatternNode) throws(PatternError) {
    try add(node)
    steps.append(.accept)
    for (number, set) in sets.enumerated().prefix(64) {
      for value in 0..<128 where set.contains(UInt32(value)) { setsOfASCII[value] |= 1 << UInt64(number) }
    }
  }

  @inline(__always)
  func set(_ number: Int, contains value: UInt32) -> Bool {
    if value < 128, number < 64 { return setsOfASCII[Int(value)] >> UInt64(number) & 1 != 0 }
    return sets[number].contains(value)
  }

  private mutating func number(of set: ScalarSet) -> Int {
    if let number = sets.firstIndex(of: set) { return number }
    sets.append(set)
    return sets.count - 1
  }

  private mutating func add(_ node: PatternNode) throws(PatternError) {
    guard steps.count < Self.stepLimit else {
      throw PatternError(problem: "is too long once expanded", place: 0)
    }
    switch node {
    case .set(let set): steps.append(.set(number(of: set)))
    case .sequence(let parts): for part in parts { try add(part) }
    case .alternatives(let parts): try addAlternatives(parts)
    case .repetition(.set(let set), let counts, let greed):
      steps.append(.run(set: number(of: set), counts, greed))
    case .repetition(let part, let counts, .possessive):
      try addAtomic(.repetition(part, counts, .greedy))
    case .repetition(let part, let counts, let greed):
      try addRepetition(of: part, counts, isLazy: greed == .lazy)
    case .look(let part, let isNegated):
      let start = reserve()
      try add(part)
      steps.append(.accept)
      steps[start] = .look(end: steps.count, isNegated: isNegated)
    case .atomic(let part): try addAtomic(part)
    case .anchor(let anchor): steps.append(.anchor(anchor))
    }
  }

  /// A step whose targets are filled in later.
  private mutating func reserve() -> Int {
    steps.append(.accept)
    return steps.count - 1
  }

  private mutating func addAtomic(_ part: PatternNode) throws(PatternError) {
    let start = reserve()
    try add(part)
    steps.append(.accept)
    steps[start] = .atomic(end: steps.count)
  }

  private mutating func addAlternatives(_ parts: [PatternNode]) throws(PatternError) {
    var ends: [Int] = []
    for (number, part) in parts.enumerated() {
      guard number + 1 < parts.count else {
        try add(part)
        break
      }
      let fork = reserve()
      try add(part)
      ends.append(reserve())
      steps[fork] = .fork(first: fork + 1, second: steps.count)
    }
    for end in ends { steps[end] = .jump(steps.count) }
  }

  private mutating func addRepetition(
    of part: PatternNode, _ counts: ClosedRange<Int>, isLazy: Bool
  ) throws(PatternError) {
    for _ in 0..<counts.lowerBound { try add(part) }
    func fork(_ body: Int, _ end: Int) -> PatternStep {
      isLazy ? .fork(first: end, second: body) : .fork(first: body, second: end)
    }
    if counts.upperBound == PatternNode.unbounded {
      let start = reserve()
      try add(part)
      steps.append(.jump(start))
      steps[start] = fork(start + 1, steps.count)
    } else {
      var starts: [Int] = []
      for _ in counts.lowerBound..<counts.upperBound {
        starts.append(reserve())
        try add(part)
      }
      for start in starts { steps[start] = fork(start + 1, steps.count) }
    }
  }
}
