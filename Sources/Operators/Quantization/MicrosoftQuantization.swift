import Graph
import Tensors

/// ONNX Runtime's name for `QuantizeLinear` from before ONNX had its 16- and 4-bit types.
package struct MicrosoftQuantizeLinear: Operator {
  package static let name = OperatorName("QuantizeLinear", domain: "com.microsoft", since: 1)
  package static var upgrades: [Upgrade] { [.becomes("QuantizeLinear")] }
  private var plain: QuantizeLinear

  package init(attributes: Attributes) throws { plain = try QuantizeLinear(attributes: attributes) }
  package var attributes: Attributes { plain.attributes }
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try plain.infer(inputs, outputs: outputs)
  }
  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    try plain.evaluate(inputs, outputs: outputs, context: context)
  }
}

/// ONNX Runtime's name for `DequantizeLinear` from before ONNX had its 16- and 4-bit types.
package struct MicrosoftDequantizeLinear: Operator {
  package static let name = OperatorName("DequantizeLinear", domain: "com.microsoft", since: 1)
  package static var upgrades: [Upgrade] { [.becomes("DequantizeLinear")] }
  private var plain: DequantizeLinear

  package init(attributes: Attributes) throws { plain = try DequantizeLinear(attributes: attributes) }
  package var attributes: Attributes { plain.attributes }
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try plain.infer(inputs, outputs: outputs)
  }
  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    try plain.evaluate(inputs, outputs: outputs, context: context)
  }
}

/// A matrix product with a weight held as codes in blocks along its input features.
///
/// - Inputs: a `[…, k]`; codes uint8 `[n, ⌈k / block⌉, block · bits / 8]`, low bits first; scales `[n · ⌈k / block⌉]`;
///   optional zero points, packed per row of n as the codes are, or one of a's type for each scale; optional group
///   indices (not supported here); optional bias `[n]`.
/// - Output: a · Wᵀ + bias, W = (code − zero point) · scale, `[…, n]`. Without zero points 2^(bits − 1) is subtracted.
/// - Source: ONNX Runtime contrib operators, MatMulNBits-1.
package struct MatMulNBits: Operator {
  package static let name = OperatorName("MatMulNBits", domain: "com.microsoft", since: 1)
  package var k: Int
  package var n: Int
  package var bits: Int
  package var block: Int
  package var accuracyLevel: Int

  package init(k: Int, n: Int, bits: Int, block: Int, accuracyLevel: Int = 0) {
    self.k = k
    self.n = n
    self.bits = bits
    self.block = block
    self.accuracyLevel = accuracyLevel
  }

  package init(attributes: Attributes) throws {
    k = try attributes.integer("K")
    n = try attributes.integer("N")
    bits = try attributes.integer("bits", default: 4)
    block = try attributes.integer("block_size")
    accuracyLevel = try attributes.integer("accuracy_level", default: 0)
    guard [2, 4, 8].contains(bits) else {
      throw OperatorError("attribute \"bits\" is \(bits) (expected 2, 4 or 8).")
    }
    guard k > 0, n > 0, k < 1 << 31, n < 1 << 31, block >= 16, block < 1 << 31, block & (block - 1) == 0
    else {
      throw OperatorError(
        "K is \(k), N \(n) and block_size \(block) (expected positive sizes and a power of two).")
    }
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("K", k)
    writer.add("N", n)
    writer.add("bits", bits)
    writer.add("block_size", block)
    writer.add("accuracy_level", accuracyLevel, unless: 0)
    return writer.attributes
  }

  package var blocks: Int { (k + block - 1) / block }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let a = try inputs.required(0, "a")
    try expect(a.type, in: [.float32, .float16, .bfloat16], "a")
    return [OperandInfo(type: a.type, shape: try a.shape.map(resolved))]
  }

  private func resolved(_ a: Shape) throws -> Shape {
    guard a.last == k else {
      throw OperatorError("a has shape \(a.shapeText) (expected \(k) in the last axis).")
    }
    return try checked(Array(a.dropLast()) + [n])
  }

  /// The weight as real numbers, `[n, k]`.
  package func weight(codes: Tensor, scales: Tensor, zeroPoints: Tensor?) throws -> Tensor {
    let perBlock = block * bits / 8
    guard codes.type == .uint8, codes.count == n * blocks * perBlock, scales.count == n * blocks else {
      throw OperatorError(
        "the codes have \(codes.count) bytes and there are \(scales.count) scales (expected \(n * blocks * perBlock) "
          + "and \(n * blocks)).")
    }
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    let perByte = 8 / bits
    let zeroRow = (blocks + perByte - 1) / perByte
    var zeros = [Float](repeating: Float(1 << (bits - 1)), count: n * blocks)
    if let zeroPoints {
      if zeroPoints.type == .uint8 {
        guard zeroPoints.count == n * zeroRow else {
          throw OperatorError("the zero points have \(zeroPoints.count) bytes (expected \(n * zeroRow)).")
        }
        let bytes = zeroPoints.array(of: UInt8.self)
        for row in 0..<n {
          for b in 0..<blocks {
            let byte = bytes[row * zeroRow + b / perByte]
            zeros[row * blocks + b] = Float((byte >> UInt8(b % perByte * bits)) & mask)
          }
        }
      } else {
        zeros = zeroPoints.floats
        guard zeros.count == n * blocks else {
          throw OperatorError("there are \(zeros.count) zero points (expected \(n * blocks)).")
        }
      }
    }
    let factors = scales.floats
    return codes.withElements(of: UInt8.self) { codes in
      Tensor(of: Float.self, shape: [n, k]) { w in
        for row in 0..<n {
          for i in 0..<k {
            let index = row * blocks + i / block
            let inBlock = i % block
            let byte = codes[index * perBlock + inBlock / perByte]
            let code = (byte >> UInt8(inBlock % perByte * bits)) & mask
            w[row * k + i] = (Float(code) - zeros[index]) * factors[index]
          }
        }
      }
    }
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let a = try inputs.required(0, "a")
    let shape = try resolved(a.shape)
    if inputs.optional(4) != nil { throw OperatorError("input g_idx (group indices) is not known here.") }
    let w = try weight(
      codes: inputs.required(1, "b"), scales: inputs.required(2, "scales"), zeroPoints: inputs.optional(3))
    let bias = inputs.optional(5)?.floats
    if let bias, bias.count != n { throw OperatorError("bias has \(bias.count) elements (expected \(n)).") }
    let y = a.converted(to: .float32).withElements(of: Float.self) { a in
      w.withElements(of: Float.self) { w in
        Tensor(of: Float.self, shape: shape) { y in
          for row in 0..<(y.count / n) {
            for column in 0..<n {
              var sum = bias?[column] ?? 0
              for i in 0..<k { sum += a[row &* k &+ i] * w[column &* k &+ i] }
              y[row * n + column] = sum
            }
          }
        }
      }
    }
    return [y.converted(to: a.type)]
  }
}
