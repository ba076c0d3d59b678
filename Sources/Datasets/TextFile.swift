import Tensors

extension TextSource {
  /// Bytes of text read at most: all of it is in memory, as text and as tokens.
  static let mostBytes = 1 << 30

  /// The part of the file that the source asks for, and whether it begins and ends where the file does.
  ///
  /// A character that `from` or `bytes` cuts through is dropped.
  /// - Parameter card: the card that names the file; `nil` where the file was given by itself.
  /// - Errors: a file that cannot be read or is too long, a part that lies behind its end, bytes that are not UTF-8.
  package func read(card: String?) throws(DatasetError) -> (text: String, isFromStart: Bool, isToEnd: Bool) {
    let path =
      try card.map { card throws(DatasetError) in
        try Files.resolve(file, card: card, place: .whole)
      } ?? file
    let mapping = try Files.map(path)
    let count = mapping.bytes.count
    guard from < Swift.max(count, 1) else {
      throw DatasetError(
        file: card ?? path,
        reason: .wrongValue(key: "from", expected: "under the file's \(count) bytes", found: "\(from)"))
    }
    var range = from..<Swift.min(bytes.map { from + $0 } ?? count, count)
    guard range.count <= Self.mostBytes else {
      throw DatasetError(
        file: path,
        reason: .unsupported(
          "a text of \(range.count) bytes, over \(Self.mostBytes),", advice: "Give `bytes` in a card."))
    }
    let (isFromStart, isToEnd) = (range.lowerBound == 0, range.upperBound == count)
    if !isFromStart {
      // At most three bytes continue a character.
      for _ in 0..<3 where !range.isEmpty && mapping.bytes[range.lowerBound] & 0xC0 == 0x80 {
        range = range.dropFirst()
      }
    }
    if !isToEnd { range = range.lowerBound..<wholeCharacters(mapping.bytes, range) }
    let part = UnsafeRawBufferPointer(rebasing: mapping.bytes[range])
    guard let text = String(validating: part, as: UTF8.self) else {
      throw DatasetError(
        file: path, place: .byte(range.lowerBound + firstInvalidByte(part)),
        reason: .notThisFormat("a text in UTF-8", found: "other bytes"))
    }
    return (text, isFromStart, isToEnd)
  }

  /// Where the last whole character of a part ends.
  private func wholeCharacters(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
    var start = range.upperBound
    while start > range.lowerBound, range.upperBound - start < 4 {
      start -= 1
      let byte = bytes[start]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      return start + length <= range.upperBound ? range.upperBound : start
    }
    return range.upperBound
  }

  private func firstInvalidByte(_ bytes: UnsafeRawBufferPointer) -> Int {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var read = 0
    while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): read += UTF8.width(scalar)
      case .emptyInput, .error: return Swift.min(read, Swift.max(bytes.count - 1, 0))
      }
    }
  }
}
