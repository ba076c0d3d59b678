import Execution
import Formats
import Foundation
import Graph
import Quantization
import Tensors
import Testing

/// What `Golden/golden.py` wrote: the numbers another toolkit computed for a shared model.
struct Golden: Decodable {
  struct Weight: Decodable {
    var layer: String
    var shape: Shape
    var scales: [Float]
    /// base64 of int8, every ⌈n/512⌉-th code.
    var codes: String
  }

  var toolkit: String
  var preset: String
  var model: String
  var samples: Int
  var normalized: Bool
  /// Scale and zero point by value.
  var activations: [String: [Double]]
  var weights: [Weight]

  static let files = [
    "onnxruntime-qdq", "onnxruntime-default", "pytorch-fbgemm-static", "pytorch-dynamic",
    "tflite-dynamic-range",
  ].flatMap { preset in ["resnet8", "resnet20"].map { "\(preset).\($0)" } }

  static func read(_ name: String) throws -> Golden {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden")
    return try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: folder.appendingPathComponent("\(name).json")))
  }
}

/// Images of a shared `.npy` of bytes, height × width × channels, as a model's input wants them.
struct ImageSource: CalibrationSource {
  let file: MappedFile
  let offset: Int
  let count: Int
  let normalized: Bool

  init(path: String, count: Int, normalized: Bool) throws {
    file = try MappedFile(path: path)
    offset = 10 + Int(file.bytes[8]) + Int(file.bytes[9]) << 8
    self.count = count
    self.normalized = normalized
  }

  func batch(_ range: Range<Int>) throws -> [ValueName: Tensor] {
    let mean: [Float] = normalized ? [0.485, 0.456, 0.406] : [0, 0, 0]
    let deviation: [Float] = normalized ? [0.229, 0.224, 0.225] : [1, 1, 1]
    let scale: Float = normalized ? 0.003_921_568_627_450_98 : 1
    let pixels = 32 * 32
    let tensor = Tensor(of: Float.self, shape: [range.count, 3, 32, 32]) { elements in
      for (place, image) in range.enumerated() {
        for pixel in 0..<pixels {
          for channel in 0..<3 {
            let byte = Float(file.bytes[offset + (image * pixels + pixel) * 3 + channel])
            elements[(place * 3 + channel) * pixels + pixel] =
              (byte * scale - mean[channel]) / deviation[channel]
          }
        }
      }
    }
    return ["input": tensor]
  }
}

@Suite(.enabled(if: Shared.path != nil, "the shared models are not there")) struct GoldenTests {
  @Test(arguments: Golden.files) func presetComputesWhatTheToolkitComputes(_ name: String) throws {
    let golden = try Golden.read(name)
    let shared = try #require(Shared.path)
    let model = try ONNX.read(path: "\(shared)/models/vision/\(golden.model).onnx")
    let graph = try simplified(model, inputShapes: nil)
    let infos = try graph.infer(inputs: ["input": OperandInfo(type: .float32, shape: [1, 3, 32, 32])])
    var recipe = try #require(Presets[golden.preset]).recipe
    recipe.calibration.samples = golden.samples
    let source = try ImageSource(
      path: "\(shared)/data/cifar10/train4000_images_u8_nhwc.npy", count: golden.samples,
      normalized: golden.normalized)
    let candidate = try quantize(
      graph, infos: infos, recipe: recipe, calibration: source, threads: 2, report: { _, _ in })
    try compareActivations(golden, candidate)
    try compareWeights(golden, candidate)
  }

  private func compareActivations(_ golden: Golden, _ candidate: Candidate) throws {
    // Where both have an encoding: other toolkits also encode graph outputs, and pass pooling by.
    let shared = candidate.encoded.activations.keys.filter { golden.activations[$0] != nil }
    #expect(golden.activations.isEmpty || shared.count >= golden.activations.count * 2 / 3)
    // ONNX Runtime's int8 codes are ours less 128.
    let shift: Int32 = golden.preset == "onnxruntime-default" ? 128 : 0
    for value in shared.sorted() {
      let encoding = try #require(candidate.encoded.activations[value])
      let theirs = try #require(golden.activations[value])
      #expect(
        abs(Double(encoding.scales[0]) / theirs[0] - 1) < 1e-6,
        "\(value): \(encoding.scales[0]), \(theirs[0])")
      #expect(encoding.zeroPoints[0] == Int32(theirs[1]) + shift, "\(value)")
    }
  }

  private func compareWeights(_ golden: Golden, _ candidate: Candidate) throws {
    let layers = candidate.resolution.layers.filter { $0.kind == .weighted && $0.effective.mode != .float }
    try #require(layers.count == golden.weights.count)
    var (equal, compared) = (0, 0)
    for theirs in golden.weights {
      let layer = try #require(layers.first { $0.node == theirs.layer })
      let value = try #require(layer.weights.first?.value)
      let weight = try #require(candidate.encoded.weights[value])
      #expect(weight.codes.shape == theirs.shape)
      try #require(weight.encoding.scales.count == theirs.scales.count)
      // TensorFlow Lite takes no half range below 5e-7, so a filter of nothing but dust becomes zeros there.
      let dust: Set<Int> =
        golden.preset == "tflite-dynamic-range"
        ? Set(theirs.scales.indices.filter { theirs.scales[$0] <= 5.001e-7 / 127 }) : []
      for (channel, (a, b)) in zip(weight.encoding.scales, theirs.scales).enumerated()
      where !dust.contains(channel) {
        #expect(abs(a / b - 1) < 1e-6, "\(layer.node)")
      }
      let codes = weight.codes.array(of: Int8.self)
      let wanted = try #require(Data(base64Encoded: theirs.codes)).map { Int8(bitPattern: $0) }
      let step = (codes.count + 511) / 512
      for (index, code) in wanted.enumerated() {
        guard dust.isEmpty || !dust.contains(index * step / (codes.count / theirs.scales.count)) else {
          continue
        }
        compared += 1
        if codes[index * step] == code { equal += 1 }
      }
    }
    #expect(Double(equal) >= 0.999 * Double(compared), "\(equal) of \(compared) codes are equal")
  }
}
