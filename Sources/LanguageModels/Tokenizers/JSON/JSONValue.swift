/// A JSON value whose texts and keys are bytes of UTF-8.
///
/// Vocabularies hold texts that are canonically equivalent and still different (é as one scalar and as two); a
/// dictionary of `String` would make one of them, and Foundation's readers do.
indirect enum JSONValue: Sendable, Equatable {
  struct Member: Sendable, Equatable {
    var key: [UInt8]
    var value: JSONValue
  }

  case null
  case bool(Bool)
  case number(Double)
  case string([UInt8])
  case array([JSONValue])
  /// Members as the file has them; where a key stands twice the last one counts.
  case object([Member])
}

extension JSONValue {
  /// The member of that name, `nil` where there is none, where it is null, or where this is no object.
  subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    let found = members.last { $0.key.elementsEqual(key.utf8) }?.value
    return found == .null ? nil : found
  }

  var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
