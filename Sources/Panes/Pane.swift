import Interface
import Workbench

/// The panes by their digit.
package enum PaneKind: Int, Sendable, Hashable, CaseIterable {
  case layers = 1
  case config, compare, pareto, histogram, jobs, log
  /// Shares the place of the histogram.
  case training
  /// Shares that place too.
  case roofline

  package var title: String {
    switch self {
    case .layers: "Layers"
    case .config: "Config"
    case .compare: "Compare"
    case .pareto: "Pareto"
    case .histogram: "Histogram"
    case .jobs: "Jobs"
    case .log: "Log"
    case .training: "Training"
    case .roofline: "Roofline"
    }
  }

  /// For tab bars.
  package var shortTitle: String {
    switch self {
    case .histogram: "Hist"
    case .training: "Train"
    case .roofline: "Roof"
    default: title
    }
  }
}

/// What a pane or dialog asks for after a key or click.
package enum PaneOutput: Sendable {
  /// Something for the workbench.
  case act(Action)
  /// Open a dialog over the screen.
  case open(any Overlay)
  /// Close the dialog that says so.
  case close
  /// Why nothing happened, or what did.
  case toast(Toast)
  case focus(PaneKind)
  /// Show the pane alone, or go back.
  case zoom
  case preview(theme: String)
  case chooseTheme(String)
  /// Open another model, once it is clear that nothing at work is lost by that.
  case openModel(OpenRequest)
  /// Run a command of any table, by its id.
  case run(id: String)
  case quit
}

/// What became of a key.
package enum PaneResult: Sendable {
  /// Nobody here wants it.
  case ignored
  case done([PaneOutput])
  /// A command has this key, but not now.
  case unavailable(String)
}

/// One pane: a small state of its own (cursor, scroll, filter), drawn from that and the workbench's.
///
/// Pure.
package protocol Pane: Sendable {
  static var kind: PaneKind { get }
  /// All commands, for help, hints and lists.
  func summaries(_ state: State) -> [CommandSummary]
  /// The same whatever the state, with nothing hidden.
  var everything: [CommandSummary] { get }
  /// The id of the command that a key means now; `nil` where it is none of the pane's.
  func commandID(of key: Key, _ map: KeyMap, _ state: State) -> String?
  /// - Parameter size: of the pane's inside, for paging.
  mutating func handle(_ key: Key, _ state: State, size: Size) -> PaneResult
  /// Whether keys go into a text field of the pane.
  var isTyping: Bool { get }
  mutating func run(id: String, _ state: State, size: Size) -> PaneResult
  /// Reacts to the mouse inside the pane; the pane already has the focus.
  mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput]
  /// Keeps cursors inside what there is after the workbench changed.
  mutating func follow(_ state: State)
  /// The layer that the pane is about now, for the key that goes there.
  func pointedLayer(_ state: State) -> String?
  /// Right of the title.
  func note(_ state: State) -> [Run]
  /// On the lower edge.
  func foot(_ state: State) -> [Run]
  func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool)
}

extension Pane {
  package var isTyping: Bool { false }
  package mutating func follow(_ state: State) {}
  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] { [] }
  package func note(_ state: State) -> [Run] { [] }
  package func foot(_ state: State) -> [Run] { [] }
}

/// What availability of a pane's command is judged by.
package struct PaneContext<P: Sendable>: Sendable {
  package var pane: P
  package var state: State
}

/// A pane whose keys come from one table of commands.
package protocol CommandedPane: Pane {
  associatedtype Step: Sendable
  static var commands: CommandTable<PaneContext<Self>, Step> { get }
  mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput]
}

extension CommandedPane {
  package func summaries(_ state: State) -> [CommandSummary] {
    Self.commands.summaries(in: PaneContext(pane: self, state: state))
  }

  package var everything: [CommandSummary] {
    let context = PaneContext(pane: self, state: State())
    return Self.commands.commands.map { $0.summary(in: context) }
  }

  package func commandID(of key: Key, _ map: KeyMap, _ state: State) -> String? {
    Self.commands.id(of: key, map, in: PaneContext(pane: self, state: state))
  }

  package mutating func handle(_ key: Key, _ state: State, size: Size) -> PaneResult {
    command(key, state, size: size)
  }

  /// Does what the table says of a key.
  mutating func command(_ key: Key, _ state: State, size: Size) -> PaneResult {
    perform(Self.commands.match(key, in: PaneContext(pane: self, state: state)), state, size)
  }

  package mutating func run(id: String, _ state: State, size: Size) -> PaneResult {
    perform(Self.commands.match(id: id, in: PaneContext(pane: self, state: state)), state, size)
  }

  private mutating func perform(_ match: CommandMatch<Step>, _ state: State, _ size: Size) -> PaneResult {
    switch match {
    case .none: .ignored
    case .perform(let step): .done(update(step, state, size: size))
    case .unavailable(let reason): .unavailable(reason)
    }
  }
}

/// A dialog over the screen; it gets every key until it closes.
package protocol Overlay: Sendable {
  var title: String { get }
  mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput]
  func draw(on canvas: inout Canvas, in screen: Rect, _ state: State)
  /// Its commands that are there now, for its help.
  func summaries(_ state: State) -> [CommandSummary]
  mutating func run(id: String, _ state: State, screen: Rect) -> [PaneOutput]
  /// Whether letters are typed, so that none of them can ask for help.
  var isTyping: Bool { get }
}

extension Overlay {
  package func summaries(_ state: State) -> [CommandSummary] { [] }
  package mutating func run(id: String, _ state: State, screen: Rect) -> [PaneOutput] { [] }
  package var isTyping: Bool { true }
}

/// Motions every list has, as commands.
package enum Motions {
  /// Heading of the commands below.
  package static let group = "Move"

  /// Commands that move a cursor; `step` makes the pane's step of a motion.
  package static func commands<P: Sendable, Step: Sendable>(
    _ prefix: String, step: (Scroll.Motion) -> Step
  ) -> [Command<PaneContext<P>, Step>] {
    let rows: [(String, [Key], String, Scroll.Motion)] = [
      ("down", [.character("j"), .down], "Move the cursor down.", .down),
      ("up", [.character("k"), .up], "Move the cursor up.", .up),
      ("first", [.character("g"), .home], "Go to the first row.", .first),
      ("last", [.character("G"), .end], "Go to the last row.", .last),
      ("page-down", [.pageDown], "Go a page down.", .pageDown),
      ("page-up", [.pageUp], "Go a page up.", .pageUp),
      ("half-down", [.control("d")], "Go half a page down.", .halfDown),
      ("half-up", [.control("u")], "Go half a page up.", .halfUp),
    ]
    return rows.map { name, keys, explanation, motion in
      Command(
        "\(prefix).\(name)", keys: keys, title: name.replacing("-", with: " "), explanation: explanation,
        group: group, action: step(motion))
    }
  }
}
