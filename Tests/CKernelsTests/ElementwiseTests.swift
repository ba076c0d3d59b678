import CKernels
import Glibc
import Testing

/// A function of the table, the right answer in double, and how far a value may be off: relative + absolute.
struct Function: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var apply: @Sendable (ck_table, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void
  var exact: @Sendable (Double) -> Double
  var range: ClosedRange<Float>
  var relative = 1e-6
  var absolute = 1e-38

  static let all: [Function] = [
    Function(
      testDescription: "exp", apply: { $0.exp_f32($1, $2, $3) }, exact: { exp($0) }, range: -87...88.7),
    Function(
      testDescription: "tanh", apply: { $0.tanh_f32($1, $2, $3) }, exact: { tanh($0) }, range: -12...12),
    Function(
      testDescription: "sigmoid", apply: { $0.sigmoid_f32($1, $2, $3) }, exact: { 1 / (1 + exp(-$0)) },
      range: -85...30),
    Function(testDescription: "erf", apply: { $0.erf_f32($1, $2, $3) }, exact: { erf($0) }, range: -6...6),
    Function(
      testDescription: "gelu", apply: { $0.gelu_f32($1, $2, 0, $3) },
      exact: { 0.5 * $0 * (1 + erf($0 * 0.5.squareRoot())) }, range: -9...9, absolute: 1e-6),
    Function(
      testDescription: "gelu tanh", apply: { $0.gelu_f32($1, $2, 1, $3) },
      exact: { 0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))) },
      range: -9...9, absolute: 1e-6),
    Function(
      testDescription: "silu", apply: { $0.silu_f32($1, $2, $3) }, exact: { $0 / (1 + exp(-$0)) },
      range: -80...30),
    Function(
      testDescription: "hardswish", apply: { $0.hardswish_f32($1, $2, $3) },
      exact: { $0 * min(max($0 / 6 + 0.5, 0), 1) }, range: -5...5, absolute: 1e-6),
    Function(
      testDescription: "sqrt", apply: { $0.sqrt_f32($1, $2, $3) }, exact: { sqrt($0) }, range: 0...1e6),
    Function(
      testDescription: "clamp", apply: { $0.clamp_f32($1, $2, -1, 2, $3) }, exact: { min(max($0, -1), 2) },
      range: -4...4),
    Function(
      testDescription: "add scalar", apply: { $0.add_scalar_f32($1, 3.5, $2, $3) }, exact: { $0 + 3.5 },
      range: 0...9),
    Function(
      testDescription: "mul scalar", apply: { $0.mul_scalar_f32($1, 3.5, $2, $3) }, exact: { $0 * 3.5 },
      range: -9...9),
  ]
}

@Suite struct ElementwiseTests {
  @Test(arguments: [CK_SCALAR] + levels, Function.all)
  func accurate(level: ck_level, function: Function) {
    let n = 20_001
    let low = function.range.lowerBound, width = function.range.upperBound - low
    let values = (0..<n).map { low + width * Float($0) / Float(n - 1) }
    var y = [Float](repeating: 0, count: n)
    function.apply(table(level), values, n, &y)
    for (x, ours) in zip(values, y) {
      let exact = function.exact(Double(x))
      let error = abs(Double(ours) - exact)
      if !(error <= function.relative * abs(exact) + function.absolute) {
        Issue.record("\(x): \(ours), expected \(exact)")
        return
      }
    }
  }

  @Test(arguments: levels, lengths)
  func everyLength(level: ck_level, n: Int) {
    var random = Random(n)
    let ours = table(level)
    for function in Function.all {
      let x = Guarded(random.floats(n, function.range)), y = Guarded<Float>(n, filledWith: 5)
      function.apply(ours, x.pointer, n, y.pointer)
      function.apply(ours, x.pointer, n, x.pointer)  // in place
      #expect(firstDifference(x.values.map(\.bitPattern), y.values.map(\.bitPattern)) == nil)
      if n > 0 { #expect(y.values[n - 1] != 5, "\(function.testDescription)") }
    }
    let a = Guarded(random.floats(n)), b = Guarded(random.floats(n, 0.5...2)),
      y = Guarded<Float>(n, filledWith: 5)
    ours.add_f32(a.pointer, b.pointer, n, y.pointer)
    #expect(y.values == zip(a.values, b.values).map { $0 + $1 })
    ours.sub_f32(a.pointer, b.pointer, n, y.pointer)
    #expect(y.values == zip(a.values, b.values).map { $0 - $1 })
    ours.mul_f32(a.pointer, b.pointer, n, y.pointer)
    #expect(y.values == zip(a.values, b.values).map { $0 * $1 })
    ours.div_f32(a.pointer, b.pointer, n, y.pointer)
    #expect(y.values == zip(a.values, b.values).map { $0 / $1 })
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func theEndsOfTheLine(level: ck_level) {
    let ours = table(level)
    let x: [Float] = [.infinity, -.infinity, .nan, 100, -100, 0, -0.0, -200]
    func apply(_ body: (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void) -> [Float] {
      var y = [Float](repeating: 0, count: x.count)
      body(x, x.count, &y)
      return y
    }
    let e = apply { ours.exp_f32($0, $1, $2) }
    #expect(
      e[0] == .infinity && e[1] == 0 && e[2].isNaN && e[3] == .infinity && e[5] == 1 && e[6] == 1 && e[7] == 0
    )
    #expect(abs(Double(e[4]) - 3.78e-44) < 3e-45)
    let t = apply { ours.tanh_f32($0, $1, $2) }
    #expect(t[0] == 1 && t[1] == -1 && t[2].isNaN && t[3] == 1 && t[4] == -1 && t[5] == 0)
    let s = apply { ours.sigmoid_f32($0, $1, $2) }
    #expect(
      s[0] == 1 && s[1] == 0 && s[2].isNaN && s[3] == 1 && s[4] < .leastNormalMagnitude && s[5] == 0.5
        && s[7] == 0)
    let f = apply { ours.erf_f32($0, $1, $2) }
    #expect(f[0] == 1 && f[1] == -1 && f[2].isNaN && f[3] == 1 && f[4] == -1 && f[5] == 0)
    let g = apply { ours.gelu_f32($0, $1, 0, $2) }
    #expect(g[0] == .infinity && g[2].isNaN && g[3] == 100 && g[4] == 0 && g[5] == 0)
  }
}
