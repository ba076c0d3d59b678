/// Every block format there is.
package enum BlockFormats {
  package static let all: [any BlockFormat] = [
    Q4_0(), Q4_1(), Q5_0(), Q5_1(), Q8_0(), Q2_K(), Q3_K(), Q4_K(), Q5_K(), Q6_K(), IQ4_NL(), IQ4_XS(),
    MXFP4(), NF4(),
  ]

  /// The format of that name, in capitals or not; `nil` for an unknown one.
  package static func named(_ name: String) -> (any BlockFormat)? {
    all.first { $0.name.lowercased() == name.lowercased() }
  }
}
