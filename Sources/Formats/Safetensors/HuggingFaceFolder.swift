import Glibc

/// A folder as Hugging Face lays it out: `config.json`, weights in one or several safetensors files, tokenizer files.
package struct HuggingFaceFolder: Sendable {
  package let path: String
  package let config: JSON
  /// `generation_config.json`; `nil` where there is none.
  package let generation: JSON?
  package let weights: WeightTable

  static let configName = "config.json"
  static let generationName = "generation_config.json"
  static let weightsName = "model.safetensors"
  static let indexName = "model.safetensors.index.json"
  /// What belongs to the tokenizer, and is kept beside weights that are written anew.
  package static let tokenizerNames = [
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja", "chat_template.json",
  ]

  /// Whether a path is a folder with a `config.json`.
  package static func isFolder(_ path: String) -> Bool { access(joined(path, configName), R_OK) == 0 }

  /// - Errors: `ImportError`.
  package static func open(_ path: String) throws(ImportError) -> HuggingFaceFolder {
    let config = try JSON(path: joined(path, configName))
    guard config.object != nil else {
      throw ImportError(
        file: joined(path, configName), place: .file, reason: .malformed("the configuration is no object"))
    }
    let generation = joined(path, generationName)
    return HuggingFaceFolder(
      path: path, config: config, generation: exists(generation) ? try JSON(path: generation) : nil,
      weights: try weights(path))
  }

  /// Path of a file of the folder; `nil` where it is not there.
  package func file(_ name: String) -> String? {
    let path = Self.joined(self.path, name)
    return Self.exists(path) ? path : nil
  }

  private static func weights(_ folder: String) throws(ImportError) -> WeightTable {
    if exists(joined(folder, indexName)) { return try indexed(folder) }
    guard exists(joined(folder, weightsName)) else {
      throw ImportError(
        file: folder, place: .file, reason: .missing("\(weightsName) (or \(indexName) with its files)"))
    }
    return try SafetensorsFile.open(joined(folder, weightsName)).weights
  }

  /// Weights in several files: the index says which tensor lies in which.
  private static func indexed(_ folder: String) throws(ImportError) -> WeightTable {
    let path = joined(folder, indexName)
    func failure(_ place: ImportError.Place, _ reason: ImportError.Reason) -> ImportError {
      ImportError(file: path, place: place, reason: reason)
    }
    guard let map = try JSON(path: path)["weight_map"] else {
      throw failure(.file, .missing("\"weight_map\""))
    }
    guard case .object(let object) = map else {
      throw failure(.file, .malformed("\"weight_map\" is no object"))
    }
    var files: [String: SafetensorsFile] = [:]
    var tensors: [StoredTensor] = []
    for (name, value) in object.entries {
      guard case .string(let location) = value else {
        throw failure(.tensor(name), .malformed("its file is no text"))
      }
      // Symbolic links are followed: a download keeps its files elsewhere. The name itself may not lead away.
      guard !location.isEmpty, !location.utf8.contains(0), !location.hasPrefix("/"),
        !location.split(separator: "/").contains("..")
      else {
        throw failure(
          .tensor(name), .externalData(location: location, problem: "leaves the model's folder"))
      }
      let file: SafetensorsFile
      if let known = files[location] {
        file = known
      } else {
        file = try SafetensorsFile.open(joined(folder, location))
        files[location] = file
      }
      guard let tensor = file.weights[name] else {
        throw failure(.tensor(name), .externalData(location: location, problem: "does not hold it"))
      }
      tensors.append(tensor)
    }
    return try WeightTable(tensors)
  }

  private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func joined(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
