import Tensors

/// `.npy` arrays.
package enum Npy {
  /// Reads the array at `path`.
  ///
  /// In native byte order and C order it stays mapped: nothing is copied.
  package static func read(_ path: String) throws(DatasetError) -> Tensor {
    let mapping = try Files.map(path)
    return try read(from: MemoryStream(mapping, file: path, range: 0..<mapping.bytes.count))
  }

  /// Reads an array that fills `stream` to its end.
  static func read(from stream: some ByteStream) throws(DatasetError) -> Tensor {
    let header = try NpyHeader.read(from: stream)
    let raw =
      if let memory = stream as? MemoryStream {
        try memory.mappedTensor(
          shape: header.shape, type: header.type, part: "the array \(header.shape.shapeText)")
      } else {
        try stream.tensor(shape: header.shape, type: header.type, part: "the array \(header.shape.shapeText)")
      }
    try stream.finish()
    var result = raw
    if header.bigEndian { result = byteSwapped(result) }
    if header.fortranOrder { result = rowMajor(fortran: result) }
    return result
  }

  /// The bytes of a version 1.0 `.npy` file holding `tensor`.
  ///
  /// bfloat16 is widened to float32 and packed integers to 8 bits, since NumPy has no such types.
  package static func encode(_ tensor: Tensor) throws(DatasetError) -> [UInt8] {
    let (descriptor, tensor) = try writable(tensor)
    let shape =
      tensor.shape.count == 1
      ? "(\(tensor.shape[0]),)" : "(" + tensor.shape.map(String.init).joined(separator: ", ") + ")"
    var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
    let length = (10 + header.utf8.count + 1 + 63) / 64 * 64 - 10
    header += String(repeating: " ", count: length - header.utf8.count - 1) + "\n"
    var bytes = NpyHeader.magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
    bytes.reserveCapacity(10 + length + tensor.byteCount)
    bytes += header.utf8
    tensor.withBytes { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// NumPy's name of a tensor's type, and the tensor in a type that has one.
  private static func writable(_ tensor: Tensor) throws(DatasetError) -> (String, Tensor) {
    let names: [ElementType: String] = [
      .float16: "<f2", .float32: "<f4", .float64: "<f8", .int8: "|i1", .int16: "<i2", .int32: "<i4",
      .int64: "<i8",
      .uint8: "|u1", .uint16: "<u2", .uint32: "<u4", .uint64: "<u8", .bool: "|b1",
    ]
    if let name = names[tensor.type] { return (name, tensor) }
    switch tensor.type {
    case .bfloat16:
      let widened = Tensor(of: Float.self, shape: tensor.shape) { out in
        tensor.withBytes { bytes in
          for i in 0..<out.count {
            let bits = bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
            out[i] = Float(bitPattern: UInt32(bits) << 16)
          }
        }
      }
      return ("<f4", widened)
    case .int4, .uint4, .int2, .uint2:
      let bits = tensor.type.bits
      let signed = tensor.type.isSignedInteger
      let unpacked = Tensor(shape: tensor.shape, type: signed ? .int8 : .uint8) { out in
        tensor.withBytes { bytes in
          for i in 0..<out.count {
            let code = bytes[i * bits / 8] >> UInt8(i * bits % 8) & UInt8(1 << bits - 1)
            let negative = signed && code >> UInt8(bits - 1) == 1
            out[i] = negative ? code | ~UInt8(1 << bits - 1) : code
          }
        }
      }
      return (signed ? "|i1" : "|u1", unpacked)
    default:
      throw DatasetError(
        file: ".npy",
        reason: .unsupported("an array of \(tensor.type.name)", advice: "Convert it to float32 first."))
    }
  }
}

/// The tensor with the bytes of each element reversed.
func byteSwapped(_ tensor: Tensor) -> Tensor {
  let width = tensor.type.bits / 8
  guard width > 1 else { return tensor }
  return Tensor(shape: tensor.shape, type: tensor.type) { out in
    tensor.withBytes { bytes in
      switch width {
      case 2: swapAll(bytes, out, as: UInt16.self)
      case 4: swapAll(bytes, out, as: UInt32.self)
      default: swapAll(bytes, out, as: UInt64.self)
      }
    }
  }
}

private func swapAll<T: FixedWidthInteger & BitwiseCopyable>(
  _ bytes: UnsafeRawBufferPointer, _ out: UnsafeMutableRawBufferPointer, as type: T.Type
) {
  let width = MemoryLayout<T>.size
  for offset in stride(from: 0, to: out.count, by: width) {
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    out.storeBytes(of: value.byteSwapped, toByteOffset: offset, as: T.self)
  }
}

/// The tensor in row-major order, given that its bytes lie first axis fastest.
func rowMajor(fortran tensor: Tensor) -> Tensor {
  let shape = tensor.shape
  guard shape.count(where: { $0 != 1 }) > 1, tensor.count > 0 else { return tensor }
  let width = tensor.type.bits / 8
  var strides = Shape(repeating: 1, count: shape.count)
  for axis in 1..<shape.count { strides[axis] = strides[axis - 1] * shape[axis - 1] }
  return Tensor(shape: shape, type: tensor.type) { out in
    tensor.withBytes { bytes in
      guard let from = bytes.baseAddress, let to = out.baseAddress else { return }
      var index = Shape(repeating: 0, count: shape.count)
      var source = 0
      for target in 0..<shape.elementCount {
        (to + target * width).copyMemory(from: from + source * width, byteCount: width)
        var axis = shape.count - 1
        while axis >= 0 {
          index[axis] += 1
          source += strides[axis]
          if index[axis] < shape[axis] { break }
          source -= strides[axis] * shape[axis]
          index[axis] = 0
          axis -= 1
        }
      }
    }
  }
}
