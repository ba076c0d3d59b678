import Tensors

/// One module's codes, scales and zero points as tensors of a compressed-tensors file.
struct ModulePacking {
  let scheme: ModuleScheme
  let tensors: [TensorOutput]

  /// - Errors: `ExportError` for an encoding the format cannot hold.
  init(_ module: String, _ weight: EncodedTensor, path: String) throws(ExportError) {
    func failure(_ what: String) -> ExportError {
      ExportError(file: path, reason: .unsupported("module \"\(module)\": \(what)."))
    }
    let encoding = weight.encoding
    let shape = weight.codes.shape
    guard shape.count == 2, encoding.minimums == nil, encoding.scheme.format == nil,
      (2...8).contains(encoding.scheme.bits)
    else { throw failure("compressed-tensors holds matrices with evenly spaced codes of 2 to 8 bits only") }
    let (outputs, inputs) = (shape[0], shape[1])
    let isSymmetric = encoding.scheme.symmetry == .symmetric
    let strategy: ModuleScheme.Strategy
    var group: Int?
    let scaleShape: Shape
    switch encoding.scheme.granularity {
    case .tensor: (strategy, scaleShape) = (.tensor, [1])
    case .channel:
      guard encoding.channelAxis == 0 else { throw failure("its scales are not those of its outputs") }
      (strategy, scaleShape) = (.channel, [outputs, 1])
    case .group(let size):
      guard encoding.groupAxis == 1 else { throw failure("its groups do not run along its inputs") }
      guard inputs % size == 0 else {
        throw failure("\(inputs) inputs are no whole number of groups of \(size)")
      }
      (strategy, group, scaleShape) = (.group, size, [outputs, inputs / size])
    }
    let bits = encoding.scheme.bits
    let scheme = ModuleScheme(bits: bits, isSymmetric: isSymmetric, strategy: strategy, group: group)
    guard strategy != .tensor || bits == 8 || isSymmetric else {
      throw failure("packed codes with one zero point for the whole tensor are not defined")
    }
    self.scheme = scheme

    // The package's codes are signed: ours without a sign and their zero points move down by half the range.
    let half = isSymmetric ? 0 : 1 << (bits - 1)
    let zeros = encoding.zeroPoints.map { Int8(truncatingIfNeeded: Int($0) - half) }
    let zeroName = module + ".weight_zero_point"
    var tensors = [TensorOutput(module + ".weight_scale", Tensor(encoding.scales, shape: scaleShape))]
    if bits == 8 {
      tensors.append(
        Self.made(module + ".weight", shape, .int8) { Tensor(Self.signed(weight.codes, half), shape: shape) })
      if !isSymmetric { tensors.append(TensorOutput(zeroName, Tensor(zeros, shape: scaleShape))) }
    } else {
      tensors.append(
        Self.made(module + ".weight_packed", [outputs, Self.words(inputs, bits)], .int32) {
          Self.packed(Self.signed(weight.codes, half), rows: outputs, columns: inputs, bits: bits)
        })
      tensors.append(
        TensorOutput(module + ".weight_shape", Tensor([Int64(outputs), Int64(inputs)], shape: [2])))
      if !isSymmetric {
        tensors.append(
          TensorOutput(zeroName, Self.packedDown(zeros, rows: outputs, columns: scaleShape[1], bits: bits)))
      }
    }
    self.tensors = tensors
  }

  /// A tensor that is made when its turn comes.
  private static func made(
    _ name: String, _ shape: Shape, _ type: ElementType, _ make: @escaping () -> Tensor
  ) -> TensorOutput {
    TensorOutput(name, shape: shape, kind: .numbers(type)) { sink in
      try make().withBytes { try sink.append($0) }
    }
  }

  private static func signed(_ codes: Tensor, _ half: Int) -> [Int8] {
    codes.withElementWords(UInt8.self) { words in
      words.map { Int8(bitPattern: $0 &- UInt8(truncatingIfNeeded: half)) }
    }
  }

  private static func words(_ count: Int, _ bits: Int) -> Int { (count * bits + 31) / 32 }

  /// Codes of each row as one stream of bits, lowest first, moved up to start at 0: int32
  /// `[rows, ⌈columns · bits / 32⌉]`.
  static func packed(_ codes: [Int8], rows: Int, columns: Int, bits: Int) -> Tensor {
    let words = words(columns, bits)
    let half = Int8(truncatingIfNeeded: 1 << (bits - 1))
    return Tensor(of: Int32.self, shape: [rows, words]) { out in
      for row in 0..<rows {
        for column in 0..<columns {
          let code = UInt64(UInt8(bitPattern: codes[row * columns + column] &+ half))
          let (word, shift) = ((column * bits) / 32, (column * bits) % 32)
          let moved = code << UInt64(shift)
          out[row * words + word] |= Int32(truncatingIfNeeded: moved)
          if shift + bits > 32 { out[row * words + word + 1] |= Int32(truncatingIfNeeded: moved >> 32) }
        }
      }
    }
  }

  /// The same down the columns: int32 `[⌈rows · bits / 32⌉, columns]`.
  static func packedDown(_ codes: [Int8], rows: Int, columns: Int, bits: Int) -> Tensor {
    let across = (0..<rows * columns).map { codes[$0 % rows * columns + $0 / rows] }
    let packed = packed(across, rows: columns, columns: rows, bits: bits)
    let words = packed.shape[1]
    return packed.withElements(of: Int32.self) { packed in
      Tensor(of: Int32.self, shape: [words, columns]) { out in
        for i in 0..<out.count { out[i] = packed[i % columns * words + i / columns] }
      }
    }
  }
}
