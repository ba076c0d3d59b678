import Foundation
import Tensors

/// A tiny decoder of `Tests/Fixtures/decoders.py`: its configuration, and the logits transformers computes.
struct DecoderFixture {
  struct TensorLaw {
    let name: String
    let shape: [Int]
    let scale: Double
    let offset: Double
  }

  let name: String
  var config: [String: Any]
  /// Positions the graph is made for; `nil` for the usual.
  let positions: Int?
  let tokens: [Int]
  /// Positions whose logits are given.
  let rows: [Int]
  var tensors: [TensorLaw]
  let logits: [[Float]]

  static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/Decoders")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()

  struct Broken: Error { let name: String }

  init(_ name: String) throws {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent(name + ".json"))
    guard let all = try JSONSerialization.jsonObject(with: data) as? [String: Any],
      let config = all["config"] as? [String: Any], let tokens = all["tokens"] as? [Int],
      let rows = all["rows"] as? [Int], let tensors = all["tensors"] as? [[String: Any]],
      let logits = all["logits"] as? [[Double]]
    else { throw Broken(name: name) }
    self.name = name
    self.config = config
    positions = all["positions"] as? Int
    self.tokens = tokens
    self.rows = rows
    self.logits = logits.map { $0.map { Float($0) } }
    self.tensors = try tensors.map { entry in
      guard let tensor = entry["name"] as? String, let shape = entry["shape"] as? [Int],
        let scale = entry["scale"] as? Double, let offset = entry["offset"] as? Double
      else { throw Broken(name: name) }
      return TensorLaw(name: tensor, shape: shape, scale: scale, offset: offset)
    }
  }

  /// Writes the model as a folder, its weights in this type, and returns the path.
  func write(to folder: URL, as type: ElementType = .float32) throws -> String {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try JSONSerialization.data(withJSONObject: config).write(to: folder.appendingPathComponent("config.json"))
    var header: [String: Any] = [:]
    var bytes = Data()
    let typeNames: [ElementType: String] = [.float32: "F32", .float16: "F16", .bfloat16: "BF16"]
    for tensor in tensors {
      let start = bytes.count
      Tensor(tensor.numbers, shape: tensor.shape).converted(to: type).withBytes {
        bytes.append(contentsOf: $0)
      }
      header[tensor.name] = [
        "dtype": typeNames[type] ?? "", "shape": tensor.shape, "data_offsets": [start, bytes.count],
      ]
    }
    var head = try JSONSerialization.data(withJSONObject: header)
    head.append(contentsOf: [UInt8](repeating: 32, count: (8 - head.count % 8) % 8))
    var file = Data()
    withUnsafeBytes(of: UInt64(head.count).littleEndian) { file.append(contentsOf: $0) }
    file.append(head)
    file.append(bytes)
    try file.write(to: folder.appendingPathComponent("model.safetensors"))
    return folder.path
  }
}

extension DecoderFixture.TensorLaw {
  /// As `numbers` of `decoders.py`: offset + scale · u with u in [−1, 1).
  var numbers: [Float] {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var generator = SplitMix64(seed: seed)
    return (0..<shape.reduce(1, *)).map { _ in
      Float(offset + scale * (Double(generator.next() >> 40) / 0x1p23 - 1))
    }
  }
}

/// A folder that is removed at the end.
func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("decoders-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}
