/// The printable characters that byte-level vocabularies (GPT-2's) write for the 256 bytes.
///
/// Printable bytes of Latin-1 stand for themselves; the others, in order, are U+0100 and the following.
struct ByteAlphabet: Sendable {
  static let shared = ByteAlphabet()

  /// The character of each byte, in UTF-8.
  let characters: [[UInt8]]
  private let bytes: [UInt32: UInt8]

  private init() {
    var characters: [[UInt8]] = []
    var bytes: [UInt32: UInt8] = [:]
    var next: UInt32 = 0x100
    for byte in UInt8(0)...255 {
      var value = UInt32(byte)
      if ![0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF].contains(where: { $0.contains(value) }) {
        value = next
        next += 1
      }
      bytes[value] = byte
      characters.append(Unicode.Scalar(value).map { Array(String($0).utf8) } ?? [])
    }
    self.characters = characters
    self.bytes = bytes
  }

  func byte(of scalar: Unicode.Scalar) -> UInt8? { bytes[scalar.value] }

  /// The bytes that a text of the alphabet stands for; `nil` if a character is not of the alphabet.
  func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in String(decoding: Array(text), as: UTF8.self).unicodeScalars {
      guard let byte = bytes[scalar.value] else { return nil }
      result.append(byte)
    }
    return result
  }
}
