import Tensors

extension MappedFile {
  /// The file mapped, its failures as those of a file that was to be read.
  static func forImport(_ path: String) throws(ImportError) -> MappedFile {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch {
      throw ImportError(file: path, place: .file, reason: .unreadable(error.reason))
    }
    guard !file.bytes.isEmpty else { throw ImportError(file: path, place: .file, reason: .empty) }
    return file
  }
}
