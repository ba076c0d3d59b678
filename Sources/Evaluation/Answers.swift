/// What a candidate answers to the samples it was evaluated on, beside float32's answers to the same.
///
/// Grows with the classes and with the answers that differ, not with the samples: every other sample is answered as
/// float32 answers it.
package struct Answers: Sendable, Hashable, Codable {
  /// Classes that are told apart; 0 where the output is no row of scores, or holds one for each token; then there is nothing more.
  package var classCount: Int
  package var evaluated: SampleSet
  /// One for each class that has samples, by label; none without labels.
  package var classes: [ClassChange]
  /// The samples that the candidate answers otherwise, by place in the data.
  package private(set) var moves: [Move]

  package init(classCount: Int, evaluated: SampleSet, classes: [ClassChange], moves: [Move]) {
    self.classCount = classCount
    self.evaluated = evaluated
    self.classes = classes
    self.moves = moves.sorted { $0.sample < $1.sample }
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      classCount: try values.decode(Int.self, forKey: .classCount),
      evaluated: try values.decode(SampleSet.self, forKey: .evaluated),
      classes: try values.decode([ClassChange].self, forKey: .classes),
      moves: try values.decode([Move].self, forKey: .moves))
  }

  /// - Parameters:
  ///   - scores: of the candidate.
  ///   - reference: float32's on the same samples.
  ///   - places: of the samples in their data, in the order they were scored.
  package init(_ scores: Scores, reference: Scores, places: [Int]) {
    precondition(scores.samples == places.count, "a place for each sample")
    guard !scores.scoresTokens else {
      self.init(classCount: 0, evaluated: SampleSet(places), classes: [], moves: [])
      return
    }
    let isLabelled = !scores.labels.isEmpty
    let moves = scores.predicted.indices.compactMap { index -> Move? in
      let (was, now) = (reference.predicted[index], scores.predicted[index])
      guard was != now else { return nil }
      return Move(
        sample: places[index], label: isLabelled ? Int(scores.labels[index]) : nil, float32: Int(was),
        candidate: Int(now), float32Margin: reference.margins[index], candidateMargin: scores.margins[index])
    }
    self.init(
      classCount: scores.classCount, evaluated: SampleSet(places),
      classes: scores.classChanges(from: reference), moves: moves)
  }

  package var isLabelled: Bool { !classes.isEmpty }

  package func count(_ kind: Move.Kind) -> Int { moves.count { $0.kind == kind } }

  /// The paired difference in top-1 from another candidate of the same float32 network to this one, on the samples that
  /// both were evaluated on; `nil` without labels or such samples.
  package func difference(from other: Answers) -> PairedDifference? {
    let common = evaluated.common(other.evaluated)
    guard isLabelled, other.isLabelled, common > 0 else { return nil }
    var difference = PairedDifference(samples: common, lost: 0, gained: 0)
    func count(_ isRight: Bool, _ wasRight: Bool) {
      difference.lost += wasRight && !isRight ? 1 : 0
      difference.gained += isRight && !wasRight ? 1 : 0
    }
    // Both are in order: who did not move on a sample answers it as float32 does.
    var (mine, theirs) = (moves[...], other.moves[...])
    while let next = [mine.first?.sample, theirs.first?.sample].compactMap({ $0 }).min() {
      let own = mine.first.flatMap { $0.sample == next ? $0 : nil }
      let others = theirs.first.flatMap { $0.sample == next ? $0 : nil }
      if own != nil { mine.removeFirst() }
      if others != nil { theirs.removeFirst() }
      guard let float32 = (own ?? others)?.wasRight, evaluated.contains(next), other.evaluated.contains(next)
      else { continue }
      count(own?.isRight ?? float32, others?.isRight ?? float32)
    }
    return difference
  }

  /// What float32 and the candidate say of samples they disagree on, pair by pair; the most frequent first.
  package var confusion: [Confusion] {
    var pairs: [[Int]: Confusion] = [:]
    for move in moves {
      var pair =
        pairs[[move.float32, move.candidate]] ?? Confusion(float32: move.float32, candidate: move.candidate)
      pair.count += 1
      switch move.kind {
      case .lost: pair.lost += 1
      case .gained: pair.gained += 1
      case .otherWrong, nil: break
      }
      pairs[[move.float32, move.candidate]] = pair
    }
    return pairs.values.sorted { ($1.count, $0.float32, $0.candidate) < ($0.count, $1.float32, $1.candidate) }
  }
}

/// A sample that a candidate answers otherwise than float32.
package struct Move: Sendable, Hashable {
  package enum Kind: Sendable, Hashable, CaseIterable {
    /// float32 is right and the candidate wrong.
    case lost
    case gained
    /// Both are wrong.
    case otherWrong
  }

  /// Place in the data, from 0.
  package var sample: Int
  package var label: Int?
  /// Classes with the largest score.
  package var float32: Int
  package var candidate: Int
  /// By how much the most likely class leads the next: the difference of their probabilities, 0…1.
  package var float32Margin: Float
  package var candidateMargin: Float

  package init(
    sample: Int, label: Int?, float32: Int, candidate: Int, float32Margin: Float, candidateMargin: Float
  ) {
    self.sample = sample
    self.label = label
    self.float32 = float32
    self.candidate = candidate
    self.float32Margin = float32Margin
    self.candidateMargin = candidateMargin
  }

  package var wasRight: Bool { float32 == label }
  package var isRight: Bool { candidate == label }
  /// `nil` without a label.
  package var kind: Kind? { label == nil ? nil : wasRight ? .lost : isRight ? .gained : .otherWrong }
}

/// As a list, because sessions keep many: `[sample, label or null, float32, candidate, its margin, its margin]`.
extension Move: Codable {
  package func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    try list.encode(sample)
    if let label { try list.encode(label) } else { try list.encodeNil() }
    try list.encode(float32)
    try list.encode(candidate)
    try list.encode(float32Margin)
    try list.encode(candidateMargin)
  }

  package init(from decoder: any Decoder) throws {
    var list = try decoder.unkeyedContainer()
    sample = try list.decode(Int.self)
    label = try list.decodeNil() ? nil : list.decode(Int.self)
    float32 = try list.decode(Int.self)
    candidate = try list.decode(Int.self)
    float32Margin = try list.decode(Float.self)
    candidateMargin = try list.decode(Float.self)
  }
}

/// How many samples moved from one class of float32's to another of the candidate's.
package struct Confusion: Sendable, Hashable, Codable {
  package var float32: Int
  package var candidate: Int
  package var count = 0
  /// Of them right before and wrong now, and the other way round; the rest are wrong both times.
  package var lost = 0
  package var gained = 0

  package init(float32: Int, candidate: Int, count: Int = 0, lost: Int = 0, gained: Int = 0) {
    self.float32 = float32
    self.candidate = candidate
    self.count = count
    self.lost = lost
    self.gained = gained
  }

  package var otherWrong: Int { count - lost - gained }
}
