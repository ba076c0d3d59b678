import CKernels
import Testing

/// A float product and its right answer, with Σ|a·b| as the measure of error.
private final class Product {
  let sizes: Sizes
  let source: RowSource<Float>
  let b: [Float]
  let bias: Guarded<Float>
  let residual: Guarded<Float>

  init(_ sizes: Sizes) {
    self.sizes = sizes
    var random = Random(sizes.m + 7 * sizes.n + 31 * sizes.k)
    source = RowSource(
      m: sizes.m, taps: sizes.taps, k: sizes.k, indirect: sizes.indirect, padding: 0, random: &random
    ) { $1.floats($0) }
    b = random.floats(sizes.n * sizes.taps * sizes.k)
    bias = Guarded(random.floats(sizes.n))
    residual = Guarded(random.floats(sizes.m * sizes.n))
  }

  func run(
    _ table: ck_table, extras: Bool, lower: Float = -.infinity, upper: Float = .infinity, split: Bool = false
  ) -> [Float] {
    let (m, n) = (sizes.m, sizes.n)
    let packed = Guarded<UInt8>(table.packed_bytes_f32(n, sizes.taps, sizes.k), filledWith: 0xFF)
    table.pack_f32(n, sizes.taps, sizes.k, b, packed.pointer)
    let stride = n + 2
    let c = Guarded<Float>(max(0, (m - 1) * stride + n), filledWith: 77)
    var g = ck_gemm_f32()
    g.rows = source.rows
    g.n = n
    g.packed = UnsafeRawPointer(packed.pointer)
    g.c = c.pointer
    g.c_stride = stride
    g.lower = lower
    g.upper = upper
    if extras {
      g.bias = UnsafePointer(bias.pointer)
      g.residual = UnsafePointer(residual.pointer)
      g.residual_stride = n
    }
    let parts = split ? splits(m: m, n: n, block: table.column_block) : [(0..<m, 0..<n)]
    for (rows, columns) in parts {
      table.gemm_f32(&g, rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
    }
    return withExtendedLifetime((packed, self)) { c.values }
  }

  /// Σ|a·b| + |bias| + |residual| of each output, laid out as C is.
  var magnitudes: [Float] {
    let depth = sizes.taps * sizes.k
    var all = [Float](repeating: 0, count: max(0, (sizes.m - 1) * (sizes.n + 2) + sizes.n))
    for i in 0..<sizes.m {
      let row = source.row(i)
      for j in 0..<sizes.n {
        all[i * (sizes.n + 2) + j] = (0..<depth).reduce(2) { $0 + abs(row[$1] * b[j * depth + $1]) }
      }
    }
    return all
  }

  var exact: [Float] {
    let depth = sizes.taps * sizes.k
    var all = [Float](repeating: 77, count: max(0, (sizes.m - 1) * (sizes.n + 2) + sizes.n))
    for i in 0..<sizes.m {
      let row = source.row(i)
      for j in 0..<sizes.n {
        var sum = (0..<depth).reduce(0) { $0 + Double(row[$1]) * Double(b[j * depth + $1]) }
        sum += Double(bias.pointer[j]) + Double(residual.pointer[i * sizes.n + j])
        all[i * (sizes.n + 2) + j] = Float(sum)
      }
    }
    return all
  }
}

@Suite struct GemmF32Tests {
  @Test(arguments: [CK_SCALAR] + levels, Sizes.all)
  func isTheProduct(level: ck_level, sizes: Sizes) {
    let product = Product(sizes), magnitudes = product.magnitudes
    let ours = product.run(table(level), extras: true)
    #expect(firstDifference(ours, product.exact) { 1e-6 * magnitudes[$0] } == nil)
  }

  @Test(arguments: [CK_SCALAR] + levels, Sizes.all)
  func doesNotDependOnTheSplit(level: ck_level, sizes: Sizes) {
    let product = Product(sizes)
    let whole = product.run(table(level), extras: true)
    let parts = product.run(table(level), extras: true, split: true)
    #expect(whole.map(\.bitPattern) == parts.map(\.bitPattern))
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func clamps(level: ck_level) {
    let product = Product(Sizes(m: 15, n: 50, k: 8))
    let open = product.run(table(level), extras: false)
    let closed = product.run(table(level), extras: false, lower: 0, upper: 0.5)
    let expected = open.map { $0 == 77 ? 77 : min(max($0, 0), 0.5) }
    #expect(closed == expected)
    #expect(open.contains { $0 < 0 } && open.contains { $0 > 0.5 && $0 != 77 })
  }

  /// Rows a whole number of pages apart take another way through memory.
  @Test(arguments: levels)
  func pageStride(level: ck_level) {
    let m = 17, n = 40, k = 1024
    var random = Random(5)
    let a = Guarded(random.floats(m * k)), b = random.floats(n * k)
    func run(_ table: ck_table) -> [Float] {
      let packed = Guarded<UInt8>(table.packed_bytes_f32(n, 1, k), filledWith: 0)
      table.pack_f32(n, 1, k, b, packed.pointer)
      let c = Guarded<Float>(m * n, filledWith: 0)
      var g = ck_gemm_f32()
      g.rows = ck_rows(a: a.pointer, stride: k, offsets: nil, taps: 1, k: k, padding: nil)
      g.n = n
      g.packed = UnsafeRawPointer(packed.pointer)
      g.c = c.pointer
      g.c_stride = n
      g.lower = -.infinity
      g.upper = .infinity
      table.gemm_f32(&g, 0, m, 0, n)
      return withExtendedLifetime(packed) { c.values }
    }
    #expect(firstDifference(run(table(level)), run(scalar)) { _ in 3e-4 } == nil)
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func passesNaN(level: ck_level) {
    let product = Product(Sizes(m: 3, n: 20, k: 9))
    product.source.a.pointer[4] = .nan
    let c = product.run(table(level), extras: false, lower: 0, upper: 6)
    #expect(c.indices.filter { c[$0].isNaN } == Array(0..<20))
  }
}
