import Tensors

/// The elements of a float constant as float32, whatever its type.
func floats(_ tensor: Tensor) -> [Float] { tensor.floats }

/// The real numbers that codes or blocks stand for, in the tensor's own order.
package func decodedFloats(_ encoded: EncodedTensor) -> [Float] {
  if let blocks = encoded.blocks, let format = encoded.format {
    return [Float](unsafeUninitializedCapacity: encoded.codes.count) { reals, count in
      blocks.withBytes { bytes in
        guard let from = bytes.baseAddress, let to = reals.baseAddress else { return }
        format.decode(from, count: encoded.codes.count, into: to)
      }
      count = encoded.codes.count
    }
  }
  let encoding = encoded.encoding
  let shape = encoded.codes.shape
  let strides = EncodedTensor.scaleShape(of: shape, encoding: encoding).rowMajorStrides
  let codes: [Int32] =
    encoded.codes.type == .int8
    ? encoded.codes.withElements(of: Int8.self) { $0.map(Int32.init) }
    : encoded.codes.withElements(of: UInt8.self) { $0.map(Int32.init) }
  if encoding.scales.count == 1 { return codes.map { encoding.real($0) } }
  var result = [Float](repeating: 0, count: codes.count)
  let group: Int = if case .group(let size) = encoding.scheme.granularity { size } else { 1 }
  // Along the last axis the scale index moves evenly or by group; the axes before it are walked.
  let inner = shape.last ?? 1
  let innerAxis = shape.count - 1
  let scaleShape = EncodedTensor.scaleShape(of: shape, encoding: encoding)
  var index = [Int](repeating: 0, count: shape.count)
  for start in stride(from: 0, to: codes.count, by: Swift.max(1, inner)) {
    var base = 0
    for axis in 0..<innerAxis where scaleShape[axis] > 1 {
      base += strides[axis] * (axis == encoding.groupAxis ? index[axis] / group : index[axis])
    }
    for i in 0..<inner {
      let step = scaleShape[innerAxis] == 1 ? 0 : (innerAxis == encoding.groupAxis ? i / group : i)
      result[start + i] = encoding.real(codes[start + i], at: base + step * strides[innerAxis])
    }
    var axis = innerAxis - 1
    while axis >= 0 {
      index[axis] += 1
      if index[axis] < shape[axis] { break }
      index[axis] = 0
      axis -= 1
    }
  }
  return result
}
