import CZlib

/// Writes a zip archive in memory, with 64-bit extensions where a size needs them.
///
/// The date of every entry is the format's first day, so the same arrays always give the same bytes.
struct ZipWriter {
  private var output: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  mutating func append(name: String, bytes: [UInt8]) {
    let crc = bytes.withUnsafeBufferPointer {
      UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count))
    }
    let packed = deflated(bytes)
    let body = packed ?? bytes
    let offset = output.count
    let wide = bytes.count >= 0xFFFF_FFFF || body.count >= 0xFFFF_FFFF || offset >= 0xFFFF_FFFF
    let nameBytes = Array(name.utf8.prefix(0xFFFF))

    var common: [UInt8] = []
    common.put(UInt16(wide ? 45 : 20))
    common.put(UInt16(0x0800))  // names are UTF-8
    common.put(UInt16(packed == nil ? 0 : 8))
    common.put(UInt16(0))
    common.put(UInt16(0x0021))  // 1 January 1980
    common.put(crc)
    common.put(wide ? 0xFFFF_FFFF : UInt32(body.count))
    common.put(wide ? 0xFFFF_FFFF : UInt32(bytes.count))
    common.put(UInt16(nameBytes.count))

    output.put(UInt32(0x0403_4B50))
    output += common
    output.put(UInt16(wide ? 20 : 0))
    output += nameBytes
    if wide { output += wideField([bytes.count, body.count]) }
    output += body

    directory.put(UInt32(0x0201_4B50))
    directory.put(UInt16(wide ? 45 : 20))
    directory += common
    directory.put(UInt16(wide ? 28 : 0))
    directory.put(UInt16(0))  // comment
    directory.put(UInt16(0))  // disk
    directory.put(UInt16(0))  // internal attributes
    directory.put(UInt32(0o100644) << 16)
    directory.put(wide ? 0xFFFF_FFFF : UInt32(offset))
    directory += nameBytes
    if wide { directory += wideField([bytes.count, body.count, offset]) }
    count += 1
  }

  consuming func finish() -> [UInt8] {
    let offset = output.count
    let size = directory.count
    output += directory
    if offset >= 0xFFFF_FFFF || size >= 0xFFFF_FFFF || count >= 0xFFFF {
      let record = output.count
      output.put(UInt32(0x0606_4B50))
      output.put(UInt64(44))
      output.put(UInt16(45))
      output.put(UInt16(45))
      output.put(UInt32(0))
      output.put(UInt32(0))
      for value in [count, count, size, offset] { output.put(UInt64(value)) }
      output.put(UInt32(0x0706_4B50))
      output.put(UInt32(0))
      output.put(UInt64(record))
      output.put(UInt32(1))
    }
    output.put(UInt32(0x0605_4B50))
    output.put(UInt16(0))
    output.put(UInt16(0))
    output.put(UInt16(Swift.min(count, 0xFFFF)))
    output.put(UInt16(Swift.min(count, 0xFFFF)))
    output.put(UInt32(Swift.min(size, 0xFFFF_FFFF)))
    output.put(UInt32(Swift.min(offset, 0xFFFF_FFFF)))
    output.put(UInt16(0))
    return output
  }

  private func wideField(_ values: [Int]) -> [UInt8] {
    var field: [UInt8] = []
    field.put(UInt16(1))
    field.put(UInt16(8 * values.count))
    for value in values { field.put(UInt64(value)) }
    return field
  }

  /// The bytes deflated, or `nil` where that does not make them shorter (or they are too many for one call).
  private func deflated(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count > 64, bytes.count < Int(UInt32.max) else { return nil }
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard deflateInit2_(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
      return nil
    }
    defer { deflateEnd(&stream) }
    var input = bytes
    var result = [UInt8](repeating: 0, count: bytes.count)
    let status = input.withUnsafeMutableBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        stream.next_in = from.baseAddress
        stream.avail_in = UInt32(from.count)
        stream.next_out = to.baseAddress
        stream.avail_out = UInt32(to.count)
        return deflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END else { return nil }
    result.removeLast(Int(stream.avail_out))
    // What our own reader would take for a bomb is stored instead.
    return result.count < bytes.count && bytes.count <= ArrayFile.expansionLimit(result.count) ? result : nil
  }
}

extension [UInt8] {
  /// Appends an integer, little endian.
  mutating func put(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
