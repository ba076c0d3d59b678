import Tensors

/// IDX arrays, the format of the MNIST family: two zero bytes, a type, the number of axes, then each size as a
/// big-endian 32-bit number, then the elements, big endian.
package enum Idx {
  private static let types: [UInt8: ElementType] = [
    0x08: .uint8, 0x09: .int8, 0x0B: .int16, 0x0C: .int32, 0x0D: .float32, 0x0E: .float64,
  ]

  /// Reads an array that fills `stream` to its end; 8-bit elements of a mapped file are not copied.
  static func read(from stream: some ByteStream) throws(DatasetError) -> Tensor {
    let start = stream.place
    let prefix = try stream.bytes(4, part: "the IDX signature")
    guard prefix[0] == 0, prefix[1] == 0 else {
      throw DatasetError(
        file: stream.file, place: start,
        reason: .notThisFormat("an IDX array", found: "bytes \(hexText(prefix))"))
    }
    guard let type = types[prefix[2]] else {
      throw DatasetError(
        file: stream.file, place: start,
        reason: .unsupported(
          "the IDX element type \(prefix[2])", advice: "Use 8 (uint8), 9, 11, 12, 13 or 14."))
    }
    let rank = Int(prefix[3])
    guard (1...8).contains(rank) else {
      throw DatasetError(
        file: stream.file, place: start,
        reason: .unsupported("an IDX array with \(rank) axes", advice: "Use 1 to 8 axes."))
    }
    let sizes = try stream.bytes(4 * rank, part: "the sizes of \(rank) axes")
    let shape = (0..<rank).map { axis in sizes[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard let count = shape.map({ Swift.max($0, 1) }).checkedElementCount,
      !count.multipliedReportingOverflow(by: 16).overflow
    else {
      throw DatasetError(
        file: stream.file, place: start,
        reason: .malformed("the shape \(shape.shapeText) is too large to address"))
    }
    let part = "the array \(shape.shapeText)"
    let raw =
      if let memory = stream as? MemoryStream {
        try memory.mappedTensor(shape: shape, type: type, part: part)
      } else {
        try stream.tensor(shape: shape, type: type, part: part)
      }
    try stream.finish()
    return byteSwapped(raw)
  }
}
