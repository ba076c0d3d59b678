import Interface
import Workbench

extension LayersPane {
  /// The fields that a filter can ask for, for help and for the list that `tab` opens while a filter is typed; without
  /// keys.
  static let fieldCommands: [Command<PaneContext<LayersPane>, Step>] = LayerField.all.map { field in
    Command(
      "layers.filter-\(field.name)", keys: [], title: "/\(field.name)", explanation: field.explanation,
      group: "Filter by", action: .filterBy(field.prefix), availability: hasLayers)
  }

  /// Commands that have keys: fields of filters are listed only where they can be run.
  package var everything: [CommandSummary] {
    let context = PaneContext(pane: self, state: State())
    return Self.commands.commands.map { $0.summary(in: context) }.filter { !$0.keys.isEmpty }
  }

  /// The list of fields, to put one into the filter.
  func fieldMenu(_ state: State) -> MenuDialog {
    let context = PaneContext(pane: self, state: state)
    return MenuDialog(
      title: "Filter by", sections: [("Fields", Self.fieldCommands.map { $0.summary(in: context) })])
  }
}

extension LayerField {
  /// What is typed before a value.
  fileprivate var prefix: String {
    if case .text = value { return name + ":" }
    return name + "<"
  }
}
