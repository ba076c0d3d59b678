import Interface
import Testing

/// Themes that were cut off, mistyped or made to hurt: an error or a warning that says where, never a crash.
@Suite struct DamagedThemeTests {
  static let bomb =
    "a0: &a0 [x]\n"
    + (1...9).map {
      "a\($0): &a\($0) [\(Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ", "))]\n"
    }
    .joined()

  static let damaged: [String] =
    [
      "name", "[1]", "- a", "\u{1}", "ui: [", "ui: {", "\tui: x", "ui: \"red", "ui: *x", "ui: red",
      "ui: [red]",
      "ui: {text: {a: b}}", "ui: {text: [red, blue, green]}", "ui: {text: []}", "ui: {text: \"#12\"}",
      "ui: {text: \"#gggggg\"}", "ui: {text: \"#ffffffff\"}", "ui: {text: 256}", "ui: {text: -1}",
      "ui: {text: 99999999999999999999}", "ui: {text: red on}", "ui: {text: on on on}",
      "ui: {text: red bold bold x}",
      "ui: {text: red, text: blue}", "ui: {nosuch: red}", "palette: red", "palette: {a: {b: c}}",
      "palette: {a: nosuch}",
      "inherits: nosuch", "inherits: [dark]", "status: 3", "graph: {series: {}}", "graph: {series: [nosuch]}",
      "graph: {sensitivity: [[red], [green], [blue]]}", "nosuch: 1", "1: 2", bomb, "ui: {text: *a9}\n" + bomb,
      String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 200_000),
      "palette: " + String(repeating: "[", count: 200_000),
    ]

  @Test(arguments: damaged) func isToldAndHarmless(_ yaml: String) {
    do {
      let (_, warnings) = try ThemeLibrary.parse(yaml, id: "t")
      #expect(!warnings.isEmpty, "nothing said of \(yaml.prefix(60))")
      for warning in warnings { #expect(warning.description.hasPrefix("t.yaml")) }
    } catch {
      #expect(error.description.contains(".yaml"))
    }
  }

  @Test func everyPrefixOfAThemeEnds() throws {
    let text = try #require(ThemeLibrary.source("terminal"))
    for length in stride(from: 0, to: text.utf8.count, by: 17) {
      _ = try? ThemeLibrary.parse(String(decoding: text.utf8.prefix(length), as: UTF8.self), id: "t")
    }
  }
}
