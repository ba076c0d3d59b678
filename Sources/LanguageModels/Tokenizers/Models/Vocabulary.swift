/// The texts of tokens and their numbers, both ways.
struct Vocabulary: Sendable {
  /// Tokens a vocabulary may have at most; more than twelve times the largest published one.
  static let sizeLimit = 1 << 22

  private var strings: ByteStrings
  private var tokenOfString: [Int32] = []
  /// −1 where no text has the number.
  private var stringOfToken: [Int32] = []

  init(capacity: Int) {
    strings = ByteStrings(capacity: capacity)
    tokenOfString.reserveCapacity(capacity)
    stringOfToken.reserveCapacity(capacity)
  }

  /// One more than the greatest number.
  var size: Int { stringOfToken.count }

  @inline(__always)
  func token(of text: Span<UInt8>) -> Int32? { strings.number(of: text).map { tokenOfString[$0] } }

  func token(of text: [UInt8]) -> Int32? { token(of: text.span) }

  func token(of text: String) -> Int32? { token(of: Array(text.utf8)) }

  func text(of token: Int32) -> ArraySlice<UInt8>? {
    guard stringOfToken.indices.contains(Int(token)), stringOfToken[Int(token)] >= 0 else { return nil }
    return strings[Int(stringOfToken[Int(token)])]
  }

  /// Gives a text its number.
  ///
  /// A text that has one keeps its old number for decoding only.
  ///
  /// - Precondition: `token` is in 0..<`sizeLimit`.
  mutating func insert(_ text: [UInt8], token: Int32) {
    precondition(token >= 0 && Int(token) < Self.sizeLimit, "the number of a token is out of range")
    let number = strings.insert(text.span)
    if number == tokenOfString.count { tokenOfString.append(token) } else { tokenOfString[number] = token }
    while stringOfToken.count <= Int(token) { stringOfToken.append(-1) }
    stringOfToken[Int(token)] = Int32(number)
  }
}
