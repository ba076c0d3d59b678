import Formats
import Foundation
import Graph
import Operators
import Tensors
import Testing

/// What is read, written and read again is the same graph.
@Suite struct RoundTripTests {
  @Test(
    .enabled(if: Shared.exists, "the shared folder is missing"),
    arguments: Shared.models)
  func sharedModel(_ model: URL) throws {
    let folder = try TemporaryFolder()
    let graph = try ONNX.read(path: model.path)
    let warnings = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("again.onnx"))
    #expect(warnings.isEmpty)
    let again = try ONNX.read(path: folder.path("again.onnx"))
    #expect(difference(graph, again) == nil, "\(difference(graph, again) ?? "")")
    #expect(again.opsets[""] ?? 0 >= graph.opsets[""] ?? 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["again.onnx"])
  }

  /// Every operator, attribute and subgraph of the conformance set; what is written is in its newest form already.
  @Test(.enabled(if: Shared.exists, "the shared folder is missing"))
  func conformanceModels() throws {
    let folder = try TemporaryFolder()
    let archives = Shared.folder.appendingPathComponent("conformance")
    for name in ["onnx_node_tests_v1.22.0_selected.tar.xz", "onnx_pytorch_operator_simple_v1.22.0.tar.xz"] {
      try folder.unpack(archives.appendingPathComponent(name))
    }
    let found = FileManager.default.enumerator(at: folder.url, includingPropertiesForKeys: nil)
    let models = (found?.compactMap { $0 as? URL } ?? []).filter { $0.lastPathComponent == "model.onnx" }
    let path = folder.path("again.onnx")
    var compared = 0
    for model in models {
      // What cannot be read is the business of the conformance test.
      guard let graph = try? ONNX.read(path: model.path) else { continue }
      _ = try ONNX.write(EncodedGraph(graph: graph), path: path)
      let again = try ONNX.read(path: path)
      let problem = difference(graph, again)
      #expect(problem == nil, "\(model.deletingLastPathComponent().lastPathComponent): \(problem ?? "")")
      compared += 1
    }
    #expect(compared > 1400)
  }

  /// Large constants beside the model, mapped again from there.
  @Test func externalData() throws {
    let folder = try TemporaryFolder()
    let graph = Graph(
      name: "large",
      inputs: [ValueInfo(name: "x", type: .float32, dimensions: [.fixed(600)])],
      outputs: [ValueInfo(name: "w", type: .float32, dimensions: [.fixed(600)])],
      constants: [
        "w": Tensor((0..<600).map { Float($0) }, shape: [600]),
        "v": Tensor((0..<400).map { Int64($0) }, shape: [400]),
        "s": Tensor(scalar: Float(2)),
      ],
      metadata: ["onnx.property.author": "a test", "onnx.producer_name": "test"])
    let path = folder.path("large.onnx")
    _ = try ONNX.write(EncodedGraph(graph: graph), path: path, externalAbove: 1000)
    let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    #expect(size < 1000)
    let again = try ONNX.read(path: path)
    #expect(difference(graph, again) == nil, "\(difference(graph, again) ?? "")")
    #expect(again.constants["w"]?.storage.isMapped == true)
  }

  /// A file that cannot be written leaves nothing behind.
  @Test func unwritableFolder() throws {
    let graph = Graph(constants: ["w": Tensor(scalar: Float(1))])
    #expect(throws: ExportError.self) {
      try ONNX.write(EncodedGraph(graph: graph), path: "/nonexistent/folder/model.onnx")
    }
  }

  /// An attribute of our own is not written as if it were ONNX's.
  @Test func attentionWithAWindow() throws {
    let folder = try TemporaryFolder()
    for (window, isWritten) in [(0, true), (3, false)] {
      let op = Attention(isCausal: true, heads: 1, kvHeads: 1, window: window)
      let q = ValueInfo(name: "q", type: .float32, dimensions: [.fixed(1), .fixed(2), .fixed(4)])
      let graph = Graph(
        inputs: [q], outputs: [ValueInfo(name: "y", type: .float32, dimensions: q.dimensions)],
        nodes: [Node(name: "scores", op: op, inputs: ["q", "q", "q"], outputs: ["y"])])
      let path = folder.path("window-\(window).onnx")
      if isWritten {
        _ = try ONNX.write(EncodedGraph(graph: graph), path: path)
      } else {
        #expect(throws: ExportError.self) { try ONNX.write(EncodedGraph(graph: graph), path: path) }
      }
      #expect(FileManager.default.fileExists(atPath: path) == isWritten)
    }
  }

  /// Every encoding of TensorProto's data.
  @Test func typedData() throws {
    let folder = try TemporaryFolder()
    func read(_ bytes: ProtoBytes) throws -> Tensor {
      let path = folder.path("t.pb")
      try Data(bytes.bytes).write(to: URL(fileURLWithPath: path))
      return try ONNX.readTensor(path: path)
    }
    func tensor(_ type: ElementType, _ count: Int) -> ProtoBytes {
      ONNXBytes.tensor("t", dims: [count], type: type.rawValue)
    }
    func packed(_ values: [Int]) -> [UInt8] {
      values.flatMap { ProtoBytes.varint(UInt64(bitPattern: Int64($0))) }
    }
    #expect(try read(tensor(.float32, 2).floats(4, [1, -2])).floats == [1, -2])
    // Unpacked and in two pieces, as old writers do.
    #expect(try read(tensor(.float32, 3).floats(4, [1]).floats(4, [2, 3])).floats == [1, 2, 3])
    #expect(try read(tensor(.int32, 2).int(5, 7).int(5, -7)).integers == [7, -7])
    for type in [ElementType.int8, .int16, .int32] {
      #expect(try read(tensor(type, 3).bytes(5, packed([-3, 0, 5]))).integers == [-3, 0, 5])
    }
    for type in [ElementType.uint8, .uint16] {
      #expect(try read(tensor(type, 2).bytes(5, packed([3, 200]))).integers == [3, 200])
    }
    #expect(try read(tensor(.bool, 2).bytes(5, packed([1, 0]))).array(of: Bool.self) == [true, false])
    #expect(try read(tensor(.int64, 2).bytes(7, packed([-1, 1 << 40]))).integers == [-1, 1 << 40])
    #expect(try read(tensor(.uint32, 1).bytes(11, packed([1 << 31]))).array(of: UInt32.self) == [1 << 31])
    #expect(try read(tensor(.uint64, 1).bytes(11, packed([-1]))).array(of: UInt64.self) == [.max])
    #expect(try read(tensor(.float16, 2).bytes(5, packed([0x3c00, 0xc000]))).floats == [1, -2])
    #expect(try read(tensor(.bfloat16, 2).bytes(5, packed([0x3f80, 0xc000]))).floats == [1, -2])
    #expect(try read(tensor(.float8e4m3fn, 1).bytes(5, packed([0x38]))).floats == [1])
    #expect(try read(tensor(.int4, 3).bytes(5, packed([0xf1, 0x07]))).integers == [1, -1, 7])
    #expect(try read(tensor(.uint4, 3).bytes(9, [0xf1, 0x07])).integers == [1, 15, 7])
    #expect(try read(tensor(.int2, 4).bytes(9, [0b01_00_11_10])).integers == [-2, -1, 0, 1])
    let double = ProtoBytes().raw(tensor(.float64, 1).bytes)
      .bytes(10, withUnsafeBytes(of: (0.1).bitPattern.littleEndian) { Array($0) })
    #expect(try read(double).doubles == [0.1])
  }
}
