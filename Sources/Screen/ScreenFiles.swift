import Interface
import Jobs
import Panes
import Workbench
import Workflows

/// What is opened and written by dialogs.
extension Screen {
  mutating func openFiles(_ state: inout State) -> [Request] {
    let dialog = OpenDialog(state)
    overlays.append(dialog)
    return apply(.list(dialog.folder), &state)
  }

  mutating func openExport(_ entry: CandidateEntry, _ state: inout State) -> [Request] {
    let dialog = ExportDialog(entry, model: state.project?.model.path ?? "model", state)
    overlays.append(dialog)
    return perform(dialog.questions, &state)
  }

  /// Opens a file as what it is.
  mutating func choose(_ path: String, _ kind: FileKind, _ state: inout State) -> [Request] {
    switch kind {
    case .model: return openModel(OpenRequest(model: path), &state)
    case .recipe:
      guard state.project != nil else {
        say(Toast(.warn, "A recipe needs a model; open one first."), state)
        return []
      }
      return apply(.importRecipe(path: path), &state)
    case .data:
      guard let project = state.project else {
        say(Toast(.warn, "Data needs a model; open one first."), state)
        return []
      }
      // The same model over other data; its candidates come along where no session keeps them.
      var request = OpenRequest(model: project.model.path, data: path, trainData: project.trainDataPath)
      request.otherwise = state.candidates.map(\.recipe)
      return openModel(request, &state)
    case .folder: say(Toast(.warn, "\(path) is a folder."), state)
    case .other:
      say(
        Toast(.bad, "\(path): not there, or neither a model (.onnx), a recipe nor data (card, .npz, .npy)."),
        state)
    }
    return []
  }

  /// Opens another model; asks while a candidate's work goes on, which ends with it.
  mutating func openModel(_ request: OpenRequest, _ state: inout State) -> [Request] {
    let running = state.activeJobs.count { state.owners[$0.id] != nil }
    guard running > 0 else { return apply(.open(request), &state) }
    overlays.append(
      ConfirmDialog(
        title: "Open another model?",
        lines: ["\(running) job\(running == 1 ? " is" : "s are") still at work and will be cancelled."],
        outputs: [.act(.open(request))]))
    return []
  }
}
