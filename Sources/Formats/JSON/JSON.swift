/// JSON as a file holds it: keys keep their order, and none stands twice.
///
/// Headers of weight files and configurations are hostile input: nesting is bounded, errors say the byte.
package enum JSON: Sendable, Hashable {
  case null
  case bool(Bool)
  case integer(Int)
  /// A number with a fraction or an exponent, or beyond `Int`.
  case number(Double)
  case string(String)
  case array([JSON])
  case object(JSONObject)

  /// What is wrong, at which byte of the text.
  package struct Failure: Error, Equatable {
    package var offset: Int
    package var what: String
  }
}

/// Keys and values in their order.
package struct JSONObject: Sendable, Hashable {
  package private(set) var keys: [String] = []
  private var values: [String: JSON] = [:]

  package init() {}

  package init(_ entries: [(String, JSON)]) { for (key, value) in entries { self[key] = value } }

  /// The value of a key; a new key is put at the end, `nil` removes.
  package subscript(key: String) -> JSON? {
    get { values[key] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
      } else if values.removeValue(forKey: key) != nil {
        keys.removeAll { $0 == key }
      }
    }
  }

  package var count: Int { keys.count }
  package var entries: [(key: String, value: JSON)] {
    keys.compactMap { key in values[key].map { (key, $0) } }
  }
}

extension JSON {
  /// The value of a key of an object; `nil` for other kinds.
  package subscript(key: String) -> JSON? { object?[key] }

  package var object: JSONObject? { if case .object(let x) = self { x } else { nil } }
  package var array: [JSON]? { if case .array(let x) = self { x } else { nil } }
  package var string: String? { if case .string(let x) = self { x } else { nil } }
  package var bool: Bool? { if case .bool(let x) = self { x } else { nil } }
  package var isNull: Bool { self == .null }

  /// A whole number, written with a fraction of zero or not.
  package var integer: Int? {
    switch self {
    case .integer(let x): x
    case .number(let x): Int(exactly: x)
    default: nil
    }
  }

  package var number: Double? {
    switch self {
    case .integer(let x): Double(x)
    case .number(let x): x
    default: nil
    }
  }
}
