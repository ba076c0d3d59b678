/// A pattern for whole layer names, ready to match.
struct NamePattern {
  private enum Form {
    case glob([Token])
    case expression(Regex<AnyRegexOutput>)
    /// An expression that cannot be read: matches nothing.
    case nothing
  }

  private enum Token: Equatable {
    case character(Character)
    case one
    case any
  }

  private let form: Form
  private static let prefix = "regex:"

  init(_ text: String) {
    if text.hasPrefix(Self.prefix) {
      let expression = try? Regex(String(text.dropFirst(Self.prefix.count)))
      form = expression.map(Form.expression) ?? .nothing
      return
    }
    var tokens: [Token] = []
    var escaped = false
    for character in text {
      if escaped {
        tokens.append(.character(character))
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else if character == "*" {
        if tokens.last != .any { tokens.append(.any) }
      } else {
        tokens.append(character == "?" ? .one : .character(character))
      }
    }
    if escaped { tokens.append(.character("\\")) }
    form = .glob(tokens)
  }

  /// What is wrong with the pattern, or nothing.
  static func problem(in text: String) -> String? {
    guard text.hasPrefix(prefix) else { return nil }
    do {
      _ = try Regex(String(text.dropFirst(prefix.count)))
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// The pattern that matches exactly this name.
  static func exact(_ name: String) -> String {
    var result = name.hasPrefix(prefix) ? "\\" : ""
    for character in name {
      if character == "*" || character == "?" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result
  }

  func matches(_ name: String) -> Bool {
    switch form {
    case .nothing: return false
    case .expression(let expression): return (try? expression.wholeMatch(in: name)) != nil
    case .glob(let tokens): return Self.matches(tokens, Array(name))
    }
  }

  /// Greedy matching with one point to return to: the last `*`.
  private static func matches(_ tokens: [Token], _ name: [Character]) -> Bool {
    var (token, position) = (0, 0)
    var retry: (token: Int, position: Int)?
    while position < name.count {
      if token < tokens.count, tokens[token] == .any {
        retry = (token, position)
        token += 1
      } else if token < tokens.count, tokens[token] == .one || tokens[token] == .character(name[position]) {
        token += 1
        position += 1
      } else if let last = retry {
        retry = (last.token, last.position + 1)
        token = last.token + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    return tokens[token...].allSatisfy { $0 == .any }
  }
}

/// A match with its patterns ready.
struct CompiledMatch {
  private let patterns: [NamePattern]
  private let operators: [String]
  private let roles: [NamePattern]

  init(_ match: Match) {
    patterns = match.names.map(NamePattern.init)
    operators = match.operators
    roles = match.roles.map(NamePattern.init)
  }

  func holds(_ layer: LayerIdentity) -> Bool {
    (operators.isEmpty || operators.contains(layer.operatorName))
      && (patterns.isEmpty || patterns.contains { $0.matches(layer.name) })
      && (roles.isEmpty || roles.contains { $0.matches(layer.role) })
  }
}
