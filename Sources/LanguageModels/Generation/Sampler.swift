import CKernels
import Tensors

/// Draws tokens; its memory is taken once, for a vocabulary.
package struct Sampler {
  private let sampling: Sampling
  private var random: SplitMix64
  /// Tokens that were in the text.
  private var seen: [Bool]
  private var scores: [Float]
  private var weights: [Float]
  /// Tokens not looked at yet, the most likely on top.
  private var heap: [Int32]
  /// Tokens to draw from, the most likely first.
  private var kept: [Int32]

  package init(_ sampling: Sampling, vocabulary: Int) {
    precondition(sampling.problem == nil && vocabulary > 0, "sampling that makes sense")
    self.sampling = sampling
    random = SplitMix64(seed: sampling.seed)
    seen = [Bool](repeating: false, count: vocabulary)
    scores = [Float](repeating: 0, count: vocabulary)
    weights = scores
    heap = [Int32](repeating: 0, count: vocabulary)
    kept = heap
  }

  /// Counts a token of the text for the repetition penalty.
  package mutating func note(_ token: Int) { if seen.indices.contains(token) { seen[token] = true } }

  /// The next token for logits `[vocabulary]`.
  ///
  /// - Returns: `nil` where they hold a NaN.
  package mutating func next(_ logits: UnsafeBufferPointer<Float>) -> Int? {
    precondition(logits.count == scores.count, "logits of the sampler's vocabulary")
    let penalty = sampling.repetitionPenalty
    var best = 0
    for i in scores.indices {
      var score = logits[i]
      if score.isNaN { return nil }
      if penalty != 1, seen[i] { score = score > 0 ? score / penalty : score * penalty }
      scores[i] = score
      if score > scores[best] { best = i }
    }
    guard sampling.temperature > 0, scores[best].isFinite else { return best }
    weigh(highest: scores[best])
    if sampling.topK == 0, sampling.topP == 1, sampling.minP == 0 { return drawFromAll() ?? best }
    return drawFromKept() ?? best
  }

  /// e^((score − highest) / temperature) of every token.
  private mutating func weigh(highest: Float) {
    let inverse = 1 / sampling.temperature
    for i in scores.indices { scores[i] = (scores[i] - highest) * inverse }
    let count = scores.count
    scores.withUnsafeBufferPointer { scores in
      weights.withUnsafeMutableBufferPointer { weights in
        guard let from = scores.baseAddress, let to = weights.baseAddress else { return }
        ck_best().pointee.exp_f32(from, count, to)
      }
    }
  }

  private mutating func drawFromAll() -> Int? {
    var total = 0.0
    for weight in weights { total += Double(weight) }
    var rest = random.unit() * total
    for i in weights.indices {
      rest -= Double(weights[i])
      if rest < 0 { return i }
    }
    return weights.lastIndex { $0 > 0 }
  }

  private mutating func drawFromKept() -> Int? {
    let most = sampling.topK == 0 ? scores.count : min(sampling.topK, scores.count)
    for i in heap.indices { heap[i] = Int32(i) }
    var left = heap.count
    for i in stride(from: left / 2 - 1, through: 0, by: -1) { sift(i, left) }
    // Shares are of what top-k leaves: with a limit that must be known before the first is compared with top-p.
    var count = 0
    var total = 0.0
    if sampling.topK == 0 {
      for weight in weights { total += Double(weight) }
    } else {
      while count < most { total += Double(weights[take(&left, &count)]) }
    }
    var (index, sum) = (0, 0.0)
    while index < most {
      let token = index < count ? Int(kept[index]) : take(&left, &count)
      let weight = Double(weights[token])
      if index > 0, weight < Double(sampling.minP) * Double(weights[Int(kept[0])]) { break }
      sum += weight
      index += 1
      if sum >= Double(sampling.topP) * total { break }
    }
    var rest = random.unit() * sum
    for i in 0..<index {
      rest -= Double(weights[Int(kept[i])])
      if rest < 0 { return Int(kept[i]) }
    }
    return index > 0 ? Int(kept[index - 1]) : nil
  }

  /// Moves the most likely token of the heap to those kept.
  private mutating func take(_ left: inout Int, _ count: inout Int) -> Int {
    let token = heap[0]
    left -= 1
    heap[0] = heap[left]
    sift(0, left)
    kept[count] = token
    count += 1
    return Int(token)
  }

  private func isBefore(_ a: Int32, _ b: Int32) -> Bool {
    let (x, y) = (scores[Int(a)], scores[Int(b)])
    return x > y || (x == y && a < b)
  }

  private mutating func sift(_ start: Int, _ count: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < count else { return }
      if child + 1 < count, isBefore(heap[child + 1], heap[child]) { child += 1 }
      guard isBefore(heap[child], heap[parent]) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }
}
