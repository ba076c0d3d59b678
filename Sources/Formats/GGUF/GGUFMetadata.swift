/// Keys and values of a GGUF file, in the file's order.
package struct GGUFMetadata: Sendable, Equatable {
  /// Path of the file, for messages.
  package var file: String
  package private(set) var keys: [String] = []
  private var values: [String: GGUFValue] = [:]

  package init(file: String = "") { self.file = file }

  /// The value of a key.
  ///
  /// A new key is put at the end, a known one keeps its place, `nil` removes it.
  package subscript(key: String) -> GGUFValue? {
    get { values[key] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
      } else if values.removeValue(forKey: key) != nil {
        keys.removeAll { $0 == key }
      }
    }
  }

  /// Keys with their values, in order.
  package var entries: [(key: String, value: GGUFValue)] {
    keys.compactMap { key in values[key].map { (key, $0) } }
  }
}

extension GGUFMetadata {
  /// Typed access: `nil` where the key is missing.
  ///
  /// - Errors: `ImportError` where the value is of another type.
  package func integer(_ key: String) throws(ImportError) -> Int? {
    try typed(key, "a whole number") { $0.integer }
  }
  package func number(_ key: String) throws(ImportError) -> Double? {
    try typed(key, "a number") { $0.number }
  }
  package func bool(_ key: String) throws(ImportError) -> Bool? {
    try typed(key, "a truth value") { $0.bool }
  }
  package func string(_ key: String) throws(ImportError) -> String? { try typed(key, "a text") { $0.string } }
  package func integers(_ key: String) throws(ImportError) -> [Int]? {
    try typed(key, "a list of whole numbers") { $0.array?.integers }
  }
  package func numbers(_ key: String) throws(ImportError) -> [Double]? {
    try typed(key, "a list of numbers") { $0.array?.numbers }
  }
  package func strings(_ key: String) throws(ImportError) -> [String]? {
    try typed(key, "a list of texts") { $0.array?.strings }
  }

  /// The value of a key that must be there: `try metadata.required("a", metadata.string("a"))`.
  package func required<T>(_ key: String, _ value: T?) throws(ImportError) -> T {
    guard let value else {
      throw ImportError(file: file, place: .file, reason: .missing("metadata \"\(key)\""))
    }
    return value
  }

  private func typed<T>(
    _ key: String, _ expected: String, _ read: (GGUFValue) -> T?
  ) throws(ImportError) -> T? {
    guard let value = values[key] else { return nil }
    guard let result = read(value) else {
      throw ImportError(
        file: file, place: .metadata(key),
        reason: .malformed("\(value.kindText) stands where \(expected) must"))
    }
    return result
  }
}

extension GGUFValue {
  fileprivate var kindText: String {
    if case .array(let array) = self { "a list of \(array.type)" } else { "a value of type \(type)" }
  }
}
