import Interface
import Panes
import Screen
import Testing
import Workbench

private func isBraille(_ character: Character) -> Bool {
  character.unicodeScalars.contains { (0x2801..<0x2900).contains($0.value) }
}

/// The characters of the frame's plots: what lies inside of the zoomed pane.
private func inside(_ frame: String) -> [Character] {
  frame.split(separator: "\n").dropFirst(2).dropLast(3).flatMap { $0.dropFirst().dropLast() }
}

/// Every plot in every form: no braille but where it was chosen, and ASCII alone in the ASCII form.
@Test(arguments: ["4 + +", "5 + +", "5 + + v", "T + +", "S"])
func plotsKeepToTheirForm(keys: String) throws {
  var state = try fixtureState(fixtureModel())
  try fixtureTraining(&state)
  let size = Size(width: 80, height: 24)
  var screen = fixtureScreen()
  _ = play(keys, &screen, &state, size)
  #expect(!screen.draw(state, size: size).text().contains(where: isBraille), "block is the default")
  guard keys != "S" else { return }
  _ = play("#", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("Graphs are drawn in ASCII characters."))
  if keys != "T + +" {
    // Below the plot are words, which need not be ASCII.
    let plot = inside(screen.draw(state, size: size).text()).prefix(78 * 12)
    #expect(plot.allSatisfy { $0.isASCII }, "\(String(plot))")
  }
  _ = play("#", &screen, &state, size)
  let hasDots = keys != "5 + + v"
  #expect(screen.draw(state, size: size).text().contains(where: isBraille) == hasDots)
  _ = play("#", &screen, &state, size)
  #expect(!screen.draw(state, size: size).text().contains(where: isBraille))
}

@Test func asciiCharactersAllowNoOtherForm() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(.ascii)
  let size = Size(width: 120, height: 36)
  _ = play("# # #", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.allSatisfy { $0.isASCII } && text.contains("one form of graphs"))
  #expect(Glyphs(.ascii, plot: .braille).plot == .ascii)
}

@Test func theFormIsASettingOfTheConfiguration() {
  func read(_ text: String) -> ConfigSource { ConfigSource(yaml: text, file: "config.yaml") }
  #expect(read("keys: {run: g}\ngraph: braille\n").graph == .braille)
  #expect(read("graph: ascii").graph == .ascii)
  for none in ["", "keys: {}", "- a", "{"] { #expect(read(none).graph == nil) }
  let wrong = read("keys: {}\ngraph: dots\n")
  #expect(wrong.graph == nil)
  #expect(
    wrong.warnings.map(\.description) == [
      "config.yaml, line 2: `dots` is no form of graphs (known: block, ascii, braille)."
    ])
}
