import Formats
import Glibc
import Graph
import Tensors

/// A language model opened from its files: an ordinary graph, and what the files say around it.
package struct LanguageModel: Sendable {
  /// The files it came from.
  package enum Container: Sendable {
    case folder(HuggingFaceFolder)
    case gguf(GGUFFile)

    /// The format's name.
    package var format: String {
      switch self {
      case .folder: "safetensors"
      case .gguf: "gguf"
      }
    }
  }

  package let path: String
  package let container: Container
  package let architecture: Architecture
  package let configuration: DecoderConfiguration
  /// Inputs `tokens` and `positions` int64 `[batch, length]`; output `logits` float32 `[batch, length, vocabulary]`.
  package var graph: Graph
  /// Positions a token may have in this graph, at most `configuration.contextLength`.
  package let positions: Int
  /// Constants that are rows of a file's tensor as they lie there, so that a writer can keep their bytes.
  package let stored: [ValueName: StoredRows]
  /// The file's tensor that each constant of the file comes from.
  let origins: [ValueName: StoredTensor]

  package var format: String { container.format }
}

extension LanguageModel {
  /// Positions of a graph where nobody asks for others: tables of rotations for more would take much memory.
  package static let usualPositions = 32_768

  /// Whether a path is a folder with a `config.json` or a GGUF file; the file's content is not looked at.
  package static func recognises(_ path: String) -> Bool {
    path.lowercased().hasSuffix(".gguf") || HuggingFaceFolder.isFolder(path)
  }

  /// Opens a folder as Hugging Face lays it out, or a GGUF file.
  ///
  /// Float32 weights are mapped; others are decoded.
  /// - Parameters:
  ///   - positions: positions a token may have; `nil` for the model's context, at most `usualPositions`. Where rotations
  ///     are stretched by the number of positions (dynamic, long), this number chooses the stretch.
  ///   - threads: `nil` for all of the machine's.
  /// - Errors: `ImportError`.
  package static func open(
    _ path: String, positions: Int? = nil, threads: Int? = nil
  ) throws -> LanguageModel {
    let threads = threads ?? max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    if HuggingFaceFolder.isFolder(path) {
      return try open(folder: HuggingFaceFolder.open(path), positions: positions, threads: threads)
    }
    return try open(gguf: GGUFFile.open(path), positions: positions, threads: threads)
  }

  private static func open(
    folder: HuggingFaceFolder, positions: Int?, threads: Int
  ) throws -> LanguageModel {
    let file = folder.file("config.json") ?? folder.path
    let keys = FolderConfiguration(folder.config, file: file)
    guard let modelType = folder.config["model_type"]?.string else {
      throw ImportError(file: file, place: .file, reason: .missing("\"model_type\""))
    }
    let architecture = try Architecture.forFolder(modelType: modelType, file: file)
    let complete = keys.with(defaults: architecture.defaults)
    var configuration = try DecoderConfiguration(complete, style: architecture.style)
    try architecture.readFolder(&configuration, complete)
    if let generation = folder.generation {
      let keys = FolderConfiguration(generation, file: folder.file("generation_config.json") ?? file)
      if let eos = try keys.integers("eos_token_id") { configuration.eos = eos.map { Int32(clamping: $0) } }
      if configuration.bos == nil {
        configuration.bos = try keys.integer("bos_token_id").map { Int32(clamping: $0) }
      }
    }
    let opening = Opening(
      path: folder.path, container: .folder(folder), weights: folder.weights, weightsFile: folder.path,
      configurationFile: file, architecture: architecture, configuration: configuration)
    return try opening.model(positions: positions, threads: threads)
  }

  private static func open(gguf: GGUFFile, positions: Int?, threads: Int) throws -> LanguageModel {
    let key = "general.architecture"
    let name = try gguf.metadata.required(key, gguf.metadata.string(key))
    let architecture = try Architecture.forGGUF(name, file: gguf.path)
    let keys = GGUFConfiguration(gguf, architecture: name)
    var configuration = try DecoderConfiguration(
      keys, style: architecture.style, interleaves: architecture.interleavesInGGUF)
    try architecture.readGGUF(&configuration, keys)
    let opening = Opening(
      path: gguf.path, container: .gguf(gguf), weights: gguf.weights, weightsFile: gguf.path,
      configurationFile: gguf.path, architecture: architecture, configuration: configuration)
    return try opening.model(positions: positions, threads: threads)
  }
}

/// A configuration read, and the tensors it speaks of.
private struct Opening {
  var path: String
  var container: LanguageModel.Container
  var weights: WeightTable
  var weightsFile: String
  var configurationFile: String
  var architecture: Architecture
  var configuration: DecoderConfiguration

  func model(positions: Int?, threads: Int) throws -> LanguageModel {
    if let problem = configuration.problem {
      throw ImportError(
        file: configurationFile, place: .file,
        reason: .malformed("the configuration contradicts itself: \(problem)"))
    }
    let usual = usualPositions
    let positions = max(1, min(positions ?? usual, configuration.learnedPositions ?? .max))
    let reader = WeightReader(
      weights, file: weightsFile, container: isFolder ? .folder : .gguf, architecture: architecture,
      configuration: configuration, threads: threads)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let graph = try DecoderBuilder.graph(
      configuration, name: name, positions: positions, threads: threads,
      weight: { try reader.constant($0, $1) }, hasBias: { reader.hasBias($0) })
    try reader.requireAllUsed()
    return LanguageModel(
      path: path, container: container, architecture: architecture, configuration: configuration,
      graph: graph,
      positions: positions, stored: reader.stored, origins: reader.origins)
  }

  private var isFolder: Bool { if case .folder = container { true } else { false } }

  /// Rotations that have one form for short texts and another for long ones keep the one for short texts.
  private var usualPositions: Int {
    let most = min(configuration.contextLength, LanguageModel.usualPositions)
    if case .long(_, _, _, let original) = configuration.rope?.scaling { return min(most, original) }
    return most
  }
}

extension DecoderConfiguration {
  /// Rows of the table of positions; `nil` where positions are rotations, which go on for ever.
  var learnedPositions: Int? { style.learnsPositions ? contextLength : nil }

  /// What is impossible about these numbers, found before anything is allocated; `nil` where all is well.
  var problem: String? {
    let sizes = [
      ("vocabulary", vocabulary), ("width", width), ("heads", heads), ("heads of keys", kvHeads),
      ("size of a head", headSize), ("feed-forward width", feedForward), ("context", contextLength),
    ]
    for (name, size) in sizes where size < 1 || size > Self.largestSize { return "\(name) \(size)" }
    if blocks < 1 || blocks > 1 << 16 { return "\(blocks) blocks" }
    if heads % kvHeads != 0 { return "\(kvHeads) heads of keys do not divide \(heads) heads of queries" }
    if heads * headSize > Self.largestSize { return "\(heads) heads of \(headSize) features" }
    if let window, window < 1 || window > Self.largestSize { return "a window of \(window) keys" }
    for rope in [rope, localRope] {
      guard let rope else { continue }
      if rope.rotated < 2 || rope.rotated % 2 != 0 || rope.rotated > headSize {
        return "\(rope.rotated) features turned in heads of \(headSize)"
      }
      if case .dynamic = rope.scaling, rope.rotated < 4 { return "2 features turned by a growing base" }
    }
    return nil
  }
}
