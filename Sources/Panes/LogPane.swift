import Foundation
import Interface
import Workbench

/// What happened, newest last.
package struct LogPane: CommandedPane {
  package static let kind = PaneKind.log
  /// Rows between the newest line and the last one shown; 0 follows the end.
  private var back = 0

  package init() {}

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case copy
  }

  package static let commands = CommandTable<PaneContext<LogPane>, Step>(
    Motions.commands("log") { .move($0) } + [
      Command(
        "log.copy", keys: [.character("y")], title: "copy",
        explanation: "Copy the whole log to the clipboard.",
        group: "Log", hint: 5, replaces: ["copy"], action: .copy,
        availability: { .when(!$0.state.log.isEmpty, else: "The log is empty.") })
    ])

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .move(let motion):
      var scroll = Scroll(cursor: Swift.max(state.log.count - 1 - back, 0))
      scroll.move(motion, count: state.log.count, visible: size.height)
      back = Swift.max(state.log.count - 1 - scroll.cursor, 0)
      return []
    case .copy:
      let text = state.log.map { "\(Self.clock($0.time)) \($0.text)" }.joined(separator: "\n")
      return [.act(.copy(text, what: "the log"))]
    }
  }

  /// The layer that the newest of the last lines in sight speaks of.
  package func pointedLayer(_ state: State) -> String? {
    state.log.dropLast(back).suffix(50).reversed().lazy.compactMap { state.layer(namedIn: $0.text) }.first
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .wheelUp: return update(.move(.by(-3)), state, size: area.size)
    case .wheelDown: return update(.move(.by(3)), state, size: area.size)
    default: return []
    }
  }

  package func note(_ state: State) -> [Run] { back == 0 ? [] : [Run("\(back) newer", .muted)] }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    guard area.height > 0, area.width > 0 else { return }
    guard !state.log.isEmpty else {
      canvas.put("Nothing happened yet.", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    // From the bottom up, so that the newest line is always whole.
    var y = area.maxY
    for line in state.log.dropLast(Swift.min(back, state.log.count - 1)).reversed() {
      let time = line.time > 0 ? Self.clock(line.time) + " " : ""
      let indent = time.count
      let rows = Fitting.wrap(line.text, to: Swift.max(area.width - indent, 1))
      for (index, text) in rows.enumerated().reversed() {
        y -= 1
        guard y >= area.y else { return }
        if index == 0 { canvas.put(time, x: area.x, y: y, .muted) }
        canvas.put(text, x: area.x + indent, y: y, width: area.width - indent, Self.style(line.level))
      }
    }
  }

  private static func style(_ level: LogLine.Level) -> Style {
    switch level {
    case .info: .text
    case .good: .good
    case .warning: .warn
    case .error: .bad
    }
  }

  /// Local time of day.
  static func clock(_ seconds: Double) -> String {
    // Not a formatter: making one costs more than the rest of the frame.
    var (time, parts) = (time_t(seconds), tm())
    localtime_r(&time, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { $0 < 10 ? "0\($0)" : "\($0)" }
      .joined(separator: ":")
  }
}
