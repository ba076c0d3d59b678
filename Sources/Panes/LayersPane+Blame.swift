import Interface
import Workbench

extension LayersPane {
  /// What goes into a layer of the Blame view and back; before the pane's other commands, whose keys they take.
  static let channelCommands: [Command<PaneContext<LayersPane>, Step>] = [
    Command(
      "layers.channels", keys: [.enter], title: "channels",
      explanation: "Show the channels and worst samples of the layer in the Blame view.", group: "Blame",
      hint: 11, replaces: ["layers.zoom"], action: .openLayer(true),
      availability: {
        $0.state.shownBlame?.report == nil || $0.pane.isLayerOpen ? .hidden : .available
      }),
    Command(
      "layers.blamed-layers", keys: [.escape, .enter], title: "layers",
      explanation: "Go back from the channels to the layers of the Blame view.", group: "Blame", hint: 11,
      replaces: ["layers.zoom", "layers.clear", "layers.table", "layers.blame-table"],
      action: .openLayer(false), availability: { $0.pane.isLayerOpen ? .available : .hidden }),
  ]

  /// What opens, closes and fills the Blame view.
  static let blameCommands: [Command<PaneContext<LayersPane>, Step>] = [
    Command(
      "layers.blame", keys: [.character("E")], title: "blame",
      explanation: "Show which layers cause the candidate's error; finds out first.", group: "Blame",
      hint: 11, action: .showBlame(true),
      availability: {
        $0.state.blame.isShown
          ? .hidden : .when($0.state.project != nil, else: "No model is open.")
      }),
    Command(
      "layers.blame-table", keys: [.character("E"), .escape], title: "table",
      explanation: "Go from the Blame view to the layer under the cursor in the table of layers.",
      group: "Blame", hint: 11, action: .showBlame(false),
      availability: { $0.state.blame.isShown ? .available : .hidden }),
    Command(
      "layers.find-blame", keys: [.character("r")], title: "trace",
      explanation: "Find out what causes the error, again where it was.", group: "Blame", hint: 11,
      replaces: ["run"], action: .findBlame,
      availability: {
        guard $0.state.blame.isShown else { return .hidden }
        guard let shown = $0.state.shownBlame else {
          return .unavailable($0.state.keys.noCandidate)
        }
        if case .waiting = shown.status { return .unavailable("It is being found out.") }
        return .available
      }),
  ]
}
