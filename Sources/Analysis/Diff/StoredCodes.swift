import Graph
import Operators
import Tensors

/// How a file stores one constant as integers: the codes and the numbers that make them real.
struct StoredCodes: Sendable {
  /// The constant that holds the codes.
  var name: ValueName
  var type: ElementType
  /// Bits of one code, where several share an element of `type`.
  var bits: Int
  /// `tensor`, `channel`, or `block 32`.
  var granularity: String
  /// Real per code, in the file's order.
  var scales: [Float]
  /// As many as scales, counted from the lowest code of the type, so that int8 and uint8 compare.
  var zeroPoints: [Int]
  /// Lowest and highest code in use, counted as the type counts.
  var codes: ClosedRange<Int>
  /// Bytes in the file: codes, scales and zero points.
  var bytes: Int
}

/// How a file encodes one activation: one scale for the whole tensor.
struct StoredActivation: Sendable, Equatable {
  var type: ElementType
  var scale: Float
  var zeroPoint: Int

  /// The real numbers that the codes can stand for.
  var range: ClosedRange<Float> {
    let half = 1 << (type.bits - 1)
    let codes = type.isSignedInteger ? -half...half - 1 : 0...2 * half - 1
    return scale * Float(codes.lowerBound - zeroPoint)...scale * Float(codes.upperBound - zeroPoint)
  }
}

extension ElementType {
  /// Lowest code of an integer type.
  fileprivate var lowestCode: Int { isSignedInteger ? -(1 << (bits - 1)) : 0 }
}

extension StoredCodes {
  /// Codes before a DequantizeLinear, or scaled like one.
  ///
  /// - Parameters:
  ///   - block: elements that share a scale; 0 for one scale in all or one for each channel.
  ///   - bytes: bytes of the codes in the file.
  init(name: ValueName, codes: Tensor, scale: Tensor, zero: Tensor?, block: Int, bytes: Int) {
    self.name = name
    type = codes.type
    bits = codes.type.bits
    granularity = block > 0 ? "block \(block)" : scale.count == 1 ? "tensor" : "channel"
    scales = scale.floats
    let lowest = codes.type.isInteger ? codes.type.lowestCode : 0
    zeroPoints = zero.map { $0.integers.map { $0 - lowest } } ?? scales.map { _ in -lowest }
    let values = codes.type.isInteger ? codes.integers : []
    self.codes = (values.min() ?? 0)...(values.max() ?? 0)
    self.bytes = bytes + scale.byteCount + (zero?.byteCount ?? 0)
  }

  /// Codes of a MatMulNBits, packed along the features.
  init(_ op: MatMulNBits, name: ValueName, codes: Tensor, scales: Tensor, zeroPoints: Tensor?) {
    self.name = name
    type = op.bits == 8 ? .uint8 : op.bits == 4 ? .uint4 : .uint2
    bits = op.bits
    granularity = "block \(op.block)"
    self.scales = scales.floats
    self.zeroPoints = zeroPoints.map { $0.integers } ?? self.scales.map { _ in 1 << (op.bits - 1) }
    let mask = (1 << op.bits) - 1
    var seen = (low: mask, high: 0)
    codes.withBytes { bytes in
      for byte in bytes {
        for part in 0..<8 / op.bits {
          let code = Int(byte) >> (part * op.bits) & mask
          seen = (Swift.min(seen.low, code), Swift.max(seen.high, code))
        }
      }
    }
    self.codes = Swift.min(seen.low, seen.high)...seen.high
    bytes = codes.byteCount + scales.byteCount + (zeroPoints?.byteCount ?? 0)
  }
}
