/// Conformance cases that are left out, each with its reason.
///
/// A case here that passes fails the test, so the list
/// stays honest.
enum ConformanceExclusions {
  static func reason(for test: ConformanceCase) -> String? {
    if let reason = cases[test.name] { return reason }
    for (prefix, reason) in byPrefix where test.name.hasPrefix(prefix) { return reason }
    for (operators, reason) in byOperator where !Set(operators).isDisjoint(with: test.operators) {
      return reason
    }
    return nil
  }

  static let byOperator: [(operators: [String], reason: String)] = [
    (["StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch"], "string tensors")
  ]

  static let byPrefix: [(prefix: String, reason: String)] = [
    ("test_strnorm_model_", "string tensors"), ("test_sequence_model", "sequences are not tensors"),
  ]

  static let cases: [String: String] = [
    "test_equal_string": "string tensors",
    "test_equal_string_broadcast": "string tensors",
    "test_identity_opt": "an optional value is not a tensor",
    "test_identity_sequence": "a sequence is not a tensor",
    "test_gradient_of_add": "the preview training domain was withdrawn",
    "test_gradient_of_add_and_mul": "the preview training domain was withdrawn",
  ]
}
