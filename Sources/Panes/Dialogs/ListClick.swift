import Interface

/// What the mouse does to the list of a dialog.
///
/// The wheel moves the cursor, a click puts it on a row and chooses the row it is on already; a click beside the dialog
/// closes it.
enum ListClick {
  case move(Scroll.Motion)
  case choose
  case close

  /// - Parameters:
  ///   - frame: of the dialog.
  ///   - cursor: the row that a click chooses.
  ///   - row: the one under the pointer.
  init?(_ mouse: Mouse, frame: Rect, cursor: Int?, row: @autoclosure () -> Int?) {
    switch mouse.kind {
    case .wheelUp: self = .move(.by(-3))
    case .wheelDown: self = .move(.by(3))
    case .press(.left):
      guard frame.contains(mouse.at) else {
        self = .close
        return
      }
      guard let row = row() else { return nil }
      self = row == cursor ? .choose : .move(.to(row))
    default: return nil
    }
  }
}
