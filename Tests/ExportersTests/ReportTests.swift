import Analysis
import Exporters
import Foundation
import Jobs
import Quantization
import Testing
import Workflows

private let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

@Test(arguments: [
  ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
  ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  (
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  ),
  (
    String(repeating: "a", count: 1_000_000),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
  ),
])
func hashesOfTheStandard(text: String, hash: String) {
  #expect(Array(text.utf8).withUnsafeBytes { SHA256.hex($0) } == hash)
}

@Suite struct ReportTests {
  /// A name that would break out of HTML, of a Markdown table and of a code block.
  static let hostile = "<script>alert(1)</script> | `x` \"y\" & ```"

  static func page() throws -> ComparisonPage {
    let samples = package.path + "/samples/"
    let project = try Project.open(
      model: samples + "shapes.onnx", data: samples + "test.yaml", trainData: samples + "train.yaml",
      threads: 2)
    var strange = try #require(Presets["weight-int4"]).recipe
    strange.name = hostile
    var narrow = try #require(Presets["static-int8"]).recipe
    narrow.defaults.activations.bits = 16
    let compared = try project.compare(
      [
        ("static-int8", try #require(Presets["static-int8"]).recipe), (hostile, strange), ("wide", narrow),
      ], limit: 100, reporter: .silent)
    return try ComparisonPage(compared, of: project)
  }

  @Test func thePageSaysEverythingAndLoadsNothing() throws {
    let page = try Self.page()
    let html = page.html
    for banned in ["<script", "http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(banned), "\(banned)")
    }
    #expect(html.contains("prefers-color-scheme:dark"))
    #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    #expect(html.components(separatedBy: "<svg ").count - 1 == 2)
    // 16-bit activations are simulated only; one badge for each column.
    let badges = ["float", "int", "sim"].map {
      html.components(separatedBy: "class=\"badge \($0)\"").count - 1
    }
    #expect(badges == [1, 2, 1])
    for text in [html, page.markdown] {
      for file in page.files { #expect(text.contains(file.sha256)) }
      for candidate in page.candidates {
        #expect(text.contains("Seeds: \(candidate.seeds)"))
        for layer in candidate.layers { #expect(text.contains("\(layer.bytes)")) }
      }
      #expect(text.contains(Version.text) && text.contains(page.report.machine.cpu))
      #expect(text.contains("lathe: 1") && text.contains("bits: 4"))
    }
    #expect(page.files.map(\.role).filter { $0 == "model" }.count == 1)
    #expect(page.files.contains { $0.role == "data" } && page.files.contains { $0.role == "training data" })
  }

  @Test func markdownKeepsStrangeNamesInTheirCells() throws {
    let page = try Self.page()
    let lines = page.markdown.split(separator: "\n").map(String.init)
    let header = try #require(lines.first { $0.hasPrefix("|  | float32") })
    // Every row of the table has as many unescaped bars as its header.
    func bars(_ line: String) -> Int {
      line.replacingOccurrences(of: "\\|", with: "").filter { $0 == "|" }.count
    }
    let start = try #require(lines.firstIndex(of: header))
    let rows = lines[start...].prefix { $0.hasPrefix("|") }
    #expect(rows.count > 10 && Set(rows.map(bars)).count == 1)
    // Outside code blocks nothing opens a tag.
    var fence: Substring?
    for line in lines {
      let ticks = line.prefix { $0 == "`" }
      if ticks.count >= 3, fence == nil || fence == ticks { fence = fence == nil ? ticks : nil }
      guard fence == nil else { continue }
      let bare = line.replacingOccurrences(of: "\\<", with: "")
      #expect(!bare.contains("<"), "\(line)")
    }
    let yaml = try #require(page.candidates.first { $0.recipe.contains("```") })
    #expect(page.markdown.contains("````yaml\n\(yaml.recipe)"))
  }

  /// The layers' bytes are those of the candidate's quantizable weights.
  @Test func layersAddUp() throws {
    let page = try Self.page()
    for candidate in page.candidates {
      let bytes = candidate.layers.reduce(0) { $0 + $1.bytes }
      let elements = candidate.layers.reduce(0) { $0 + $1.float32Bytes / 4 }
      let bits = try #require(candidate.trial.bitsPerWeight)
      #expect(abs(8 * Double(bytes) / Double(elements) - bits) < 1e-9)
      #expect(candidate.layers.allSatisfy { ($0.weightSqnrDb ?? 0) > 10 })
    }
  }

  @Test func theFileIsWrittenWhole() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = try Self.page()
    try page.write(to: folder.path + "/report.html")
    let written = try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8)
    #expect(written == page.html && written.hasSuffix("</html>\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["report.html"])
    #expect(throws: (any Error).self) { try page.write(to: folder.path + "/none/report.md") }
  }
}
