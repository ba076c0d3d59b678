import Formats

extension JSONPlace {
  func decoders() throws(ImportError) -> [any TokenDecoder] {
    var result: [any TokenDecoder] = []
    for part in try flattened("decoders") { result.append(try part.decoder()) }
    return result
  }

  private func decoder() throws(ImportError) -> any TokenDecoder {
    switch try required("type").text() {
    case "ByteLevel": return ByteLevelDecoder()
    case "ByteFallback": return ByteFallbackDecoder()
    case "Fuse": return FuseDecoder()
    case "Replace":
      return ReplaceDecoder(
        replacing: ReplaceNormalizer(
          target: try required("pattern").target(), content: try required("content").bytes()))
    case "Strip":
      return StripDecoder(
        content: Array(String(try scalar("content")).utf8),
        start: try required("start").integer(in: 0...1 << 20),
        stop: try required("stop").integer(in: 0...1 << 20))
    case "Metaspace":
      return MetaspaceDecoder(
        replacement: Array(String(try scalar("replacement", default: "▁")).utf8),
        dropsFirst: try metaspacePrefix() != .never)
    case "WordPiece":
      return WordPieceDecoder(
        prefix: try bytes("prefix") ?? Array("##".utf8), cleansUp: try flag("cleanup", default: true))
    case "BPEDecoder": return SuffixDecoder(suffix: try bytes("suffix") ?? Array("</w>".utf8))
    default: throw try unsupported("the decoder")
    }
  }
}
