import Interface
import Workbench

/// A path being typed: which folder it is in, what of a name is typed, and how it goes on.
struct PathText: Sendable {
  /// What a relative path starts from.
  var base: String
  var home: String
  var field: TextField

  /// The part up to the last `/`, as typed.
  private var typedFolder: String {
    field.text.lastIndex(of: "/").map { String(field.text[...$0]) } ?? ""
  }

  /// The part behind the last `/`.
  var name: String { String(field.text.dropFirst(typedFolder.count)) }

  /// Whether a folder is typed, so that what is typed behind it names things in it.
  var hasFolder: Bool { !typedFolder.isEmpty }

  /// The folder that is meant.
  var folder: String { resolved(typedFolder) }

  /// The file or folder that is meant.
  var path: String { resolved(field.text) }

  /// A path as one without `~`, `.` and `..`; relative ones start from the base.
  private func resolved(_ text: String) -> String {
    let whole =
      text == "~" || text.hasPrefix("~/")
      ? home + text.dropFirst() : text.hasPrefix("/") ? text : base + "/" + text
    var parts: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// Types the rest of what the folder's entries have in common with the name; says whether anything was added.
  mutating func complete(
    _ listing: FolderListing?, among isOffered: (FolderListing.Entry) -> Bool = { _ in true }
  ) -> Bool {
    let typed = name
    guard let found = listing?.entries.filter({ $0.name.hasPrefix(typed) && isSeen($0) && isOffered($0) }),
      let first = found.first
    else { return false }
    var common = first.name
    for entry in found.dropFirst() { common = String(zip(common, entry.name).prefix { $0 == $1 }.map(\.0)) }
    if found.count == 1, first.kind == .folder { common += "/" }
    guard common.count > typed.count else { return false }
    field = TextField(typedFolder + common)
    return true
  }

  /// Replaces the name by an entry's.
  mutating func take(_ entry: FolderListing.Entry) {
    field = TextField(typedFolder + entry.name + (entry.kind == .folder ? "/" : ""))
  }

  /// Goes to the folder above.
  mutating func goUp() {
    let above = folder.split(separator: "/").dropLast().joined(separator: "/")
    field = TextField(above.isEmpty ? "/" : "/\(above)/")
  }

  /// Hidden ones only where a point is typed.
  func isSeen(_ entry: FolderListing.Entry) -> Bool { !entry.name.hasPrefix(".") || name.hasPrefix(".") }
}
