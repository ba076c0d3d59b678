/// Bad input while reading data: which file, where in it, what is wrong.
package struct DatasetError: Error, Equatable, Sendable {
  package var file: String
  package var place: Place
  package var reason: Reason

  package init(file: String, place: Place = .whole, reason: Reason) {
    self.file = file
    self.place = place
    self.reason = reason
  }

  /// Where in the file.
  package enum Place: Equatable, Sendable {
    case whole
    case byte(Int)
    case line(Int, column: Int)
    /// An array of an archive, or an input of a card.
    case array(String)
    case sample(Int, of: String)
  }

  /// What is wrong.
  ///
  /// Sizes are in bytes where not said otherwise.
  package enum Reason: Equatable, Sendable {
    case unreadable(String)
    case truncated(part: String, needed: Int, left: Int)
    case trailing(bytes: Int)
    case notThisFormat(String, found: String)
    case malformed(String)
    case unsupported(String, advice: String)
    case tooLarge(part: String, found: Int, limit: Int)
    case checksum(expected: UInt32, found: UInt32)
    case corruptStream(String)
    case missing(String, available: [String])
    case unknownKey(String, known: [String])
    case duplicate(String)
    case wrongValue(key: String, expected: String, found: String)
    case outsideFolder(String)
    case sampleCount(found: Int, expected: Int, of: String)
    case shape(found: String, expected: String, advice: String)
    case labelRange(found: Int, classes: Int)
    case valueRange(found: String, type: String)
    case noSuchSample(Int, count: Int)
    case notAnArrayDataset
  }
}

extension DatasetError: CustomStringConvertible {
  /// The message, as *file: place: what is wrong (found, expected)* and what to do.
  package var description: String {
    var text = printable(file)
    switch place {
    case .whole: break
    case .byte(let offset): text += ": byte \(offset)"
    case .line(let line, let column): text += ": line \(line), column \(column)"
    case .array(let name): text += ": array \"\(printable(name))\""
    case .sample(let index, let name): text += ": sample \(index) of \"\(printable(name))\""
    }
    return text + ": " + reason.sentence
  }
}

extension DatasetError.Reason {
  /// What is wrong and what to do about it, for people; text from files is made printable.
  package var sentence: String {
    switch self {
    case .unreadable(let why): "cannot be read (\(printable(why))). Check the path and its permissions."
    case .truncated(let part, let needed, let left):
      "\(printable(part)) needs \(needed) bytes, but \(Swift.max(left, 0)) are left. The file may be incomplete."
    case .trailing(let bytes):
      "\(bytes) bytes follow the end of the data (expected 0). The file may be damaged, or its header wrong."
    case .notThisFormat(let format, let found):
      "is not \(format) (found \(printable(found))). Check that it is the right file."
    case .malformed(let what): "\(printable(what)). The file may be damaged."
    case .unsupported(let what, let advice): "\(printable(what)) is not supported. \(printable(advice))"
    case .tooLarge(let part, let found, let limit):
      "\(printable(part)) claims \(found) bytes, more than the file can justify (at most \(limit)). It is damaged or hostile."
    case .checksum(let expected, let found):
      "checksum is wrong (found \(hex(found)), expected \(hex(expected))). The file is damaged: fetch it again."
    case .corruptStream(let why): "compressed data is damaged (\(printable(why))). Fetch the file again."
    case .missing(let what, let available):
      "\(printable(what)) is missing (found \(list(available))). Add it or correct the name."
    case .unknownKey(let key, let known):
      "unknown key \"\(printable(key))\" (expected one of \(list(known))). Correct or remove it."
    case .duplicate(let what): "\(printable(what)) appears twice (expected once). Remove one of them."
    case .wrongValue(let key, let expected, let found):
      "\"\(printable(key))\" is wrong (found \(printable(found)), expected \(expected)). Correct it."
    case .outsideFolder(let path):
      "the path \"\(printable(path))\" leaves the card's folder. Put the file beside the card."
    case .sampleCount(let found, let expected, let other):
      "has \(found) samples, but \(printable(other)) has \(expected). Both need the same number."
    case .shape(let found, let expected, let advice):
      "has the wrong shape (found \(found), expected \(expected)). \(advice)"
    case .labelRange(let found, let classes):
      "label \(found) is out of range (expected 0…\(classes - 1)). Check the labels or their `offset`."
    case .valueRange(let found, let type):
      "the value \(found) does not fit the input's type \(type). Check the array or its scale."
    case .noSuchSample(let index, let count):
      "sample \(index) does not exist (there are \(count)). Ask for a smaller one."
    case .notAnArrayDataset:
      "is a language-model dataset (`text:`), but the model takes arrays. Give a card with `inputs:`."
    }
  }
}

private func hex(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}

private func list(_ names: [String]) -> String {
  if names.isEmpty { return "nothing" }
  let shown = names.prefix(12).map(printable).joined(separator: ", ")
  return names.count > 12 ? shown + ", …" : shown
}

/// Text from a file, safe for a terminal: control and direction-changing characters removed, length bounded.
package func printable(_ text: String) -> String {
  var scalars = String.UnicodeScalarView()
  var count = 0
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: continue
    default: scalars.append(scalar)
    }
    count += 1
    if count == 300 { return String(scalars) + "…" }
  }
  return String(scalars)
}
