import LanguageModels
import Testing

@Suite struct GrowingTextTests {
  @Test(arguments: ["plain", "größer", "日本語のテキスト", "🙂👍🏽 done", ""])
  func anyCutGivesTheText(_ text: String) {
    let bytes = Array(text.utf8)
    for size in 1...5 {
      var growing = GrowingText()
      var found = ""
      for start in stride(from: 0, to: bytes.count, by: size) {
        let part = growing.append(bytes[start..<min(bytes.count, start + size)])
        #expect(!part.contains("\u{FFFD}"))
        found += part
      }
      #expect(found + growing.finish() == text)
    }
  }

  @Test func bytesThatAreNoTextAreMarked() {
    var growing = GrowingText()
    #expect(growing.append([0x61, 0xFF, 0x62]) == "a\u{FFFD}b")
    #expect(growing.append([0xE6, 0x97]) == "")
    #expect(growing.append([0x61]) == "\u{FFFD}a")
    #expect(growing.append([0xF0, 0x9F]) == "")
    #expect(growing.finish() == "\u{FFFD}")
    #expect(growing.finish() == "")
  }
}
