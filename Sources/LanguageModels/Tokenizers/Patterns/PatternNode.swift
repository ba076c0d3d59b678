/// A pattern as a tree.
indirect enum PatternNode: Sendable {
  enum Greed: Sendable { case greedy, lazy, possessive }

  case set(ScalarSet)
  case sequence([PatternNode])
  case alternatives([PatternNode])
  case repetition(PatternNode, ClosedRange<Int>, Greed)
  case look(PatternNode, isNegated: Bool)
  case atomic(PatternNode)
  case anchor(Anchor)

  enum Anchor: Sendable {
    case textStart, textEnd, textEndOrLastNewline, lineStart, lineEnd, wordBoundary, noBoundary
  }

  /// Repetitions without an upper bound.
  static let unbounded = Int.max

  var mayBeEmpty: Bool {
    switch self {
    case .set: false
    case .sequence(let parts): parts.allSatisfy(\.mayBeEmpty)
    case .alternatives(let parts): parts.contains(where: \.mayBeEmpty)
    case .repetition(let part, let counts, _): counts.lowerBound == 0 || part.mayBeEmpty
    case .look, .anchor: true
    case .atomic(let part): part.mayBeEmpty
    }
  }

  /// Whether a match that is not empty may begin with this ASCII character, so far as the node's own text decides it.
  func mayBegin(with value: UInt32) -> Bool {
    switch self {
    case .set(let set): return set.contains(value)
    case .sequence(let parts):
      for part in parts {
        if part.mayBegin(with: value) { return true }
        if !part.mayBeEmpty { return false }
      }
      return false
    case .alternatives(let parts): return parts.contains { $0.mayBegin(with: value) }
    case .repetition(let part, _, _): return part.mayBegin(with: value)
    case .look, .anchor: return false
    case .atomic(let part): return part.mayBegin(with: value)
    }
  }
}
