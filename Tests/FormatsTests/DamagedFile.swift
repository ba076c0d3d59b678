import Foundation
import Testing

/// A file that must not open, and a word of the sentence that says why.
struct DamagedFile: Sendable, CustomTestStringConvertible {
  var name: String
  var says: String
  /// Writes the file, and whatever lies around it, into a folder; returns its path.
  var write: @Sendable (TemporaryFolder) throws -> String

  var testDescription: String { name }

  init(_ name: String, says: String, _ bytes: @escaping @Sendable () -> [UInt8]) {
    self.init(name, says: says, around: { _ in }, bytes)
  }

  init(
    _ name: String, says: String, around: @escaping @Sendable (TemporaryFolder) throws -> Void,
    _ bytes: @escaping @Sendable () -> [UInt8]
  ) {
    self.name = name
    self.says = says
    write = { folder in
      try around(folder)
      let path = folder.path("model.onnx")
      try Data(bytes()).write(to: URL(fileURLWithPath: path))
      return path
    }
  }

  private static func model(_ graph: ProtoBytes) -> [UInt8] { ONNXBytes.model(graph: graph).bytes }
  private static func nodes(_ nodes: ProtoBytes...) -> [UInt8] { model(ONNXBytes.graph(nodes: nodes)) }
  private static func constant(_ tensor: ProtoBytes) -> [UInt8] {
    model(ONNXBytes.graph(constants: [tensor, ONNXBytes.tensor("b", dims: [4]).floats(4, [1, 2, 3, 4])]))
  }
  private static func tensor(_ dims: [Int] = [4, 4], type: Int = 1) -> ProtoBytes {
    ONNXBytes.tensor("w", dims: dims, type: type)
  }
  private static func external(_ entries: [(String, String)]) -> [UInt8] {
    constant(ONNXBytes.external("w", dims: [4, 4], entries))
  }
  private static func data(_ name: String, _ count: Int = 64) -> @Sendable (TemporaryFolder) throws -> Void {
    { try Data(count: count).write(to: $0.url.appendingPathComponent(name)) }
  }
  private static let zeros = [UInt8](repeating: 0, count: 64)

  static let all: [DamagedFile] = wire + structure + tensors + externals + sparse + functions

  static let wire: [DamagedFile] = [
    DamagedFile("empty", says: "empty") { [] },
    DamagedFile("text", says: "of another format") { Array("hello, this is no model\n".utf8) },
    DamagedFile("only an IR version", says: "graph is missing") { ProtoBytes().int(1, 8).bytes },
    DamagedFile("no IR version", says: "not an ONNX model") {
      ProtoBytes().message(7, ONNXBytes.graph()).bytes
    },
    DamagedFile("impossible IR version", says: "not an ONNX model") {
      ONNXBytes.model(graph: ONNXBytes.graph(), ir: -1).bytes
    },
    DamagedFile("number of eleven bytes", says: "longer than 64 bits") {
      [0x08] + [UInt8](repeating: 0xff, count: 10) + [1]
    },
    DamagedFile("number beyond 64 bits", says: "longer than 64 bits") {
      [0x08] + [UInt8](repeating: 0xff, count: 9) + [2]
    },
    DamagedFile("number that does not end", says: "bytes are needed") { [0x08, 0xff, 0xff] },
    DamagedFile("group", says: "wire type 3") { [0x0b, 0x0c] },
    DamagedFile("unknown wire type", says: "wire type 7") { [0x0f] },
    DamagedFile("field zero", says: "number 0") { [0x00, 0x00] },
    DamagedFile("fixed number cut short", says: "bytes are needed") { [0x0d, 1, 2] },
    DamagedFile("length beyond the file", says: "bytes are needed") { [0x08, 8, 0x3a, 100, 1, 2] },
    DamagedFile("length of 2^63", says: "bytes are needed") { [0x3a] + ProtoBytes.varint(1 << 63) },
    DamagedFile("length of 2^64 - 1", says: "bytes are needed") { [0x3a] + ProtoBytes.varint(.max) },
    DamagedFile("inner length beyond the outer", says: "bytes are needed") {
      ProtoBytes().int(1, 8).bytes(7, [0x0a, 50, 1]).string(2, String(repeating: "x", count: 80)).bytes
    },
    DamagedFile("graph is a number", says: "should be bytes") { ProtoBytes().int(1, 8).int(7, 5).bytes },
    DamagedFile("name that is not UTF-8", says: "UTF-8") {
      nodes(ProtoBytes().bytes(1, [0xff, 0xfe]).string(4, "Relu"))
    },
  ]

  static let structure: [DamagedFile] = [
    DamagedFile("no opset", says: "opset import") {
      ONNXBytes.model(graph: ONNXBytes.graph(), opset: nil).bytes
    },
    DamagedFile("opset zero", says: "opset") { ONNXBytes.model(graph: ONNXBytes.graph(), opset: 0).bytes },
    DamagedFile("opset of the future", says: "opset 999") {
      ONNXBytes.model(graph: ONNXBytes.graph(), opset: 999).bytes
    },
    DamagedFile("node without operator", says: "operator of a node is missing") {
      nodes(ProtoBytes().string(2, "y"))
    },
    DamagedFile("unknown operators", says: "nor are those of 1 other nodes") {
      nodes(ONNXBytes.node("Nonsense", ["x"], ["a"], name: "odd"), ONNXBytes.node("Absurd", ["a"], ["y"]))
    },
    DamagedFile("undefined input", says: "no input, constant or node defines it") {
      nodes(ONNXBytes.node("Relu", ["nowhere"], ["y"]))
    },
    DamagedFile("undefined output", says: "no input, constant or node defines it") {
      nodes(ONNXBytes.node("Relu", ["x"], ["z"]))
    },
    DamagedFile("value written twice", says: "defined twice") {
      nodes(ONNXBytes.node("Relu", ["x"], ["y"]), ONNXBytes.node("Relu", ["x"], ["y"]))
    },
    DamagedFile("input written by a node", says: "defined twice") {
      nodes(ONNXBytes.node("Relu", ["b"], ["x"]), ONNXBytes.node("Relu", ["x"], ["y"]))
    },
    DamagedFile("cycle", says: "depends on its own output") {
      nodes(
        ONNXBytes.node("Add", ["x", "c"], ["a"]), ONNXBytes.node("Relu", ["a"], ["c"]),
        ONNXBytes.node("Relu", ["c"], ["y"]))
    },
    DamagedFile("node that reads itself", says: "depends on its own output") {
      nodes(ONNXBytes.node("Add", ["x", "y"], ["y"]))
    },
    DamagedFile("long cycle", says: "depends on its own output") {
      let count = 20_000
      let chain = (0..<count).map { ONNXBytes.node("Relu", ["v\(($0 + 1) % count)"], ["v\($0)"]) }
      return model(ONNXBytes.graph(nodes: chain, output: ONNXBytes.value("v0")))
    },
    DamagedFile("two inputs of one name", says: "defined twice") {
      model(ONNXBytes.graph(extra: ProtoBytes().message(11, ONNXBytes.value("x"))))
    },
    DamagedFile("input without name", says: "name of an input") {
      model(ONNXBytes.graph(input: ONNXBytes.value("")))
    },
    DamagedFile("input that is a sequence", says: "sequence") {
      let type = ProtoBytes().message(4, ProtoBytes())
      return model(ONNXBytes.graph(input: ProtoBytes().string(1, "x").message(2, type)))
    },
    DamagedFile("input of unknown type", says: "number 77") {
      model(ONNXBytes.graph(input: ONNXBytes.value("x", type: 77)))
    },
    DamagedFile("attribute without value", says: "value of attribute") {
      nodes(ONNXBytes.node("Relu", ["x"], ["y"], attributes: [ProtoBytes().string(1, "alpha")]))
    },
    DamagedFile("attribute of a function outside one", says: "attribute beta") {
      nodes(
        ONNXBytes.node("Relu", ["x"], ["y"], attributes: [ProtoBytes().string(1, "alpha").string(21, "beta")])
      )
    },
    DamagedFile("attribute the operator refuses", says: "Cast") {
      nodes(
        ONNXBytes.node(
          "Cast", ["x"], ["y"], name: "c", attributes: [ProtoBytes().string(1, "to").int(3, 99).int(20, 2)]))
    },
    DamagedFile("graphs inside graphs", says: "graphs inside each other") {
      var graph = ProtoBytes()
      for _ in 0..<2000 {
        let body = ProtoBytes().string(1, "then_branch").message(6, graph).int(20, 5)
        graph = ProtoBytes().message(1, ONNXBytes.node("If", ["x"], ["y"], attributes: [body]))
      }
      return model(graph)
    },
    DamagedFile("control characters in a name", says: "(Nonsense)") {
      nodes(ONNXBytes.node("Nonsense", ["x"], ["y"], name: "\u{1b}[2J\u{7}\u{202e}evil\r\n"))
    },
  ]

  static let tensors: [DamagedFile] = [
    DamagedFile("sizes that overflow", says: "impossible") {
      constant(tensor([Int.max, Int.max]).bytes(9, zeros))
    },
    DamagedFile("huge sizes, few bytes", says: "wrong number of bytes") {
      constant(tensor([1 << 20, 1 << 20]).bytes(9, zeros))
    },
    DamagedFile("huge sizes, no data", says: "wrong number of elements") {
      constant(tensor([1 << 20, 1 << 20]))
    },
    DamagedFile("negative size", says: "impossible") { constant(tensor([-4, 4]).bytes(9, zeros)) },
    DamagedFile("too many axes", says: "axes") {
      constant(tensor([Int](repeating: 1, count: 65)).bytes(9, [0, 0, 0, 0]))
    },
    DamagedFile("raw data too short", says: "found 63, expected 64") {
      constant(tensor().bytes(9, [UInt8](repeating: 0, count: 63)))
    },
    DamagedFile("raw data too long", says: "found 65, expected 64") {
      constant(tensor().bytes(9, [UInt8](repeating: 0, count: 65)))
    },
    DamagedFile("too few floats", says: "found 3, expected 16") { constant(tensor().floats(4, [1, 2, 3])) },
    DamagedFile("floats that end early", says: "bytes are needed") {
      constant(tensor().bytes(4, [1, 2, 3]).floats(4, [1]))
    },
    DamagedFile("integers where floats belong", says: "found 0, expected 16") {
      constant(tensor().bytes(5, zeros))
    },
    DamagedFile("odd count of 4-bit numbers", says: "found 7, expected 8") {
      constant(tensor(type: 22).bytes(9, [UInt8](repeating: 0, count: 7)))
    },
    DamagedFile("string tensor", says: "string") { constant(tensor(type: 8).string(6, "a")) },
    DamagedFile("complex tensor", says: "complex64") { constant(tensor(type: 14).bytes(9, zeros)) },
    DamagedFile("unknown element type", says: "number 99") { constant(tensor(type: 99).bytes(9, zeros)) },
    DamagedFile("no element type", says: "undefined") { constant(tensor(type: 0).bytes(9, zeros)) },
    DamagedFile("truth value of two", says: "not 0 or 1") { constant(tensor([1], type: 9).bytes(9, [2])) },
    DamagedFile("constant without name", says: "name of a constant") {
      constant(ONNXBytes.tensor("", dims: [1]).bytes(9, [0, 0, 0, 0]))
    },
    DamagedFile("constant given twice", says: "defined twice") {
      constant(ONNXBytes.tensor("b", dims: [1]).bytes(9, [0, 0, 0, 0]))
    },
  ]

  static let externals: [DamagedFile] = [
    DamagedFile("external data without location", says: "no location") { external([("offset", "0")]) },
    DamagedFile("external data missing", says: "cannot be found") { external([("location", "w.bin")]) },
    DamagedFile("external data at an absolute path", says: "absolute") {
      external([("location", "/etc/hostname")])
    },
    DamagedFile("external data above the folder", says: "leaves") { external([("location", "../w.bin")]) },
    DamagedFile("external data by a detour", says: "leaves") { external([("location", "a/../../w.bin")]) },
    DamagedFile(
      "external data behind a link", says: "leaves",
      around: { folder in
        try FileManager.default.createSymbolicLink(
          atPath: folder.path("w.bin"), withDestinationPath: "/etc/passwd")
      }, { external([("location", "w.bin")]) }),
    DamagedFile(
      "external data in a linked folder", says: "leaves",
      around: { folder in
        try FileManager.default.createSymbolicLink(atPath: folder.path("sub"), withDestinationPath: "/etc")
      }, { external([("location", "sub/passwd")]) }),
    DamagedFile(
      "external data that is a folder", says: "regular file",
      around: {
        try FileManager.default.createDirectory(atPath: $0.path("w.bin"), withIntermediateDirectories: true)
      },
      { external([("location", "w.bin")]) }),
    DamagedFile("external data too short", says: "are wanted", around: data("w.bin", 63)) {
      external([("location", "w.bin")])
    },
    DamagedFile("external data past the end", says: "are wanted", around: data("w.bin")) {
      external([("location", "w.bin"), ("offset", "1")])
    },
    DamagedFile("external offset that overflows", says: "are wanted", around: data("w.bin")) {
      external([("location", "w.bin"), ("offset", "9223372036854775807")])
    },
    DamagedFile("external offset below zero", says: "impossible offset", around: data("w.bin")) {
      external([("location", "w.bin"), ("offset", "-4")])
    },
    DamagedFile("external length that is no number", says: "impossible length", around: data("w.bin")) {
      external([("location", "w.bin"), ("length", "many")])
    },
    DamagedFile(
      "external length that does not fit", says: "60 bytes for a tensor of 64", around: data("w.bin")
    ) {
      external([("location", "w.bin"), ("length", "60")])
    },
    DamagedFile("external location with a zero byte", says: "not a path", around: data("w.bin")) {
      external([("location", "w.bin\0.txt")])
    },
  ]

  static let sparse: [DamagedFile] = {
    @Sendable func file(_ dims: [Int], _ indices: ProtoBytes?) -> [UInt8] {
      var sparse = ProtoBytes().message(1, ONNXBytes.tensor("w", dims: [1]).floats(4, [1]))
      if let indices { sparse = sparse.message(2, indices) }
      for size in dims { sparse = sparse.int(3, size) }
      return model(ONNXBytes.graph(constants: [], extra: ProtoBytes().message(15, sparse)))
    }
    @Sendable func index(_ value: Int, dims: [Int] = [1]) -> ProtoBytes {
      ONNXBytes.tensor("", dims: dims, type: 7).bytes(7, ProtoBytes.varint(UInt64(bitPattern: Int64(value))))
    }
    return [
      DamagedFile("sparse tensor without indices", says: "indices") { file([4, 4], nil) },
      DamagedFile("sparse index outside", says: "outside the shape") { file([4, 4], index(16)) },
      DamagedFile("sparse index below zero", says: "outside the shape") { file([4, 4], index(-1)) },
      DamagedFile("huge sparse tensor", says: "bytes of a sparse tensor") {
        file([1 << 20, 1 << 20], index(0))
      },
      DamagedFile("sparse sizes that overflow", says: "impossible") { file([Int.max, 3], index(0)) },
      DamagedFile("sparse indices of another rank", says: "wrong number of indices") {
        file([4, 4], index(0, dims: [1, 1]))
      },
    ]
  }()

  static let functions: [DamagedFile] = {
    @Sendable func function(_ name: String, _ nodes: [ProtoBytes]) -> ProtoBytes {
      nodes.reduce(ProtoBytes().string(1, name).string(4, "a").string(5, "z")) { $0.message(7, $1) }
        .message(9, ProtoBytes().string(1, "").int(2, 13)).string(10, "own")
    }
    @Sendable func file(_ functions: [ProtoBytes], calls: [String] = ["x"]) -> [UInt8] {
      let graph = ONNXBytes.graph(nodes: [ONNXBytes.node("f0", calls, ["y"], domain: "own")])
      return ONNXBytes.model(graph: graph, functions: functions).bytes
    }
    return [
      DamagedFile("function that calls itself", says: "functions inside each other") {
        file([function("f0", [ONNXBytes.node("f0", ["a"], ["z"], domain: "own")])])
      },
      DamagedFile("functions that double", says: "beyond what a file of this size") {
        file(
          (0..<30).map { i in
            function(
              "f\(i)",
              i == 29
                ? [ONNXBytes.node("Relu", ["a"], ["z"])]
                : [
                  ONNXBytes.node("f\(i + 1)", ["a"], ["m"], domain: "own"),
                  ONNXBytes.node("f\(i + 1)", ["m"], ["z"], domain: "own"),
                ])
          })
      },
      DamagedFile("function given twice", says: "defined twice") {
        let relu = function("f0", [ONNXBytes.node("Relu", ["a"], ["z"])])
        return file([relu, relu])
      },
      DamagedFile("function with too many inputs", says: "wrong number of inputs") {
        file([function("f0", [ONNXBytes.node("Relu", ["a"], ["z"])])], calls: ["x", "w", "b"])
      },
    ]
  }()
}
