import Glibc
import Tensors

/// Opening the files of a dataset.
enum Files {
  /// Maps a regular file.
  ///
  /// A pipe or device is refused before it is opened, since opening one can block.
  static func map(_ path: String) throws(DatasetError) -> MappedFile {
    var status = stat()
    guard !path.utf8.contains(0), stat(path, &status) == 0 else {
      throw DatasetError(file: path, reason: .unreadable(String(cString: strerror(errno))))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw DatasetError(file: path, reason: .unreadable("it is not a regular file"))
    }
    do { return try MappedFile(path: path) } catch {
      throw DatasetError(file: path, reason: .unreadable(error.reason))
    }
  }

  /// The folder a path lies in, `.` where it names none.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// `relative` beside the card at `card`, refused where it leaves the card's folder by `..`, by being absolute,
  /// or through a symbolic link.
  static func resolve(_ relative: String, card: String, place: DatasetError.Place) throws(DatasetError)
    -> String
  {
    let outside = DatasetError(file: card, place: place, reason: .outsideFolder(relative))
    guard !relative.isEmpty, !relative.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 })
    else {
      throw DatasetError(
        file: card, place: place,
        reason: .wrongValue(
          key: "file", expected: "a file name without control characters", found: "\"\(relative)\""))
    }
    guard !relative.hasPrefix("/") else { throw outside }
    var depth = 0
    for part in relative.split(separator: "/") where part != "." {
      depth += part == ".." ? -1 : 1
      if depth < 0 { throw outside }
    }
    let base = folder(of: card)
    let joined = base == "." ? relative : base + "/" + relative
    guard let real = realPath(joined), let realBase = realPath(base) else {
      throw DatasetError(
        file: card, place: place,
        reason: .unreadable("\"\(relative)\": \(String(cString: strerror(errno)))"))
    }
    guard realBase == "/" || real.hasPrefix(realBase + "/") else { throw outside }
    return joined
  }

  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension MappedFile {
  /// Up to `count` bytes from the start, copied.
  func prefix(_ count: Int) -> [UInt8] { Array(bytes.prefix(count)) }
}
