import Foundation
import Quantization
import Testing
import Workbench
import Workflows

/// Session files that were cut off, edited or made to hurt: told in a warning, kept on the disk, never a crash.
@Suite struct DamagedSessionTests {
  let conditions = SessionStore.Conditions(
    model: "m", data: "d", numerics: 1, machine: .current(threads: 1))

  static let sessions: [String] = [
    "", "{", "[]", "null", "1", "\"x\"", "\u{0}", "{}", "{\"lathe\": 2}", "{\"lathe\": \"1\"}",
    "{\"lathe\": 1e999}",
    "{\"lathe\": 1}", "{\"lathe\": 1, \"candidates\": 3}", "{\"lathe\": 1, \"candidates\": [3]}",
    "{\"lathe\": 1, \"candidates\": [{}]}",
    "{\"lathe\": 1, \"candidates\": [], \"next\": -5, \"marked\": []}",
    "{\"lathe\": 1, \"candidates\": [], \"next\": 9223372036854775807, \"marked\": [], \"current\": 9, \"baseline\": -9}",
    "{\"lathe\": 1, \"candidates\": [{\"number\": 9223372036854775807, \"recipe\": \"lathe: 1\"}], \"next\": 1, \"marked\": []}",
    "{\"lathe\": 1, \"candidates\": [{\"number\": -9223372036854775808, \"recipe\": \"lathe: 1\"}], \"next\": 1, \"marked\": []}",
    "{\"lathe\": 1, \"candidates\": [{\"number\": 1, \"recipe\": \"lathe: 1\"}, {\"number\": 1, \"recipe\": \"lathe: 1\"}], \"next\": 1, \"marked\": []}",
    "{\"lathe\": 1, \"candidates\": [{\"number\": 1, \"recipe\": \"lathe: 7\"}], \"next\": 2, \"marked\": []}",
    "{\"lathe\": 1, \"candidates\": [{\"number\": 1, \"recipe\": \"[\"}], \"next\": 2, \"marked\": [\"nosuch\"], \"layer\": \"nosuch\"}",
    String(repeating: "[", count: 100_000), "{\"lathe\":" + String(repeating: "[", count: 100_000),
  ]

  private func folder() throws -> String {
    let folder = NSTemporaryDirectory() + "lathe-damaged-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  /// Opens what lies in `folder` and restores it into a state, as the workbench does.
  private func reopen(_ folder: String) throws -> (store: SessionStore, state: State) {
    let store = SessionStore(folder: folder, conditions: conditions)
    let session = store.load()
    var state = State()
    _ = state.update(.opened(try project(), session))
    return (store, state)
  }

  @Test(arguments: sessions) func damagedSessionIsKept(_ text: String) throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try text.write(toFile: folder + "/session.json", atomically: false, encoding: .utf8)
    let (store, state) = try reopen(folder)
    #expect(Set(state.candidates.map(\.id)).count == state.candidates.count)
    try store.save(state.session)
    guard !store.warnings.isEmpty else { return }
    // Nothing the person had is overwritten by what could not be read.
    let kept = try FileManager.default.contentsOfDirectory(atPath: folder).contains { name in
      (try? String(contentsOfFile: folder + "/" + name, encoding: .utf8)) == text
    }
    #expect(kept)
  }

  @Test func everyPrefixOfASessionEnds() throws {
    var state = State()
    _ = state.update(.opened(try project(), nil))
    _ = state.update(.add(try #require(Presets["weight-int4"]).recipe))
    let whole = try JSONEncoder().encode(state.session)
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for length in stride(from: 0, to: whole.count, by: 9) {
      try whole.prefix(length).write(to: URL(fileURLWithPath: folder + "/session.json"))
      let (store, _) = try reopen(folder)
      #expect(store.warnings.count == 1, "cut at \(length)")
    }
  }

  @Test func damagedTrialsAreDropped() throws {
    var state = State()
    _ = state.update(.opened(try project(), nil))
    let recipe = try #require(Presets["static-int8"]).recipe
    _ = state.update(.add(recipe))
    let id = try #require(state.current)
    _ = state.update(.measured(id, recipe: recipe, measurement("a")))
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    do {
      let store = SessionStore(folder: folder, conditions: conditions)
      try store.save(state.session)
      try store.append(recipe.key, try #require(state.trials.values.first))
    }
    let path = folder + "/trials.jsonl"
    let line = try String(contentsOfFile: path, encoding: .utf8)
    let cuts = stride(from: 1, to: line.utf8.count - 2, by: line.utf8.count / 25).map {
      String(line.prefix($0))
    }
    let odd = [
      "{}", "[]", "null", "\u{1}", "{\"recipe\": 3}",
      line.replacingOccurrences(of: "lathe: 1", with: "lathe: 7"),
    ]
    for damage in cuts + odd {
      try (line + damage + "\n" + line).write(toFile: path, atomically: false, encoding: .utf8)
      let store = SessionStore(folder: folder, conditions: conditions)
      let session = try #require(store.load())
      #expect(session.trials.count == 1 && store.warnings.count == 1, "\(damage.prefix(40))")
    }
  }
}
