import Formats
import Foundation

extension PipelineTokenizer {
  /// Largest file that is read, in bytes; the largest published tokenizer.json has some 40 MB.
  static let fileLimit = 256 << 20

  /// Opens a tokenizer of Hugging Face's `tokenizers` package: a tokenizer.json, or the folder that holds one.
  ///
  /// Which tokens begin and end a document is read from the files beside it (tokenizer_config.json,
  /// special_tokens_map.json, generation_config.json, config.json), else from the template.
  package static func open(_ path: String) throws(ImportError) -> PipelineTokenizer {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ImportError(file: path, place: .file, reason: .unreadable("no such file"))
    }
    let folder = isFolder.boolValue ? path : URL(fileURLWithPath: path).deletingLastPathComponent().path
    let file = isFolder.boolValue ? folder + "/tokenizer.json" : path
    guard FileManager.default.fileExists(atPath: file) else {
      let other = ["tokenizer.model", "vocab.txt", "vocab.json"]
        .filter { FileManager.default.fileExists(atPath: folder + "/" + $0) }.first
      throw ImportError(
        file: folder, place: .file,
        reason: .missing("tokenizer.json" + (other.map { " (found \($0), which is not read)" } ?? "")))
    }
    var tokenizer = try PipelineTokenizer(json: contents(of: file), file: file)
    try tokenizer.readBounds(folder: folder)
    return tokenizer
  }

  private static func contents(of file: String) throws(ImportError) -> [UInt8] {
    do {
      let size = try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int ?? 0
      guard size <= fileLimit else {
        throw ImportError(
          file: file, place: .file, reason: .limit(what: "bytes", found: size, most: fileLimit))
      }
      return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    } catch let error as ImportError {
      throw error
    } catch {
      throw ImportError(file: file, place: .file, reason: .unreadable(error.localizedDescription))
    }
  }

  /// A tokenizer from the bytes of a tokenizer.json.
  ///
  /// - Parameter file: how errors name it.
  package init(json: [UInt8], file: String) throws(ImportError) {
    let root = JSONPlace(file: file, path: "", value: try JSONReader.read(json, file: file))
    guard case .object = root.value else { throw root.wrong("an object") }
    let model = try root.required("model").model()
    self.init(
      model: model, addedTokens: try root.addedTokens(vocabularySize: model.vocabulary.size),
      normalizers: try root.member("normalizer")?.normalizers() ?? [],
      preTokenizers: try root.member("pre_tokenizer")?.preTokenizers() ?? [],
      template: try root.member("post_processor")?.template() ?? Template(),
      decoders: try root.member("decoder")?.decoders() ?? [])
    for token in template.before + template.after where text(of: token) == nil {
      throw JSONPlace(file: file, path: "post_processor", value: .null)
        .error(.missing("the text of token \(token)"))
    }
    bos = template.before.first
    eos = template.after.last
  }

  /// The token of a text, added tokens first.
  func token(of text: [UInt8]) -> Int32? {
    addedTokens.last { $0.content == text }?.token ?? model.vocabulary.token(of: text)
  }

  private mutating func readBounds(folder: String) throws(ImportError) {
    var files: [JSONPlace] = []
    for name in ["tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "config.json"]
    {
      let file = folder + "/" + name
      guard FileManager.default.fileExists(atPath: file) else { continue }
      files.append(
        JSONPlace(file: file, path: "", value: try JSONReader.read(Self.contents(of: file), file: file)))
    }
    if let found = try bound("bos_token", files) { bos = found }
    if let found = try bound("eos_token", files) { eos = found }
  }

  /// What the first of the files that has a word on it says (`nil` for none); `nil` if no file does.
  private func bound(_ key: String, _ files: [JSONPlace]) throws(ImportError) -> Int32?? {
    for file in files {
      guard case .object(let members) = file.value else { throw file.wrong("an object") }
      if let place = file.member(key) {
        let text = try (place.member("content") ?? place).bytes()
        return .some(token(of: text))
      }
      if members.contains(where: { $0.key.elementsEqual(key.utf8) }) { return .some(nil) }
      if let place = file.member(key + "_id") {
        guard let first = place.value.isArray ? try place.elements().first : place else { return .some(nil) }
        let token = try first.token()
        return .some(Int(token) < vocabularySize ? token : nil)
      }
    }
    return nil
  }
}

extension JSONValue {
  fileprivate var isArray: Bool {
    if case .array = self { return true }
    return false
  }
}

extension JSONPlace {
  fileprivate func addedTokens(vocabularySize: Int) throws(ImportError) -> [AddedToken] {
    guard let list = member("added_tokens") else { return [] }
    let places = try list.elements()
    let limit = Self.tokenLimit(vocabularySize + places.count)
    var tokens: [AddedToken] = []
    for place in places {
      let isSpecial = try place.flag("special", default: false)
      tokens.append(
        AddedToken(
          token: Int32(try place.required("id").integer(in: 0...limit - 1)),
          content: try place.required("content").bytes(), isSpecial: isSpecial,
          isSingleWord: try place.flag("single_word", default: false),
          stripsLeft: try place.flag("lstrip", default: false),
          stripsRight: try place.flag("rstrip", default: false),
          isNormalized: try place.flag("normalized", default: !isSpecial)))
    }
    return tokens
  }
}
