/// A model in several GGUF files: `NAME-00001-of-00003.gguf`; the first holds the metadata.
///
/// Source: llama.cpp, `llama_split_path` and the keys `split.…`.
enum GGUFShards {
  static let numberKey = "split.no"
  static let countKey = "split.count"
  static let tensorsKey = "split.tensors.count"
  static let most = 99_999

  /// The model of which `part` is one file.
  static func join(_ part: GGUFPart, count: Int) throws(ImportError) -> GGUFFile {
    func failure(_ path: String, _ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: .metadata(countKey), reason: reason)
    }
    guard count <= most else { throw failure(part.path, .limit(what: "files", found: count, most: most)) }
    let number = try part.metadata.required(numberKey, part.metadata.integer(numberKey))
    guard (0..<count).contains(number), let stem = stem(part.path, number: number, count: count) else {
      throw failure(
        part.path,
        .malformed(
          "the file is part \(number + 1) of \(count), but its name does not end in "
            + "\"\(ending(number, count))\", so the other parts cannot be found"))
    }
    var first = part
    var tensors: [StoredTensor] = []
    for index in 0..<count {
      let path = stem + ending(index, count)
      let each = index == number ? part : try GGUFPart(path)
      guard try each.metadata.integer(numberKey) == index, try each.metadata.integer(countKey) == count else {
        throw failure(path, .malformed("the file does not say that it is part \(index + 1) of \(count)"))
      }
      if index == 0 { first = each }
      tensors += each.tensors
    }
    if let expected = try first.metadata.integer(tensorsKey), expected != tensors.count {
      throw failure(
        first.path, .count(what: "tensors in all parts", found: tensors.count, expected: expected))
    }
    return try GGUFFile(path: part.path, first: first, tensors: tensors)
  }

  private static func stem(_ path: String, number: Int, count: Int) -> String? {
    let ending = ending(number, count)
    return path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : nil
  }

  private static func ending(_ number: Int, _ count: Int) -> String {
    "-\(padded(number + 1))-of-\(padded(count)).gguf"
  }

  private static func padded(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
