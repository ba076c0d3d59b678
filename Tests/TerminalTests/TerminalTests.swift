import Foundation
import Glibc
import Interface
import Terminal
import Testing

/// The terminal library has one state for the whole process, so these run one after another.
@Suite(.serialized) struct TerminalTests {
  static let theme = ThemeLibrary.fallback

  private func scene(_ size: Size) -> Canvas {
    var canvas = Canvas(size)
    Panel(title: "日本 e\u{301}", isFocused: true).draw(on: &canvas, in: canvas.bounds)
    canvas.put("int8 ⣿█▸", x: 2, y: 2, .bad)
    canvas.put("selected", x: 2, y: 3, Style.text.selected)
    for step in 0..<10 { canvas.put("█", x: 12 + step, y: 2, .gradient(.sensitivity, Double(step) / 9)) }
    return canvas
  }

  @Test(arguments: ["xterm-256color", "tmux-256color", "screen", "linux", "vt100", "xterm", "kitty"])
  func shows(type: String) throws {
    let pty = try Pty(width: 40, height: 6)
    let before = pty.settings
    let terminal = try Terminal(pty.options(type))
    #expect(terminal.size == Size(width: 40, height: 6))
    _ = pty.sent()
    let canvas = scene(terminal.size)
    terminal.present(canvas, theme: Self.theme)
    #expect(terminal.readBack().joined(separator: "\n") == canvas.text())
    #expect(pty.sent().contains("int8 ⣿█▸"))
    terminal.close()
    let end = pty.sent()
    if type != "vt100" && type != "linux" {
      #expect(end.contains("\u{1b}[?1049l") || end.contains("\u{1b}[?1047l"))
    }
    let after = pty.settings
    #expect(
      after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag && after.c_oflag == before.c_oflag)
  }

  @Test func sendsOnlyWhatChanged() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    var canvas = scene(terminal.size)
    terminal.present(canvas, theme: Self.theme)
    _ = pty.sent()
    terminal.present(canvas, theme: Self.theme)
    #expect(pty.sent().utf8.count < 10)
    canvas.put("x", x: 40, y: 10)
    terminal.present(canvas, theme: Self.theme)
    let one = pty.sent()
    #expect(one.contains("x") && one.utf8.count < 40)
    // Another theme: everything that looks different.
    terminal.present(canvas, theme: try ThemeLibrary.load("light").theme)
    #expect(pty.sent().utf8.count > 500)
    terminal.redraw()
    terminal.present(canvas, theme: Self.theme)
    #expect(pty.sent().contains("int8"))
    #expect(terminal.readBack().joined(separator: "\n") == canvas.text())
  }

  @Test func aCanvasOfAnotherSizeIsShownAsFarAsItGoes() throws {
    let pty = try Pty(width: 20, height: 4)
    let terminal = try Terminal(pty.options("xterm-256color"))
    var large = Canvas(width: 30, height: 8)
    for y in 0..<8 { large.put("abcdefghijklmnopqrs日本", x: 0, y: y) }
    terminal.present(large, theme: Self.theme)
    #expect(terminal.readBack() == Array(repeating: "abcdefghijklmnopqrs", count: 4))
    terminal.present(Canvas(width: 3, height: 1), theme: Self.theme)
    #expect(terminal.readBack() == ["", "", "", ""])
  }

  // MARK: colour

  @Test(
    arguments: [
      ("xterm-256color", [:], ColorChoice.auto, ColorDepth.indexed),
      ("xterm-256color", ["COLORTERM": "truecolor"], .auto, .truecolor),
      ("tmux-256color", ["COLORTERM": "24bit"], .auto, .truecolor),
      ("xterm-256color", ["COLORTERM": "truecolor"], .indexed, .indexed),
      ("xterm-256color", [:], .truecolor, .truecolor), ("xterm-256color", [:], .sixteen, .sixteen),
      ("xterm-256color", ["NO_COLOR": "1"], .auto, .mono),
      ("xterm-256color", ["NO_COLOR": ""], .auto, .indexed),
      ("xterm-256color", ["NO_COLOR": "1"], .indexed, .indexed), ("xterm-256color", [:], .never, .mono),
      ("xterm", [:], .auto, .eight), ("xterm", [:], .indexed, .indexed), ("linux", [:], .auto, .eight),
      ("vt100", [:], .auto, .mono), ("vt100", [:], .indexed, .mono), ("foot", [:], .auto, .indexed),
    ] as [(String, [String: String], ColorChoice, ColorDepth)])
  func depth(type: String, environment: [String: String], color: ColorChoice, expected: ColorDepth) throws {
    let pty = try Pty(width: 60, height: 6)
    let terminal = try Terminal(pty.options(type, color: color, environment: environment))
    #expect(terminal.depth == expected)
    _ = pty.sent()
    terminal.present(scene(terminal.size), theme: try ThemeLibrary.load("dark").theme)
    #expect(terminal.readBack().joined(separator: "\n") == scene(terminal.size).text())
    let sent = pty.sent()
    #expect(sent.contains("38;2;") == (expected == .truecolor))
    #expect(sent.contains("38;5;") == (expected == .indexed))
    if expected == .mono { #expect(sent.firstMatch(of: /\x1b\[[0-9;]*(3[0-9]|4[0-9])m/) == nil) }
  }

  @Test func moreColoursThanPairs() throws {
    // 8 colours have 64 pairs; what is beyond gets the terminal's own colours, not a wrong pair.
    let pty = try Pty(width: 60, height: 6)
    let terminal = try Terminal(pty.options("xterm"))
    for id in ThemeLibrary.shipped.map(\.id) {
      let canvas = scene(terminal.size)
      terminal.present(canvas, theme: try ThemeLibrary.load(id).theme)
      #expect(terminal.readBack().joined(separator: "\n") == canvas.text())
    }
  }

  @Test func trueColoursAreExact() throws {
    let pty = try Pty(width: 10, height: 2)
    let terminal = try Terminal(pty.options("xterm-256color", environment: ["COLORTERM": "truecolor"]))
    let theme = try ThemeLibrary.parse(
      "ui: {text: \"#010203 on #fefdfc\", key: bright-red, muted: \"#000005\"}", id: "exact"
    ).theme
    var canvas = Canvas(terminal.size)
    canvas.put("abc", x: 0, y: 0)
    canvas.put("k", x: 3, y: 0, .key)
    canvas.put("m", x: 4, y: 0, .muted)
    _ = pty.sent()
    terminal.present(canvas, theme: theme)
    let sent = pty.sent()
    #expect(sent.contains("38;2;1;2;3") && sent.contains("48;2;254;253;252"))
    // Named colours stay the user's; what would be mistaken for one is nudged.
    #expect(sent.contains("\u{1b}[91m") && sent.contains("38;2;0;0;16"))
  }

  // MARK: input

  @Test(arguments: ["xterm-256color", "tmux-256color", "screen-256color"]) func keys(type: String) throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options(type))
    pty.type(
      "a日\u{1b}OA\u{1b}[1;5C\u{1b}x\u{1b}[<65;10;5M\u{1b}[<0;300;5m\u{1b}[200~hi\ryo\u{1b}[201~\u{1}\u{7f}\r\t\u{1b}[Z\u{1b}OP\u{1b}[15~"
    )
    let expected: [Input] = [
      .key(.character("a")), .key(.character("日")), .key(.up), .key(.controlRight), .key(.alt("x")),
      .mouse(Mouse(at: Point(x: 9, y: 4), .wheelDown)),
      .mouse(Mouse(at: Point(x: 299, y: 4), .release(.left))),
      .paste("hi\nyo"), .key(.control("a")), .key(.backspace), .key(.enter), .key(.tab), .key(.backTab),
      .key(.function(1)), .key(.function(5)),
    ]
    #expect(terminal.collect(expected.count) == expected)
  }

  @Test(arguments: ["xterm-256color", "tmux-256color", "linux", "foot", "vt100"]) func bothFormsOfArrows(
    type: String
  ) throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options(type))
    pty.type("\u{1b}[A\u{1b}OA\u{1b}[D\u{1b}OD\u{1b}[H\u{1b}OF\u{1b}[5~\u{1b}[3~")
    #expect(
      terminal.collect(8)
        == [Key.up, .up, .left, .left, .home, .end, .pageUp, .delete].map(Input.key))
  }

  @Test func unknownSequencesDoNotType() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    pty.type("\u{1b}[?62;4c\u{1b}[99;99;99u\u{1b}[1;3Bq\u{1b}[<999;1;1Mz\u{1b}[1;2A")
    #expect(
      terminal.collect(4)
        == [.key(.down), .key(.character("q")), .key(.character("z")), .key(.shiftUp)])
    pty.type("\u{1b}")
    #expect(terminal.collect(1) == [.key(.escape)])
  }

  @Test func pointer() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    #expect(pty.sent().contains("\u{1b}[?1006h"))
    pty.type("\u{1b}[<0;1;1M\u{1b}[<32;2;1M\u{1b}[<2;3;4M\u{1b}[<64;1;1M\u{1b}[<16;1;1M")
    #expect(
      terminal.collect(5) == [
        .mouse(Mouse(at: Point(x: 0, y: 0), .press(.left))),
        .mouse(Mouse(at: Point(x: 1, y: 0), .drag(.left))),
        .mouse(Mouse(at: Point(x: 2, y: 3), .press(.right))), .mouse(Mouse(at: Point(x: 0, y: 0), .wheelUp)),
        .mouse(Mouse(at: Point(x: 0, y: 0), .press(.left), control: true)),
      ])
    terminal.setMouse(false)
    #expect(pty.sent().contains("\u{1b}[?1006l") && !terminal.usesMouse)
    let silent = try Terminal(pty.options("xterm-256color", usesMouse: false))
    #expect(!pty.sent().contains("\u{1b}[?1006h"))
    silent.close()
  }

  @Test func aLongPasteArrivesWhole() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    let text = String(repeating: "layer1.conv2 日本\n", count: 2000)
    let thread = Thread {
      pty.type("\u{1b}[200~" + text.replacingOccurrences(of: "\n", with: "\r") + "\u{1b}[201~q")
    }
    thread.start()
    #expect(terminal.collect(2) == [.paste(text), .key(.character("q"))])
  }

  @Test func manyKeysAtOnce() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    pty.type(String(repeating: "j", count: 500))
    #expect(terminal.collect(500) == Array(repeating: .key(.character("j")), count: 500))
  }

  // MARK: the loop

  @Test func wakesFromOtherThreads() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    #expect(terminal.wait(timeoutMilliseconds: 0) == [])
    let waker = terminal.waker
    Thread.detachNewThread {
      usleep(20_000)
      for _ in 0..<1000 { waker.wake() }
    }
    #expect(terminal.wait(timeoutMilliseconds: 2000).first == .wake)
    usleep(20_000)
    _ = terminal.wait(timeoutMilliseconds: 0)
    // Everything is taken: nothing wakes a second time.
    #expect(terminal.wait(timeoutMilliseconds: 0) == [])
    waker.wake()
    waker.wake()
    #expect(terminal.wait(timeoutMilliseconds: 0) == [.wake])
  }

  @Test func followsTheSize() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    for (width, height) in [(132, 40), (50, 12), (1, 1), (80, 24)] {
      pty.resize(width: width, height: height)
      #expect(terminal.updateSize() && terminal.size == Size(width: width, height: height))
      let canvas = scene(terminal.size)
      terminal.present(canvas, theme: Self.theme)
      #expect(terminal.readBack().joined(separator: "\n") == canvas.text())
    }
    #expect(!terminal.updateSize())
    #expect(terminal.wait(timeoutMilliseconds: 0) == [])
  }

  @Test func endsWhenTheTerminalIsGone() throws {
    let pty = try Pty(width: 80, height: 24)
    let terminal = try Terminal(pty.options("xterm-256color"))
    pty.hangUp()
    #expect(terminal.wait(timeoutMilliseconds: 2000) == [.terminate])
    terminal.close()
    #expect(terminal.wait(timeoutMilliseconds: nil) == [.terminate])
  }

  @Test func suspendsAndComesBack() throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    let canvas = scene(terminal.size)
    terminal.present(canvas, theme: Self.theme)
    _ = pty.sent()
    terminal.suspend()
    let sent = pty.sent()
    let leave = try #require(sent.range(of: "\u{1b}[?1049l"))
    #expect(sent[leave.upperBound...].contains("\u{1b}[?1049h") && sent.hasSuffix("\u{1b}[?2004h"))
    terminal.present(canvas, theme: Self.theme)
    #expect(pty.sent().contains("int8"))
  }

  // MARK: questions

  /// What a terminal answers to the two questions, in which order; `nil` where it answers neither.
  @Test(
    arguments: [
      ("\u{1b}]11;rgb:1111/1515/1c1c\u{1b}\\\u{1b}[?62;4c", Theme.Appearance.dark),
      ("\u{1b}]11;rgb:ff/f0/e0\u{7}\u{1b}[?1;2c", .light), ("\u{1b}[?6c", .any),
      ("\u{1b}]11;rgba:ffff/ffff/ffff/8000\u{1b}\\\u{1b}[?65;1;9c", .light),
      ("\u{1b}]11;what\u{7}\u{1b}[?6c", .any), (nil, .any),
    ] as [(String?, Theme.Appearance)])
  func asksForTheBackground(answer: String?, expected: Theme.Appearance) throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    _ = pty.sent()
    // Keys typed meanwhile are kept, in order.
    pty.type("a" + (answer ?? "") + "b")
    let began = ContinuousClock.now
    #expect(terminal.appearance(withinMilliseconds: 60) == expected)
    let took = ContinuousClock.now - began
    #expect(pty.sent() == "\u{1b}]11;?\u{1b}\\\u{1b}[c")
    #expect(answer != nil || took >= .milliseconds(50), "\(took)")
    #expect(terminal.collect(2) == [.key(.character("a")), .key(.character("b"))])
  }

  @Test func aLateAnswerReachesNobody() throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    #expect(terminal.appearance(withinMilliseconds: 0) == .any)
    Thread.detachNewThread {
      usleep(10_000)
      pty.type("\u{1b}]11;rgb:0/0/0\u{1b}\\\u{1b}[?62c")
    }
    // It quits before the answer, which would otherwise be typed into the shell.
    terminal.close()
    var left: Int32 = 0
    _ = ioctl(pty.slave, UInt(FIONREAD), &left)
    #expect(left == 0)
    usleep(60_000)
    _ = ioctl(pty.slave, UInt(FIONREAD), &left)
    #expect(left == 0)
  }

  @Test(arguments: [("linux", [:]), ("vt100", [:]), ("xterm-256color", ["NO_COLOR": "1"])])
  func asksNothingWhereTheAnswerDoesNotMatter(type: String, environment: [String: String]) throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options(type, environment: environment))
    _ = pty.sent()
    #expect(terminal.appearance() == .any && pty.sent() == "")
  }

  @Test func reportsAndKeysAreToldApart() throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    pty.type("\u{1b}]x\u{1b}]52;c;aGk=\u{7}q")
    #expect(terminal.collect(3) == [.key(.alt("]")), .key(.character("x")), .key(.character("q"))])
  }

  // MARK: the rest

  @Test func clipboard() throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    _ = pty.sent()
    #expect(terminal.copy("hello"))
    #expect(pty.sent() == "\u{1b}]52;c;aGVsbG8=\u{07}")
    #expect(!terminal.copy(String(repeating: "x", count: Terminal.clipboardLimit)))
    #expect(pty.sent() == "")
  }

  @Test func cursor() throws {
    let pty = try Pty(width: 40, height: 6)
    let terminal = try Terminal(pty.options("xterm-256color"))
    var canvas = Canvas(terminal.size)
    canvas.cursor = Point(x: 5, y: 2)
    _ = pty.sent()
    terminal.present(canvas, theme: Self.theme)
    let sent = pty.sent()
    #expect(
      sent.contains("\u{1b}[?25h") || sent.contains("\u{1b}[?12l\u{1b}[?25h") || sent.contains("\u{1b}[34h"))
    #expect(sent.contains("\u{1b}[3;6H"))
    canvas.cursor = nil
    terminal.present(canvas, theme: Self.theme)
    #expect(pty.sent().contains("\u{1b}[?25l"))
  }

  @Test func refusesInOneLine() throws {
    let pty = try Pty(width: 80, height: 24)
    #expect(throws: TerminalError.tooSimple(type: "dumb")) { try Terminal(pty.options("dumb")) }
    #expect(throws: TerminalError.tooSimple(type: "dumb")) { try Terminal(pty.options("")) }
    #expect(throws: TerminalError.unknownType("nosuch")) { try Terminal(pty.options("nosuch")) }
    let file = Glibc.open("/dev/null", O_RDWR)
    defer { Glibc.close(file) }
    #expect(throws: TerminalError.none) {
      try Terminal(Terminal.Options(type: "xterm", descriptor: file, handlesSignals: false))
    }
    for error in [TerminalError.none, .tooSimple(type: "dumb"), .unknownType("nosuch"), .system("x", 24)] {
      #expect(error.description.hasPrefix("terminal: ") && !error.description.contains("\n"))
    }
    #expect(pty.sent() == "")
  }
}
