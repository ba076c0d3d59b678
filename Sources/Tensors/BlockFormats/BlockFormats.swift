/// Every block format there is.
package enum BlockFormats {
  package static let all: [any BlockFormat] = [
    Q4_0(), Q8_0(),
  ]

  /// The format of that name, in capitals or not; `nil` for an unknown one.
  package static func named(_ name: String) -> (any BlockFormat)? {
    all.first { $0.name.lowercased() == name.lowercased() }
  }
}
