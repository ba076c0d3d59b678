import CKernels
import Glibc
import Testing

@Suite struct NormalizeTests {
  private static let widths = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1000]

  @Test(arguments: [CK_SCALAR] + levels, widths)
  func rows(level: ck_level, n: Int) {
    let rows = 3, ours = table(level)
    var random = Random(n)
    let x = Guarded(random.floats(rows * n, -3...5)), gain = Guarded(random.floats(n)),
      bias = Guarded(random.floats(n))
    let y = Guarded<Float>(rows * n, filledWith: 0)
    func check(_ name: String, _ exact: ([Double]) -> [Double]) {
      for r in 0..<rows {
        let expected = exact(x.values[r * n..<(r + 1) * n].map(Double.init))
        for i in 0..<n
        where !(abs(Double(y.pointer[r * n + i]) - expected[i]) <= 3e-6 * (1 + abs(expected[i]))) {
          Issue.record("\(name) [\(r), \(i)]: \(y.pointer[r * n + i]), expected \(expected[i])")
          return
        }
      }
    }
    ours.softmax_f32(x.pointer, rows, n, y.pointer)
    check("softmax") { row in
      let e = row.map { exp($0) }
      let sum = e.reduce(0, +)
      return e.map { $0 / sum }
    }
    for (g, b) in [(false, false), (true, false), (false, true), (true, true)] {
      ours.layernorm_f32(x.pointer, rows, n, 0.1, g ? gain.pointer : nil, b ? bias.pointer : nil, y.pointer)
      check("layernorm") { row in
        let mean = row.reduce(0, +) / Double(n)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
        return row.indices.map { i in
          let v = (row[i] - mean) / (variance + 0.1).squareRoot()
          return v * (g ? Double(gain.pointer[i]) : 1) + (b ? Double(bias.pointer[i]) : 0)
        }
      }
      ours.rmsnorm_f32(x.pointer, rows, n, 0.1, g ? gain.pointer : nil, y.pointer)
      check("rmsnorm") { row in
        let mean = row.reduce(0) { $0 + $1 * $1 } / Double(n)
        return row.indices.map { row[$0] / (mean + 0.1).squareRoot() * (g ? Double(gain.pointer[$0]) : 1) }
      }
    }
    let sum = x.values.reduce(0) { $0 + Double($1) }
    #expect(abs(Double(ours.sum_f32(x.pointer, rows * n)) - sum) <= 1e-6 * Double(5 * rows * n))
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func softmaxOfMaskedAndLargeScores(level: ck_level) {
    let x: [Float] = [-.infinity, 1000, 1000, -.infinity, -1000]
    var y = [Float](repeating: 0, count: 5)
    table(level).softmax_f32(x, 1, 5, &y)
    #expect(y == [0, 0.5, 0.5, 0, 0])
  }

  /// Against double, on rows of every tail and of more than one part.
  @Test(arguments: [CK_SCALAR] + levels, widths + [1024, 1025, 5001])
  func logits(level: ck_level, n: Int) {
    let ours = table(level)
    var random = Random(n)
    let x = Guarded(random.floats(n, -9...9)), y = Guarded(random.floats(n, -9...9))
    var said = ck_logits()
    ours.logits_f32(x.pointer, n, &said)
    let sorted = x.values.sorted(by: >)
    #expect(said.highest == sorted[0] && said.next == (n > 1 ? sorted[1] : -.infinity))
    #expect(said.best == x.values.firstIndex(of: sorted[0]))
    let powers = x.values.map { exp(Double($0) - Double(sorted[0])) }
    let sum = powers.reduce(0, +)
    #expect(abs(said.sum - sum) <= 5e-7 * sum)
    let terms = zip(powers, zip(x.values, y.values)).map { $0 * (Double($1.0) - Double($1.1)) }
    let found = ours.logit_difference_f32(x.pointer, y.pointer, n, said.highest)
    #expect(abs(found - terms.reduce(0, +)) <= 1e-6 * terms.reduce(0) { $0 + abs($1) })
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func logitsOfEqualAndMaskedScores(level: ck_level) {
    let ours = table(level)
    let x: [Float] = [-.infinity, 3, 1, 3, -.infinity], y: [Float] = [-.infinity, 2, 5, 2, 0]
    var said = ck_logits()
    ours.logits_f32(x, 5, &said)
    #expect(said.best == 1 && said.highest == 3 && said.next == 3)
    #expect(abs(said.sum - (2 + exp(-2.0))) < 1e-6)
    #expect(abs(ours.logit_difference_f32(x, y, 5, 3) - (2 - 4 * exp(-2.0))) < 1e-6)
  }
}
