import Yams

/// JSON as a value: for parts of a report whose keys are the user's own.
package enum JSONValue: Sendable, Hashable, Codable {
  case null
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let x = try? container.decode(Bool.self) {
      self = .bool(x)
    } else if let x = try? container.decode(Int.self) {
      self = .int(x)
    } else if let x = try? container.decode(Double.self) {
      self = .number(x)
    } else if let x = try? container.decode(String.self) {
      self = .string(x)
    } else if let x = try? container.decode([JSONValue].self) {
      self = .array(x)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let x): try container.encode(x)
    case .int(let x): try container.encode(x)
    case .number(let x): try container.encode(x)
    case .string(let x): try container.encode(x)
    case .array(let x): try container.encode(x)
    case .object(let x): try container.encode(x)
    }
  }
}

extension JSONValue {
  /// What a YAML text says.
  package init(yaml: String) throws {
    self.init(node: try Yams.compose(yaml: yaml))
  }

  private init(node: Node?) {
    switch node {
    case .mapping(let mapping)?:
      self = .object(
        Dictionary(mapping.map { ($0.key.string ?? "", JSONValue(node: $0.value)) }, uniquingKeysWith: { $1 })
      )
    case .sequence(let items)?: self = .array(items.map { JSONValue(node: $0) })
    case .scalar?, .alias?:
      if let x = node?.bool {
        self = .bool(x)
      } else if let x = node?.int {
        self = .int(x)
      } else if let x = node?.float {
        self = .number(x)
      } else if node?.null != nil {
        self = .null
      } else {
        self = .string(node?.string ?? "")
      }
    case nil: self = .null
    }
  }
}
