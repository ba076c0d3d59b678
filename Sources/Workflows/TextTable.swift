/// A table in plain text, for people and screen readers.
package enum TextTable {
  /// - Parameters:
  ///   - leftColumns: how many columns, from the first, are aligned left; the others are numbers.
  ///   - endsInText: whether the last column is aligned left too.
  package static func text(
    header: [String], rows: [[String]], leftColumns: Int, endsInText: Bool = false
  ) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let cells = row.indices.map { column in
        let pad = String(repeating: " ", count: widths[column] - row[column].count)
        return column < leftColumns || (endsInText && column == widths.count - 1)
          ? row[column] + pad : pad + row[column]
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
