import Analysis
import Evaluation
import Workflows

/// How the accuracy of a column of the comparison differs from the baseline's, on the same samples.
package enum ShownDifference: Sendable, Hashable {
  /// It is the baseline.
  case reference
  case measured(Paired, isStale: Bool)
  /// Both are measured, but this one before its answers were kept.
  case needs(CandidateID)
  /// Nothing of the two was measured on samples that both have: by a prediction.
  case predicted(Double)

  package struct Paired: Sendable, Hashable {
    /// Fractions −1…1.
    package var delta: Double
    package var interval95: ClosedRange<Double>
    package var pValue: Double?
    /// Samples that both were evaluated on; scored tokens of a text.
    package var samples: Int

    init(_ difference: PairedDifference) {
      delta = difference.delta
      interval95 = difference.interval95
      pValue = difference.pValue
      samples = difference.samples
    }

    /// From float32, as it was measured.
    init?(_ trial: Trial) {
      guard let delta = trial.top1Delta, let interval = trial.top1DeltaCi95, interval.count == 2,
        interval[0] <= interval[1], let samples = trial.tokens ?? trial.samples
      else { return nil }
      self.delta = delta
      interval95 = interval[0]...interval[1]
      pValue = trial.pValue
      self.samples = samples
    }

    /// The other way round.
    fileprivate var reversed: Paired {
      var result = self
      result.delta = -delta
      result.interval95 = -interval95.upperBound...(-interval95.lowerBound)
      return result
    }
  }

  package var delta: Double? {
    switch self {
    case .reference, .needs: nil
    case .measured(let paired, _): paired.delta
    case .predicted(let delta): delta
    }
  }
}

extension State {
  /// The candidate that differences of accuracy are taken from; `nil` for float32.
  package var baselineEntry: CandidateEntry? { entry(baseline) }

  /// What the current candidate's layers are held against: the baseline, else the candidate before it; `nil` is float32.
  package var compared: CandidateEntry? {
    if let base = baselineEntry, base.id != current { return base }
    guard let place = candidates.firstIndex(where: { $0.id == current }), place > 0 else { return nil }
    return candidates[place - 1]
  }

  /// How a candidate's accuracy, or float32's with `nil`, differs from the baseline's; `nil` where nothing tells.
  ///
  /// Two candidates are paired by their answers to the samples that both were evaluated on.
  package func difference(of entry: CandidateEntry?) -> ShownDifference? {
    guard entry?.id != baselineEntry?.id else { return .reference }
    let (own, base) = (entry.map { shown($0) }, baselineEntry.map { shown($0) })
    if let prediction = own?.prediction {
      let from = base == nil ? 0 : base?.trial?.top1Delta
      return prediction.top1Delta.flatMap { delta in from.map { .predicted(delta - $0) } }
    }
    if let own, let base, own.trial != nil, base.trial != nil {
      for (shown, id) in [(base, baselineEntry?.id), (own, entry?.id)] {
        if let id, shown.answers == nil, live[id] == nil { return .needs(id) }
      }
    }
    let isStale = own?.isStale ?? false || base?.isStale ?? false
    let paired: ShownDifference.Paired? =
      switch (own, base) {
      case (let own?, nil): own.trial.flatMap { ShownDifference.Paired($0) }
      case (nil, let base?): base.trial.flatMap { ShownDifference.Paired($0) }?.reversed
      case (let own?, let base?):
        own.answers.flatMap { mine in base.answers.flatMap { mine.difference(from: $0) } }
          .map { ShownDifference.Paired($0) }
      case (nil, nil): nil
      }
    return paired.map { .measured($0, isStale: isStale) }
  }
}
