import Formats
import Foundation

extension JSONPlace {
  func normalizers() throws(ImportError) -> [any Normalizer] {
    var result: [any Normalizer] = []
    for part in try flattened("normalizers") { result.append(try part.normalizer()) }
    return result
  }

  private func normalizer() throws(ImportError) -> any Normalizer {
    switch try required("type").text() {
    case "Prepend": return PrependNormalizer(content: try required("prepend").bytes())
    case "Replace":
      return ReplaceNormalizer(
        target: try required("pattern").target(), content: try required("content").bytes())
    case "Lowercase": return ScalarNormalizer(change: .lowercase)
    case "StripAccents": return ScalarNormalizer(change: .stripAccents)
    case "Nmt": return ScalarNormalizer(change: .nmt)
    case "ByteLevel": return ByteLevelNormalizer()
    case "Strip":
      return StripNormalizer(
        left: try flag("strip_left", default: true), right: try flag("strip_right", default: true))
    case "BertNormalizer":
      let lowercases = try flag("lowercase", default: true)
      return BertNormalizer(
        cleansText: try flag("clean_text", default: true),
        separatesCJK: try flag("handle_chinese_chars", default: true),
        stripsAccents: try flag("strip_accents", default: lowercases), lowercases: lowercases)
    case "Precompiled":
      let place = try required("precompiled_charsmap")
      guard let data = Data(base64Encoded: Data(try place.bytes())), let map = CharacterMap(Array(data))
      else {
        throw place.error(.malformed("the character map is no base64 of a trie and its texts"))
      }
      return CharacterMapNormalizer(map: map, search: .graphemes)
    case let type:
      if let form = UnicodeNormalizer.Form(rawValue: type) { return UnicodeNormalizer(form: form) }
      throw try unsupported("the normalizer")
    }
  }
}
