import Foundation

/// One of Unicode's normalization forms (UAX 15).
struct UnicodeNormalizer: Normalizer {
  enum Form: String, Sendable {
    case nfc = "NFC"
    case nfd = "NFD"
    case nfkc = "NFKC"
    case nfkd = "NFKD"
  }

  var form: Form

  func normalize(_ text: [UInt8]) -> [UInt8] {
    if text.allSatisfy({ $0 < 0x80 }) { return text }
    let string = String(decoding: text, as: UTF8.self)
    // Below U+0300 nothing combines, so most texts in Latin script are composed already.
    if form == .nfc, string.unicodeScalars.allSatisfy({ $0.value < 0x300 }) { return text }
    return switch form {
    case .nfc: Array(string.precomposedStringWithCanonicalMapping.utf8)
    case .nfd: Array(string.decomposedStringWithCanonicalMapping.utf8)
    // Not `precomposedStringWithCompatibilityMapping`, which leaves half-width kana and their marks apart (6.3).
    case .nfkc:
      Array(string.decomposedStringWithCompatibilityMapping.precomposedStringWithCanonicalMapping.utf8)
    case .nfkd: Array(string.decomposedStringWithCompatibilityMapping.utf8)
    }
  }
}
