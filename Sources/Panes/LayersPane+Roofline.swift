import Interface
import Workbench

extension LayersPane {
  /// What opens, closes and fills the Roofline view.
  static let rooflineCommands: [Command<PaneContext<LayersPane>, Step>] = [
    Command(
      "layers.roofline", keys: [.character("w")], title: "roofline",
      explanation: "Show the candidate's steps under the machine's roofline; measures them first.",
      group: "Roofline", hint: 11, action: .showSteps(.candidate),
      availability: {
        $0.state.steps.view != nil
          ? .hidden : .when($0.state.project != nil, else: "No model is open.")
      }),
    Command(
      "layers.table", keys: [.character("w"), .escape], title: "table",
      explanation: "Go back from the steps to the table of layers.", group: "Roofline", hint: 11,
      action: .showSteps(nil), availability: isOpen),
    Command(
      "layers.time", keys: [.character("r")], title: "measure",
      explanation: "Measure the steps shown, again where they were measured.", group: "Roofline", hint: 11,
      replaces: ["run"], action: .timeSteps,
      availability: {
        guard case .available = isOpen($0) else { return .hidden }
        guard let shown = $0.state.shownSteps else {
          return .unavailable($0.state.keys.noCandidate)
        }
        if case .waiting = shown.status { return .unavailable("They are being measured.") }
        return .available
      }),
    Command(
      "layers.other-steps", keys: [.left, .right, .character("h"), .character("l")],
      title: "float32/candidate", explanation: "Switch between the steps of float32 and of the candidate.",
      group: "Roofline", hint: 11, action: .otherSteps, availability: isOpen),
  ]

  private static let isOpen: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.state.steps.view == nil ? .hidden : .available
  }
}
