import Tensors

/// Names of a model's classes: a text file, the name of class 0 in its first line.
enum ClassNames {
  /// Longest file read, in bytes.
  static let longest = 1 << 22

  /// - Errors: a file that cannot be read, is too long or is not UTF-8.
  static func read(_ path: String) throws(DatasetError) -> [String] {
    let mapping = try Files.map(path)
    guard mapping.bytes.count <= longest else {
      throw DatasetError(
        file: path, reason: .tooLarge(part: "the names", found: mapping.bytes.count, limit: longest))
    }
    guard let text = String(validating: mapping.prefix(longest), as: UTF8.self) else {
      throw DatasetError(
        file: path, reason: .notThisFormat("a list of names", found: "bytes that are not UTF-8"))
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
      printable(String($0))
    }
    while lines.last?.isEmpty ?? false { lines.removeLast() }
    return lines
  }
}
