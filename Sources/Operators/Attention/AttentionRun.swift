import Graph
import Tensors

/// Attention of unfolded operands, in one precision.
struct AttentionRun: RealVisitor {
  let op: Attention
  let q: Tensor
  let k: Tensor
  let v: Tensor
  let mask: AttentionMask?
  /// Keys of each sample that count.
  let counts: [Int]?
  let sizes: Attention.Sizes
  let wantsScores: Bool

  func visit<T: RealElement>(_ type: T.Type) throws -> (y: Tensor, scores: Tensor?) {
    let s = sizes
    let queries = T.elements(of: q)
    let keys = T.elements(of: k)
    let values = T.elements(of: v)
    var shown = [T](repeating: 0, count: wantsScores ? s.batch * s.heads * s.length * s.total : 0)
    let scale = T(op.scale ?? 1 / Float(s.size).squareRoot())
    let y = Tensor(of: T.self, shape: [s.batch, s.heads, s.length, s.valueSize]) { y in
      var row = [T](repeating: 0, count: s.total)
      for b in 0..<s.batch {
        for h in 0..<s.heads {
          let group = b * s.kvHeads + h / (s.heads / s.kvHeads)
          for i in 0..<s.length {
            let query = (b * s.heads + h) * s.length + i
            let show: (Attention.Scores) -> Void = { stage in
              guard wantsScores, stage == op.scores else { return }
              shown.replaceSubrange(query * s.total..<(query + 1) * s.total, with: row)
            }
            for j in 0..<s.total {
              row[j] = scale * dot(queries, query * s.size, keys, (group * s.total + j) * s.size, s.size)
            }
            show(.raw)
            if op.softcap > 0 {
              let cap = T(op.softcap)
              for j in 0..<s.total { row[j] = cap * T.tanh(row[j] / cap) }
            }
            show(.capped)
            hide(&row, batch: b, head: h, query: i)
            show(.masked)
            softmax(&row)
            show(.softmax)
            let out = query * s.valueSize
            for j in 0..<s.total where row[j] != 0 {
              let from = (group * s.total + j) * s.valueSize
              let weight = row[j]
              for d in 0..<s.valueSize { y[out + d] += weight * values[from + d] }
            }
          }
        }
      }
    }
    return (y, wantsScores ? Tensor(shown, shape: [s.batch, s.heads, s.length, s.total]) : nil)
  }

  private func dot<T: RealElement>(_ a: [T], _ i: Int, _ b: [T], _ j: Int, _ n: Int) -> T {
    var sum: T = 0
    for d in 0..<n { sum += a[i + d] * b[j + d] }
    return sum
  }

  /// Adds the mask and hides keys of the future and padding.
  private func hide<T: RealElement>(_ row: inout [T], batch: Int, head: Int, query: Int) {
    if let mask {
      let start = batch * mask.strides[0] + head * mask.strides[1] + query * mask.strides[2]
      let isOne = mask.strides[3] == 0 && mask.keys == 1
      for j in row.indices {
        row[j] += isOne || j < mask.keys ? T(mask.values[start + j * mask.strides[3]]) : -.infinity
      }
    }
    // Query i stands at position past + i.
    if op.isCausal { for j in row.indices where j > query + sizes.past { row[j] = -.infinity } }
    if op.window > 0 {
      for j in row.indices where j <= query + sizes.past - op.window { row[j] = -.infinity }
    }
    if let counts { for j in row.indices where j >= counts[batch] { row[j] = -.infinity } }
  }

  /// A row of which nothing is visible becomes zeros.
  private func softmax<T: RealElement>(_ row: inout [T]) {
    let highest = row.max() ?? 0
    guard highest > -.infinity else {
      for j in row.indices where !row[j].isNaN { row[j] = 0 }
      return
    }
    var sum: T = 0
    for j in row.indices {
      row[j] = T.exp(row[j] - highest)
      sum += row[j]
    }
    for j in row.indices { row[j] /= sum }
  }
}
