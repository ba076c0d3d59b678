/// A trie over bytes: which of many texts begin at a place.
struct ByteTrie: Sendable {
  /// Children of a node are found by (node, byte) in one table, so that a node costs a few words.
  private var children: PairTable
  private var values: [Int32] = [-1]
  /// Bytes with which any of the texts begins.
  private(set) var firstBytes = Array(repeating: false, count: 256)

  init() { children = PairTable(capacity: 256) }

  mutating func insert(_ text: some Sequence<UInt8>, value: Int32) {
    var node: Int32 = 0
    for byte in text {
      if node == 0 { firstBytes[Int(byte)] = true }
      if let child = children[node, Int32(byte)] {
        node = child.token
        continue
      }
      let child = Int32(values.count)
      values.append(-1)
      children.insert(node, Int32(byte), .init(rank: 0, token: child))
      node = child
    }
    values[Int(node)] = value
  }

  /// Tells the texts that begin at `start`, the shortest first: where each ends and its value.
  @inline(__always)
  func forEachPrefix(of text: Span<UInt8>, from start: Int, _ body: (_ end: Int, _ value: Int32) -> Void) {
    var node: Int32 = 0
    var place = start
    while place < text.count, let child = children[node, Int32(text[place])] {
      node = child.token
      place &+= 1
      if values[Int(node)] >= 0 { body(place, values[Int(node)]) }
    }
  }

  /// The longest of the texts that begins at `start`.
  func longestPrefix(of text: Span<UInt8>, from start: Int) -> (end: Int, value: Int32)? {
    var found: (Int, Int32)?
    forEachPrefix(of: text, from: start) { found = ($0, $1) }
    return found
  }
}
