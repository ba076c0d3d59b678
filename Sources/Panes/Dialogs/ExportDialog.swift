import Exporters
import Foundation
import Interface
import Quantization
import Workbench

/// Where and as what the current candidate is written, what the target cannot express, and how the file begins.
package struct ExportDialog: CommandedOverlay {
  package let title: String
  private let recipe: Recipe
  private let note: String
  private var format = 0
  private var path: PathText

  /// A way to write a candidate.
  private struct Choice {
    var name: String
    var title: String
    var ending: String
  }

  private static let choices: [Choice] =
    Exporter.all.map { Choice(name: $0.name, title: $0.title, ending: $0.ending) } + [
      Choice(name: "onnx", title: "quantized ONNX model", ending: "onnx")
    ]

  package init(_ entry: CandidateEntry, model: String, _ state: State) {
    self.init(entry.recipe, title: entry.title, note: entry.note, model: model, state)
  }

  init(_ recipe: Recipe, title: String, note: String = "", model: String, _ state: State) {
    self.title = "Export \(title)"
    self.recipe = recipe
    self.note = note
    let stem = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
    path = PathText(
      base: state.files.working, home: state.files.home,
      field: TextField("\(stem)-\(Self.fileName(recipe.name)).\(Self.choices[0].ending)"))
  }

  /// A recipe's name as part of a file name.
  private static func fileName(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? $0 : "-" })
  }

  package enum Step: Sendable {
    case turn(Int)
    case write
    case complete
    case close
  }

  package static let commands = CommandTable<OverlayContext<ExportDialog>, Step>([
    Command(
      "export.previous", keys: [.up, .backTab], title: "format", explanation: "Take the format before.",
      group: "Export", hint: 0, action: .turn(-1)),
    Command(
      "export.next", keys: [.down], title: "format", explanation: "Take the next format.", group: "Export",
      hint: 0, action: .turn(1)),
    Command(
      "export.complete", keys: [.tab], title: "complete",
      explanation: "Type the rest of the path, as far as it is clear.", group: "Export", hint: 2,
      action: .complete),
    Command(
      "export.write", keys: [.enter], title: "write",
      explanation: "Write the file; asks before one that is there is replaced.", group: "Export", hint: 1,
      action: .write,
      availability: { .when(!$0.dialog.path.name.isEmpty, else: "The file needs a name.") }),
    Command(
      "export.close", keys: [.escape, .control("c")], title: "cancel",
      explanation: "Close and write nothing.",
      group: "Export", hint: 9, action: .close),
  ])

  /// What the dialog wants to know when it opens.
  package var questions: [PaneOutput] { [.act(.list(path.folder)), .act(.previewExport(request))] }

  private var request: ExportRequest {
    ExportRequest(format: Self.choices[format].name, path: written, recipe: recipe, note: note)
  }

  /// The path as it is written: as typed, except that `~` is the home folder.
  private var written: String { path.field.text.hasPrefix("~") ? path.path : path.field.text }

  package mutating func update(_ step: Step, _ state: State, screen: Rect) -> [PaneOutput] {
    let folder = path.folder
    switch step {
    case .close: return [.close]
    case .turn(let by):
      turn(by)
      return [.act(.previewExport(request))]
    case .complete: _ = path.complete(state.files.listings[folder])
    case .write: return [.close, .act(.export(request))]
    }
    return path.folder == folder ? [] : [.act(.list(path.folder))]
  }

  package mutating func type(_ key: Key, _ state: State, screen: Rect) -> [PaneOutput] {
    let folder = path.folder
    _ = path.field.handle(key)
    return path.folder == folder ? [] : [.act(.list(path.folder))]
  }

  package mutating func paste(_ text: String, _ state: State, screen: Rect) -> [PaneOutput] {
    let folder = path.folder
    path.field.insert(text)
    return path.folder == folder ? [] : [.act(.list(path.folder))]
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, screen: Rect) -> [PaneOutput] {
    guard case .press(.left) = mouse.kind else { return [] }
    let frame = dialog(state).frame(in: screen)
    guard frame.contains(mouse.at) else { return [.close] }
    let row = mouse.at.y - frame.y - 1
    guard Self.choices.indices.contains(row), row != format else { return [] }
    return update(.turn(row - format), state, screen: screen)
  }

  private mutating func turn(_ by: Int) {
    let count = Self.choices.count
    let old = Self.choices[format].ending
    format = (format + by + count) % count
    let text = path.field.text
    let stem = text.hasSuffix(".\(old)") ? String(text.dropLast(old.count + 1)) : text
    path.field = TextField("\(stem).\(Self.choices[format].ending)")
  }

  private func dialog(_ state: State) -> Dialog {
    Dialog(title: title, hints: hints(state), size: Size(width: 92, height: 32))
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = dialog(state).draw(on: &canvas, in: screen)
    for (index, choice) in Self.choices.enumerated() where index < inside.height {
      let row = inside.row(index)
      canvas.put(
        [Run(index == format ? "▸ " : "  ", .key), Run(choice.title)], x: row.x, y: row.y, width: row.width)
      if index == format { canvas.restyle(row) { $0.selected } }
    }
    let top = Self.choices.count
    path.field.draw(on: &canvas, in: inside.row(top + 1))
    let place = inside.row(top + 2)
    var status = OpenDialog.status(path.folder, state, width: place.width - 36)
    if let entry = state.files.listings[path.folder]?.entries.first(where: { $0.name == path.name }) {
      status.append(
        Run(entry.kind == .folder ? "  is a folder" : "  is there already: y will be asked", .warn))
    }
    canvas.put(status, x: place.x, y: place.y, width: place.width)
    var y = inside.y + top + 3
    for row in report(state, width: inside.width) where y < inside.maxY {
      canvas.put([row], x: inside.x, y: y, width: inside.width)
      y += 1
    }
  }

  /// Size, losses, then the first lines.
  private func report(_ state: State, width: Int) -> [Run] {
    let known = state.files.preview.flatMap { preview in
      preview.request.format == request.format && preview.request.recipe == recipe ? preview : nil
    }
    var rows: [Run] = []
    func add(_ text: String, _ style: Style) { rows += Fitting.wrap(text, to: width).map { Run($0, style) } }
    guard let known else { return [Run("looking at what it will be …", .muted)] }
    if let bytes = known.bytes {
      let lines = known.lineCount > 0 ? ", \(Words.plural(known.lineCount, "line"))" : ""
      add("\(Numbers.bytes(bytes))\(lines)", .muted)
    } else if known.lines.isEmpty, request.format == Self.choices.last?.name, let bytes = Self.estimate(state)
    {
      add("≈ \(Numbers.bytes(bytes)) of weights (estimate)", .muted)
    }
    if let note = known.note { add(note, .muted) }
    for loss in known.losses { add("! \(loss)", .warn) }
    if known.note == nil, known.losses.isEmpty { add("✓ the target can express all of it", .good) }
    guard !known.lines.isEmpty else { return rows }
    rows.append(Run(String(repeating: "─", count: width), .border))
    return rows + known.lines.map { Run(Fitting.cut($0, to: width), .text) }
  }

  /// Bytes of the layers' constants under the current recipe, as the table of layers counts them.
  private static func estimate(_ state: State) -> Int? {
    let layers = state.layerViews
    return layers.isEmpty ? nil : layers.reduce(0) { $0 + $1.bytesAfter }
  }
}
