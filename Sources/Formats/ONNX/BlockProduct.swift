import Graph
import Operators
import Tensors

extension QDQLowering {
  /// Appends a weight-only MatMul as com.microsoft MatMulNBits; `false` where that operator cannot hold the weight.
  ///
  /// ONNX Runtime replaces DequantizeLinear → MatMul by a product that also quantizes the activations to 8 bits, which
  /// is not what the layer asks for. Accuracy level 1 keeps them in float32. Scales per channel are repeated for each
  /// block. Source of the layout: onnxruntime's `matmul_nbits_quantizer.py`.
  mutating func appendBlockProduct(_ node: Node) throws -> Bool {
    guard node.operatorName == OperatorName("MatMul", domain: "", since: node.operatorName.since),
      node.inputs.count == 2, let x = node.inputs[0], let name = node.inputs[1],
      let weight = model.weights[name],
      model.weights[x] == nil, weight.codes.rank == 2, weight.encoding.zeroPoints.allSatisfy({ $0 == 0 }),
      weight.hasEvenCodes, weight.encoding.minimums == nil, weight.codes.type == .int8,
      node.outputs.count == 1, let output = node.outputs[0]
    else { return false }
    let (k, n) = (weight.codes.shape[0], weight.codes.shape[1])
    let encoding = weight.encoding
    let bits = encoding.scheme.bits == 4 ? 4 : 8
    guard encoding.scheme.bits != 2, let block = Self.blockSize(encoding, features: k) else { return false }
    let op = MatMulNBits(k: k, n: n, bits: bits, block: block, accuracyLevel: 1)
    let stored = add(Self.packed(weight.codes, op), "\(name)_blocks")
    let scales = add(Self.blockScales(encoding, op), "\(name)_block_scales")
    if ![2, 4, 8].contains(encoding.scheme.bits) { warnings.add(.wideContainer, name) }
    try append("MatMulNBits", domain: "com.microsoft", [x, stored, scales], [output], op.attributes)
    return true
  }

  /// A block that the scales' granularity allows: the group itself, or for whole channels the largest power of two up
  /// to 256 that wastes no codes, else 32.
  private static func blockSize(_ encoding: Encoding, features: Int) -> Int? {
    switch encoding.scheme.granularity {
    case .group(let size): return size >= 16 && size & (size - 1) == 0 && encoding.groupAxis == 0 ? size : nil
    case .channel where encoding.channelAxis != 1: return nil
    case .channel, .tensor: return [256, 128, 64, 32, 16].first { features % $0 == 0 } ?? 32
    }
  }

  /// Codes `[K, N]` as uint8 `[N, blocks, block · bits / 8]`, each moved up by 2^(bits − 1), low bits first.
  private static func packed(_ codes: Tensor, _ op: MatMulNBits) -> Tensor {
    let bytesPerBlock = op.block * op.bits / 8
    let middle = 1 << (op.bits - 1)
    return Tensor(shape: [op.n, op.blocks, bytesPerBlock], type: .uint8) { target in
      // Padding is the code of zero.
      let padding = UInt8(op.bits == 8 ? middle : middle << 4 | middle)
      for i in target.indices { target[i] = padding }
      codes.withBytes { source in
        for row in 0..<op.k {
          let (block, place) = (row / op.block, row % op.block)
          for column in 0..<op.n {
            let code = UInt8(Int(Int8(bitPattern: source[row * op.n + column])) + middle)
            let start = (column * op.blocks + block) * bytesPerBlock
            if op.bits == 8 {
              target[start + place] = code
            } else if place % 2 == 0 {
              target[start + place / 2] = target[start + place / 2] & 0xF0 | code
            } else {
              target[start + place / 2] = target[start + place / 2] & 0x0F | code << 4
            }
          }
        }
      }
    }
  }

  /// Scales as `[N, blocks]`.
  private static func blockScales(_ encoding: Encoding, _ op: MatMulNBits) -> Tensor {
    var scales = [Float](repeating: 0, count: op.n * op.blocks)
    for column in 0..<op.n {
      for block in 0..<op.blocks {
        let index =
          switch encoding.scheme.granularity {
          case .tensor: 0
          case .channel: column
          case .group: block * op.n + column
          }
        scales[column * op.blocks + block] = encoding.scales[index]
      }
    }
    return Tensor(scales, shape: [op.n, op.blocks])
  }
}
