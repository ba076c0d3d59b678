import Formats

/// A value of a file and where it stands there, so that what is wrong can be said with its place: `model.merges[3]`.
struct JSONPlace {
  let file: String
  let path: String
  let value: JSONValue

  func error(_ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file, place: path.isEmpty ? .file : .value(path), reason: reason)
  }

  func wrong(_ expected: String) -> ImportError {
    error(.malformed("found \(value.kind), expected \(expected)"))
  }

  /// The member of that name where there is one that is not null.
  func member(_ key: String) -> JSONPlace? {
    value[key].map { JSONPlace(file: file, path: path.isEmpty ? key : "\(path).\(key)", value: $0) }
  }

  func required(_ key: String) throws(ImportError) -> JSONPlace {
    guard case .object = value else { throw wrong("an object") }
    guard let member = member(key) else { throw error(.missing("\"\(key)\"")) }
    return member
  }

  func elements() throws(ImportError) -> [JSONPlace] {
    guard case .array(let values) = value else { throw wrong("a list") }
    return values.enumerated().map { JSONPlace(file: file, path: "\(path)[\($0)]", value: $1) }
  }

  func bytes() throws(ImportError) -> [UInt8] {
    guard case .string(let bytes) = value else { throw wrong("a text") }
    return bytes
  }

  func text() throws(ImportError) -> String { String(decoding: try bytes(), as: UTF8.self) }

  func number() throws(ImportError) -> Double {
    guard case .number(let number) = value else { throw wrong("a number") }
    return number
  }

  func flag() throws(ImportError) -> Bool {
    guard case .bool(let flag) = value else { throw wrong("true or false") }
    return flag
  }

  func integer(in range: ClosedRange<Int>) throws(ImportError) -> Int {
    guard let integer = Int(exactly: try number()), range.contains(integer) else {
      throw error(
        .malformed(
          "found \(try number()), expected a whole number from \(range.lowerBound) to \(range.upperBound)"))
    }
    return integer
  }

  /// The number of a token.
  func token() throws(ImportError) -> Int32 { Int32(try integer(in: 0...Vocabulary.sizeLimit - 1)) }

  func text(_ key: String) throws(ImportError) -> String? { try member(key)?.text() }
  func bytes(_ key: String) throws(ImportError) -> [UInt8]? { try member(key)?.bytes() }
  func flag(_ key: String, default standard: Bool) throws(ImportError) -> Bool {
    try member(key)?.flag() ?? standard
  }

  /// A text of exactly one scalar.
  func scalar(_ key: String, default standard: Unicode.Scalar? = nil) throws(ImportError) -> Unicode.Scalar {
    guard let member = member(key) else {
      guard let standard else { throw error(.missing("\"\(key)\"")) }
      return standard
    }
    let scalars = try member.text().unicodeScalars
    guard scalars.count == 1, let first = scalars.first else {
      throw member.error(.malformed("found \(scalars.count) characters, expected one"))
    }
    return first
  }
}
