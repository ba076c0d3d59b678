import Execution
import Formats
import Foundation
import Graph
import Tensors
import Testing

/// The shared models against their reference, node by node in float.
@Suite(.enabled(if: Shared.exists, "the shared models are not here"))
struct SharedModelTests {
  struct Model: Sendable, CustomTestStringConvertible {
    var path: String
    var shapes: [ValueName: Shape]
    /// Inputs of whole numbers below this.
    var below: [ValueName: Int] = [:]
    var testDescription: String { path }
  }

  static let models: [Model] = [
    Model(path: "models/vision/resnet20_cifar10-akamaster.onnx", shapes: ["input": [2, 3, 32, 32]]),
    Model(path: "models/vision/resnet8_cifar10-mlperftiny.onnx", shapes: ["input": [2, 3, 32, 32]]),
    Model(path: "models/vision/mnist-12-ort.onnx", shapes: ["Input3": [1, 1, 28, 28]]),
    Model(path: "models/vision/mobilenet_v1_0.25_224-tf.onnx", shapes: ["input": [1, 3, 224, 224]]),
    Model(path: "models/vision/super-resolution-10-onnxzoo.onnx", shapes: ["input": [1, 1, 20, 24]]),
    Model(path: "models/audio/dscnn_kws-mlperftiny.onnx", shapes: ["input": [3, 1, 49, 10]]),
    Model(path: "models/magika/standard_v3_3.onnx", shapes: ["bytes": [1, 2048]], below: ["bytes": 257]),
    Model(
      path: "models/text/all-MiniLM-L6-v2/minilm_sst2_fp16w.onnx",
      shapes: ["input_ids": [2, 9], "attention_mask": [2, 9], "token_type_ids": [2, 9]],
      below: ["input_ids": 30_000, "attention_mask": 2, "token_type_ids": 2]),
  ]

  @Test(arguments: models)
  func equalsReference(_ model: Model) throws {
    let source = try ONNX.read(path: Shared.path(model.path))
    var random = Random(3)
    var inputs: [ValueName: Tensor] = [:]
    for input in source.inputs {
      guard let shape = model.shapes[input.name], let type = input.type else { continue }
      if let below = model.below[input.name] {
        var numbers = (0..<shape.elementCount).map { _ in random.below(below) }
        // Every sample attends to its first word.
        if below == 2 { for row in 0..<shape[0] { numbers[row * shape[1]] = 1 } }
        inputs[input.name] = Tensor(integers: numbers, shape: shape, type: type)
      } else {
        inputs[input.name] = random.tensor(shape)
      }
    }
    let expected = try source.evaluate(inputs)
    let simple = try simplified(source, inputShapes: nil)
    let program = try compile(
      EncodedGraph(graph: simple), CompileOptions(inputShapes: model.shapes, threads: 2))
    let found = try program.run(inputs)
    for (name, tensor) in expected {
      #expect(relativeDifference(try #require(found[name]), tensor) <= 1e-4, "\(name)")
    }
    // Nothing that costs time runs as a reference.
    let slow = program.steps.filter { $0.kernel.hasPrefix("reference") && $0.bytesWritten > 10_000 }
    #expect(slow.map(\.kernel) == [])
    let layers = source.nodes.filter { ["Conv", "Gemm", "MatMul"].contains($0.operatorName.text) }.map(\.name)
    #expect(Set(simple.nodes.map(\.name)).isSuperset(of: layers))
  }
}
