/// Conformance cases that are left out, each with its reason. A case here that passes fails the test, so the list
/// stays honest.
enum ConformanceExclusions {
  static func reason(for test: ConformanceCase) -> String? {
    if let reason = cases[test.name] { return reason }
    for (operators, reason) in byOperator where !Set(operators).isDisjoint(with: test.operators) {
      return reason
    }
    return nil
  }

  static let byOperator: [(operators: [String], reason: String)] = [
    (
      [
        "SequenceEmpty", "SequenceInsert", "SequenceMap", "SequenceLength", "SplitToSequence",
        "ConcatFromSequence",
      ],
      "sequences are not tensors"
    ),
    (["OptionalGetElement", "OptionalHasElement"], "optional values are not tensors"),
    (["StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch"], "string tensors"),
  ]

  static let cases: [String: String] = [:]
}
