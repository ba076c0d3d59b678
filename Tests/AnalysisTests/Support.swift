import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workflows

/// Where the package lies.
let packageFolder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

/// The shared files: `$LATHE_SHARED`, else `shared` beside the package.
enum Shared {
  static let folder =
    ProcessInfo.processInfo.environment["LATHE_SHARED"].map { URL(fileURLWithPath: $0) }
    ?? packageFolder.deletingLastPathComponent().appendingPathComponent("shared")

  static let exists = FileManager.default.fileExists(atPath: folder.path + "/models")
  static func path(_ name: String) -> String { folder.path + "/" + name }
}

/// The model and data that come with the package.
enum Sample {
  static let model = packageFolder.path + "/samples/shapes.onnx"

  static func project(threads: Int = 2) throws -> Project {
    try Project.open(
      model: model, data: packageFolder.path + "/samples/test.yaml",
      trainData: packageFolder.path + "/samples/train.yaml", threads: threads)
  }
}

/// A new empty folder that is removed when the value goes away.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}

extension Project {
  /// Quantizes by a recipe and writes the file.
  func write(_ recipe: Recipe, to path: String) throws -> Candidate {
    let candidate = try prepare(recipe, name: recipe.name, reporter: .silent)
    _ = try model.write(candidate.encoded, to: path)
    return candidate
  }
}

/// Numbers in −1…1, the same every time.
func pseudoRandom(_ shape: Shape, seed: UInt64) -> Tensor {
  var state = seed
  return Tensor(
    (0..<shape.elementCount).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
    }, shape: shape)
}

/// A table that is looked up, a MatMul and a Gemm: the layers of a small text network.
func textNetwork() throws -> Graph {
  var graph = Graph()
  graph.inputs = [ValueInfo(name: "ids", type: .int64, dimensions: [.fixed(1), .fixed(6)])]
  graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
  graph.constants["table"] = pseudoRandom([50, 64], seed: 1)
  graph.constants["w1"] = pseudoRandom([64, 64], seed: 2)
  graph.constants["w2"] = pseudoRandom([32, 64], seed: 3)
  graph.constants["b2"] = pseudoRandom([32], seed: 4)
  graph.constants["rows"] = Tensor(integers: [6, 64], shape: [2])
  func node(
    _ type: String, _ name: String, _ inputs: [String], _ output: String, _ attributes: Attributes = [:]
  ) throws {
    let op = try #require(Catalog.find(domain: "", type: type))
    graph.nodes.append(
      Node(name: name, op: try op.init(attributes: attributes), inputs: inputs, outputs: [output]))
  }
  try node("Gather", "embed", ["table", "ids"], "e")
  try node("MatMul", "first", ["e", "w1"], "h")
  try node("Reshape", "flat", ["h", "rows"], "r")
  try node("Gemm", "second", ["r", "w2", "b2"], "y", ["transB": .int(1)])
  return graph
}
