import Testing
import Workbench

/// A theme's warnings come before the model, which must not wipe them; another model begins a log of its own.
@Test func whatWasSaidBeforeTheModelStays() throws {
  let project = try #require(try fixtureState(fixtureModel()).project)
  var state = State()
  _ = state.update(.note("mine.yaml, line 2: `ui.nosuch` is not a theme key", .warning))
  _ = state.update(.opened(project, nil))
  #expect(state.log.count == 2 && state.log.first?.level == .warning && state.logged == 2)
  _ = state.update(.opened(project, nil))
  #expect(state.log.map(\.level) == [.good] && state.logged == 1)
}
