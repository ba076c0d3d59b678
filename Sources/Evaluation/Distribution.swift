import CKernels
import Foundation

/// The distribution over classes that a row of scores stands for: the row itself where it already is one, else its
/// softmax.
struct Distribution {
  private let row: UnsafeBufferPointer<Float>
  private let said: ck_logits
  /// log Σ e^x; `nil` where the row holds probabilities.
  private let logTotal: Double?

  /// - Parameter row: at least one score; must outlive this.
  init(_ row: UnsafeBufferPointer<Float>) {
    self.row = row
    var said = ck_logits()
    if let base = row.baseAddress { ck_best().pointee.logits_f32(base, row.count, &said) }
    self.said = said
    logTotal = Self.isDistribution(row, highest: said.highest) ? nil : Double(said.highest) + log(said.sum)
  }

  private static func isDistribution(_ row: UnsafeBufferPointer<Float>, highest: Float) -> Bool {
    guard (0...1.001).contains(highest) else { return false }
    var sum = 0.0
    for x in row {
      guard x >= 0 else { return false }
      sum += Double(x)
    }
    return abs(sum - 1) < 1e-3
  }

  /// The most likely class, the first of equal ones.
  var best: Int { said.best }

  func logProbability(_ index: Int) -> Double {
    logTotal.map { Double(row[index]) - $0 } ?? log(Swift.max(Double(row[index]), 1e-30))
  }

  /// By how much the most likely class leads the next, 0…1; 1 where there is no next.
  var margin: Double {
    guard row.count > 1 else { return 1 }
    return logTotal == nil
      ? Double(said.highest) - Double(said.next)
      : (1 - exp(Double(said.next) - Double(said.highest))) / said.sum
  }

  /// KL(this ‖ other) in nats, over the same classes.
  func divergence(from other: Distribution) -> Double {
    if let logTotal, let otherTotal = other.logTotal, let row = row.baseAddress,
      let from = other.row.baseAddress
    {
      // Σ p·((x − log Σ e^x) − (y − log Σ e^y)) with p = e^(x − highest) / sum.
      let difference = ck_best().pointee.logit_difference_f32(row, from, self.row.count, said.highest)
      return Swift.max(difference / said.sum - (logTotal - otherTotal), 0)
    }
    var sum = 0.0
    for index in row.indices {
      let log = logProbability(index)
      if log > -700 { sum += exp(log) * (log - other.logProbability(index)) }
    }
    return Swift.max(sum, 0)
  }
}
