import Yams

/// A YAML node that knows where it stands, with typed access that throws errors naming line and column.
struct CardNode {
  let node: Node
  let file: String
  /// The key it was found under, for messages.
  let key: String

  /// Parses the text of a card.
  ///
  /// Anchors and aliases are refused: a card has no use for them, and nested ones make a small text enormous.
  static func parse(_ text: String, file: String) throws(DatasetError) -> CardNode {
    if let (line, column) = firstAlias(in: text) {
      throw DatasetError(
        file: file, place: .line(line, column: column),
        reason: .unsupported(
          "an anchor or alias in a card", advice: "Write the value out, or put it in quotes."))
    }
    let node: Node?
    do { node = try Yams.compose(yaml: text) } catch { throw cardError(error, file: file) }
    guard let node else {
      throw DatasetError(file: file, reason: .malformed("the card is empty"))
    }
    return CardNode(node: node, file: file, key: "card")
  }

  var isScalar: Bool { node.scalar != nil }
  var line: Int { node.mark?.line ?? 1 }
  var column: Int { node.mark?.column ?? 1 }
  var place: DatasetError.Place { .line(line, column: column) }

  func error(expected: String) -> DatasetError {
    DatasetError(file: file, place: place, reason: .wrongValue(key: key, expected: expected, found: found))
  }

  private var found: String {
    switch node {
    case .scalar(let scalar): "\"\(scalar.string)\""
    case .mapping: "a mapping"
    case .sequence: "a list"
    default: "an alias"
    }
  }

  /// The pairs of a mapping whose keys are all among `known`; `nil` allows any.
  func pairs(known: [String]?) throws(DatasetError) -> [(key: String, value: CardNode)] {
    guard let mapping = node.mapping else { throw error(expected: "a mapping of keys to values") }
    var result: [(key: String, value: CardNode)] = []
    for (keyNode, value) in mapping {
      guard let name = keyNode.scalar?.string else {
        throw CardNode(node: keyNode, file: file, key: key).error(expected: "a name as key")
      }
      if let known, !known.contains(name) {
        let mark = keyNode.mark
        throw DatasetError(
          file: file, place: .line(mark?.line ?? line, column: mark?.column ?? column),
          reason: .unknownKey(name, known: known))
      }
      result.append((name, CardNode(node: value, file: file, key: name)))
    }
    return result
  }

  func string() throws(DatasetError) -> String {
    guard let text = node.scalar?.string, !text.isEmpty else { throw error(expected: "a text") }
    return text
  }

  func number() throws(DatasetError) -> Float {
    guard let text = node.scalar?.string, let value = Double(text), value.isFinite, Float(value).isFinite
    else {
      throw error(expected: "a number")
    }
    return Float(value)
  }

  /// A number, or a list of up to 4 096 of them.
  func numbers() throws(DatasetError) -> [Float] {
    guard let sequence = node.sequence else { return [try number()] }
    guard (1...4096).contains(sequence.count) else { throw error(expected: "1 to 4096 numbers") }
    var result: [Float] = []
    for item in sequence { result.append(try CardNode(node: item, file: file, key: key).number()) }
    return result
  }

  func integer(_ range: ClosedRange<Int>) throws(DatasetError) -> Int {
    guard let text = node.scalar?.string, let value = Int(text), range.contains(value) else {
      throw error(expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func boolean() throws(DatasetError) -> Bool {
    switch node.scalar?.string {
    case "true": return true
    case "false": return false
    default: throw error(expected: "true or false")
    }
  }

  func choice<T: RawRepresentable & CaseIterable>(_ type: T.Type) throws(DatasetError) -> T
  where T.RawValue == String {
    guard let text = node.scalar?.string, let value = T(rawValue: text) else {
      throw error(expected: T.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return value
  }
}

private func cardError(_ error: any Error, file: String) -> DatasetError {
  switch error {
  case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
    YamlError.composer(_, let problem, let mark, _):
    DatasetError(
      file: file, place: .line(mark.line, column: mark.column),
      reason: .malformed("not valid YAML: \(problem)"))
  case YamlError.duplicatedKeysInMapping(let duplicates, let context):
    DatasetError(
      file: file, place: .line(context.mark.line, column: context.mark.column),
      reason: .duplicate("the key \"\(duplicates.first ?? "")\""))
  case YamlError.reader(let problem, let offset, _, _):
    DatasetError(file: file, place: .byte(offset ?? 0), reason: .malformed("not valid YAML: \(problem)"))
  default:
    DatasetError(file: file, reason: .malformed("not valid YAML"))
  }
}

/// Line and column of the first `&name` or `*name` outside quotes and comments.
private func firstAlias(in text: String) -> (Int, Int)? {
  var line = 1
  var column = 0
  var quote: Unicode.Scalar?
  var inComment = false
  var previous: Unicode.Scalar = "\n"
  for scalar in text.unicodeScalars {
    column += 1
    defer {
      if scalar == "\n" {
        line += 1
        column = 0
        inComment = false
      }
      previous = scalar
    }
    if inComment { continue }
    if let open = quote {
      if scalar == open { quote = nil }
      continue
    }
    guard " \t\r\n[]{},:-?".unicodeScalars.contains(previous) else { continue }
    switch scalar {
    case "'", "\"": quote = scalar
    case "#": inComment = true
    case "&", "*": return (line, column)
    default: break
    }
  }
  return nil
}
