/// What a tokenizer puts around the tokens of a text.
struct Template: Sendable, Equatable {
  var before: [Int32] = []
  var after: [Int32] = []
}
