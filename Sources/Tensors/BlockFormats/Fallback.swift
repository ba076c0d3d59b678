extension BlockFormats {
  /// The format that llama.cpp takes where rows are no whole number of blocks of another.
  ///
  /// Source: llama.cpp, `tensor_type_fallback` of `llama-quant.cpp`.
  private static let fallbacks = [
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0",
  ]

  /// The format that rows of `features` weights take when `format` is asked for: itself, or its fallback; `nil` where
  /// neither has whole blocks.
  package static func fitting(_ format: any BlockFormat, features: Int) -> (any BlockFormat)? {
    let tried = [format] + [fallbacks[format.name].flatMap(named)].compactMap(\.self)
    return tried.first { features > 0 && features % $0.elements == 0 }
  }
}
