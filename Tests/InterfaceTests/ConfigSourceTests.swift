import Interface
import Testing

@Suite struct ConfigSourceTests {
  private func read(_ yaml: String) -> ConfigSource { ConfigSource(yaml: yaml, file: "config.yaml") }

  @Test func aKeyOrAListOfKeys() {
    let source = read("# mine\nkeys:\n  run: g\n  help: [\"?\", f2, C-h]\n")
    #expect(source.warnings.isEmpty)
    #expect(
      source.entries == [
        .init(id: "run", keys: [.character("g")], line: 3),
        .init(id: "help", keys: [.character("?"), .function(2), .control("h")], line: 4),
      ])
  }

  @Test(arguments: ["", "# nothing\n", "keys:\n", "keys: {}\n"])
  func nothingIsNoMistake(yaml: String) {
    #expect(read(yaml).warnings.isEmpty && read(yaml).entries.isEmpty)
  }

  /// One warning with its line each, and the rest still holds.
  @Test(arguments: [
    ("keys:\n  run: hyper-x\n  undo: u\n", 2, "`hyper-x` is no key"),
    ("keys:\n  run: []\n  undo: u\n", 2, "`run` needs a key"),
    ("keys:\n  run: [g, nokey]\n  undo: u\n", 2, "`nokey` is no key"),
    ("colour: red\nkeys:\n  undo: u\n", 1, "`colour` is no setting"),
  ])
  func whatIsWrongIsSaidOnce(yaml: String, line: Int, problem: String) {
    let source = read(yaml)
    #expect(source.warnings.count == 1 && source.warnings.first?.line == line, "\(source.warnings)")
    #expect(source.warnings.first?.problem.contains(problem) ?? false)
    #expect(source.entries.map(\.id) == ["undo"])
  }

  @Test(arguments: ["keys: [run", "keys:\n  run: @x\n", "- a\n", "keys: 3\n", "keys:\n  run: a\n  run: b\n"])
  func whatIsNoConfigurationIsSaidOnce(yaml: String) {
    let source = read(yaml)
    #expect(source.warnings.count == 1 && source.entries.isEmpty, "\(source.warnings)")
  }
}
