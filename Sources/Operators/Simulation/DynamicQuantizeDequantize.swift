import Graph
import Tensors

/// What an activation becomes when it is held in unsigned integers whose range is found while the model runs.
///
/// - Input: x, float. Output: y, as x: scale · (clamp(rne(x / scale) + zero point) − zero point), where scale and
///   zero point cover the elements that share a range (`AffineRange`).
package struct DynamicQuantizeDequantize: Operator {
  package static let name = OperatorName("DynamicQuantizeDequantize", domain: "lathe", since: 1)
  /// Which elements share a range: the first axis apart (`sample`), the last axis together (`token`), or all.
  package let sharing: LayerEncoding.DynamicActivation
  package let bits: Int

  package init(sharing: LayerEncoding.DynamicActivation, bits: Int = 8) {
    precondition((2...16).contains(bits))
    self.sharing = sharing
    self.bits = bits
  }

  package init(attributes: Attributes) throws {
    let text = try attributes.required("sharing", attributes.string("sharing"))
    guard let sharing = LayerEncoding.DynamicActivation(rawValue: text) else {
      throw OperatorError("attribute \"sharing\" is \"\(text)\", expected sample, token or tensor")
    }
    self.sharing = sharing
    bits = try attributes.integer("bits", default: 8)
    guard (2...16).contains(bits) else {
      throw OperatorError("attribute \"bits\" is \(bits), expected 2 to 16")
    }
  }

  package var attributes: Attributes { ["sharing": .string(sharing.rawValue), "bits": .int(bits)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try x.require("x", \.isReal, "a float type")
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let size: Int
    switch sharing {
    case .tensor: size = x.count
    case .sample: size = x.shape.dropFirst().elementCount
    case .token: size = x.shape.last ?? 1
    }
    return [run(x.converted(to: .float32), size).converted(to: x.type)]
  }

  /// `size` neighbours share a range.
  private func run(_ x: Tensor, _ size: Int) -> Tensor {
    let highestCode = Float((1 << bits) - 1)
    return x.withElements(of: Float.self) { source in
      Tensor(of: Float.self, shape: x.shape) { out in
        guard let source = source.baseAddress, let out = out.baseAddress, size > 0 else { return }
        for start in stride(from: 0, to: x.count, by: size) {
          var (lowest, highest) = (source[start], source[start])
          for i in 1..<max(size, 1) {
            let element = source[start + i]
            lowest = element < lowest ? element : lowest
            highest = element > highest ? element : highest
          }
          let range = AffineRange(lowest: lowest, highest: highest, bits: bits)
          let zero = Float(range.zeroPoint)
          quantizeDequantize(
            source + start, out + start, count: size, scale: range.scale, lowest: -zero,
            highest: highestCode - zero)
        }
      }
    }
  }
}
