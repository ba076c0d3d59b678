/// The scalar of a text at a byte, and how many bytes it takes.
///
/// The text is UTF-8 almost always; where bytes end too early (a damaged table of a file may cut them) one byte is taken
/// as U+FFFD, so that every text can be walked.
@inline(__always)
func scalar(of text: Span<UInt8>, at place: Int) -> (value: UInt32, length: Int) {
  let first = text[place]
  if first < 0x80 { return (UInt32(first), 1) }
  if first < 0xE0 {
    guard place &+ 1 < text.count, first >= 0xC2 else { return (0xFFFD, 1) }
    return (UInt32(first & 0x1F) << 6 | UInt32(text[place &+ 1] & 0x3F), 2)
  }
  if first < 0xF0 {
    guard place &+ 2 < text.count else { return (0xFFFD, 1) }
    return (
      UInt32(first & 0x0F) << 12 | UInt32(text[place &+ 1] & 0x3F) << 6 | UInt32(text[place &+ 2] & 0x3F), 3
    )
  }
  guard place &+ 3 < text.count else { return (0xFFFD, 1) }
  return (
    UInt32(first & 0x07) << 18 | UInt32(text[place &+ 1] & 0x3F) << 12 | UInt32(text[place &+ 2] & 0x3F) << 6
      | UInt32(text[place &+ 3] & 0x3F), 4
  )
}

/// Where the scalar before a byte begins.
@inline(__always)
func startOfScalar(of text: Span<UInt8>, before place: Int) -> Int {
  var start = place &- 1
  while start > 0, place &- start < 4, text[start] & 0xC0 == 0x80 { start &-= 1 }
  return start
}

extension [UInt8] {
  mutating func append(_ scalar: Unicode.Scalar) {
    if scalar.isASCII { append(UInt8(scalar.value)) } else { append(contentsOf: String(scalar).utf8) }
  }

  /// The same text with every scalar replaced by some, by none, or kept.
  func mapScalars(_ change: (Unicode.Scalar, inout [UInt8]) -> Void) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    for scalar in String(decoding: self, as: UTF8.self).unicodeScalars { change(scalar, &result) }
    return result
  }

  func replacing(_ pattern: [UInt8], by content: [UInt8]) -> [UInt8] {
    guard let first = pattern.first, count >= pattern.count else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    var place = 0
    while place < count {
      if self[place] == first, place + pattern.count <= count,
        self[place..<place + pattern.count] == pattern[...]
      {
        result.append(contentsOf: content)
        place += pattern.count
      } else {
        result.append(self[place])
        place += 1
      }
    }
    return result
  }
}
