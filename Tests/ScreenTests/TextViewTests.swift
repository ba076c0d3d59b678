import Interface
import Jobs
import Panes
import Quantization
import Screen
import Testing
import Workbench

/// A language model's workbench in which float32 and the current candidate have continued a text.
func fixtureTextView(_ glyphs: Glyphs = .unicode) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(glyphs)
  state.continuations.isOffered = true
  let requests = screen.apply(.continueText(prompt: "Once upon a time"), &state)
  #expect(requests.count == 1 + state.candidates.count, "float32 and every candidate are asked")
  let current = try #require(state.currentEntry).recipe.key
  let texts: [(Recipe?, Continuation)] = [
    (
      nil,
      Continuation(text: " there was a little bird.\nIt sang all day.", isWhole: true, tokensPerSecond: 4739)
    ),
    (current, Continuation(text: " there was a big bird.\nIt sang", tokensPerSecond: nil)),
  ]
  for (number, (recipe, text)) in texts.enumerated() {
    let subject = ContinuationSubject(prompt: "Once upon a time", recipe: recipe)
    _ = screen.apply(.continuationStarted(JobID(20 + number), subject), &state)
    _ = screen.apply(.continued(subject, text), &state)
  }
  return (screen, state)
}

@Test func textsStandSideBySideAndAreAskedForOnce() throws {
  var (screen, state) = try fixtureTextView()
  let size = Size(width: 120, height: 36)
  _ = play("3 v v v v v +", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  for shown in ["tok/s", "bird.", "It sang all day.", "It sang …"] {
    #expect(text.contains(shown), "\(shown)\n\(text)")
  }
  // Those under way are not asked again, the others neither.
  let again = screen.apply(.continueText(prompt: nil), &state)
  #expect(again.isEmpty)
}

@Test func onlyLanguageModelsHaveTheViewOfTexts() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: 120, height: 36)
  _ = play("3 v v v v v", &screen, &state, size)
  #expect(!screen.draw(state, size: size).text().contains("lets it continue"))
  let asked = screen.apply(.continueText(prompt: "x"), &state)
  #expect(asked.isEmpty)
}
