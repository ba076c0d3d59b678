extension Canvas {
  /// The rows as plain text without trailing blanks, for golden tests and `--snapshot`.
  package func text() -> String { lines().joined(separator: "\n") }

  package func lines() -> [String] {
    (0..<height).map { y in
      var line = String.UnicodeScalarView()
      var length = 0
      for cell in cells[(y * width)..<((y + 1) * width)] where !cell.isRightHalf {
        for value in [cell.scalar, cell.firstMark, cell.secondMark] where value != 0 {
          if let scalar = Unicode.Scalar(value) { line.append(scalar) }
        }
        if cell.scalar != 0x20 { length = line.count }
      }
      return String(String.UnicodeScalarView(line.prefix(length)))
    }
  }

  /// The plain text, then a letter per cell for its style, then what each letter stands for, so that a change of
  /// style shows in a text comparison.
  package func styledText() -> String {
    let letters = Array(".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    var order: [Style] = [.text]
    var numbers: [Style: Int] = [.text: 0]
    var rows: [String] = []
    for y in 0..<height {
      var row = ""
      for cell in cells[(y * width)..<((y + 1) * width)] {
        let number = numbers[cell.style] ?? order.count
        if number == order.count {
          numbers[cell.style] = number
          order.append(cell.style)
        }
        row.append(letters[number % letters.count])
      }
      rows.append(row)
    }
    let legend = order.enumerated().map { "\(letters[$0.offset % letters.count]) \($0.element)" }
    return (lines() + ["---- styles"] + rows + legend).joined(separator: "\n")
  }
}
