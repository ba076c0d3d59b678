import Graph
import Tensors

/// Attributes read strictly: absent is a default or `nil`, the wrong kind is an error that names both kinds.
extension Attribute {
  /// The kind as messages name it.
  package var kindName: String {
    switch self {
    case .int: "an integer"
    case .float: "a real number"
    case .string: "a string"
    case .ints: "a list of integers"
    case .floats: "a list of real numbers"
    case .strings: "a list of strings"
    case .tensor: "a tensor"
    case .graph: "a graph"
    }
  }
}

extension Attributes {
  private func wrong(_ name: String, _ expected: String) -> OperatorError {
    OperatorError("attribute \"\(name)\" is \(self[name]?.kindName ?? "absent") (expected \(expected)).")
  }

  package func integerIfPresent(_ name: String) throws -> Int? {
    guard self[name] != nil else { return nil }
    guard let value = int(name) else { throw wrong(name, "an integer") }
    return value
  }

  package func integer(_ name: String, default value: Int) throws -> Int {
    try integerIfPresent(name) ?? value
  }

  /// An integer that must be there.
  package func integer(_ name: String) throws -> Int {
    guard let value = int(name) else { throw wrong(name, "an integer") }
    return value
  }

  /// An integer that stands for yes or no.
  package func isSet(_ name: String, default value: Bool = false) throws -> Bool {
    try integer(name, default: value ? 1 : 0) != 0
  }

  package func realIfPresent(_ name: String) throws -> Float? {
    guard self[name] != nil else { return nil }
    guard let value = float(name) else { throw wrong(name, "a real number") }
    return value
  }

  package func real(_ name: String, default value: Float) throws -> Float { try realIfPresent(name) ?? value }

  package func integersIfPresent(_ name: String) throws -> [Int]? {
    guard let attribute = self[name] else { return nil }
    switch attribute {
    case .ints(let values): return values
    // An empty list has no kind of its own in some writers.
    case .floats(let values) where values.isEmpty: return []
    case .strings(let values) where values.isEmpty: return []
    default: throw wrong(name, "a list of integers")
    }
  }

  package func realsIfPresent(_ name: String) throws -> [Float]? {
    guard let attribute = self[name] else { return nil }
    switch attribute {
    case .floats(let values): return values
    case .ints(let values) where values.isEmpty: return []
    default: throw wrong(name, "a list of real numbers")
    }
  }

  package func textsIfPresent(_ name: String) throws -> [String]? {
    guard self[name] != nil else { return nil }
    guard let values = strings(name) else { throw wrong(name, "a list of strings") }
    return values
  }

  /// A string that must be one of `choices`; absent is the first.
  package func text(_ name: String, among choices: [String]) throws -> String {
    guard self[name] != nil else { return choices[0] }
    guard let value = string(name) else { throw wrong(name, "a string") }
    guard choices.contains(value) else {
      throw OperatorError(
        "attribute \"\(name)\" is \"\(value)\" (expected one of \(choices.joined(separator: ", "))).")
    }
    return value
  }

  /// An element type written as its number; 0 and absent are `nil`.
  package func elementTypeIfSet(_ name: String) throws -> ElementType? {
    guard let number = try integerIfPresent(name), number != 0 else { return nil }
    guard let type = ElementType(rawValue: number) else {
      throw OperatorError("attribute \"\(name)\" is \(number), which is no element type known here.")
    }
    return type
  }
}

/// Collects attributes to write, leaving out those that have their default.
struct AttributeWriter {
  private(set) var attributes: Attributes = [:]

  mutating func add(_ name: String, _ value: Int, unless standard: Int? = nil) {
    if value != standard { attributes[name] = .int(value) }
  }
  mutating func add(_ name: String, _ value: Bool, unless standard: Bool = false) {
    if value != standard { attributes[name] = .int(value ? 1 : 0) }
  }
  mutating func add(_ name: String, _ value: Float, unless standard: Float? = nil) {
    if value != standard { attributes[name] = .float(value) }
  }
  mutating func add(_ name: String, _ value: String, unless standard: String? = nil) {
    if value != standard { attributes[name] = .string(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: Int?) {
    if let value { attributes[name] = .int(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: Float?) {
    if let value { attributes[name] = .float(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: [Int]?) {
    if let value { attributes[name] = .ints(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: [Float]?) {
    if let value { attributes[name] = .floats(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: [String]?) {
    if let value { attributes[name] = .strings(value) }
  }
  mutating func addIfPresent(_ name: String, _ value: ElementType?) {
    if let value { attributes[name] = .int(value.rawValue) }
  }
}
