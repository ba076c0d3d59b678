import Foundation
import Interface
import Jobs
import Panes
import Testing
import Workbench

@testable import Screen

/// A workbench in one of the situations that commands tell apart.
struct Situation: Sendable, CustomTestStringConvertible {
  var name: String
  /// Keys that lead there from the full fixture; empty opens nothing at all.
  var keys: String?
  var testDescription: String { name }

  static let all = [
    Situation(name: "empty", keys: nil), Situation(name: "full", keys: ""),
    Situation(name: "marks and filter", keys: "a / text:block enter"),
    Situation(name: "roofline", keys: "w"), Situation(name: "blame", keys: "E"),
    Situation(name: "channels", keys: "E j j enter"), Situation(name: "training", keys: "T"),
    Situation(name: "tree", keys: "F"), Situation(name: "layers that differ", keys: "3 v"),
    Situation(name: "text", keys: "3 v v v v v"),
  ]

  func make() throws -> (State, Screen) {
    var state = keys == nil ? State() : try fixtureState(fixtureModel())
    var screen = fixtureScreen()
    state.continuations.isOffered = name == "text"
    if name == "training" { try fixtureTraining(&state) }
    for step in (keys ?? "").split(separator: " ") {
      _ = play(String(step), &screen, &state, Size(width: 120, height: 36))
      if step == "w" { try answerSteps(&state) }
      if step == "E", let subject = state.blame.inquiries.asked.first {
        _ = screen.apply(.blameStarted(JobID(8), subject), &state)
        _ = screen.apply(.blamed(subject, fixtureBlame()), &state)
      }
    }
    return (state, screen)
  }
}

/// Sentences and ids of every table, dialogs among them.
@Test func everyCommandIsExplained() {
  for (title, rows) in Screen.commandTables {
    #expect(!rows.isEmpty, "\(title)")
    for row in rows {
      #expect(row.explanation.hasSuffix(".") && row.explanation.count > 5, "\(row.id)")
      #expect(!row.title.isEmpty && !row.group.isEmpty && !row.keys.isEmpty, "\(row.id)")
    }
  }
  let known = Set(Screen.commandTables.flatMap { $0.rows.map(\.id) })
  for (_, rows) in Screen.commandTables {
    for row in rows { #expect(known.isSuperset(of: row.replaces), "\(row.id) replaces what is not there") }
  }
}

/// Every command has a key that terminals and small keyboards leave alone, and none needs Alt.
@Test func everyCommandHasAKeyThatEveryKeyboardHas() {
  for row in Screen.commandTables.flatMap(\.rows) {
    let safe = row.keys.filter { key in
      switch key {
      case .function, .alt: false
      default: true
      }
    }
    #expect(!safe.isEmpty, "\(row.id)")
    #expect(!row.keys.contains { if case .alt = $0 { true } else { false } }, "\(row.id)")
  }
}

/// Where two commands of one place have a key, the first says that it takes it.
@Test(arguments: Situation.all)
func noKeyDoesTwoThingsInOnePlace(situation: Situation) throws {
  var (state, screen) = try situation.make()
  for kind in PaneKind.allCases {
    _ = screen.handle(.key(.character(Character("\(kind.rawValue)"))), &state)
    #expect(screen.focus == kind)
    var owners: [Key: [CommandSummary]] = [:]
    for command in screen.commandsHere(state) {
      for key in command.keys { owners[key, default: []].append(command) }
    }
    for (key, commands) in owners where commands.count > 1 {
      for other in commands.dropFirst() {
        #expect(
          commands[0].replaces.contains(other.id),
          "\(kind.title), \(situation.name): \(key.label) is \(commands.map(\.id))")
      }
    }
  }
}

/// What the log asks, one key at a time, is what all summaries together say.
@Test(arguments: Situation.all)
func aKeysCommandIsTheFirstThatHasIt(situation: Situation) throws {
  let keys = Set(Screen.commandTables.flatMap { $0.rows.flatMap(\.keys) })
  var (state, screen) = try situation.make()
  for map in [KeyMap(), KeyMap(["undo": [.character("u")], "layers.mark": [.character("K")]])] {
    screen.keyMap = map
    for kind in PaneKind.allCases {
      screen.show(kind)
      let here = screen.commandsHere(state)
      for key in keys.union([.character("u"), .character("K")]) {
        #expect(
          screen.commandID(of: key, state) == here.first { $0.keys.contains(key) }?.id,
          "\(kind.title), \(situation.name): \(key.label)")
      }
    }
  }
}

/// Dialogs: keys that are there together are different ones.
@Test func noKeyDoesTwoThingsInADialog() throws {
  let (state, screen) = try Situation.all[1].make()
  let dialogs: [any Overlay] = [
    screen.help(state), screen.palette(state), ConfirmDialog(title: "", lines: [], outputs: []),
    TextDialog(title: "") { _ in [] }, AdviceDialog(), SearchDialog(state), ChangesDialog(state),
    WriteDialog(what: "", text: "", state),
    OpenDialog(state),
    ExportDialog(try #require(state.currentEntry), model: "", state),
  ]
  for dialog in dialogs {
    let keys = dialog.summaries(state).flatMap(\.keys)
    #expect(Set(keys).count == keys.count && !keys.isEmpty, "\(dialog.title)")
  }
}

/// Every command of every pane is in help where it can be meant, and typing its id into the palette comes to it.
@Test func everyCommandIsInHelpAndPalette() throws {
  var seen: Set<String> = []
  for situation in Situation.all {
    var (state, screen) = try situation.make()
    for kind in PaneKind.allCases {
      _ = screen.handle(.key(.character(Character("\(kind.rawValue)"))), &state)
      let help = screen.help(state).listedIDs
      #expect(Set(help) == Set(screen.commandsHere(state).map(\.id)))
      // Some are only found by typing.
      seen.formUnion(screen.commandsHere(state).filter { !$0.keys.isEmpty }.map(\.id))
    }
    let screenRect = Rect(x: 0, y: 0, width: 120, height: 36)
    for id in screen.palette(state).listedIDs {
      var palette = screen.palette(state)
      _ = palette.handle(.paste(id), state, screen: screenRect)
      #expect(palette.chosenID == id, "\(situation.name)")
    }
  }
  let all = Screen.commandTables.prefix(1 + PaneKind.allCases.count).flatMap { $0.rows.map(\.id) }
  #expect(seen == Set(all))
}

@Test func theReasonIsShownAndKept() throws {
  var state = State()
  var screen = fixtureScreen()
  let size = Size(width: 100, height: 30)
  _ = play(": text:run enter", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("There is no candidate; n makes one.") && text.contains("Commands"), "\(text)")
}

/// A command that a pane replaces is in help without the key that it does not have there.
@Test func helpShowsKeysAsTheyWorkHere() throws {
  let (state, screen) = try Situation.all[3].make()
  let help = screen.help(state)
  #expect(help.label(of: "layers.time") == "r" && help.label(of: "run") == "F5")
}

@Test func dialogsHaveHelpOfTheirOwn() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: 100, height: 30)
  _ = play("S ?", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("Go to the next setting."))
  // What is chosen there is done in the dialog below.
  _ = play("text:search.close enter", &screen, &state, size)
  #expect(!screen.draw(state, size: size).text().contains("Minimize"))
  _ = play("i f1", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("Take the text as it is."))
}

/// The keys in the README are those of the tables; with `LATHE_UPDATE_GOLDEN` set it is written anew.
@Test func theKeysInTheReadmeAreTrue() throws {
  let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("README.md")
  let readme = try String(contentsOf: file, encoding: .utf8)
  let parts = readme.components(separatedBy: "<!-- keys -->\n")
  try #require(parts.count == 3, "a table between two marks")
  var lines = ["| keys | where | what it does |", "|---|---|---|"]
  for (title, rows) in Screen.commandTables {
    // What every list has is said once, above the table.
    for row in rows where row.group != Motions.group {
      let keys = row.keys.map { "`\($0.label)`" }.joined(separator: " ")
      lines.append("| \(keys) | \(title) | \(row.explanation) |")
    }
  }
  let table = lines.joined(separator: "\n") + "\n"
  if ProcessInfo.processInfo.environment["LATHE_UPDATE_GOLDEN"] != nil {
    try (parts[0] + "<!-- keys -->\n" + table + "<!-- keys -->\n" + parts[2]).write(
      to: file, atomically: true, encoding: .utf8)
    return
  }
  #expect(parts[1] == table)
}
