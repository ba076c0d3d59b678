import Formats

extension JSONPlace {
  /// The parts of a step that may be a `Sequence` of steps, or null.
  func flattened(_ list: String) throws(ImportError) -> [JSONPlace] {
    guard value != .null else { return [] }
    guard try required("type").text() == "Sequence" else { return [self] }
    var parts: [JSONPlace] = []
    for part in try required(list).elements() { parts += try part.flattened(list) }
    return parts
  }

  func unsupported(_ what: String) throws(ImportError) -> ImportError {
    error(.unsupported(what: what, found: try required("type").text()))
  }

  /// A pattern that is a text, `{"String": …}`, or an expression, `{"Regex": …}`.
  func target() throws(ImportError) -> ReplaceNormalizer.Target {
    if let text = member("String") { return .text(try text.bytes()) }
    return .pattern(try required("Regex").pattern())
  }

  func pattern() throws(ImportError) -> Pattern {
    let source = try text()
    do throws(PatternError) {
      return try Pattern(source)
    } catch {
      throw self.error(
        .unsupported(what: "the pattern (character \(error.place): \(error.problem))", found: "\"\(source)\"")
      )
    }
  }
}
