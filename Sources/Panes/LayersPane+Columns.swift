import Interface
import Workbench

extension LayersPane {
  /// Commands for columns: the list of them, and, without keys, one for each to show or hide it and to sort by it.
  static let columnCommands: [Command<PaneContext<LayersPane>, Step>] =
    [
      Command(
        "layers.columns", keys: [.character("C")], title: "columns",
        explanation: "Choose which columns are shown and which one sorts.", group: "Columns", hint: 41,
        action: .chooseColumns, availability: hasTable)
    ]
    + LayerColumn.all.dropFirst().map { column in
      Command(
        "layers.column-\(column.id)", keys: [], title: "show \(column.title)",
        explanation: "Show or hide the column: \(column.explanation)", group: "Columns",
        action: .column(column.id),
        availability: hasTable)
    }
    + LayerColumn.all.filter { $0.sort != nil }.map { column in
      Command(
        "layers.sort-\(column.id)", keys: [], title: "sort \(column.title)",
        explanation: "Sort by it, again for the other direction: \(column.explanation)", group: "Columns",
        action: .sortBy(column.id), availability: hasTable)
    }

  /// Whether the table of layers is seen, not another view.
  private static let hasTable: @Sendable (PaneContext<LayersPane>) -> Availability = {
    $0.state.steps.view != nil || $0.state.blame.isShown ? .hidden : hasLayers($0)
  }
}
