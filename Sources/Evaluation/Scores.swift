import Foundation
import Tensors

/// What one variant of a network scored, sample by sample, beside float32 on the same samples.
///
/// Per-sample records are kept (a few bytes each) because intervals and p-values are paired; sums that have no
/// per-sample use (signal, noise) are not.
package struct Scores: Sendable {
  /// Class with the largest score; empty for networks whose output is not a row of scores.
  package private(set) var predicted: [Int32] = []
  /// By how much that class leads the next: the difference of their probabilities, 0…1; 1 where there is no next.
  package private(set) var margins: [Float] = []
  /// Classes that are told apart; 0 until class scores were added.
  package private(set) var classCount = 0
  /// The right class; empty without labels.
  package private(set) var labels: [Int32] = []
  /// Whether the outputs are those of a language model: what stands for each sample elsewhere stands for each scored
  /// token here, in order, and its label is the token that follows.
  package private(set) var scoresTokens = false
  /// Whether the label is the first, or among the first five; empty without labels, the latter for tokens too.
  package private(set) var top1: [Bool] = []
  package private(set) var top5: [Bool] = []
  /// −log p(label), natural logarithm.
  package private(set) var loss: [Double] = []
  /// KL(float32 ‖ variant) of each sample's distribution over classes, in nats.
  package private(set) var divergence: [Double] = []
  /// Σ f² and Σ (f − q)² over all outputs of all samples.
  package private(set) var signal = 0.0
  package private(set) var noise = 0.0
  package private(set) var samples = 0

  package init() {}

  /// Adds one batch.
  ///
  /// - Parameters:
  ///   - outputs: the variant's outputs, float32, first axis the samples (a network of fixed batch 1 has one).
  ///   - reference: float32's outputs for the same samples, in the same order.
  ///   - classes: index of the output that holds class scores, `[samples, classes]` or, of a language model, `[samples,
  ///     length, vocabulary]`; `nil` when none does.
  ///   - labels: class of each row, or empty; rows of a negative label do not count.
  ///   - count: samples in this batch.
  package mutating func add(
    _ outputs: [Tensor], reference: [Tensor], classes: Int?, labels: [Int], count: Int
  ) {
    let rows = classes.map { Self.rows(in: outputs[$0].shape, samples: count) } ?? count
    let hasTokens = rows > count
    for (index, (q, f)) in zip(outputs, reference).enumerated()
    where f.type == .float32 && q.type == .float32 && !(hasTokens && index == classes) {
      f.withElements(of: Float.self) { f in q.withElements(of: Float.self) { q in addSignal(f, q) } }
    }
    samples += count
    guard let classes, rows > 0 else { return }
    precondition(labels.isEmpty || labels.count == rows, "a label for each row")
    scoresTokens = hasTokens
    let width = outputs[classes].count / rows
    classCount = width
    outputs[classes].withElements(of: Float.self) { scores in
      reference[classes].withElements(of: Float.self) { referenceScores in
        for index in 0..<rows where labels.isEmpty || labels[index] >= 0 {
          let row = UnsafeBufferPointer(rebasing: scores[index * width..<(index + 1) * width])
          let target = UnsafeBufferPointer(rebasing: referenceScores[index * width..<(index + 1) * width])
          addRow(row, target: target, label: labels.isEmpty ? nil : labels[index])
          // What stands at places that are not scored is no answer.
          if hasTokens { addSignal(target, row) }
        }
      }
    }
  }

  /// Rows of scores in an output: one for each sample, or one for each token.
  static func rows(in shape: Shape, samples: Int) -> Int {
    let each = Array(shape.dropFirst())
    guard let last = each.last, last > 1, each.elementCount > last, each.max() != each.elementCount else {
      return samples
    }
    return samples * (each.elementCount / last)
  }

  /// Adds what was scored on later samples.
  package mutating func append(_ later: Scores) {
    scoresTokens = scoresTokens || later.scoresTokens
    predicted += later.predicted
    margins += later.margins
    classCount = Swift.max(classCount, later.classCount)
    labels += later.labels
    top1 += later.top1
    top5 += later.top5
    loss += later.loss
    divergence += later.divergence
    signal += later.signal
    noise += later.noise
    samples += later.samples
  }

  private mutating func addSignal(_ f: UnsafeBufferPointer<Float>, _ q: UnsafeBufferPointer<Float>) {
    var (squares, differences) = (0.0, 0.0)
    for i in f.indices {
      let x = Double(f[i])
      let d = x - Double(q[i])
      squares += x * x
      differences += d * d
    }
    signal += squares
    noise += differences
  }

  private mutating func addRow(
    _ row: UnsafeBufferPointer<Float>, target: UnsafeBufferPointer<Float>, label: Int?
  ) {
    let answer = Distribution(row)
    predicted.append(Int32(answer.best))
    margins.append(Float(answer.margin))
    divergence.append(Distribution(target).divergence(from: answer))
    guard let label else { return }
    labels.append(Int32(label))
    loss.append(-answer.logProbability(label))
    top1.append(label == answer.best)
    guard !scoresTokens else { return }
    let ahead = row.indices.reduce(0) { count, i in
      // Ties go to the smaller index, as argmax does.
      count + (row[i] > row[label] || (row[i] == row[label] && i < label) ? 1 : 0)
    }
    top5.append(ahead < 5)
  }
}

extension Scores {
  private static func share(_ flags: [Bool]) -> Double? {
    flags.isEmpty ? nil : Double(flags.count { $0 }) / Double(flags.count)
  }
  private static func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  /// Share of samples, 0…1; `nil` without labels.
  package var top1Share: Double? { Self.share(top1) }
  package var top5Share: Double? { Self.share(top5) }
  package var meanLoss: Double? { Self.mean(loss) }
  package var meanDivergence: Double? { Self.mean(divergence) }

  /// 10·log10(Σ f² / Σ (f − q)²); `nil` before the first sample; capped at 200 dB where the two are equal.
  package var sqnr: Double? {
    guard samples > 0, signal > 0 else { return nil }
    return noise == 0 ? 200 : Swift.min(200, 10 * log10(signal / noise))
  }

  /// Share of samples with the same top-1 as `reference`.
  package func agreement(with reference: Scores) -> Double? {
    guard !predicted.isEmpty, predicted.count == reference.predicted.count else { return nil }
    return Double(zip(predicted, reference.predicted).count { $0 == $1 }) / Double(predicted.count)
  }

  /// The paired difference in top-1 from `reference` to this; `nil` without labels.
  package func difference(from reference: Scores) -> PairedDifference? {
    guard !top1.isEmpty, top1.count == reference.top1.count else { return nil }
    let pairs = zip(top1, reference.top1)
    return PairedDifference(
      samples: top1.count, lost: pairs.count { !$0 && $1 }, gained: pairs.count { $0 && !$1 })
  }

  /// Fewest samples of a class whose accuracy is told.
  static let fewestOfClass = 10

  /// How the top-1 of each class that has samples changed from `reference` to this, by label; none without labels.
  package func classChanges(from reference: Scores) -> [ClassChange] {
    guard !labels.isEmpty, labels.count == reference.labels.count else { return [] }
    var counts: [Int32: PairedDifference] = [:]
    var right: [Int32: Int] = [:]
    for (index, label) in labels.enumerated() {
      var count = counts[label] ?? PairedDifference(samples: 0, lost: 0, gained: 0)
      count.samples += 1
      count.lost += reference.top1[index] && !top1[index] ? 1 : 0
      count.gained += !reference.top1[index] && top1[index] ? 1 : 0
      counts[label] = count
      right[label, default: 0] += reference.top1[index] ? 1 : 0
    }
    return counts.sorted { $0.key < $1.key }.map { label, change in
      ClassChange(
        label: Int(label), samples: change.samples,
        float32Top1: Double(right[label] ?? 0) / Double(change.samples), top1Delta: change.delta,
        top1DeltaCi95: [change.interval95.lowerBound, change.interval95.upperBound])
    }
  }

  /// The class whose top-1 fell most from `reference` to this; `nil` where no class has enough samples.
  package func worstClass(from reference: Scores) -> ClassChange? {
    classChanges(from: reference).filter { $0.samples >= Self.fewestOfClass }
      .min { ($0.top1Delta, $0.label) < ($1.top1Delta, $1.label) }
  }
}

/// How the accuracy on the samples of one class changed; fractions −1…1.
package struct ClassChange: Sendable, Hashable, Codable {
  package var label: Int
  package var samples: Int
  package var float32Top1: Double
  package var top1Delta: Double
  package var top1DeltaCi95: [Double]

  package init(label: Int, samples: Int, float32Top1: Double, top1Delta: Double, top1DeltaCi95: [Double]) {
    self.label = label
    self.samples = samples
    self.float32Top1 = float32Top1
    self.top1Delta = top1Delta
    self.top1DeltaCi95 = top1DeltaCi95
  }
}
