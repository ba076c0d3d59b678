import Exporters
import Foundation
import Interface
import Quantization
import Workbench

/// Where and as what the current candidate is written.
package struct ExportDialog: Overlay {
  package let title: String
  private let recipe: Recipe
  private var format = 0
  private var path: TextField

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

  package init(_ entry: CandidateEntry, model: String) {
    title = "Export \(entry.title)"
    recipe = entry.recipe
    let stem = ((model as NSString).lastPathComponent as NSString).deletingPathExtension
    path = TextField("\(stem)-\(Self.fileName(entry.recipe.name)).\(Self.choices[0].ending)")
  }

  /// A recipe's name as part of a file name.
  private static func fileName(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? $0 : "-" })
  }

  package mutating func handle(_ input: Input, _ state: State, screen: Rect) -> [PaneOutput] {
    switch input {
    case .key(.escape), .key(.control("c")): return [.close]
    case .key(.up), .key(.backTab): turn(-1)
    case .key(.down), .key(.tab): turn(1)
    case .key(.enter):
      guard !path.text.isEmpty else { return [] }
      return [
        .close,
        .act(.export(ExportRequest(format: Self.choices[format].name, path: path.text, recipe: recipe))),
      ]
    case .key(let key): _ = path.handle(key)
    case .paste(let text): path.insert(text)
    default: break
    }
    return []
  }

  private mutating func turn(_ by: Int) {
    let count = Self.choices.count
    let old = Self.choices[format].ending
    format = (format + by + count) % count
    let stem = path.text.hasSuffix(".\(old)") ? String(path.text.dropLast(old.count + 1)) : path.text
    path = TextField("\(stem).\(Self.choices[format].ending)")
  }

  package func draw(on canvas: inout Canvas, in screen: Rect, _ state: State) {
    let inside = Dialog(
      title: title,
      hints: [
        Run("↑↓", .key), Run(" format  "), Run("enter", .key), Run(" write  "), Run("esc", .key),
        Run(" cancel"),
      ], size: Size(width: 72, height: Self.choices.count + 5)
    ).draw(on: &canvas, in: screen)
    for (index, choice) in Self.choices.enumerated() where index < inside.height {
      let row = inside.row(index)
      canvas.put(
        [Run(index == format ? "▸ " : "  ", .key), Run(choice.title)], x: row.x, y: row.y, width: row.width)
      if index == format { canvas.restyle(row) { $0.selected } }
    }
    canvas.put("File", x: inside.x, y: inside.y + Self.choices.count + 1, width: 6, .muted)
    path.draw(on: &canvas, in: inside.row(Self.choices.count + 2))
  }
}
