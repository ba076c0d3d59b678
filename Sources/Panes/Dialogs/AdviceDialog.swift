import Analysis
import Interface
import Jobs
import Quantization
import Workbench

/// What the advisor says of the open model; it is asked when the dialog opens for the first time.
package struct AdviceDialog: CommandedOverlay {
  package var title: String { "Advice" }
  /// The first row that is seen.
  private var top = 0

  package init() {}

  private static let width = 100

  package enum Step: Sendable {
    case move(Scroll.Motion)
    case make
    case measure
    case copy
    case close
  }

  package static let commands = CommandTable<OverlayContext<AdviceDialog>, Step>(
    [
      Command(
        "advice.make", keys: [.enter], title: "make the candidate",
        explanation: "Make the candidate that is advised.", group: "Advice", hint: 1, action: .make,
        availability: {
          .when($0.state.advice.advice?.recipe != nil, else: "No candidate is advised.")
        }),
      Command(
        "advice.measure", keys: [.character("r")], title: "measure",
        explanation: "Measure what the advice rests on, again where it was.", group: "Advice", hint: 2,
        action: .measure),
      Command(
        "advice.copy", keys: [.character("y")], title: "copy",
        explanation: "Copy the advice to the clipboard.",
        group: "Advice", hint: 3, action: .copy,
        availability: { .when($0.state.advice.advice != nil, else: "There is no advice yet.") }),
      Command(
        "advice.close", keys: [.escape, .control("c"), .character("q")], title: "close",
        explanation: "Close; the advice stays.", group: "Advice", hint: 9, action: .close),
    ] + Motions.inDialog("advice", letters: true, hint: 8) { .move($0) })

  package var isTyping: Bool { false }

  private func dialog(_ state: State) -> Dialog {
    Dialog(title: title, hints: hints(state), size: Size(width: Self.width, height: 40))
  }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    switch step {
    case .close: return [.close]
    case .make: return state.advice.advice?.recipe.map { [.close, .act(.add($0))] } ?? []
    case .measure: return [.act(.advise)]
    case .copy: return state.advice.advice.map { [.act(.copy($0.text, what: "the advice"))] } ?? []
    case .move(let motion):
      scroll(motion, state, screen)
      return []
    }
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .wheelUp: scroll(.by(-3), state, screen)
    case .wheelDown: scroll(.by(3), state, screen)
    default: break
    }
    return []
  }

  private mutating func scroll(_ motion: Scroll.Motion, _ state: State, _ screen: Rect) {
    let area = dialog(state).frame(in: screen).inset(left: 2, top: 1, right: 2, bottom: 1)
    let count = rows(state, width: area.width).count
    func settle(_ row: Int) -> Int { Swift.max(0, Swift.min(row, count - area.height)) }
    switch motion {
    case .up: top = settle(top - 1)
    case .down: top = settle(top + 1)
    case .pageUp: top = settle(top - area.height + 1)
    case .pageDown: top = settle(top + area.height - 1)
    case .halfUp: top = settle(top - area.height / 2)
    case .halfDown: top = settle(top + area.height / 2)
    case .first: top = 0
    case .last: top = settle(count)
    case .by(let rows): top = settle(top + rows)
    case .to(let row): top = settle(row)
    }
  }

  /// The advice broken into rows; above it, what is being done.
  private func rows(_ state: State, width: Int) -> [Run] {
    let advice = state.advice
    var rows: [Run] = []
    func add(_ text: String, _ style: Style, indent: Int = 0) {
      let blank = String(repeating: " ", count: indent)
      rows += Fitting.wrap(text, to: Swift.max(width - indent, 1)).map { Run(blank + $0, style) }
    }
    if advice.isAsked {
      let fraction = state.jobs.last { $0.id == advice.job }?.fraction
      add("Measuring\(fraction.map { " … \(Int($0 * 100)) %" } ?? " …")", .muted)
    } else if let failure = advice.failure {
      add("\(failure). r tries again.", .bad)
    }
    guard let answer = advice.advice else { return rows }
    add(answer.headline, answer.choice == .quantize ? .good : .warn)
    for caveat in answer.caveats { add(caveat, .warn) }
    for section in answer.sections {
      rows.append(Run("", .text))
      add("\(section.question) \(section.answer.text)", .header)
      for sentence in section.sentences { add(sentence, .text, indent: 2) }
    }
    return rows
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    let rows = rows(state, width: inside.width)
    let first = Swift.max(0, Swift.min(top, rows.count - inside.height))
    for (index, row) in rows.dropFirst(first).prefix(inside.height).enumerated() {
      canvas.put([row], x: inside.x, y: inside.y + index, width: inside.width)
    }
  }
}
