import Interface
import Quantization
import Workbench

/// The commands of every dialog, as `lathe keys` lists them.
///
/// A new dialog is a line here.
package enum DialogTables {
  package static var all: [(title: String, rows: [CommandSummary])] {
    [
      ("Lists in dialogs", MenuDialog.everything(MenuDialog(title: "", items: [], outputs: []))),
      ("Questions", ConfirmDialog.everything(ConfirmDialog(title: "", lines: [], outputs: []))),
      ("Text in dialogs", TextDialog.everything(TextDialog(title: "") { _ in [] })),
      ("Advice", AdviceDialog.everything(AdviceDialog())),
      ("Open", OpenDialog.everything(OpenDialog(State()))),
      ("Export", ExportDialog.everything(ExportDialog(Recipe(name: ""), title: "", model: "", State()))),
      ("Write", WriteDialog.everything(WriteDialog(what: "", text: "", State()))),
      ("Changes", ChangesDialog.everything(ChangesDialog(State()))),
      ("Columns", ColumnsDialog.everything(ColumnsDialog(columns: LayerColumns(), sort: LayerSort()))),
      ("Search", SearchDialog.everything(SearchDialog(State()))),
    ]
  }
}
