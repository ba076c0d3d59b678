import Yams

/// The keys of one YAML mapping, taken one after the other; what is left over is an error.
struct Fields {
  let file: String
  /// What the mapping is, for messages: `weights`, or `the recipe`.
  let what: String
  let place: SourcePlace
  private var pairs: [(key: String, keyPlace: SourcePlace, value: Yams.Node)] = []
  private var known: [String] = []

  init(_ node: Yams.Node, file: String, what: String) throws {
    self.file = file
    self.what = what
    place = node.place
    guard case .mapping(let mapping) = node else {
      throw RecipeError(
        file: file, place: node.place, message: "\(what) is \(node.kind), expected a mapping.")
    }
    for (key, value) in mapping {
      guard case .scalar(let scalar) = key else {
        throw RecipeError(
          file: file, place: key.place, message: "a key of \(what) is \(key.kind), expected a word.")
      }
      pairs.append((scalar.string, key.place, value))
    }
  }

  /// The value of `key`, which then counts as known.
  mutating func take(_ key: String) -> Yams.Node? {
    known.append(key)
    guard let index = pairs.firstIndex(where: { $0.key == key }) else { return nil }
    return pairs.remove(at: index).value
  }

  /// Throws when a key was never taken.
  func finish() throws {
    guard let pair = pairs.first else { return }
    throw RecipeError(
      file: file, place: pair.keyPlace,
      message: "unknown key \"\(pair.key)\" in \(what), expected \(known.joined(separator: ", ")).")
  }

  func error(_ node: Yams.Node, _ message: String) -> RecipeError {
    RecipeError(file: file, place: node.place, message: message)
  }

  func name(of key: String) -> String { what == "the recipe" ? key : "\(what).\(key)" }

  mutating func string(_ key: String) throws -> String? {
    guard let node = take(key) else { return nil }
    return try text(node, key)
  }

  func text(_ node: Yams.Node, _ key: String) throws -> String {
    guard case .scalar(let scalar) = node else {
      throw error(node, "\(name(of: key)) is \(node.kind), expected a word.")
    }
    return scalar.string
  }

  mutating func integer(_ key: String, in range: ClosedRange<Int>, besides others: [Int] = []) throws -> Int?
  {
    guard let node = take(key) else { return nil }
    let text = try text(node, key)
    guard let value = Int(text), range.contains(value) || others.contains(value) else {
      let wanted =
        range.upperBound == .max
        ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
      let more = others.map { " or \($0)" }.joined()
      throw error(node, "\(name(of: key)) is \(text), expected \(wanted)\(more).")
    }
    return value
  }

  mutating func number(_ key: String, _ wanted: String, where isValid: (Double) -> Bool) throws -> Double? {
    guard let node = take(key) else { return nil }
    return try number(node, key, wanted, where: isValid)
  }

  func number(_ node: Yams.Node, _ key: String, _ wanted: String, where isValid: (Double) -> Bool) throws
    -> Double
  {
    let text = try text(node, key)
    guard let value = Double(text), value.isFinite, isValid(value) else {
      throw error(node, "\(name(of: key)) is \(text), expected \(wanted).")
    }
    return value
  }

  mutating func bool(_ key: String) throws -> Bool? {
    guard let node = take(key) else { return nil }
    switch try text(node, key) {
    case "true": return true
    case "false": return false
    case let other: throw error(node, "\(name(of: key)) is \(other), expected true or false.")
    }
  }

  mutating func choice<T: CaseIterable & RawRepresentable>(_ key: String, _ type: T.Type) throws -> T?
  where T.RawValue == String {
    guard let node = take(key) else { return nil }
    return try choice(node, key, type)
  }

  func choice<T: CaseIterable & RawRepresentable>(_ node: Yams.Node, _ key: String, _ type: T.Type) throws
    -> T
  where T.RawValue == String {
    let text = try text(node, key)
    guard let value = T(rawValue: text) else {
      let wanted = T.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(node, "\(name(of: key)) is \(text), expected \(wanted).")
    }
    return value
  }

  /// One word or a list of words.
  mutating func words(_ key: String) throws -> [(text: String, node: Yams.Node)]? {
    guard let node = take(key) else { return nil }
    guard case .sequence(let sequence) = node else { return [(try text(node, key), node)] }
    return try sequence.map { (try text($0, key), $0) }
  }
}

extension Yams.Node {
  var place: SourcePlace { mark.map { SourcePlace(line: $0.line, column: $0.column) } ?? SourcePlace() }

  /// What kind of node this is, for messages.
  var kind: String {
    switch self {
    case .scalar(let scalar): scalar.string.isEmpty ? "empty" : "\"\(scalar.string)\""
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }
}
