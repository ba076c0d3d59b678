/// Why there is no screen to draw on; one line for the person.
package enum TerminalError: Error, Hashable, CustomStringConvertible {
  /// Neither `/dev/tty` nor the standard streams are a terminal.
  case none
  /// Can only print lines, as `TERM=dumb`.
  case tooSimple(type: String)
  /// No description of this type is installed.
  case unknownType(String)
  /// The system refused something; its error number.
  case system(String, Int32)

  package var description: String {
    switch self {
    case .none:
      "terminal: there is none. Run lathe in a terminal, or use a command such as `lathe compare`, or `--snapshot 120x36`."
    case .tooSimple(let type):
      "terminal: type \"\(type)\" cannot move its cursor. Set TERM to what the terminal is (xterm-256color suits most)."
    case .unknownType(let type):
      "terminal: type \"\(type)\" is not known here. Set TERM to a known one (xterm-256color suits most)."
    case .system(let what, let number):
      "terminal: \(what) failed (error \(number)). Close other programs and try again."
    }
  }
}
