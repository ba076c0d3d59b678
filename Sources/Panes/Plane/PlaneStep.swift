import Interface
import Workbench

/// What is done on a plane of points with a cursor on one of them.
package enum PlaneStep: Sendable {
  /// Times as much in sight.
  case zoom(Double)
  case fit
  /// By shares of what is in sight.
  case pan(Double, Double)
  case move(Direction)

  package enum Direction: Sendable { case left, right, up, down }

  static let zoomIn = 2.0 / 3
  private static let panning = 0.25

  /// The commands that every plane has; `step` makes the pane's step of one.
  static func commands<P: Sendable, Step: Sendable>(
    _ prefix: String, group: String, hasPoints: @escaping @Sendable (PaneContext<P>) -> Availability,
    isZoomed: @escaping @Sendable (PaneContext<P>) -> Bool, step: (PlaneStep) -> Step
  ) -> [Command<PaneContext<P>, Step>] {
    let rows: [(name: String, keys: [Key], explanation: String, hint: Int?, step: PlaneStep)] = [
      ("zoom-in", [.character(")")], "Look closer, around the cursor.", 16, .zoom(zoomIn)),
      ("zoom-out", [.character("(")], "Look from farther.", nil, .zoom(1 / zoomIn)),
      ("fit", [.character("0")], "Show every point again.", 16, .fit),
      ("right", [.character("l"), .right], "Go to the next point to the right.", nil, .move(.right)),
      ("left", [.character("h"), .left], "Go to the next point to the left.", nil, .move(.left)),
      ("up", [.character("k"), .up], "Go to the next point above.", nil, .move(.up)),
      ("down", [.character("j"), .down], "Go to the next point below.", nil, .move(.down)),
      ("pan-left", [.character(","), .controlLeft], "Look further to the left.", nil, .pan(-panning, 0)),
      ("pan-right", [.character("."), .controlRight], "Look further to the right.", nil, .pan(panning, 0)),
      ("pan-down", [.character(";"), .controlDown], "Look further down.", nil, .pan(0, -panning)),
      ("pan-up", [.character("'"), .controlUp], "Look further up.", nil, .pan(0, panning)),
    ]
    return rows.map { row in
      Command(
        "\(prefix).\(row.name)", keys: row.keys, title: row.name.replacing("-", with: " "),
        explanation: row.explanation, group: group, hint: row.hint, action: step(row.step),
        availability: { context in
          switch row.step {
          case .move, .zoom(PlaneStep.zoomIn): hasPoints(context)
          default:
            .when(
              isZoomed(context),
              else: "All of it is in sight; \(context.state.keys["\(prefix).zoom-in"]) looks closer.")
          }
        })
    }
  }
}
