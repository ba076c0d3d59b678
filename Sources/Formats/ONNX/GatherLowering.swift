import Graph
import Tensors

extension QDQLowering {
  /// Appends the lookup of rows in a quantized table: codes are gathered first and only the rows found become real.
  ///
  /// Otherwise a runtime makes the whole table real for every lookup. `false` where the table does not lie that way:
  /// 4-bit codes (runtimes do not gather them), groups, and axes other than the first.
  mutating func appendLookup(_ node: Node) throws -> Bool {
    guard node.operatorName.domain.isEmpty, node.operatorName.type == "Gather", node.inputs.count == 2,
      node.op.attributes.int("axis") ?? 0 == 0, let table = node.inputs[0], let indices = node.inputs[1],
      let weight = model.weights[table], let output = node.outputs.first.flatMap({ $0 })
    else { return false }
    let encoding = weight.encoding
    let type = ONNX.weightContainer(encoding.scheme)
    let rows = weight.codes.shape[0]
    guard type.bits == 8,
      encoding.scales.count == 1 || encoding.channelAxis == 0 && encoding.scales.count == rows
    else { return false }
    if case .group = encoding.scheme.granularity { return false }
    if encoding.scheme.bits < 8 { warnings.add(.wideContainer, table) }

    let codes = try lookUp(weight.codes, "\(table)_quantized", indices, "\(output)_codes")
    guard encoding.scales.count > 1 else {
      let scale = try shared(Tensor(scalar: encoding.scales[0]), "\(table)_scale")
      let zero = try shared(integers(encoding.zeroPoints, shape: [], type: type), "\(table)_zero_point")
      try append("DequantizeLinear", [codes, scale, zero], [output], [:])
      return true
    }
    // One scale for each row, as a column that the rows broadcast against.
    let column = [rows] + [Int](repeating: 1, count: weight.codes.rank - 1)
    var real = try append("Cast", [codes], "\(output)_float", ["to": .int(ElementType.float32.rawValue)])
    if encoding.zeroPoints.contains(where: { $0 != 0 }) {
      let zeros = Tensor(encoding.zeroPoints.map { Float($0) }, shape: column)
      let zero = try lookUp(zeros, "\(table)_zero_point", indices, "\(output)_zero_point")
      real = try append("Sub", [real, zero], "\(output)_centred")
    }
    let scale = try lookUp(
      Tensor(encoding.scales, shape: column), "\(table)_scale", indices, "\(output)_scale")
    try append("Mul", [real, scale], [output], [:])
    return true
  }

  private mutating func lookUp(
    _ tensor: Tensor, _ name: String, _ indices: ValueName, _ output: String
  ) throws -> ValueName {
    try append("Gather", [try shared(tensor, name), indices], output)
  }

  /// A constant that several lookups in one table share.
  private mutating func shared(_ tensor: Tensor, _ name: String) throws -> ValueName {
    if let known = lookupConstants[name] { return known }
    let added = add(tensor, name)
    lookupConstants[name] = added
    return added
  }
}
