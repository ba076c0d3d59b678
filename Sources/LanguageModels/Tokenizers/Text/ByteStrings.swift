/// Byte strings, each once, numbered in the order they came; found by content without making a copy.
struct ByteStrings: Sendable {
  private var bytes: [UInt8] = []
  private var starts: [Int] = [0]
  /// Numbers by hash, open addressing; −1 is free.
  ///
  /// The count is a power of two and at least twice that of the strings.
  private var slots: [Int32]

  init(capacity: Int = 64) {
    var size = 128
    while size < capacity * 2 { size *= 2 }
    slots = Array(repeating: -1, count: size)
  }

  var count: Int { starts.count - 1 }

  subscript(_ number: Int) -> ArraySlice<UInt8> { bytes[starts[number]..<starts[number + 1]] }

  @inline(__always)
  private static func hash(_ text: Span<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for place in text.indices { hash = (hash ^ UInt64(text[place])) &* 0x0000_0100_0000_01B3 }
    return Int(truncatingIfNeeded: ((hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15) >> 32)
  }

  @inline(__always)
  private func equals(_ number: Int, _ text: Span<UInt8>) -> Bool {
    let start = starts[number]
    guard starts[number &+ 1] &- start == text.count else { return false }
    for place in text.indices where bytes[start &+ place] != text[place] { return false }
    return true
  }

  /// The slot that holds the text, or the free one where it belongs.
  @inline(__always)
  private func slot(of text: Span<UInt8>) -> Int {
    let mask = slots.count &- 1
    var slot = Self.hash(text) & mask
    while slots[slot] >= 0, !equals(Int(slots[slot]), text) { slot = (slot &+ 1) & mask }
    return slot
  }

  @inline(__always)
  func number(of text: Span<UInt8>) -> Int? {
    let number = slots[slot(of: text)]
    return number >= 0 ? Int(number) : nil
  }

  /// The number of the text, which is a new one if the text is not there yet.
  @discardableResult
  mutating func insert(_ text: Span<UInt8>) -> Int {
    let slot = slot(of: text)
    if slots[slot] >= 0 { return Int(slots[slot]) }
    let number = count
    slots[slot] = Int32(number)
    for place in text.indices { bytes.append(text[place]) }
    starts.append(bytes.count)
    if count * 2 > slots.count { grow() }
    return number
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    for number in 0..<count {
      let text = Array(self[number])
      let slot = slot(of: text.span)
      slots[slot] = Int32(number)
    }
  }
}
