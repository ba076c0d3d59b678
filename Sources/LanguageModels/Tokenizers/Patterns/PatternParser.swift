/// What is wrong with a pattern, or what of it is not supported.
struct PatternError: Error, Equatable {
  var problem: String
  /// Number of the scalar in the pattern, from 0.
  var place: Int
}

/// Reads the part of Oniguruma's syntax that the published tokenizers use: sets with sets and intersections in them,
/// `\p{…}` of general categories, groups, `(?i:…)`, look-ahead, atomic groups, greedy, lazy and possessive repetitions.
///
/// As there, `^` and `$` are the ends of a line and `{n,m}+` repeats a repetition (doc/RE of Oniguruma).
struct PatternParser {
  static let lengthLimit = 20_000
  private static let depthLimit = 50
  static let repetitionLimit = 1_000

  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var depth = 0

  static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
    var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
    guard parser.scalars.count <= lengthLimit else {
      throw PatternError(problem: "is longer than \(lengthLimit) characters", place: lengthLimit)
    }
    let node = try parser.alternatives(ignoresCase: false)
    guard parser.place == parser.scalars.count else { throw parser.wrong("\")\" closes nothing") }
    return node
  }

  private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

  private func wrong(_ problem: String) -> PatternError { PatternError(problem: problem, place: place) }

  private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  private mutating func takes(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard scalars[place...].starts(with: wanted) else { return false }
    place += wanted.count
    return true
  }

  private mutating func take() throws(PatternError) -> Unicode.Scalar {
    guard let scalar = next else { throw wrong("ends too early") }
    place += 1
    return scalar
  }

  private mutating func alternatives(ignoresCase: Bool) throws(PatternError) -> PatternNode {
    guard depth < Self.depthLimit else { throw wrong("is nested deeper than \(Self.depthLimit) levels") }
    depth += 1
    defer { depth -= 1 }
    var branches: [PatternNode] = []
    var ignoresCase = ignoresCase
    repeat { branches.append(try sequence(&ignoresCase)) } while takes("|")
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence(_ ignoresCase: inout Bool) throws(PatternError) -> PatternNode {
    var parts: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if takes("(?i)") {
        ignoresCase = true
        continue
      }
      parts.append(try repetitions(of: try atom(ignoresCase: ignoresCase)))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func atom(ignoresCase: Bool) throws(PatternError) -> PatternNode {
    let scalar = try take()
    switch scalar {
    case "(": return try group(ignoresCase: ignoresCase)
    case "[":
      let set = try set()
      return .set(ignoresCase ? set.ignoringCase : set)
    case ".":
      return .set(ScalarSet(0x0A).negated)
    case "^": return .anchor(.lineStart)
    case "$": return .anchor(.lineEnd)
    case "\\": return try escaped(ignoresCase: ignoresCase)
    case "*", "+", "?":
      place -= 1
      throw wrong("\"\(scalar)\" repeats nothing")
    default: return .set(character(scalar.value, ignoresCase: ignoresCase))
    }
  }

  private func character(_ value: UInt32, ignoresCase: Bool) -> ScalarSet {
    ignoresCase ? ScalarSet(value).ignoringCase : ScalarSet(value)
  }

  private mutating func group(ignoresCase: Bool) throws(PatternError) -> PatternNode {
    var wrap: (PatternNode) -> PatternNode = { $0 }
    var ignoresCase = ignoresCase
    if takes("?i:") {
      ignoresCase = true
    } else if takes("?-i:") {
      ignoresCase = false
    } else if takes("?=") {
      wrap = { .look($0, isNegated: false) }
    } else if takes("?!") {
      wrap = { .look($0, isNegated: true) }
    } else if takes("?>") {
      wrap = { .atomic($0) }
    } else if next == "?", !takes("?:") {
      throw wrong("this kind of group is not supported")
    }
    let body = try alternatives(ignoresCase: ignoresCase)
    guard takes(")") else { throw wrong("a group is not closed") }
    return wrap(body)
  }

  // MARK: repetitions

  private mutating func repetitions(of node: PatternNode) throws(PatternError) -> PatternNode {
    var node = node
    while let counts = try counts() {
      if node.mayBeEmpty, counts.range.upperBound > 1 {
        throw wrong("repeating what may be empty is not supported")
      }
      if case .look = node { throw wrong("repeating a look-ahead is not supported") }
      if case .anchor = node { throw wrong("repeating an anchor is not supported") }
      var greed = PatternNode.Greed.greedy
      if takes("?") {
        greed = .lazy
      } else if !counts.isInterval, takes("+") {
        greed = .possessive
      }
      node = .repetition(node, counts.range, greed)
    }
    return node
  }

  private mutating func counts() throws(PatternError) -> (range: ClosedRange<Int>, isInterval: Bool)? {
    switch next {
    case "*":
      place += 1
      return (0...PatternNode.unbounded, false)
    case "+":
      place += 1
      return (1...PatternNode.unbounded, false)
    case "?":
      place += 1
      return (0...1, false)
    case "{":
      let start = place
      place += 1
      let least = try number()
      let most = takes(",") ? try number() ?? PatternNode.unbounded : least
      guard takes("}"), least != nil || most != nil, let most else {
        // A brace that is no interval is a character.
        place = start
        return nil
      }
      let from = least ?? 0
      guard from <= most else { throw wrong("the counts of a repetition are in the wrong order") }
      return (from...most, true)
    default: return nil
    }
  }

  private mutating func number() throws(PatternError) -> Int? {
    var value: Int?
    while let digit = next, ("0"..."9").contains(digit) {
      let grown = (value ?? 0) * 10 + Int(digit.value - 0x30)
      guard grown <= Self.repetitionLimit else {
        throw wrong("repeats more than \(Self.repetitionLimit) times")
      }
      value = grown
      place += 1
    }
    return value
  }

  // MARK: escapes

  private mutating func escaped(ignoresCase: Bool) throws(PatternError) -> PatternNode {
    switch next {
    case "A": return .anchor(try anchor(.textStart))
    case "z": return .anchor(try anchor(.textEnd))
    case "Z": return .anchor(try anchor(.textEndOrLastNewline))
    case "b": return .anchor(try anchor(.wordBoundary))
    case "B": return .anchor(try anchor(.noBoundary))
    default: break
    }
    if let named = try namedSet() { return .set(named) }
    return .set(character(try escapedCharacter(), ignoresCase: ignoresCase))
  }

  private mutating func anchor(_ anchor: PatternNode.Anchor) throws(PatternError) -> PatternNode.Anchor {
    place += 1
    return anchor
  }

  /// A set that a letter after `\` stands for, `nil` where it stands for a character.
  private mutating func namedSet() throws(PatternError) -> ScalarSet? {
    let letter = try take()
    switch letter {
    case "s": return ScalarSet(property: CharacterTable.whitespace)
    case "S": return ScalarSet(property: CharacterTable.whitespace).negated
    case "d": return ScalarSet(CategorySet(.decimalNumber))
    case "D": return ScalarSet(CategorySet(.decimalNumber)).negated
    case "w": return NamedSets.word
    case "W": return NamedSets.word.negated
    case "p", "P":
      guard takes("{") else { throw wrong("\"{\" is expected after \\\(letter)") }
      let isNegated = takes("^") != (letter == "P")
      var name = ""
      while let scalar = next, scalar != "}" {
        name.unicodeScalars.append(scalar)
        place += 1
      }
      guard takes("}") else { throw wrong("\\\(letter){ is not closed") }
      let set = try property(name)
      return isNegated ? set.negated : set
    default:
      place -= 1
      return nil
    }
  }

  private func property(_ name: String) throws(PatternError) -> ScalarSet {
    if let set = NamedSets.set(name) { return set }
    throw wrong("the property \"\(name)\" is not supported")
  }

  private mutating func escapedCharacter() throws(PatternError) -> UInt32 {
    let letter = try take()
    switch letter {
    case "n": return 0x0A
    case "r": return 0x0D
    case "t": return 0x09
    case "f": return 0x0C
    case "v": return 0x0B
    case "a": return 0x07
    case "e": return 0x1B
    case "x": return takes("{") ? try hexadecimal(closedBy: "}") : try hexadecimal(digits: 2)
    case "u": return try hexadecimal(digits: 4)
    default:
      guard !letter.properties.isAlphabetic, letter.properties.numericType == nil else {
        place -= 1
        throw wrong("the escape \"\\\(letter)\" is not supported")
      }
      return letter.value
    }
  }

  private mutating func hexadecimal(digits: Int) throws(PatternError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = Character(try take()).hexDigitValue else {
        throw wrong("a hexadecimal digit is expected")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  private mutating func hexadecimal(closedBy end: Unicode.Scalar) throws(PatternError) -> UInt32 {
    var value: UInt32 = 0
    while true {
      let scalar = try take()
      if scalar == end { return value }
      guard let digit = Character(scalar).hexDigitValue, value < 0x11_0000 else {
        throw wrong("a hexadecimal number of a character is expected")
      }
      value = value << 4 | UInt32(digit)
    }
  }

  // MARK: sets

  /// A set, after its `[`.
  private mutating func set() throws(PatternError) -> ScalarSet {
    guard depth < Self.depthLimit else { throw wrong("is nested deeper than \(Self.depthLimit) levels") }
    depth += 1
    defer { depth -= 1 }
    let isNegated = takes("^")
    var all: ScalarSet?
    var part = ScalarSet()
    var isFirst = true
    while !(next == "]" && !isFirst) {
      isFirst = false
      if takes("&&") {
        part.finish()
        all = Self.intersection(all, part)
        part = ScalarSet()
        continue
      }
      try addMember(to: &part)
    }
    place += 1
    part.finish()
    let set = Self.intersection(all, part)
    return isNegated ? set.negated : set
  }

  private static func intersection(_ left: ScalarSet?, _ right: ScalarSet) -> ScalarSet {
    guard var left else { return right }
    left.intersect(right)
    left.finish()
    // A set of its own, so that a further negation or union takes the whole.
    var whole = ScalarSet()
    whole.insert(left)
    whole.finish()
    return whole
  }

  private mutating func addMember(to set: inout ScalarSet) throws(PatternError) {
    guard next != nil else { throw wrong("a set is not closed") }
    if takes("[:") { throw wrong("POSIX brackets are not supported") }
    if takes("[") {
      set.insert(try self.set())
      return
    }
    if next == "\\" {
      place += 1
      if let named = try namedSet() {
        set.insert(named)
        return
      }
      place -= 1
    }
    let first = try memberCharacter()
    guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
      set.insert(first...first)
      return
    }
    place += 1
    let last = try memberCharacter()
    guard first <= last else { throw wrong("a range of a set is in the wrong order") }
    set.insert(first...last)
  }

  private mutating func memberCharacter() throws(PatternError) -> UInt32 {
    guard takes("\\") else { return try take().value }
    if takes("b") { return 0x08 }
    return try escapedCharacter()
  }
}
