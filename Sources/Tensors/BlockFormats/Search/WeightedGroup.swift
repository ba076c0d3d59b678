typealias Quad = SIMD4<Float>

extension UnsafePointer<Float> {
  @inline(__always) func quad(_ i: Int) -> Quad { UnsafeRawPointer(self + i).loadUnaligned(as: Quad.self) }
}

extension Quad {
  // Lane by lane the compiler finds the processor's minimum and maximum; from masks it makes four instructions of each.

  /// The greater of each lane and `bound`; `bound` for what is no number.
  @inline(__always) func atLeast(_ bound: Float) -> Quad {
    Quad(x > bound ? x : bound, y > bound ? y : bound, z > bound ? z : bound, w > bound ? w : bound)
  }

  @inline(__always) func atMost(_ bound: Float) -> Quad {
    Quad(x < bound ? x : bound, y < bound ? y : bound, z < bound ? z : bound, w < bound ? w : bound)
  }

  @inline(__always) func lesser(_ other: Quad) -> Quad {
    Quad(
      x < other.x ? x : other.x, y < other.y ? y : other.y, z < other.z ? z : other.z,
      w < other.w ? w : other.w)
  }

  @inline(__always) func greater(_ other: Quad) -> Quad {
    Quad(
      x > other.x ? x : other.x, y > other.y ? y : other.y, z > other.z ? z : other.z,
      w > other.w ? w : other.w)
  }

  @inline(__always) var total: Float {
    let pairs = lowHalf + highHalf
    return pairs.x + pairs.y
  }
}

/// Added to a number below 2^22, it leaves no bits under the unit: the sum is rounded half to even, and its lowest bits
/// are the whole number.
let roundingUnit: Float = 12_582_912

/// Stores the lowest byte of each sum with `roundingUnit`.
@inline(__always)
func lowBytes(_ sums: Quad, into bytes: UnsafeMutablePointer<UInt8>) {
  let low = SIMD4<UInt8>(truncatingIfNeeded: unsafeBitCast(sums, to: SIMD4<UInt32>.self))
  UnsafeMutableRawPointer(bytes).storeBytes(of: low, as: SIMD4<UInt8>.self)
}

/// The lowest and the highest of `count` values, a multiple of 4.
@inline(__always)
func extremes(_ x: UnsafePointer<Float>, _ count: Int) -> (low: Float, high: Float) {
  var (low, high) = (x.quad(0), x.quad(0))
  for i in stride(from: 4, to: count, by: 4) {
    let v = x.quad(i)
    low = v.lesser(low)
    high = v.greater(high)
  }
  return (
    Swift.min(Swift.min(low.x, low.y), Swift.min(low.z, low.w)),
    Swift.max(Swift.max(high.x, high.y), Swift.max(high.z, high.w))
  )
}

/// The value of the largest magnitude; of two opposite ones, the first.
func firstExtreme(_ x: UnsafePointer<Float>, _ count: Int, _ low: Float, _ high: Float) -> Float {
  guard high == -low else { return high > -low ? high : low }
  for i in 0..<count where x[i].magnitude == high { return x[i] }
  return high
}

/// Whole codes from `lowest` to `highest`, as floats.
struct CodeRange: Sendable {
  let lowest: Float
  let highest: Float

  /// −2^(bits−1)…2^(bits−1) − 1.
  static func symmetric(_ bits: Int) -> CodeRange {
    let half = Float(1 << (bits - 1))
    return CodeRange(lowest: -half, highest: half - 1)
  }

  /// 0…2^bits − 1.
  static func affine(_ bits: Int) -> CodeRange { CodeRange(lowest: 0, highest: Float(1 << bits) - 1) }

  /// `lowest` for what is no number.
  @inline(__always) func clamp(_ t: Quad) -> Quad { t.atLeast(lowest).atMost(highest) }

  /// The code nearest to `t`; `lowest` for what is no number.
  @inline(__always) func round(_ t: Float) -> Float {
    let above = t > lowest ? t : lowest
    return ((above < highest ? above : highest) + roundingUnit) - roundingUnit
  }
}

/// Sums over a group with codes q: Σ w·q, Σ w·q², Σ w·q·x.
struct CodeSums {
  var q: Float = 0
  var qq: Float = 0
  var qx: Float = 0
}

/// Neighbours that share a scale, each with what its squared error counts; their number is a multiple of 4.
struct WeightedGroup {
  let x: UnsafePointer<Float>
  let w: UnsafePointer<Float>
  let count: Int
  /// Σ w, Σ w·x, Σ w·x².
  let sumW: Float
  let sumX: Float
  let sumXX: Float
  let low: Float
  let high: Float

  init(x: UnsafePointer<Float>, w: UnsafePointer<Float>, count: Int) {
    var (sw, sx, sxx) = (Quad.zero, Quad.zero, Quad.zero)
    for i in stride(from: 0, to: count, by: 4) {
      let (v, weight) = (x.quad(i), w.quad(i))
      sw += weight
      sx += weight * v
      sxx += weight * v * v
    }
    self.x = x
    self.w = w
    self.count = count
    (sumW, sumX, sumXX) = (sw.total, sx.total, sxx.total)
    (low, high) = extremes(x, count)
  }

  /// The value of the largest magnitude.
  var extreme: Float { high > -low ? high : low }

  /// Sums with the codes that `inverse` = 1 / scale and `minimum` give.
  @inline(__always)
  func sums(inverse: Float, minimum: Float, _ range: CodeRange) -> CodeSums {
    var (q, qq, qx) = (Quad.zero, Quad.zero, Quad.zero)
    for i in stride(from: 0, to: count, by: 4) {
      let v = x.quad(i)
      let code = (range.clamp((v - minimum) * inverse) + roundingUnit) - roundingUnit
      let weighted = w.quad(i) * code
      q += weighted
      qq += weighted * code
      qx += weighted * v
    }
    return CodeSums(q: q.total, qq: qq.total, qx: qx.total)
  }

  /// Σ w·(x − scale · q − minimum)² of codes with these sums.
  @inline(__always)
  func error(_ s: CodeSums, scale: Float, minimum: Float) -> Float {
    sumXX + scale * (scale * s.qq - 2 * s.qx) + minimum * (minimum * sumW + 2 * (scale * s.q - sumX))
  }

  /// The same from the codes themselves, for scales so fine that the sums cancel.
  func exactError(inverse: Float, scale: Float, minimum: Float, _ range: CodeRange) -> Float {
    var sum = Quad.zero
    for i in stride(from: 0, to: count, by: 4) {
      let v = x.quad(i)
      let code = (range.clamp((v - minimum) * inverse) + roundingUnit) - roundingUnit
      let rest = v - minimum - scale * code
      sum += w.quad(i) * rest * rest
    }
    return sum.total
  }

  /// Writes the codes, each as a byte.
  func writeCodes(
    inverse: Float, minimum: Float, _ range: CodeRange, into codes: UnsafeMutablePointer<UInt8>
  ) {
    for i in stride(from: 0, to: count, by: 4) {
      lowBytes(range.clamp((x.quad(i) - minimum) * inverse) + roundingUnit, into: codes + i)
    }
  }
}
