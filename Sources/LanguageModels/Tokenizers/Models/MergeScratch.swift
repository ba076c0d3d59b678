/// The pieces of a word while they are merged, and the queue of merges: memory kept from word to word.
struct MergeScratch {
  /// Pieces as a list in both directions by number; −1 is none.
  ///
  /// A piece that was merged into another has length 0.
  struct Piece {
    var token: Int32
    var previous: Int32
    var next: Int32
    var length: Int32
  }

  var pieces: [Piece] = []
  /// A heap of (order, place), the least first; order and place each take 32 bits.
  private var queue: [UInt64] = []

  mutating func begin() {
    pieces.removeAll(keepingCapacity: true)
    queue.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  mutating func append(_ token: Int32, length: Int) {
    let number = Int32(pieces.count)
    if number > 0 { pieces[Int(number) - 1].next = number }
    pieces.append(Piece(token: token, previous: number - 1, next: -1, length: Int32(length)))
  }

  /// Joins the piece at `place` with the next.
  @inline(__always)
  mutating func join(_ place: Int, as token: Int32) {
    let next = Int(pieces[place].next)
    let behind = pieces[next].next
    pieces[place].token = token
    pieces[place].length &+= pieces[next].length
    pieces[place].next = behind
    pieces[next].length = 0
    if behind >= 0 { pieces[Int(behind)].previous = Int32(place) }
  }

  /// Four children per parent: fewer levels to miss the cache on than with two.
  @inline(__always)
  mutating func push(order: UInt32, place: Int) {
    let entry = UInt64(order) << 32 | UInt64(place)
    var hole = queue.count
    queue.append(entry)
    while hole > 0 {
      let parent = (hole &- 1) >> 2
      guard queue[parent] > entry else { break }
      queue[hole] = queue[parent]
      hole = parent
    }
    queue[hole] = entry
  }

  /// The least entry, which is taken out.
  @inline(__always)
  mutating func pop() -> (order: UInt32, place: Int)? {
    guard let last = queue.popLast() else { return nil }
    guard let first = queue.first else { return (UInt32(last >> 32), Int(last & 0xFFFF_FFFF)) }
    let count = queue.count
    var hole = 0
    while true {
      let child = hole << 2 &+ 1
      guard child < count else { break }
      var least = child
      let end = min(child &+ 4, count)
      var other = child &+ 1
      while other < end {
        if queue[other] < queue[least] { least = other }
        other &+= 1
      }
      guard queue[least] < last else { break }
      queue[hole] = queue[least]
      hole = least
    }
    queue[hole] = last
    return (UInt32(first >> 32), Int(first & 0xFFFF_FFFF))
  }
}
