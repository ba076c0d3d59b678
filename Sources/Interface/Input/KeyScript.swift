/// The language of `--keys`: what a person would type, as text.
package enum KeyScript {
  package enum Step: Hashable, Sendable {
    case key(Key)
    /// Typed literally, as a paste would be.
    case text(String)
    /// Until the jobs have ended.
    case wait
  }

  /// Steps of tokens separated by blanks: a key name, `wait`, `text:…` (literal; `text:"…"` may hold blanks), else one
  /// key per character.
  package static func steps(_ script: String) -> [Step] {
    tokens(of: script).flatMap { token -> [Step] in
      if token == "wait" { return [.wait] }
      if token.hasPrefix("text:") { return [.text(literal(token.dropFirst(5)))] }
      if let key = Key(name: token) { return [.key(key)] }
      return token.map { .key(.character($0)) }
    }
  }

  private static func literal(_ text: Substring) -> String {
    text.count >= 2 && text.first == "\"" && text.last == "\""
      ? String(text.dropFirst().dropLast()) : String(text)
  }

  /// Cuts at white space, except inside the quotes of a `text:"…"`.
  private static func tokens(of script: String) -> [String] {
    var tokens: [String] = []
    var token = ""
    var quoted = false
    for character in script {
      if quoted {
        token.append(character)
        quoted = character != "\""
      } else if character.isWhitespace {
        if !token.isEmpty { tokens.append(token) }
        token = ""
      } else {
        quoted = token == "text:" && character == "\""
        token.append(character)
      }
    }
    return token.isEmpty ? tokens : tokens + [token]
  }
}
