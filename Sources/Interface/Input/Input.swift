/// What the pointer did, where.
package struct Mouse: Hashable, Sendable {
  package enum Button: Int, Hashable, Sendable { case left = 1, middle, right }
  package enum Kind: Hashable, Sendable {
    case press(Button), release(Button), drag(Button)
    case wheelUp, wheelDown
  }

  package var at: Point
  package var kind: Kind
  package var control: Bool
  package var alt: Bool
  package var shift: Bool

  package init(at point: Point, _ kind: Kind, control: Bool = false, alt: Bool = false, shift: Bool = false) {
    at = point
    self.kind = kind
    self.control = control
    self.alt = alt
    self.shift = shift
  }
}

/// One thing that happened outside, in the order it happened.
package enum Input: Hashable, Sendable {
  case key(Key)
  case mouse(Mouse)
  /// Pasted text, line breaks as `\n`.
  case paste(String)
  /// The screen has this size now, or has to be drawn anew at the same size after a suspension.
  case resize(Size)
  /// Another thread has something for the main loop.
  case wake
  /// The terminal is gone, or the program was asked to end.
  case terminate
}
