import Glibc
import Tensors

/// Writes a Hugging Face folder whose weights are integers, as the compressed-tensors package reads them.
///
/// Source: compressed-tensors, `quantization_config` and the compressors `int-quantized` and `pack-quantized`.
package enum CompressedTensors {
  /// Writes `model.safetensors`, `config.json` with its `quantization_config`, and copies the tokenizer's files.
  ///
  /// - Parameters:
  ///   - source: what is not among `modules` is taken from here as it is.
  ///   - modules: weights `[outputs, inputs]` by the name of their module (`model.layers.0.mlp.up_proj`).
  ///   - folder: made where it is missing; files in it of the same names are replaced.
  /// - Errors: `ExportError` for an encoding the format cannot hold.
  package static func write(
    _ modules: [String: EncodedTensor], source: HuggingFaceFolder, folder: String,
    progress: (_ bytes: Int, _ tensor: String) throws -> Void = { _, _ in }
  ) throws {
    func failure(_ what: String) -> ExportError { ExportError(file: folder, reason: .unsupported(what)) }
    guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
      throw ExportError(
        file: folder, reason: .system(action: "make the folder", String(cString: strerror(errno))))
    }
    var groups = ModuleGroups()
    var tensors: [TensorOutput] = []
    for tensor in source.weights.tensors {
      guard let module = moduleName(tensor.name), let weight = modules[module] else {
        tensors.append(TensorOutput(tensor))
        continue
      }
      guard weight.codes.shape == tensor.shape else {
        throw failure(
          "module \"\(module)\" has a weight \(weight.codes.shape.shapeText), the model one of \(tensor.shape.shapeText)."
        )
      }
      let packing = try ModulePacking(module, weight, path: folder)
      groups.add(module, packing.scheme)
      tensors += packing.tensors
    }
    for module in modules.keys.sorted() where source.weights[module + weightEnding] == nil {
      throw failure("the model has no module \"\(module)\".")
    }
    try SafetensorsWriter.write(
      tensors, metadata: [("format", "pt")],
      path: HuggingFaceFolder.joined(folder, HuggingFaceFolder.weightsName), progress: progress)
    guard var config = source.config.object else { return }
    config["quantization_config"] = groups.json
    try write(JSON.object(config).lines, HuggingFaceFolder.joined(folder, HuggingFaceFolder.configName))
    for name in HuggingFaceFolder.tokenizerNames + [HuggingFaceFolder.generationName] {
      guard let path = source.file(name) else { continue }
      let original = try MappedFile.forImport(path)
      let file = try OutputFile(path: HuggingFaceFolder.joined(folder, name))
      try withExtendedLifetime(original) { try file.write(original.bytes) }
      try file.commit()
    }
  }

  private static let weightEnding = ".weight"

  private static func moduleName(_ tensor: String) -> String? {
    tensor.hasSuffix(weightEnding) ? String(tensor.dropLast(weightEnding.count)) : nil
  }

  private static func write(_ text: String, _ path: String) throws {
    let file = try OutputFile(path: path)
    try file.write(Array(text.utf8))
    try file.commit()
  }
}

/// What the configuration says about the weights of a module.
struct ModuleScheme: Hashable {
  enum Strategy: String { case tensor, channel, group }

  var bits: Int
  var isSymmetric: Bool
  var strategy: Strategy
  /// Neighbours that share a scale; `nil` unless in groups.
  var group: Int?

  /// Whole bytes stay as they are; narrower codes are packed.
  var format: String { bits == 8 ? "int-quantized" : "pack-quantized" }

  /// - Parameter targets: names of modules.
  func json(targets: [String]) -> JSON {
    let weights = JSONObject([
      ("num_bits", .integer(bits)), ("type", .string("int")), ("symmetric", .bool(isSymmetric)),
      ("strategy", .string(strategy.rawValue)), ("group_size", group.map { .integer($0) } ?? .null),
      ("dynamic", .bool(false)),
    ])
    return .object(
      JSONObject([
        ("targets", .array(targets.map { .string($0) })), ("format", .string(format)),
        ("weights", .object(weights)), ("input_activations", .null), ("output_activations", .null),
      ]))
  }
}

/// Modules by what they have in common, in the order the schemes come first.
private struct ModuleGroups {
  private var schemes: [ModuleScheme] = []
  private var modules: [ModuleScheme: [String]] = [:]

  mutating func add(_ module: String, _ scheme: ModuleScheme) {
    if modules[scheme] == nil { schemes.append(scheme) }
    modules[scheme, default: []].append(module)
  }

  /// The `quantization_config`.
  var json: JSON {
    let formats = Set(schemes.map(\.format))
    let groups = schemes.enumerated().map { index, scheme in
      ("group_\(index)", scheme.json(targets: modules[scheme] ?? []))
    }
    return .object(
      JSONObject([
        ("quant_method", .string("compressed-tensors")),
        ("format", .string(formats.count == 1 ? formats.first ?? "" : "mixed-precision")),
        ("quantization_status", .string("compressed")), ("global_compression_ratio", .null),
        ("kv_cache_scheme", .null), ("ignore", .array([])), ("config_groups", .object(JSONObject(groups))),
      ]))
  }
}
