import Foundation

/// What a file is, by its content where the ending does not say.
package enum FileKind: String, Sendable, Hashable, Codable {
  case folder, model, recipe
  /// A dataset card or arrays.
  case data
  case other

  /// Bytes that are enough to tell a recipe from a card.
  private static let enough = 1 << 16

  /// Looks at a file; one that cannot be read is `other`.
  package init(path: String) {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      self = .other
      return
    }
    self = isFolder.boolValue ? FileKind(folder: path) : FileKind(file: path)
  }

  /// A folder is a model where it holds a language model's configuration.
  fileprivate init(folder path: String) {
    self = FileManager.default.isReadableFile(atPath: path + "/config.json") ? .model : .folder
  }

  fileprivate init(file path: String) {
    let ending = (path as NSString).pathExtension.lowercased()
    switch ending {
    case "onnx": self = FileKind.head(path, 1).first.map(FileKind.beginsModel) ?? false ? .model : .other
    case "yaml", "yml":
      self = FileKind.ofText(String(decoding: FileKind.head(path, FileKind.enough), as: UTF8.self))
    case "gguf": self = FileKind.head(path, 4) == Data("GGUF".utf8) ? .model : .other
    case "npz", "npy", "txt": self = .data
    default: self = .other
    }
  }

  private static func head(_ path: String, _ count: Int) -> Data {
    guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
    defer { try? file.close() }
    return (try? file.read(upToCount: count)) ?? Data()
  }

  /// Whether an ONNX file can begin with this byte: a varint or a piece of bytes of the message's fields 1…25.
  ///
  /// Text, such as the pointers that Git LFS leaves, cannot.
  private static func beginsModel(_ byte: UInt8) -> Bool {
    [0, 2].contains(byte & 7) && (1...25).contains(byte >> 3) && byte < 0x80 && byte != UInt8(ascii: " ")
  }

  /// A recipe says `lathe: 1`, a card names inputs, labels or text; both as keys of the whole file.
  static func ofText(_ text: String) -> FileKind {
    var keys: Set<Substring> = []
    for line in text.split(whereSeparator: \.isNewline) {
      guard let first = line.first, first.isLetter, let colon = line.firstIndex(of: ":") else { continue }
      keys.insert(line[..<colon])
    }
    if keys.contains("lathe") { return .recipe }
    return keys.isDisjoint(with: ["inputs", "labels", "text", "targets"]) ? .other : .data
  }
}

/// What is in a folder.
package struct FolderListing: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    package var name: String
    package var kind: FileKind
    /// `nil` for folders.
    package var bytes: Int?

    package init(name: String, kind: FileKind, bytes: Int? = nil) {
      self.name = name
      self.kind = kind
      self.bytes = bytes
    }
  }

  package var path: String
  /// Folders first, each by name; sessions are no folders to go into.
  package var entries: [Entry]
  /// Why it cannot be read.
  package var failure: String?

  package init(path: String, entries: [Entry], failure: String? = nil) {
    self.path = path
    self.entries = entries
    self.failure = failure
  }

  /// Reads a folder; blocks as long as the disk does.
  package static func read(_ path: String) -> FolderListing {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      return FolderListing(path: path, entries: [], failure: reason(error))
    }
    let entries = names.filter { !$0.hasSuffix(".lathe") }.map { name in
      let full = path + "/" + name
      let facts = try? URL(fileURLWithPath: full).resolvingSymlinksInPath().resourceValues(
        forKeys: [.isDirectoryKey, .fileSizeKey])
      return facts?.isDirectory ?? false
        ? Entry(name: name, kind: FileKind(folder: full))
        : Entry(name: name, kind: FileKind(file: full), bytes: facts?.fileSize)
    }
    return FolderListing(
      path: path,
      entries: entries.sorted {
        ($0.kind == .folder ? 0 : 1, $0.name.lowercased(), $0.name)
          < ($1.kind == .folder ? 0 : 1, $1.name.lowercased(), $1.name)
      })
  }

  /// In a few words, without the path, which is shown beside.
  private static func reason(_ error: any Error) -> String {
    switch (error as NSError).code {
    case CocoaError.Code.fileReadNoPermission.rawValue: "may not be read (no permission)"
    case CocoaError.Code.fileReadNoSuchFile.rawValue, CocoaError.Code.fileNoSuchFile.rawValue: "is not there"
    default:
      ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError).map {
        "cannot be read (\($0.localizedDescription))"
      }
        ?? "cannot be read"
    }
  }
}

/// What is known of the files around.
package struct Files: Sendable {
  /// The folder that relative paths are in.
  package var working = ""
  package var home = ""
  /// Models opened before, the last one first.
  package var recent: [OpenRequest] = []
  package var listings: [String: FolderListing] = [:]
  /// Folders that are being read.
  package var asked: Set<String> = []
  package var preview: ExportPreview?

  package init() {}
}

/// What an export would write.
package struct ExportPreview: Sendable, Hashable {
  package var request: ExportRequest
  /// The first lines, where it is text.
  package var lines: [String]
  package var lineCount: Int
  package var bytes: Int?
  package var losses: [String]
  /// Why there is nothing to show yet, or what is wrong.
  package var note: String?

  package init(
    request: ExportRequest, lines: [String] = [], lineCount: Int = 0, bytes: Int? = nil,
    losses: [String] = [],
    note: String? = nil
  ) {
    self.request = request
    self.lines = lines
    self.lineCount = lineCount
    self.bytes = bytes
    self.losses = losses
    self.note = note
  }
}

extension State {
  mutating func updateFolders(_ action: Action) -> [Effect] {
    switch action {
    case .filesKnown(let working, let home, let recent):
      (files.working, files.home, files.recent) = (working, home, recent)
      return []
    case .list(let path):
      files.asked.insert(path)
      return [.list(path)]
    case .listed(let listing):
      files.asked.remove(listing.path)
      files.listings[listing.path] = listing
      return []
    case .openFile(let path): return [.openFile(path)]
    case .previewExport(let request): return [.previewExport(request)]
    case .exportPreviewed(let preview):
      files.preview = preview
      return []
    case .writeText(let file): return [.writeText(file)]
    case .textWritten(let file):
      note("wrote \(file.what) to \(file.path)", .good)
      return []
    case .exportFailed(let path, let message):
      note("\(path) is not written: \(message)", .error)
      return []
    default: return []
    }
  }
}
