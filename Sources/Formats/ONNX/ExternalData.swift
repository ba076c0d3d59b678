import Glibc
import Tensors

/// Files beside a model that hold its weights: found, checked and mapped once each.
///
/// A location is relative, and must lie inside the model's folder also after symbolic links are followed.
struct ExternalData {
  /// Path of the model, for messages and to find its folder.
  let model: String
  private var mapped: [String: MappedFile] = [:]

  init(model: String) { self.model = model }

  /// The bytes of a tensor whose data lies outside the model file.
  mutating func storage(for tensor: FileTensor, byteCount: Int) throws(ImportError) -> Storage {
    let location = tensor.external["location"] ?? ""
    func failure(_ problem: String) -> ImportError {
      ImportError(
        file: model, place: .tensor(tensor.name), reason: .externalData(location: location, problem: problem))
    }
    func number(_ key: String) throws(ImportError) -> Int? {
      guard let text = tensor.external[key] else { return nil }
      guard let value = Int(text), value >= 0 else { throw failure("has the impossible \(key) \"\(text)\"") }
      return value
    }
    guard !location.isEmpty else { throw failure("has no location") }
    let offset = try number("offset") ?? 0
    let length = try number("length")
    if let length, length != byteCount { throw failure("has \(length) bytes for a tensor of \(byteCount)") }
    let file = try open(location, tensor.name)
    guard offset <= file.bytes.count, byteCount <= file.bytes.count - offset else {
      throw failure("holds \(file.bytes.count) bytes; \(byteCount) are wanted at offset \(offset)")
    }
    return Storage(mapping: file, range: offset..<offset + byteCount)
  }

  private mutating func open(_ location: String, _ tensor: String) throws(ImportError) -> MappedFile {
    if let file = mapped[location] { return file }
    func failure(_ problem: String) -> ImportError {
      ImportError(
        file: model, place: .tensor(tensor), reason: .externalData(location: location, problem: problem))
    }
    guard !location.hasPrefix("/") else { throw failure("is an absolute path") }
    guard !location.utf8.contains(0) else { throw failure("is not a path") }
    guard !location.split(separator: "/").contains("..") else { throw failure("leaves the model's folder") }
    let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? "./"
    guard let root = resolved(folder) else {
      throw failure("cannot be found: the model's folder cannot be resolved")
    }
    guard let path = resolved(folder + location) else { throw failure("cannot be found") }
    guard path.hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
      throw failure("leaves the model's folder")
    }
    do {
      let file = try MappedFile(path: path)
      mapped[location] = file
      return file
    } catch {
      throw failure("cannot be read (\(error.reason))")
    }
  }

  /// The path with every symbolic link followed, or `nil` where nothing is there.
  private func resolved(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
  }
}
