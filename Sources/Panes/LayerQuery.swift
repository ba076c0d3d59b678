import Interface

/// What a filter asks of layers: terms of which every one must hold.
///
/// `op:Conv bits<8 size>10k sens>0.5 mode:static name:… /regex/ word`, each negated by a `!` before it; the fields are
/// `LayerField.all`.
struct LayerQuery {
  /// What is wrong with a term: what was found, and what was expected.
  struct Problem: Error, Equatable {
    var text: String
    /// What stands before the term, which can be read.
    var before = ""
  }

  private enum Comparison: String, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case less = "<"
    case greater = ">"
    case equal = "="

    func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .lessOrEqual: a <= b
      case .greaterOrEqual: a >= b
      case .less: a < b
      case .greater: a > b
      case .equal: a == b
      }
    }
  }

  private enum Condition {
    case word(String)
    case pattern(Regex<AnyRegexOutput>)
    case text(@Sendable (LayerRecord) -> String, part: String)
    case number(@Sendable (LayerRecord) -> Double?, Comparison, Double)
  }

  private var terms: [(isNegated: Bool, condition: Condition)] = []
  private var hasWords = false

  init(_ text: String) throws(Problem) {
    var rest = Substring(text)
    while true {
      rest = rest.drop { $0 == " " }
      guard !rest.isEmpty else { return }
      let start = rest.startIndex
      do {
        let term = try Self.term(&rest)
        terms.append(term)
        if case .word = term.condition { hasWords = true }
      } catch {
        throw Problem(text: error.text, before: text[..<start].trimmingSuffix { $0 == " " })
      }
    }
  }

  /// Plain words that must be there, for highlighting.
  var words: String {
    terms.compactMap {
      guard !$0.isNegated, case .word(let word) = $0.condition else { return nil }
      return word
    }.joined(separator: " ")
  }

  /// Whether all terms hold for a row with this name, of this kind, that belongs to a layer.
  ///
  /// Words are looked for in name and kind, expressions in the name. A figure that is not known, of the layer or for want
  /// of one, fulfils no comparison and no negation of one.
  func matches(_ name: String, kind: String, _ layer: LayerRecord?) -> Bool {
    let lower = hasWords ? "\(name) \(kind)".lowercased() : ""
    return terms.allSatisfy { term in
      switch term.condition {
      case .word(let word): return lower.holds(word) != term.isNegated
      case .pattern(let pattern): return ((try? pattern.firstMatch(in: name)) != nil) != term.isNegated
      case .text(let value, let part):
        guard let layer else { return false }
        return value(layer).lowercased().holds(part) != term.isNegated
      case .number(let value, let comparison, let limit):
        guard let number = layer.flatMap(value) else { return false }
        return comparison.holds(number, limit) != term.isNegated
      }
    }
  }

  // MARK: Reading

  /// Whether a character stands between a field and a value.
  static func isComparison(_ character: Character) -> Bool { ":<>=".contains(character) }

  private static func term(
    _ rest: inout Substring
  ) throws(Problem) -> (isNegated: Bool, condition: Condition) {
    let isNegated = rest.first == "!"
    if isNegated { rest = rest.dropFirst() }
    guard let first = rest.first, first != " " else {
      throw Problem(text: "! stands alone (expected a word, field or /regex/ right after it)")
    }
    return (isNegated, first == "/" ? try pattern(&rest) : try condition(token(&rest)))
  }

  /// Up to the next blank.
  private static func token(_ rest: inout Substring) -> Substring {
    let token = rest.prefix { $0 != " " }
    rest = rest.dropFirst(token.count)
    return token
  }

  /// `/…/`, where `\/` is a slash; blanks may be inside.
  private static func pattern(_ rest: inout Substring) throws(Problem) -> Condition {
    var source = ""
    var isEscaped = false
    var isClosed = false
    rest = rest.dropFirst()
    while let character = rest.popFirst() {
      if character == "/", !isEscaped {
        isClosed = true
        break
      }
      if isEscaped, character != "/" { source.append("\\") }
      isEscaped = character == "\\" && !isEscaped
      if !isEscaped { source.append(character) }
    }
    guard isClosed else { throw Problem(text: "/\(source) is not closed (found the end, expected /)") }
    if let next = rest.first, next != " " {
      throw Problem(text: "/\(source)/ is followed by \(next) (expected a blank)")
    }
    guard !source.isEmpty else { throw Problem(text: "// is empty (expected an expression between the /)") }
    do {
      return .pattern(try Regex(source).ignoresCase())
    } catch {
      throw Problem(text: "/\(source)/ is no regular expression: \(error)")
    }
  }

  private static func condition(_ token: Substring) throws(Problem) -> Condition {
    guard let end = token.firstIndex(where: isComparison) else {
      return .word(token.lowercased())
    }
    let name = String(token[..<end])
    let operation = token[end...]
    guard let field = LayerField.named(name) else {
      let names = LayerField.all.map(\.name).joined(separator: " ")
      throw Problem(text: "\(name.isEmpty ? "nothing" : name) is no field (expected \(names))")
    }
    switch field.value {
    case .text(let value):
      guard operation.hasPrefix(":") || operation.hasPrefix("=") else {
        throw Problem(text: "\(name) is text (found \(operation.prefix(1)), expected :)")
      }
      let part = operation.dropFirst()
      guard !part.isEmpty else {
        throw Problem(text: "\(name): is empty (found the end, expected a part of it)")
      }
      return .text(value, part: part.lowercased())
    case .number(let kilo, let value):
      let comparison = Comparison.allCases.first { operation.hasPrefix($0.rawValue) } ?? .equal
      let written = operation.dropFirst(operation.hasPrefix(":") ? 1 : comparison.rawValue.count)
      guard let number = number(written, kilo: kilo) else {
        let found = written.isEmpty ? "the end" : String(written)
        throw Problem(
          text: "\(name) \(comparison.rawValue) needs a number (found \(found), expected 8, 0.5, 10k or 2M)")
      }
      return .number(value, comparison, number)
    }
  }

  /// `8`, `-0.5`, `10k`, `1.5M`.
  private static func number(_ text: Substring, kilo: Double) -> Double? {
    let units = ["k": kilo, "K": kilo, "M": kilo * kilo]
    let unit = text.last.flatMap { units[String($0)] }
    let digits = unit == nil ? text : text.dropLast()
    guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }) else { return nil }
    return Double(digits).map { $0 * (unit ?? 1) }
  }
}

extension String {
  /// Whether another text stands in it, byte by byte.
  ///
  /// `contains` looks for the borders of characters: of 10 000 names it takes 170 ms, this 1 ms.
  fileprivate func holds(_ part: String) -> Bool {
    var (text, part) = (self, part)
    return text.withUTF8 { text in
      part.withUTF8 { part in
        guard let first = part.first else { return true }
        guard text.count >= part.count else { return false }
        return (0...(text.count - part.count)).contains { start in
          text[start] == first && part.indices.allSatisfy { text[start + $0] == part[$0] }
        }
      }
    }
  }
}

extension Substring {
  /// Without what ends it.
  fileprivate func trimmingSuffix(_ isEnd: (Character) -> Bool) -> String {
    guard let last = lastIndex(where: { !isEnd($0) }) else { return "" }
    return String(self[...last])
  }
}
