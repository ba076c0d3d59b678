import ArgumentParser
import Interface
import Screen
import Workflows

struct ListKeys: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "List the keys of the workbench as they are now, by pane.")
  @OptionGroup var output: JSONOption

  private struct Row: Encodable {
    var pane: String
    var id: String
    var keys: [String]
    var title: String
    var explanation: String
  }

  func run() throws {
    let (map, _, warnings) = UserFiles().configuration()
    for warning in warnings { Output.error("\(warning)") }
    let tables = Screen.commandTables(map)
    if output.json {
      return try Output.json(
        tables.flatMap { table in
          table.rows.map {
            Row(
              pane: table.title, id: $0.id, keys: $0.keys.map(\.name), title: $0.title,
              explanation: $0.explanation)
          }
        })
    }
    for table in tables {
      Output.line(table.title)
      Output.line(
        TextTable.text(
          header: ["  key", "what it does"], rows: table.rows.map { ["  " + $0.keyLabel, $0.explanation] },
          leftColumns: 2) + "\n")
    }
  }
}
