/// SentencePiece's compiled rules of normalization: a double-array trie from texts to texts.
///
/// Layout: uint32 little-endian size of the trie in bytes, the trie (uint32 units as darts-clone writes them), then the
/// replacements, each ended by a zero byte; a value of the trie is where its replacement begins.
struct CharacterMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]
  /// The file's own bytes.
  let bytes: [UInt8]

  /// `nil` where the sizes do not fit together.
  init?(_ bytes: [UInt8]) {
    func word(_ place: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
    guard bytes.count > 4 else { return nil }
    let size = Int(word(0))
    guard size > 0, size % 4 == 0, size <= bytes.count - 4 else { return nil }
    units = (0..<size / 4).map { word(4 + 4 * $0) }
    replacements = Array(bytes[(4 + size)...])
    self.bytes = bytes
  }

  /// The replacement of the shortest or the longest beginning of `text` that has one, and that beginning's length.
  func replacement(of text: ArraySlice<UInt8>, longest: Bool) -> (text: ArraySlice<UInt8>, length: Int)? {
    var node = Self.offset(units[0])
    var found: (start: Int, length: Int)?
    for (count, byte) in text.enumerated() {
      guard byte != 0, node ^ Int(byte) < units.count else { break }
      node ^= Int(byte)
      let unit = units[node]
      guard unit & 0x8000_00FF == UInt32(byte) else { break }
      node ^= Self.offset(unit)
      guard node < units.count else { break }
      if unit >> 8 & 1 != 0 {
        found = (Int(units[node] & 0x7FFF_FFFF), count + 1)
        if !longest { break }
      }
    }
    guard let found, found.start < replacements.count else { return nil }
    let end = replacements[found.start...].firstIndex(of: 0) ?? replacements.count
    return (replacements[found.start..<end], found.length)
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}

/// Applies a compiled character map.
struct CharacterMapNormalizer: Normalizer {
  enum Search: Sendable {
    /// Whole grapheme clusters of less than 6 bytes, else scalar by scalar, the shortest rule: the `tokenizers` package.
    case graphemes
    /// The longest rule at each place: SentencePiece and llama.cpp.
    case longest
  }

  var map: CharacterMap
  var search: Search

  func normalize(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    switch search {
    case .graphemes:
      for cluster in String(decoding: text, as: UTF8.self) {
        let bytes = Array(cluster.utf8)
        if bytes.count < 6, let found = map.replacement(of: bytes[...], longest: false) {
          result += found.text
          continue
        }
        for scalar in cluster.unicodeScalars {
          let bytes = Array(String(scalar).utf8)
          result += map.replacement(of: bytes[...], longest: false)?.text ?? bytes[...]
        }
      }
    case .longest:
      var place = 0
      while place < text.count {
        if let found = map.replacement(of: text[place...], longest: true) {
          result += found.text
          place += found.length
        } else {
          let length = scalar(of: text.span, at: place).length
          result += text[place..<place + length]
          place += length
        }
      }
    }
    return result
  }
}
