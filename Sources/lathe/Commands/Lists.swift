import ArgumentParser
import Foundation
import Interface
import Quantization
import Workflows

struct ListPresets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "presets", abstract: "List the presets, or print one as a recipe.")
  @Argument(help: "A preset to print as YAML.") var name: String?
  @OptionGroup var output: JSONOption

  private struct Row: Encodable {
    var name: String
    var summary: String
  }

  func run() throws {
    if let name {
      guard let preset = Presets[name] else {
        throw ValidationError(
          "\(name): no such preset. Known: \(Presets.all.map(\.name).joined(separator: ", ")).")
      }
      return Output.line(preset.recipe.yaml)
    }
    if output.json { return try Output.json(Presets.all.map { Row(name: $0.name, summary: $0.summary) }) }
    Output.line(
      TextTable.text(
        header: ["preset", "what it does"], rows: Presets.all.map { [$0.name, $0.summary] }, leftColumns: 2))
  }
}

struct ListThemes: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "themes", abstract: "List the themes.")
  @OptionGroup var output: JSONOption

  func run() throws {
    let names = ThemeLibrary.shipped.map(\.id) + UserFiles().themeNames
    if output.json { return try Output.json(names) }
    Output.line(names.joined(separator: "\n"))
  }
}

struct ListPaths: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paths", abstract: "List the files and folders that lathe reads and writes.")
  @OptionGroup var output: JSONOption

  func run() throws {
    let files = UserFiles()
    let rows = [
      ["config", files.config], ["themes", files.themes], ["state", files.state],
      ["sessions", files.sessions],
      ["log", files.log],
      ["commands", files.commands], ["layout", LayoutFile(files).path],
    ]
    if output.json { return try Output.json(Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })) }
    Output.line(TextTable.text(header: ["what", "where"], rows: rows, leftColumns: 2))
  }
}
