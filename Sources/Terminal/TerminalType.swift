internal import CNcurses
import Glibc
import Interface

/// Which description of the terminal is used, and what it can do.
struct TerminalType {
  let name: String
  /// How many colours the description has.
  let available: ColorDepth
  /// What `$TERMINFO` has to be while the terminal is opened, for descriptions of our own.
  let blob: String?

  /// Terminals that understand xterm's sequences and whose own entries are often not installed.
  private static let alikes = [
    "kitty", "foot", "alacritty", "ghostty", "wezterm", "contour", "rio", "konsole", "vte", "gnome", "iterm",
  ]

  /// Finds a description for `TERM` that is installed and can move the cursor.
  /// - Errors: `TerminalError.unknownType`, `.tooSimple`.
  init(term: String, color: ColorChoice, environment: [String: String], descriptor: Int32)
    throws(TerminalError)
  {
    func isKnown(_ name: String) -> Bool {
      var result: Int32 = 0
      return setupterm(name, descriptor, &result) == OK
    }
    let says24 = ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
    let isAlike = TerminalType.alikes.contains { term.contains($0) }
    let isScreen = term.hasPrefix("tmux") || term.hasPrefix("screen")
    let isXterm = term.hasPrefix("xterm") || isAlike
    if (color == .auto && says24 || color == .truecolor)
      && (isScreen || isXterm || term.hasSuffix("-256color"))
    {
      name = isScreen ? "lathe-tmux-direct" : "lathe-xterm-direct"
      blob = "b64:" + (isScreen ? DirectTerminfo.tmux : DirectTerminfo.xterm)
      available = .truecolor
      return
    }
    blob = nil
    var candidates = [term]
    if color == .indexed, ["xterm", "screen", "tmux"].contains(term) {
      candidates.insert(term + "-256color", at: 0)
    }
    if isAlike { candidates.append("xterm-256color") }
    guard let found = candidates.first(where: isKnown) else { throw .unknownType(term) }
    guard TerminalType.capability("cup") != nil else { throw .tooSimple(type: found) }
    name = found
    switch tigetnum("colors") {
    case 0x1_0000...: available = .truecolor
    case 256...: available = .indexed
    case 16...: available = .sixteen
    case 8...: available = .eight
    default: available = .mono
    }
  }

  /// A string of the description that was set up last; `nil` where it has none.
  static func capability(_ name: String) -> String? {
    guard let pointer = tigetstr(name), Int(bitPattern: pointer) != -1 else { return nil }
    return String(cString: pointer)
  }
}
