import Formats

/// Text for HTML.
enum HTML {
  /// Text that may stand between tags and in quoted attributes, without control characters.
  static func escaped(_ text: String) -> String { replaced(displayText(text)) }

  /// The same with its line ends kept.
  static func escapedLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { replaced(visible(String($0))) }
      .joined(separator: "\n")
  }

  /// Without control characters; of any length, unlike `displayText`.
  private static func visible(_ line: String) -> String {
    String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
  }

  private static func replaced(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.append(character)
      }
    }
    return result
  }

  /// An element around content that is already HTML.
  static func element(_ tag: String, _ content: String, class name: String? = nil) -> String {
    "<\(tag)\(name.map { " class=\"\($0)\"" } ?? "")>\(content)</\(tag)>"
  }

  static func list(_ items: [String]) -> String {
    items.isEmpty ? "" : element("ul", items.map { element("li", escaped($0)) }.joined())
  }
}
