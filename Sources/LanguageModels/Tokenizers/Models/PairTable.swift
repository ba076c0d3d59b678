/// What a pair of tokens becomes, by open addressing: rank of the merge and the new token.
struct PairTable: Sendable {
  struct Merge: Sendable, Equatable {
    var rank: Int32
    var token: Int32
  }

  private static let free = UInt64.max
  private var keys: [UInt64]
  private var merges: [Merge]
  private(set) var count = 0

  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    keys = Array(repeating: Self.free, count: size)
    merges = Array(repeating: Merge(rank: 0, token: 0), count: size)
  }

  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    let mask = keys.count &- 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 36) & mask
    while keys[slot] != key, keys[slot] != Self.free { slot = (slot &+ 1) & mask }
    return slot
  }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  subscript(_ left: Int32, _ right: Int32) -> Merge? {
    let key = Self.key(left, right)
    let slot = slot(of: key)
    return keys[slot] == key ? merges[slot] : nil
  }

  mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) {
    if (count + 1) * 2 > keys.count { grow() }
    let slot = slot(of: Self.key(left, right))
    if keys[slot] == Self.free { count += 1 }
    keys[slot] = Self.key(left, right)
    merges[slot] = merge
  }

  private mutating func grow() {
    var larger = PairTable(capacity: keys.count)
    for (key, merge) in zip(keys, merges) where key != Self.free {
      let slot = larger.slot(of: key)
      larger.keys[slot] = key
      larger.merges[slot] = merge
    }
    larger.count = count
    self = larger
  }
}
