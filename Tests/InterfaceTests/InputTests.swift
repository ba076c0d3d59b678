import Interface
import Testing

@Suite struct KeyTests {
  @Test(arguments: [
    ("space", Key.character(" ")), ("enter", .enter), ("esc", .escape), ("tab", .tab), ("S-tab", .backTab),
    ("C-p", .control("p")), ("C-P", .control("p")), ("A-x", .alt("x")), ("f5", .function(5)), ("up", .up),
    ("C-left", .controlLeft), ("j", .character("j")), ("?", .character("?")), ("é", .character("é")),
  ])
  func names(name: String, key: Key) {
    #expect(Key(name: name) == key)
    #expect(Key(name: key.name) == key)
  }

  @Test func whatIsNoName() {
    for name in ["", "jj", "f0", "f25", "f05", "C-", "C-pp", "Enter"] {
      #expect(Key(name: name) == nil, "\(name)")
    }
  }

  @Test func scripts() {
    #expect(
      KeyScript.steps("jj space m  r wait") == [
        .key(.character("j")), .key(.character("j")), .key(.space), .key(.character("m")),
        .key(.character("r")), .wait,
      ])
    #expect(
      KeyScript.steps("/ text:conv enter f5 C-p\ngx") == [
        .key(.character("/")), .text("conv"), .key(.enter), .key(.function(5)), .key(.control("p")),
        .key(.character("g")), .key(.character("x")),
      ])
    #expect(KeyScript.steps("text:\"two words\" q") == [.text("two words"), .key(.character("q"))])
    #expect(KeyScript.steps("text:\"open end") == [.text("\"open end")])
    #expect(KeyScript.steps("  ") == [])
  }

  @Test func glyphsByEnvironment() {
    func detect(_ environment: [String: String], ascii: Bool = false) -> Glyphs.Characters {
      Glyphs.detect(environment: environment, forceASCII: ascii).characters
    }
    #expect(detect(["LANG": "en_US.UTF-8", "TERM": "xterm-256color"]) == .unicode)
    #expect(detect(["TERM": "xterm-256color"]) == .unicode)
    #expect(detect(["LC_ALL": "C", "TERM": "xterm-256color"]) == .ascii)
    #expect(detect(["LC_ALL": "POSIX", "LANG": "en_US.UTF-8"]) == .ascii)
    #expect(detect(["TERM": "linux"]) == .ascii)
    #expect(detect(["TERM": "linux", "LANG": "C.UTF-8"]) == .unicode)
    #expect(detect(["TERM": "vt100", "LANG": "C"]) == .ascii)
    #expect(detect(["LANG": "C.UTF-8"], ascii: true) == .ascii)
    #expect(Glyphs(.ascii, plot: .braille).plot == .ascii)
  }
}

@Suite struct CommandTests {
  struct State {
    var marked = 0
    var isRunning = false
  }

  enum Action: Equatable { case mark, run, secret, other }

  static let table = CommandTable<State, Action>([
    Command(
      "layers.mark", keys: [.space], title: "mark", explanation: "Mark the layer.", group: "Layers", hint: 2,
      action: .mark),
    Command(
      "run", keys: [.character("r"), .function(5)], title: "run", explanation: "Run the candidate.",
      group: "Run", hint: 1,
      action: .run, availability: { .when(!$0.isRunning, else: "it is running already") }),
    Command(
      "secret", keys: [.character("x")], title: "x", explanation: "X.", group: "Run", action: .secret,
      availability: { $0.marked > 0 ? .available : .hidden }),
    Command(
      "other", keys: [.character("x")], title: "other", explanation: "Y.", group: "Run", action: .other),
  ])

  private func text(_ key: Key, _ state: State, _ table: CommandTable<State, Action> = CommandTests.table)
    -> String
  {
    switch table.match(key, in: state) {
    case .none: "none"
    case .perform(let action): "\(action)"
    case .unavailable(let reason): reason
    }
  }

  @Test func keysFindCommands() {
    #expect(text(.space, State()) == "mark")
    #expect(text(.function(5), State()) == "run")
    #expect(text(.character("r"), State(isRunning: true)) == "it is running already")
    #expect(text(.character("x"), State()) == "other")
    #expect(text(.character("x"), State(marked: 1)) == "secret")
    #expect(text(.enter, State()) == "none")
  }

  @Test func keysCanBeChanged() {
    let table = Self.table.remapped(["run": [.character("R")], "nosuch": [.enter]])
    #expect(text(.character("R"), State(), table) == "run")
    #expect(text(.function(5), State(), table) == "none")
  }

  @Test func oneTableFeedsFooterAndHelp() {
    let summaries = Self.table.summaries(in: State(isRunning: true))
    #expect(summaries.map(\.id) == ["layers.mark", "run", "other"])
    #expect(Footer(summaries).hints == [.init(key: "space", title: "mark")])
    #expect(Footer(Self.table.summaries(in: State())).hints.map(\.key) == ["r", "space"])
    #expect(Menu.Item(summaries[1]).reason == "it is running already")
    #expect(summaries[1].keyLabel == "r F5")
  }
}

@Suite struct NumberTests {
  @Test func figures() {
    #expect(Numbers.fixed(0.125, 2) == "0.13")
    #expect(Numbers.fixed(-0.001, 2) == "0.00")
    #expect(Numbers.fixed(-1.5, 0) == "-2")
    #expect(Numbers.fixed(.nan, 1) == "nan" && Numbers.fixed(-.infinity, 1) == "-inf")
    #expect(
      Numbers.bytes(512) == "512 B" && Numbers.bytes(79_258) == "77.4 KiB"
        && Numbers.bytes(1_089_896) == "1.04 MiB")
    #expect(
      Numbers.percent(0.8742) == "87.42" && Numbers.points(-0.0023) == "-0.23" && Numbers.points(0) == "+0.00"
    )
    #expect(Numbers.ratio(3.88) == "3.9×" && Numbers.ratio(12.4) == "12×" && Numbers.ratio(.nan) == "-")
    #expect(Numbers.milliseconds(0.0123) == "0.0123" && Numbers.milliseconds(0.94) == "0.940")
    #expect(
      Numbers.milliseconds(12.34) == "12.3" && Numbers.milliseconds(1234) == "1234"
        && Numbers.milliseconds(0) == "0.00")
    #expect(
      Numbers.duration(4.2) == "0:04" && Numbers.duration(72) == "1:12" && Numbers.duration(7380) == "2:03:00"
    )
    #expect(
      Numbers.duration(-1) == "-" && Numbers.count(272_474) == "272 k"
        && Numbers.count(40_813_184) == "40.8 M")
  }
}
