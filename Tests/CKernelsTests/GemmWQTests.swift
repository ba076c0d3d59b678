import CKernels
import Testing

private struct Weights: CustomTestStringConvertible, Sendable {
  var bits: Int
  var group: Int
  var zeros: Zeros
  /// Whether scales are float16 numbers.
  var halves: Bool

  /// Whole ones are those of byte rows.
  enum Zeros: String { case none, whole, real }

  var testDescription: String { "\(bits) bits group \(group) zeros \(zeros)\(halves ? " halves" : "")" }

  static let all: [Weights] = [8, 4, 2].flatMap { bits in
    [16, 32, 128, 5, 4096].flatMap { group in
      [Zeros.none, .whole, .real].flatMap { zeros in
        [false, true].map { Weights(bits: bits, group: group, zeros: zeros, halves: $0) }
      }
    }
  }

  static let forBytes = all.filter { $0.zeros != .real }
}

private let shapes: [Sizes] = [
  Sizes(m: 1, n: 70, k: 256), Sizes(m: 1, n: 16, k: 33), Sizes(m: 1, n: 130, k: 1),
  Sizes(m: 2, n: 40, k: 127),
  Sizes(m: 3, n: 17, k: 64), Sizes(m: 4, n: 33, k: 65), Sizes(m: 5, n: 20, k: 48),
  Sizes(m: 29, n: 50, k: 100),
  Sizes(m: 7, n: 35, k: 1024), Sizes(m: 1, n: 20, taps: 9, k: 20, indirect: true), Sizes(m: 2, n: 5, k: 0),
  Sizes(m: 16, n: 24, taps: 9, k: 3, indirect: true), Sizes(m: 9, n: 40, taps: 25, k: 36, indirect: true),
  Sizes(m: 6, n: 33, taps: 4, k: 16, indirect: true),
]

private final class Product<Element: BitwiseCopyable> {
  let sizes: Sizes
  let weights: Weights
  let source: RowSource<Element>
  var codes: [Int8]
  var scales: [Float]
  let zeros: [Float]
  let bias: Guarded<Float>
  let residual: Guarded<Float>
  let aZeros: Guarded<Int32>
  let aScales: Guarded<Float>
  let groups: Int

  init(_ sizes: Sizes, _ weights: Weights, padding: Element, values: (Int, inout Random) -> [Element]) {
    self.sizes = sizes
    self.weights = weights
    let (m, n, taps, k) = (sizes.m, sizes.n, sizes.taps, sizes.k)
    var random = Random(m + n + k + taps + weights.bits + weights.group)
    source = RowSource(
      m: m, taps: taps, k: k, indirect: sizes.indirect, padding: padding, random: &random, values: values)
    let highest = 1 << (weights.bits - 1)
    codes = random.integers(n * taps * k, -highest...highest - 1).map { Int8($0) }
    groups = (k + weights.group - 1) / weights.group
    let drawn = random.floats(n * taps * groups, 0.01...0.03)
    scales = weights.halves ? drawn.map { Float(Float16($0)) } : drawn
    let shifts = random.floats(n * taps * groups, Float(-highest)...Float(highest - 1))
    zeros = weights.zeros == .whole ? shifts.map { $0.rounded() } : shifts
    bias = Guarded(random.floats(n))
    residual = Guarded(random.floats(m * n))
    aZeros = Guarded(random.integers(m, 0...255))
    aScales = Guarded(random.floats(m, 0.5...2))
  }

  func packed(_ table: ck_table) -> Guarded<UInt8> {
    let (n, taps, k) = (sizes.n, sizes.taps, sizes.k)
    return codes.withUnsafeBufferPointer { codes in
      scales.withUnsafeBufferPointer { scales in
        zeros.withUnsafeBufferPointer { zeros in
          var source = ck_wq()
          (source.n, source.taps, source.k) = (n, taps, k)
          (source.bits, source.group) = (weights.bits, weights.group)
          (source.codes, source.scales) = (codes.baseAddress, scales.baseAddress)
          source.zeros = weights.zeros == .none ? nil : zeros.baseAddress
          source.for_bytes = weights.zeros == .real ? 0 : 1
          // Packed weights sit at 64-byte addresses in a program, so their length is rounded here.
          let packed = Guarded<UInt8>((table.packed_bytes_wq(&source) + 63) / 64 * 64, filledWith: 0x33)
          table.pack_wq(&source, packed.pointer)
          return packed
        }
      }
    }
  }

  func scratch(_ table: ck_table) -> Guarded<UInt8> {
    Guarded((table.wq_scratch_bytes(sizes.taps, sizes.k) + 63) / 64 * 64, filledWith: 0xFF)
  }

  var parts: [(Range<Int>, Range<Int>)] { [(0..<sizes.m, 0..<sizes.n)] }

  /// Σ over groups of scale · Σ (a − aZero)(code − zero) in double, and the same of magnitudes.
  func exact(_ row: [Double], column j: Int) -> (sum: Double, magnitude: Double) {
    var sum = 0.0, magnitude = 0.0
    for t in 0..<sizes.taps {
      for x in 0..<sizes.k {
        let at = (j * sizes.taps + t) * groups + x / weights.group
        let code =
          Double(codes[(j * sizes.taps + t) * sizes.k + x]) - (weights.zeros == .none ? 0 : Double(zeros[at]))
        let term = row[t * sizes.k + x] * code * Double(scales[at])
        sum += term
        magnitude += abs(term)
      }
    }
    return (sum, magnitude)
  }
}

@Suite struct GemmWQTests {
  private func runFloat(_ table: ck_table, _ product: Product<Float>, split: Bool = false) -> [Float] {
    let (m, n) = (product.sizes.m, product.sizes.n)
    let packed = product.packed(table), scratch = product.scratch(table)
    let c = Guarded<Float>(m * n, filledWith: 0)
    var g = ck_gemm_wq()
    g.rows = product.source.rows
    g.m = m
    g.n = n
    g.packed = UnsafeRawPointer(packed.pointer)
    g.bits = product.weights.bits
    g.group = product.weights.group
    g.bias = UnsafePointer(product.bias.pointer)
    g.c = c.pointer
    g.c_stride = n
    g.residual = UnsafePointer(product.residual.pointer)
    g.residual_stride = n
    g.lower = -100
    g.upper = 100
    g.scratch = UnsafeMutableRawPointer(scratch.pointer)
    for (rows, columns) in split ? splits(m: m, n: n, block: table.column_block) : product.parts {
      table.gemm_wq(&g, rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
    }
    return withExtendedLifetime((packed, scratch, product)) { c.values }
  }

  private func runCodes(_ table: ck_table, _ product: Product<UInt8>, perRow: Bool, split: Bool = false)
    -> [Float]
  {
    let (m, n) = (product.sizes.m, product.sizes.n)
    let packed = product.packed(table), scratch = product.scratch(table)
    let c = Guarded<Float>(m * n, filledWith: 0)
    var g = ck_gemm_u8wq()
    g.rows = product.source.rows
    g.n = n
    g.packed = UnsafeRawPointer(packed.pointer)
    g.bits = product.weights.bits
    g.group = product.weights.group
    g.a_zero = 97
    g.a_zeros = perRow ? UnsafePointer(product.aZeros.pointer) : nil
    g.a_scale = 0.013
    g.a_scales = perRow ? UnsafePointer(product.aScales.pointer) : nil
    g.bias_f = perRow ? nil : UnsafePointer(product.bias.pointer)
    g.c = c.pointer
    g.c_stride = n
    g.lower = -5000
    g.upper = 5000
    g.scratch = UnsafeMutableRawPointer(scratch.pointer)
    for (rows, columns) in split ? splits(m: m, n: n, block: table.column_block) : product.parts {
      table.gemm_u8wq(&g, rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
    }
    return withExtendedLifetime((packed, scratch, product)) { c.values }
  }

  @Test(arguments: [CK_SCALAR] + levels, shapes)
  func floatRows(level: ck_level, sizes: Sizes) {
    for weights in Weights.all {
      let product = Product<Float>(sizes, weights, padding: 0) { $1.floats($0) }
      let ours = runFloat(table(level), product)
      for i in 0..<sizes.m {
        let row = product.source.row(i).map(Double.init)
        for j in 0..<sizes.n {
          let (sum, magnitude) = product.exact(row, column: j)
          let extra = Double(product.bias.pointer[j]) + Double(product.residual.pointer[i * sizes.n + j])
          let expected = min(max(sum + extra, -100), 100)
          #expect(
            abs(Double(ours[i * sizes.n + j]) - expected) <= 1e-6 * (magnitude + 2),
            "\(weights.testDescription)")
        }
      }
      let parts = runFloat(table(level), product, split: true)
      #expect(ours.map(\.bitPattern) == parts.map(\.bitPattern), "\(weights.testDescription)")
    }
  }

  /// A level may hold scales in two bytes where they lose nothing by it, and nowhere else.
  @Test(arguments: levels)
  func halvesLoseNothing(level: ck_level) {
    // The largest and smallest float16 numbers, and neighbours that are none.
    let exact: [Float] = [65504, -65504, 0x1p-14, 0x1p-24, -0x1.8p-23, 0x1.ff8p-15, 0, 1]
    let others: [Float] = [65520, 65505, 0x1p-25, 0x1.8p-24, 0x1.002p-14, 0x1.ffep-15, 1.001, 1e30]
    for (index, scale) in (exact + others).enumerated() {
      let weights = Weights(bits: 8, group: 1, zeros: .none, halves: false)
      let sizes = Sizes(m: 1, n: 1, k: 1)
      let product = Product<Float>(sizes, weights, padding: 0) { count, _ in .init(repeating: 1, count: count)
      }
      product.codes[0] = 1
      product.scales[0] = scale
      let packed = product.packed(table(level)), scratch = product.scratch(table(level))
      let c = Guarded<Float>(1, filledWith: 0)
      var g = ck_gemm_wq()
      g.rows = product.source.rows
      (g.m, g.n, g.bits, g.group, g.c, g.c_stride) = (1, 1, 8, 1, c.pointer, 1)
      (g.lower, g.upper) = (-.infinity, .infinity)
      g.packed = UnsafeRawPointer(packed.pointer)
      g.scratch = UnsafeMutableRawPointer(scratch.pointer)
      table(level).gemm_wq(&g, 0, 1, 0, 1)
      let isHalf = packed.pointer[1] == 1
      #expect(isHalf == (index < exact.count), "\(scale)")
      #expect(abs(c.values[0] - scale) <= abs(scale) * 1e-6, "\(scale)")
      withExtendedLifetime((packed, scratch, product)) {}
    }
  }

  /// Numbers that are none, and magnitudes at the ends of the range, in one row of two.
  @Test(arguments: [CK_SCALAR] + levels, [Float.infinity, .nan, 3e38, 1e-38, -1, 0])
  func oddActivations(level: ck_level, odd: Float) {
    for weights in Weights.all where weights.group < 4096 {
      let sizes = Sizes(m: 2, n: 40, k: 64)
      let product = Product<Float>(sizes, weights, padding: 0) { count, random in
        var values = random.floats(count)
        if odd == 0 || abs(odd) < 1e-30 { values = values.map { _ in odd } } else { values[count - 5] = odd }
        return values
      }
      let ours = runFloat(table(level), product)
      for i in 0..<sizes.m {
        let row = product.source.row(i).map(Double.init)
        for j in 0..<sizes.n {
          let (sum, magnitude) = product.exact(row, column: j)
          let extra = Double(product.bias.pointer[j]) + Double(product.residual.pointer[i * sizes.n + j])
          let value = Double(ours[i * sizes.n + j])
          if sum.isFinite {
            // Steps of a group are those of its largest activation, whatever weight that one meets.
            let weight = product.exact(row.map { _ in 1 }, column: j).magnitude
            let steps = row.reduce(0) { max($0, abs($1)) } * weight * 1e-7
            #expect(abs(value - min(max(sum + extra, -100), 100)) <= 1e-6 * (magnitude + 2) + steps)
          } else {
            #expect(!value.isFinite || abs(value) == 100)
          }
        }
      }
    }
  }

  @Test(arguments: levels, shapes)
  func codeRowsEqualScalar(level: ck_level, sizes: Sizes) {
    for weights in Weights.forBytes {
      let product = Product<UInt8>(sizes, weights, padding: 97) { $1.integers($0, 0...255) }
      for perRow in [false, true] {
        let expected = runCodes(scalar, product, perRow: perRow)
        let ours = runCodes(table(level), product, perRow: perRow)
        #expect(firstDifference(ours, expected) == nil, "\(weights.testDescription)")
        let parts = runCodes(table(level), product, perRow: perRow, split: true)
        #expect(firstDifference(parts, expected) == nil, "\(weights.testDescription)")
      }
    }
  }

  @Test(arguments: shapes)
  func scalarCodeRows(sizes: Sizes) {
    for weights in Weights.forBytes {
      let product = Product<UInt8>(sizes, weights, padding: 97) { $1.integers($0, 0...255) }
      let ours = runCodes(scalar, product, perRow: true)
      for i in 0..<sizes.m {
        let row = product.source.row(i).map { Double($0) - Double(product.aZeros.pointer[i]) }
        let scale = Double(product.aScales.pointer[i])
        for j in 0..<sizes.n {
          let (sum, magnitude) = product.exact(row, column: j)
          let expected = min(max(sum * scale, -5000), 5000)
          #expect(abs(Double(ours[i * sizes.n + j]) - expected) <= 1e-6 * (magnitude * scale + 1))
        }
      }
    }
  }
}
