import CKernels
import Glibc
import Testing

/// Memory whose last element ends at a page that may not be touched, so that a read or write beyond it crashes.
final class Guarded<Element: BitwiseCopyable> {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int
  private let base: UnsafeMutableRawPointer
  private let bytes: Int

  init(_ values: [Element]) {
    let page = 4096
    count = values.count
    let size = count * MemoryLayout<Element>.stride
    bytes = (size + page - 1) / page * page + page
    guard
      let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      mapped != MAP_FAILED
    else { preconditionFailure("no memory for a test") }
    base = mapped
    precondition(mprotect(mapped + bytes - page, page, PROT_NONE) == 0)
    pointer = (mapped + bytes - page - size).bindMemory(to: Element.self, capacity: count)
    pointer.update(from: values, count: count)
  }

  convenience init(_ count: Int, filledWith value: Element) {
    self.init(Array(repeating: value, count: count))
  }

  deinit { munmap(base, bytes) }

  var values: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// A small generator (SplitMix64), seeded so that a failure can be repeated.
struct Random: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -1...1) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }

  mutating func integers<I: FixedWidthInteger>(_ count: Int, _ range: ClosedRange<I>) -> [I] {
    (0..<count).map { _ in I.random(in: range, using: &self) }
  }
}

func table(_ level: ck_level) -> ck_table {
  var table = ck_table()
  precondition(ck_table_for(level, &table) == 1)
  return table
}

let scalar = table(CK_SCALAR)

/// The levels above scalar that this machine has.
let levels: [ck_level] = everyLevel.filter { $0 != CK_SCALAR && ck_supported($0) == 1 }

/// The levels of all architectures.
let everyLevel: [ck_level] = (0..<CK_LEVELS).map { ck_level(UInt32($0)) }

extension ck_level: @retroactive CustomTestStringConvertible {
  public var testDescription: String { String(cString: ck_level_name(self)) }
}

let lengths = [0, 1, 15, 16, 17, 63, 64, 65, 127, 1000]

/// The first place where two arrays differ by more than the tolerance there.
func firstDifference(_ a: [Float], _ b: [Float], tolerance: (Int) -> Float) -> String? {
  guard a.count == b.count else { return "counts \(a.count) and \(b.count)" }
  for i in a.indices where a[i].bitPattern != b[i].bitPattern && !(a[i].isNaN && b[i].isNaN) {
    if !(abs(a[i] - b[i]) <= tolerance(i)) { return "[\(i)]: \(a[i]) and \(b[i])" }
  }
  return nil
}

func firstDifference<E: Equatable>(_ a: [E], _ b: [E]) -> String? {
  guard a.count == b.count else { return "counts \(a.count) and \(b.count)" }
  return a.indices.first { a[$0] != b[$0] }.map { "[\($0)]: \(a[$0]) and \(b[$0])" }
}

/// Left operands: strided rows, or taps anywhere in a buffer, some of them padding and some neighbours in memory.
struct RowSource<Element: BitwiseCopyable> {
  let a: Guarded<Element>
  let padding: Guarded<Element>
  let offsets: Guarded<Int32>?
  let stride: Int
  let taps: Int
  let k: Int

  init(
    m: Int, taps: Int, k: Int, indirect: Bool, padding: Element, random: inout Random,
    values: (Int, inout Random) -> [Element]
  ) {
    self.taps = taps
    self.k = k
    self.padding = Guarded(k, filledWith: padding)
    if indirect {
      stride = 0
      let pixels = m + taps + 3
      a = Guarded(values(pixels * k, &random))
      var offsets: [Int32] = []
      for _ in 0..<m {
        var pixel = Int.random(in: 0..<pixels, using: &random)
        for _ in 0..<taps {
          pixel =
            Int.random(in: 0..<3, using: &random) == 0
            ? Int.random(in: 0..<pixels, using: &random) : pixel + 1
          let outside = pixel >= pixels || Int.random(in: 0..<8, using: &random) == 0
          offsets.append(outside ? -1 : Int32(pixel * k))
          if pixel >= pixels { pixel = 0 }
        }
      }
      self.offsets = Guarded(offsets)
    } else {
      precondition(taps == 1)
      stride = k + 3
      a = Guarded(values(m == 0 ? 0 : (m - 1) * stride + k, &random))
      offsets = nil
    }
  }

  var rows: ck_rows {
    ck_rows(
      a: a.pointer, stride: stride, offsets: offsets?.pointer, taps: taps, k: k, padding: padding.pointer)
  }

  /// Row i, its taps side by side.
  func row(_ i: Int) -> [Element] {
    (0..<taps).flatMap { t -> [Element] in
      let offset = offsets.map { Int($0.pointer[i * taps + t]) } ?? i * stride
      let start = offset < 0 ? padding.pointer : a.pointer + offset
      return Array(UnsafeBufferPointer(start: start, count: k))
    }
  }
}

/// Sizes that reach every tail: rows, columns, taps and depth around the blocks of all levels.
struct Sizes: CustomTestStringConvertible, Sendable {
  var m: Int
  var n: Int
  var taps = 1
  var k: Int
  var indirect = false

  var testDescription: String { "m \(m) n \(n) taps \(taps) k \(k)\(indirect ? " indirect" : "")" }

  static let direct: [Sizes] =
    [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 127, 1000].map { Sizes(m: 5, n: 19, k: $0) }
    + [1, 2, 3, 4, 6, 7, 13, 14, 15, 16, 29, 43].map { Sizes(m: $0, n: 33, k: 20) }
    + [1, 8, 15, 16, 17, 31, 32, 33, 48, 49, 127, 128, 200].flatMap {
      [Sizes(m: 1, n: $0, k: 37), Sizes(m: 3, n: $0, k: 12), Sizes(m: 9, n: $0, k: 10)]
    }
  static let convolutions: [Sizes] =
    [1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 33].flatMap { k in
      [1, 9, 25].map { Sizes(m: 17, n: 18, taps: $0, k: k, indirect: true) }
    } + [
      Sizes(m: 30, n: 64, taps: 9, k: 16, indirect: true), Sizes(m: 5, n: 16, taps: 49, k: 3, indirect: true),
      Sizes(m: 3, n: 20, taps: 1100, k: 1, indirect: true),
      Sizes(m: 1, n: 150, taps: 3, k: 3, indirect: true),
      Sizes(m: 16, n: 34, taps: 400, k: 3, indirect: true),
      Sizes(m: 2, n: 3, taps: 17, k: 12, indirect: true),
    ]
  static let all = direct + convolutions
}

/// Ranges of rows and columns that a caller could split a product into.
func splits(m: Int, n: Int, block: Int) -> [(Range<Int>, Range<Int>)] {
  let rows = [0..<m / 3, m / 3..<m]
  let cut = min(n, (n / 2 + block - 1) / block * block)
  return rows.flatMap { r in [(r, 0..<cut), (r, cut..<n)] }
}
