import Graph
import Tensors

extension QDQLowering {
  /// Appends the integer form of a layer whose activation is quantized at run time; `false` where ONNX has none.
  mutating func appendDynamic(_ node: Node) throws -> Bool {
    guard node.operatorName.domain.isEmpty, node.inputs.count >= 2, let x = node.inputs[0],
      let weightName = node.inputs[1], let weight = model.weights[weightName],
      model.weights[x] == nil, node.outputs.count == 1, let output = node.outputs[0]
    else { return false }
    if case .group = weight.encoding.scheme.granularity { return false }
    let layer = Layer(node: node, x: x, weight: weight, weightName: weightName, output: output)
    let done =
      switch node.operatorName.type {
      case "MatMul": try appendMatMul(layer)
      case "Gemm": try appendGemm(layer)
      case "Conv": try appendConv(layer)
      default: false
      }
    if done && isPerRow(layer) && !hasRowForm(layer) { warnings.add(.rangePerTensor, node.name) }
    if done && ![2, 4, 8].contains(weight.encoding.scheme.bits) { warnings.add(.wideContainer, weightName) }
    return done
  }

  private struct Layer {
    var node: Node
    var x: ValueName
    var weight: EncodedTensor
    var weightName: ValueName
    var output: ValueName
  }

  private mutating func appendMatMul(_ layer: Layer) throws -> Bool {
    let encoding = layer.weight.encoding
    guard layer.weight.codes.rank == 2, encoding.channelAxis == nil || encoding.channelAxis == 1 else {
      return false
    }
    try appendProduct(layer, codes: layer.weight.codes, factor: 1, bias: nil)
    return true
  }

  private mutating func appendGemm(_ layer: Layer) throws -> Bool {
    let attributes = layer.node.op.attributes
    let transposed = attributes.int("transB") ?? 0 != 0
    let encoding = layer.weight.encoding
    guard attributes.int("transA") ?? 0 == 0,
      encoding.channelAxis == nil || encoding.channelAxis == (transposed ? 0 : 1)
    else { return false }
    var codes = layer.weight.codes
    if transposed {
      let (rows, columns) = (codes.shape[0], codes.shape[1])
      codes = codes.gathering(shape: [columns, rows], strides: [1, columns])
    }
    var bias = layer.node.inputs.count > 2 ? layer.node.inputs[2] : nil
    let beta = attributes.float("beta") ?? 1
    if let name = bias, beta != 1 {
      let factor = add(Tensor(scalar: beta), "\(name)_beta")
      bias = try append("Mul", [name, factor], "\(name)_scaled")
    }
    try appendProduct(layer, codes: codes, factor: attributes.float("alpha") ?? 1, bias: bias)
    return true
  }

  /// MatMulInteger of x and codes `[features, outputs]`, then back to float: · x scale · weight scale · `factor`, + bias.
  private mutating func appendProduct(_ layer: Layer, codes: Tensor, factor: Float, bias: ValueName?) throws {
    let name = layer.weightName
    let encoding = layer.weight.encoding
    let perRow = hasRowForm(layer)
    let operand = try perRow ? rowOperand(layer.x, bits: bits(layer)) : dynamicOperand(layer.x)
    let scaleShape: Shape = encoding.scales.count == 1 ? [] : [encoding.scales.count]
    let stored = add(codes, "\(name)_quantized")
    let scale = add(Tensor(encoding.scales.map { $0 * factor }, shape: scaleShape), "\(name)_scale")
    if perRow {
      let sums = try append("MatMulInteger", [operand.codes, stored], "\(layer.output)_sums")
      let real = try append(
        "Cast", [sums], "\(layer.output)_float", ["to": .int(ElementType.float32.rawValue)])
      let columns = add(columnSums(codes), "\(name)_column_sums")
      let excess = try append("Mul", [operand.zeroPoint, columns], "\(layer.output)_excess")
      let product = try append("Sub", [real, excess], "\(layer.output)_product")
      try appendScaling(layer, real: product, scales: [operand.scale, scale], bias: bias)
      return
    }
    var inputs: [ValueName?] = [operand.codes, stored, operand.zeroPoint]
    if encoding.zeroPoints.contains(where: { $0 != 0 }) {
      inputs.append(
        add(integers(encoding.zeroPoints, shape: scaleShape, type: codes.type), "\(name)_zero_point"))
    }
    let sums = try append("MatMulInteger", inputs, "\(layer.output)_sums")
    try appendScaling(layer, sums: sums, scales: [operand.scale, scale], bias: bias)
  }

  private mutating func appendConv(_ layer: Layer) throws -> Bool {
    let encoding = layer.weight.encoding
    let codes = layer.weight.codes
    // ONNX Runtime takes one zero point for all filters.
    guard encoding.channelAxis == nil || encoding.channelAxis == 0,
      Set(encoding.zeroPoints).count == 1, codes.rank >= 3
    else { return false }
    let name = layer.weightName
    let operand = try dynamicOperand(layer.x)
    let perFilter = [Int](repeating: 1, count: codes.rank - 2)
    let scaleShape: Shape = encoding.scales.count == 1 ? [] : [encoding.scales.count] + perFilter
    let stored = add(codes, "\(name)_quantized")
    let scale = add(Tensor(encoding.scales, shape: scaleShape), "\(name)_scale")
    var inputs: [ValueName?] = [operand.codes, stored, operand.zeroPoint]
    if encoding.zeroPoints[0] != 0 {
      inputs.append(
        add(integers([encoding.zeroPoints[0]], shape: [], type: codes.type), "\(name)_zero_point"))
    }
    let sums = try append("ConvInteger", inputs, "\(layer.output)_sums", layer.node.op.attributes)
    var bias: ValueName?
    if layer.node.inputs.count > 2, let given = layer.node.inputs[2] {
      guard let tensor = model.graph.constants[given] else {
        let shape = add(Tensor(integers: [-1] + perFilter, shape: [perFilter.count + 1]), "\(given)_shape")
        bias = try append("Reshape", [given, shape], "\(given)_reshaped")
        try appendScaling(layer, sums: sums, scales: [operand.scale, scale], bias: bias)
        return true
      }
      bias = add(tensor.reshaped([tensor.count] + perFilter), "\(given)_reshaped")
    }
    try appendScaling(layer, sums: sums, scales: [operand.scale, scale], bias: bias)
    return true
  }

  /// Cast → Mul → Add, the last of them writing the layer's output.
  private mutating func appendScaling(
    _ layer: Layer, sums: ValueName, scales: [ValueName], bias: ValueName?
  ) throws {
    let real = try append("Cast", [sums], "\(layer.output)_float", ["to": .int(ElementType.float32.rawValue)])
    try appendScaling(layer, real: real, scales: scales, bias: bias)
  }

  private mutating func appendScaling(
    _ layer: Layer, real: ValueName, scales: [ValueName], bias: ValueName?
  ) throws {
    let scale = try append("Mul", scales, "\(layer.output)_scale")
    guard let bias else { return try append("Mul", [real, scale], [layer.output], [:]) }
    let scaled = try append("Mul", [real, scale], "\(layer.output)_scaled")
    try append("Add", [scaled, bias], [layer.output], [:])
  }

  // MARK: A range for every row

  private func isPerRow(_ layer: Layer) -> Bool { model.layers[layer.node.name]?.dynamicActivation == .token }

  private func bits(_ layer: Layer) -> Int { model.layers[layer.node.name]?.dynamicBits ?? 8 }

  /// Affine weights would also need the sums of rows; those layers take one range per tensor.
  private func hasRowForm(_ layer: Layer) -> Bool {
    isPerRow(layer) && layer.weight.encoding.zeroPoints.allSatisfy { $0 == 0 }
  }

  /// Σ of the codes `[features, outputs]` over the features, as float32 `[outputs]`.
  private func columnSums(_ codes: Tensor) -> Tensor {
    let (rows, columns) = (codes.shape[0], codes.shape[1])
    var sums = [Int32](repeating: 0, count: columns)
    codes.withBytes { bytes in
      for row in 0..<rows {
        for column in 0..<columns {
          let byte = bytes[row * columns + column]
          sums[column] += codes.type == .int8 ? Int32(Int8(bitPattern: byte)) : Int32(byte)
        }
      }
    }
    return Tensor(sums.map(Float.init), shape: [columns])
  }

  /// The value quantized at run time with a range for every row, in elementary operators: ONNX Runtime's
  /// DynamicQuantizeLinear has one range for all rows, and its MatMulInteger one zero point.
  ///
  /// scale = (max(high, 0) − min(low, 0)) / (2^bits − 1), zero point = clamp(rne(−low / scale)), codes uint8; scale
  /// and zero point are float32 with a last axis of 1. An empty range has scale 1.
  private mutating func rowOperand(_ name: ValueName, bits: Int) throws -> DynamicOperand {
    let key = RowKey(value: name, bits: bits)
    if let known = rowOperands[key] { return known }
    opset = max(opset, 18)
    let axes = add(Tensor(integers: [-1], shape: [1]), "last_axis")
    let zero = add(Tensor(scalar: Float(0)), "zero")
    let one = add(Tensor(scalar: Float(1)), "one")
    let top = add(Tensor(scalar: Float((1 << bits) - 1)), "highest_code")
    let high = try append("ReduceMax", [name, axes], "\(name)_row_max")
    let low = try append("ReduceMin", [name, axes], "\(name)_row_min")
    let upper = try append("Max", [high, zero], "\(name)_row_upper")
    let lower = try append("Min", [low, zero], "\(name)_row_lower")
    let span = try append("Sub", [upper, lower], "\(name)_row_span")
    let step = try append("Div", [span, top], "\(name)_row_step")
    let isEmpty = try append("Equal", [step, zero], "\(name)_row_is_zero")
    let scale = try append("Where", [isEmpty, one, step], "\(name)_row_scale")
    let offset = try append("Div", [lower, scale], "\(name)_row_offset")
    let shifted = try append("Sub", [zero, offset], "\(name)_row_shift")
    let nearest = try append("Round", [shifted], "\(name)_row_nearest")
    let zeroPoint = try append("Clip", [nearest, zero, top], "\(name)_row_zero")
    let scaled = try append("Div", [name, scale], "\(name)_row_scaled")
    let rounded = try append("Round", [scaled], "\(name)_row_rounded")
    let moved = try append("Add", [rounded, zeroPoint], "\(name)_row_moved")
    let clipped = try append("Clip", [moved, zero, top], "\(name)_row_clipped")
    let codes = try append(
      "Cast", [clipped], "\(name)_row_codes", ["to": .int(ElementType.uint8.rawValue)])
    let result = DynamicOperand(codes: codes, scale: scale, zeroPoint: zeroPoint)
    rowOperands[key] = result
    return result
  }
}

/// A value quantized row by row at a width.
struct RowKey: Hashable {
  var value: ValueName
  var bits: Int
}
