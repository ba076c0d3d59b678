import CKernels
import Testing

@Suite struct PoolingTests {
  private static let channels = [1, 3, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127]

  /// Offsets of rows of taps with some outside, at least one tap of each row inside, and how many are.
  private func offsets(rows: Int, taps: Int, channels: Int, _ random: inout Random) -> ([Int32], [Int32]) {
    var offsets: [Int32] = [], counts: [Int32] = []
    for _ in 0..<rows {
      var row = (0..<taps).map { _ in Int32(Int.random(in: 0..<20, using: &random) * channels) }
      for t in 1..<taps where Int.random(in: 0..<4, using: &random) == 0 { row[t] = -1 }
      counts.append(Int32(row.count { $0 >= 0 }))
      offsets += row
    }
    return (offsets, counts)
  }

  @Test(arguments: levels, channels)
  func equalScalar(level: ck_level, channels: Int) {
    let rows = 5, ours = table(level)
    var random = Random(channels)
    let floats = Guarded(random.floats(20 * channels)),
      codes = Guarded<UInt8>(random.integers(20 * channels, 0...255))
    for taps in [2, 9, 49] {
      let (o, n) = offsets(rows: rows, taps: taps, channels: channels, &random)
      let offsets = Guarded(o), counts = Guarded(n)
      func run<C: BitwiseCopyable>(_ fill: C, _ body: (ck_table, UnsafeMutablePointer<C>) -> Void) -> [[C]] {
        [ours, scalar].map { table in
          let c = Guarded<C>(rows * channels, filledWith: fill)
          body(table, c.pointer)
          return c.values
        }
      }
      let most = run(Float(9)) {
        $0.maxpool_f32(floats.pointer, offsets.pointer, taps, channels, $1, 0, 2)
        $0.maxpool_f32(floats.pointer, offsets.pointer, taps, channels, $1, 2, rows)
      }
      #expect(firstDifference(most[0], most[1]) == nil)
      let mean = run(Float(9)) {
        $0.avgpool_f32(floats.pointer, offsets.pointer, taps, channels, counts.pointer, $1, 0, rows)
      }
      #expect(firstDifference(mean[0], mean[1]) { _ in 1e-6 } == nil)
      let mostCodes = run(UInt8(9)) {
        $0.maxpool_u8(codes.pointer, offsets.pointer, taps, channels, $1, 0, rows)
      }
      #expect(firstDifference(mostCodes[0], mostCodes[1]) == nil)
      let meanCodes = run(UInt8(9)) {
        $0.avgpool_u8(
          codes.pointer, offsets.pointer, taps, channels, counts.pointer, 100, 1.3, 90, 3, 250, $1, 0, rows)
      }
      #expect(firstDifference(meanCodes[0], meanCodes[1]) == nil)
    }
  }

  @Test func scalarByHand() {
    let offsets: [Int32] = [0, 1, -1, 2], counts: [Int32] = [3]
    var f: [Float] = [0], c: [UInt8] = [0]
    scalar.maxpool_f32([1, -7, 4], offsets, 4, 1, &f, 0, 1)
    #expect(f == [4])
    scalar.avgpool_f32([1, -7, 3], offsets, 4, 1, counts, &f, 0, 1)
    #expect(f == [-1])
    scalar.maxpool_u8([1, 7, 4], offsets, 4, 1, &c, 0, 1)
    #expect(c == [7])
    // (12 + 13 + 14 − 3·10) / 3 = 3; half of it is 1.5, rounded to even: 2.
    scalar.avgpool_u8([12, 13, 14], offsets, 4, 1, counts, 10, 0.5, 20, 0, 255, &c, 0, 1)
    #expect(c == [22])
  }
}
