/// How the next token is chosen from the logits.
///
/// In this order: the repetition penalty, the temperature, the `topK` most likely, of those the smallest set with
/// probability `topP`, of those the ones at least `minP` times as likely as the first; one of the rest is drawn.
package struct Sampling: Sendable, Hashable {
  /// 0: always the most likely token (of equal ones the first), and nothing below counts but the penalty.
  package var temperature: Float
  /// 0: all.
  package var topK: Int
  /// 1: all.
  package var topP: Float
  package var minP: Float
  /// Logits of tokens that were in the text are divided by it where positive, multiplied where negative; 1: not.
  ///
  /// Source: Keskar et al., *CTRL*, 2019, section 4.1.
  package var repetitionPenalty: Float
  package var seed: UInt64

  package init(
    temperature: Float = 0, topK: Int = 0, topP: Float = 1, minP: Float = 0, repetitionPenalty: Float = 1,
    seed: UInt64 = 0
  ) {
    self.temperature = temperature
    self.topK = topK
    self.topP = topP
    self.minP = minP
    self.repetitionPenalty = repetitionPenalty
    self.seed = seed
  }

  package static let greedy = Sampling()

  /// What is wrong with these numbers, or `nil`.
  package var problem: String? {
    if !(temperature >= 0 && temperature.isFinite) {
      return "temperature is \(temperature) (expected 0 or more)"
    }
    if topK < 0 { return "top-k is \(topK) (expected 0 for all, or more)" }
    if !(topP > 0 && topP <= 1) { return "top-p is \(topP) (expected more than 0, at most 1)" }
    if !(minP >= 0 && minP <= 1) { return "min-p is \(minP) (expected 0 to 1)" }
    if !(repetitionPenalty > 0 && repetitionPenalty.isFinite) {
      return "the repetition penalty is \(repetitionPenalty) (expected more than 0)"
    }
    return nil
  }
}
