extension JSON {
  /// The text on one line, without blanks.
  package var text: String {
    var out = ""
    write(to: &out, indent: nil)
    return out
  }

  /// The text in lines, two blanks for each level, as configurations are kept.
  package var lines: String {
    var out = ""
    write(to: &out, indent: 0)
    return out + "\n"
  }

  private func write(to out: inout String, indent: Int?) {
    switch self {
    case .null: out += "null"
    case .bool(let x): out += x ? "true" : "false"
    case .integer(let x): out += String(x)
    case .number(let x): out += Self.text(of: x)
    case .string(let x): Self.write(x, to: &out)
    case .array(let items):
      Self.list(items, "[", "]", to: &out, indent: indent) { item, out, inner in
        item.write(to: &out, indent: inner)
      }
    case .object(let object):
      Self.list(object.entries, "{", "}", to: &out, indent: indent) { entry, out, inner in
        Self.write(entry.key, to: &out)
        out += inner == nil ? ":" : ": "
        entry.value.write(to: &out, indent: inner)
      }
    }
  }

  private static func list<T>(
    _ items: [T], _ open: String, _ close: String, to out: inout String, indent: Int?,
    _ item: (T, inout String, Int?) -> Void
  ) {
    out += open
    for (index, each) in items.enumerated() {
      if index > 0 { out += "," }
      if let indent { out += "\n" + String(repeating: "  ", count: indent + 1) }
      item(each, &out, indent.map { $0 + 1 })
    }
    if let indent, !items.isEmpty { out += "\n" + String(repeating: "  ", count: indent) }
    out += close
  }

  /// As Python reads it back.
  private static func text(of x: Double) -> String {
    if x.isNaN { return "NaN" }
    if x.isInfinite { return x < 0 ? "-Infinity" : "Infinity" }
    return "\(x)"
  }

  private static func write(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}
