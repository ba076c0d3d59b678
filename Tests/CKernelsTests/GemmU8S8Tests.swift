import CKernels
import Testing

/// What the caller asks of the epilogue.
private struct Options: CustomTestStringConvertible, Sendable {
  var output = CK_OUT_U8
  var bias = true
  var residual = false
  var perRow = false
  var affineWeights = false
  var lower: Int32 = 0
  var upper: Int32 = 255

  var testDescription: String {
    "output \(output.rawValue)\(bias ? " bias" : "")\(residual ? " residual" : "")\(perRow ? " per row" : "")"
      + (affineWeights ? " affine" : "")
  }

  static let all: [Options] = [
    Options(), Options(bias: false, lower: 30, upper: 200), Options(residual: true), Options(perRow: true),
    Options(residual: true, affineWeights: true), Options(perRow: true, affineWeights: true),
    Options(output: CK_OUT_S32), Options(output: CK_OUT_S32, bias: false, perRow: true, affineWeights: true),
    Options(output: CK_OUT_F32), Options(output: CK_OUT_F32, bias: false, residual: true, perRow: true),
    Options(output: CK_OUT_F32, affineWeights: true),
  ]
}

private final class Product {
  let sizes: Sizes
  let source: RowSource<UInt8>
  let b: [Int8]
  let columnSums: Guarded<Int32>
  let aZeros: Guarded<Int32>
  let bZero: Guarded<Int32>
  let bias: Guarded<Int32>
  let biasF: Guarded<Float>
  let multiplier: Guarded<Float>
  let aScales: Guarded<Float>
  let residual: Guarded<UInt8>
  let residualF: Guarded<Float>

  init(_ sizes: Sizes) {
    self.sizes = sizes
    let (m, n, depth) = (sizes.m, sizes.n, sizes.taps * sizes.k)
    var random = Random(3 * m + 5 * n + 11 * sizes.k + sizes.taps)
    source = RowSource(
      m: m, taps: sizes.taps, k: sizes.k, indirect: sizes.indirect, padding: 113, random: &random
    ) {
      // Many extremes: they are what a saturating kernel would get wrong.
      $1.integers($0, 0...255).map { (v: Int) in UInt8(v > 170 ? 255 : v) }
    }
    let b: [Int8] = random.integers(n * depth, -128...127).map { $0 > 90 ? 127 : $0 < -90 ? -128 : $0 }
    self.b = b
    columnSums = Guarded(
      (0..<n).map { j in b[j * depth..<(j + 1) * depth].reduce(Int32(0)) { $0 + Int32($1) } })
    aZeros = Guarded(random.integers(m, 0...255))
    bZero = Guarded(random.integers(n, -128...127))
    bias = Guarded(random.integers(n, -20000...20000))
    biasF = Guarded(random.floats(n))
    // About the spread of the sums over the spread of the codes.
    let typical = 100 / (64 * 64 * Float(max(depth, 1)).squareRoot())
    multiplier = Guarded(random.floats(n, 0.5 * typical...2 * typical))
    aScales = Guarded(random.floats(m, 0.5...2))
    residual = Guarded(random.integers(m * n, 0...255))
    residualF = Guarded(random.floats(m * n))
  }

  func run<C: BitwiseCopyable>(_ table: ck_table, _ options: Options, fill: C, split: Bool = false) -> [C] {
    let (m, n) = (sizes.m, sizes.n)
    let packed = Guarded<UInt8>(table.packed_bytes_s8(n, sizes.taps, sizes.k), filledWith: 0x55)
    table.pack_s8(n, sizes.taps, sizes.k, b, packed.pointer)
    let stride = n + 3
    let c = Guarded<C>(max(0, (m - 1) * stride + n), filledWith: fill)
    var g = ck_gemm_u8s8()
    g.rows = source.rows
    g.n = n
    g.packed = UnsafeRawPointer(packed.pointer)
    g.column_sums = UnsafePointer(columnSums.pointer)
    g.a_zero = 113
    g.a_zeros = options.perRow ? UnsafePointer(aZeros.pointer) : nil
    g.b_zero = options.affineWeights ? UnsafePointer(bZero.pointer) : nil
    g.output = options.output
    g.c = UnsafeMutableRawPointer(c.pointer)
    g.c_stride = stride
    g.bias = options.bias ? UnsafePointer(bias.pointer) : nil
    g.multiplier = UnsafePointer(multiplier.pointer)
    g.bias_f = options.bias ? UnsafePointer(biasF.pointer) : nil
    g.a_scale = 0.37
    g.a_scales = options.perRow ? UnsafePointer(aScales.pointer) : nil
    g.lower_f = -40
    g.upper_f = 60
    g.zero = 99
    g.lower = options.lower
    g.upper = options.upper
    if options.residual {
      g.residual = UnsafePointer(residual.pointer)
      g.residual_f = UnsafePointer(residualF.pointer)
      g.residual_stride = n
    }
    g.r_zero = 120
    g.branch_multiplier = 0.61
    g.r_multiplier = 0.83
    g.sum_zero = 101
    g.sum_lower = 20
    g.sum_upper = 230
    let parts = split ? splits(m: m, n: n, block: table.column_block) : [(0..<m, 0..<n)]
    for (rows, columns) in parts {
      table.gemm_u8s8(&g, rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
    }
    return withExtendedLifetime((packed, self)) { c.values }
  }
}

@Suite struct GemmU8S8Tests {
  private func compare<C: BitwiseCopyable & Equatable>(
    _ level: ck_level, _ product: Product, _ options: Options, fill: C
  ) {
    let expected = product.run(scalar, options, fill: fill)
    #expect(firstDifference(product.run(table(level), options, fill: fill), expected) == nil)
    #expect(firstDifference(product.run(table(level), options, fill: fill, split: true), expected) == nil)
  }

  @Test(arguments: levels, Sizes.all)
  func equalsScalar(level: ck_level, sizes: Sizes) {
    let product = Product(sizes)
    for options in Options.all {
      switch options.output {
      case CK_OUT_S32: compare(level, product, options, fill: Int32(-1))
      case CK_OUT_F32: compare(level, product, options, fill: Float(-1))
      default: compare(level, product, options, fill: UInt8(255))
      }
    }
  }

  /// The specification itself, against sums in 64 bits written down another way.
  @Test(arguments: [false, true])
  func scalarIsTheSum(affine: Bool) {
    for sizes in [Sizes(m: 5, n: 19, k: 65), Sizes(m: 4, n: 3, taps: 9, k: 3, indirect: true)] {
      let product = Product(sizes), depth = sizes.taps * sizes.k
      let options = Options(output: CK_OUT_S32, perRow: true, affineWeights: affine)
      let c = product.run(scalar, options, fill: Int32(0))
      for i in 0..<sizes.m {
        let row = product.source.row(i), aZero = Int(product.aZeros.pointer[i])
        for j in 0..<sizes.n {
          let bZero = affine ? Int(product.bZero.pointer[j]) : 0
          let sum = (0..<depth).reduce(Int(product.bias.pointer[j])) {
            $0 + (Int(row[$1]) - aZero) * (Int(product.b[j * depth + $1]) - bZero)
          }
          #expect(Int(c[i * (sizes.n + 3) + j]) == sum)
        }
      }
    }
  }

  /// The codes of the specification, against the formula in Swift's own arithmetic.
  @Test func scalarRoundsHalfToEven() {
    let sizes = Sizes(m: 6, n: 20, k: 33), product = Product(sizes)
    let sums = product.run(scalar, Options(output: CK_OUT_S32), fill: Int32(0))
    let plain = product.run(scalar, Options(), fill: UInt8(0))
    let added = product.run(scalar, Options(residual: true), fill: UInt8(0))
    for i in 0..<sizes.m {
      for j in 0..<sizes.n {
        let at = i * (sizes.n + 3) + j
        let scaled = (Float(sums[at]) * product.multiplier.pointer[j]).rounded(.toNearestOrEven)
        let code = min(max(Int(scaled) + 99, 0), 255)
        #expect(Int(plain[at]) == code)
        let branch: Float = Float(code - 99) * 0.61
        let other: Float = Float(Int(product.residual.pointer[i * sizes.n + j]) - 120) * 0.83
        let sum = Int((branch + other).rounded(.toNearestOrEven)) + 101
        #expect(Int(added[at]) == min(max(sum, 20), 230))
      }
    }
  }
}
