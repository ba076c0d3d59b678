/// A protocol-buffer message being written, field by field, right or deliberately wrong.
struct ProtoBytes {
  var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    var value = value
    var result: [UInt8] = []
    while value >= 0x80 {
      result.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    result.append(UInt8(value))
    return result
  }

  func int(_ field: UInt64, _ value: Int) -> ProtoBytes {
    raw(Self.varint(field << 3) + Self.varint(UInt64(bitPattern: Int64(value))))
  }

  func bytes(_ field: UInt64, _ content: [UInt8]) -> ProtoBytes {
    raw(Self.varint(field << 3 | 2) + Self.varint(UInt64(content.count)) + content)
  }

  func string(_ field: UInt64, _ text: String) -> ProtoBytes { bytes(field, Array(text.utf8)) }

  func message(_ field: UInt64, _ content: ProtoBytes) -> ProtoBytes { bytes(field, content.bytes) }

  func floats(_ field: UInt64, _ values: [Float]) -> ProtoBytes {
    bytes(field, values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } })
  }

  func raw(_ content: [UInt8]) -> ProtoBytes {
    var result = self
    result.bytes += content
    return result
  }

  func repeated(_ values: some Sequence<String>, field: UInt64) -> ProtoBytes {
    values.reduce(self) { $0.string(field, $1) }
  }
}

/// Parts of small ONNX files.
enum ONNXBytes {
  static func model(
    graph: ProtoBytes, ir: Int = 8, opset: Int? = 13, functions: [ProtoBytes] = []
  ) -> ProtoBytes {
    var model = ProtoBytes().int(1, ir).string(2, "test")
    if let opset { model = model.message(8, ProtoBytes().string(1, "").int(2, opset)) }
    for function in functions {
      model = model.message(8, ProtoBytes().string(1, "own").int(2, 1)).message(25, function)
    }
    // Last, so that a file cut short anywhere has lost part of it.
    return model.message(7, graph)
  }

  static func node(
    _ type: String, _ inputs: [String], _ outputs: [String], name: String = "", domain: String = "",
    attributes: [ProtoBytes] = []
  ) -> ProtoBytes {
    var node = ProtoBytes().repeated(inputs, field: 1).repeated(outputs, field: 2).string(3, name).string(
      4, type)
    for attribute in attributes { node = node.message(5, attribute) }
    return domain.isEmpty ? node : node.string(7, domain)
  }

  static func value(_ name: String, type: Int = 1, dims: [Int] = [1, 4]) -> ProtoBytes {
    var shape = ProtoBytes()
    for size in dims { shape = shape.message(1, ProtoBytes().int(1, size)) }
    return ProtoBytes().string(1, name).message(
      2, ProtoBytes().message(1, ProtoBytes().int(1, type).message(2, shape)))
  }

  static func tensor(_ name: String, dims: [Int], type: Int = 1) -> ProtoBytes {
    dims.reduce(ProtoBytes()) { $0.int(1, $1) }.int(2, type).string(8, name)
  }

  static func external(_ name: String, dims: [Int], _ entries: [(String, String)]) -> ProtoBytes {
    entries.reduce(tensor(name, dims: dims)) { $0.message(13, ProtoBytes().string(1, $1.0).string(2, $1.1)) }
      .int(14, 1)
  }

  /// x[1, 4] · w[4, 4] + b → Relu → y, with these nodes and constants instead where given.
  static func graph(
    nodes: [ProtoBytes]? = nil, constants: [ProtoBytes]? = nil, input: ProtoBytes? = nil,
    output: ProtoBytes? = nil, extra: ProtoBytes = ProtoBytes()
  ) -> ProtoBytes {
    let weights = (0..<16).map { Float($0) / 16 }
    let nodes =
      nodes ?? [
        node("MatMul", ["x", "w"], ["h"], name: "product"), node("Add", ["h", "b"], ["s"], name: "sum"),
        node("Relu", ["s"], ["y"], name: "relu"),
      ]
    let constants =
      constants ?? [
        tensor("w", dims: [4, 4]).floats(9, weights), tensor("b", dims: [4]).floats(4, [1, 2, 3, 4]),
      ]
    var graph = nodes.reduce(ProtoBytes().string(2, "g")) { $0.message(1, $1) }
    graph = constants.reduce(graph) { $0.message(5, $1) }
    return graph.message(11, input ?? value("x")).message(12, output ?? value("y")).raw(extra.bytes)
  }
}
