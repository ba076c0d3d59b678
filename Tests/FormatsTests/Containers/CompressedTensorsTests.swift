import Formats
import Foundation
import Tensors
import Testing

@Suite struct CompressedTensorsTests {
  @Test(.enabled(if: Shared.exists)) func folderSaysWhatItHolds() throws {
    let folder = try TemporaryFolder()
    let source = try HuggingFaceFolder.open(GGUFTests.sharedFolder)
    try CompressedTensors.write(
      CompressedExample.modules(of: source), source: source, folder: folder.path("out"))
    let written = try HuggingFaceFolder.open(folder.path("out"))
    let config = try #require(written.config["quantization_config"])
    #expect(config["quant_method"]?.string == "compressed-tensors")
    #expect(config["format"]?.string == "mixed-precision")
    #expect(config["config_groups"]?.object?.count == CompressedExample.schemes.count)
    #expect(written.config["hidden_size"] == source.config["hidden_size"])
    #expect(written.file("tokenizer.json") != nil)
    #expect(written.generation == source.generation)
    #expect(written.weights["model.norm.weight"]?.typeName == source.weights["model.norm.weight"]?.typeName)
    for module in try CompressedExample.modules(of: source).keys {
      #expect(written.weights[module + ".weight_scale"] != nil, "\(module)")
    }
  }

  @Test(.enabled(if: Shared.exists)) func whatTheFormatCannotHoldIsRefused() throws {
    let folder = try TemporaryFolder()
    let source = try HuggingFaceFolder.open(GGUFTests.sharedFolder)
    let name = "model.layers.0.self_attn.q_proj"
    let codes = Tensor([Int8](repeating: 0, count: 128 * 128), shape: [128, 128])
    func weight(_ scheme: Scheme, channel: Int? = nil, group: Int? = nil, count: Int) -> EncodedTensor {
      EncodedTensor(
        codes: codes,
        encoding: Encoding(
          scheme: scheme, channelAxis: channel, groupAxis: group, scales: [Float](repeating: 1, count: count),
          zeroPoints: [Int32](repeating: 0, count: count)))
    }
    let channel = Scheme(bits: 8, symmetry: .symmetric, granularity: .channel)
    for (modules, says) in [
      (
        [
          name: weight(
            .init(bits: 4, symmetry: .symmetric, granularity: .group(48)), channel: 0, group: 1, count: 384)
        ],
        "groups of 48"
      ),
      ([name: weight(channel, channel: 1, count: 128)], "of its outputs"),
      (["nowhere": weight(channel, channel: 0, count: 128)], "no module"),
      (["model.layers.0.mlp.up_proj": weight(channel, channel: 0, count: 128)], "384x128"),
      (
        [
          name: weight(
            .init(bits: 4, symmetry: .symmetric, granularity: .group(32), format: "Q4_0"), channel: 0,
            group: 1, count: 512)
        ],
        "evenly spaced"
      ),
    ] {
      let error = #expect(throws: ExportError.self) {
        try CompressedTensors.write(modules, source: source, folder: folder.url.path)
      }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
  }
}

/// Layers of the shared language model, each with a scheme of its own.
enum CompressedExample {
  static let schemes: [(module: String, scheme: Scheme)] = [
    ("model.layers.0.self_attn.q_proj", Scheme(bits: 8, symmetry: .symmetric, granularity: .channel)),
    ("model.layers.0.self_attn.k_proj", Scheme(bits: 8, symmetry: .affine, granularity: .channel)),
    ("model.layers.0.self_attn.v_proj", Scheme(bits: 8, symmetry: .symmetric, granularity: .group(32))),
    ("model.layers.0.self_attn.o_proj", Scheme(bits: 8, symmetry: .affine, granularity: .group(64))),
    ("model.layers.0.mlp.gate_proj", Scheme(bits: 4, symmetry: .symmetric, granularity: .group(128))),
    ("model.layers.0.mlp.up_proj", Scheme(bits: 4, symmetry: .affine, granularity: .group(32))),
    ("model.layers.0.mlp.down_proj", Scheme(bits: 3, symmetry: .affine, granularity: .group(64))),
    ("model.layers.1.self_attn.q_proj", Scheme(bits: 2, symmetry: .symmetric, granularity: .group(32))),
    ("model.layers.1.self_attn.k_proj", Scheme(bits: 5, symmetry: .affine, granularity: .group(32))),
    ("model.layers.1.self_attn.v_proj", Scheme(bits: 6, symmetry: .symmetric, granularity: .channel)),
    ("model.layers.1.self_attn.o_proj", Scheme(bits: 7, symmetry: .affine, granularity: .channel)),
    ("model.layers.1.mlp.up_proj", Scheme(bits: 3, symmetry: .symmetric, granularity: .tensor)),
    ("model.layers.1.mlp.down_proj", Scheme(bits: 8, symmetry: .affine, granularity: .tensor)),
  ]

  static func modules(of source: HuggingFaceFolder) throws -> [String: EncodedTensor] {
    var result: [String: EncodedTensor] = [:]
    for (module, scheme) in schemes {
      let weight = try #require(source.weights[module + ".weight"]).floats(threads: 1)
      result[module] = encoded(weight, scheme)
    }
    return result
  }

  /// Codes by plain rounding between the smallest and the largest weight.
  private static func encoded(_ weight: Tensor, _ scheme: Scheme) -> EncodedTensor {
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    let values = weight.floats
    let (group, isGrouped) =
      if case .group(let size) = scheme.granularity { (size, true) } else { (columns, false) }
    func index(_ i: Int) -> Int {
      scheme.granularity == .tensor ? 0 : i / columns * (columns / group) + i % columns / group
    }
    let count = scheme.granularity == .tensor ? 1 : rows * (columns / group)
    var (low, high) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
    for i in values.indices {
      low[index(i)] = min(low[index(i)], values[i])
      high[index(i)] = max(high[index(i)], values[i])
    }
    let codes = scheme.codes
    let scales = (0..<count).map { i in
      scheme.symmetry == .symmetric
        ? max(high[i], -low[i]) / Float(codes.upperBound) : (high[i] - low[i]) / Float(codes.upperBound)
    }
    let zeros = (0..<count).map {
      scheme.symmetry == .symmetric ? 0 : Int32((-low[$0] / scales[$0]).rounded())
    }
    let encoding = Encoding(
      scheme: scheme, channelAxis: scheme.granularity == .tensor ? nil : 0,
      groupAxis: isGrouped ? 1 : nil, scales: scales, zeroPoints: zeros)
    let integers = values.indices.map { Int(encoding.code(values[$0], at: index($0))) }
    return EncodedTensor(
      codes: Tensor(
        integers: integers, shape: weight.shape, type: scheme.symmetry == .symmetric ? .int8 : .uint8),
      encoding: encoding)
  }

  /// What the codes stand for.
  static func reals(_ weight: EncodedTensor) -> [Float] {
    let shape = EncodedTensor.scaleShape(of: weight.codes.shape, encoding: weight.encoding)
    let columns = weight.codes.shape[1]
    return weight.codes.integers.enumerated().map { i, code in
      let column = i % columns / (columns / shape[1])
      let row = shape[0] == 1 ? 0 : i / columns
      return weight.encoding.real(Int32(code), at: row * shape[1] + column)
    }
  }
}
