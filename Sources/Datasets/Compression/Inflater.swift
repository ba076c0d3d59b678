import CZlib
import Tensors

/// Deflated bytes, unpacked in order by zlib: the body of a zip entry, or a gzip file of one or more members.
final class Inflater: ByteStream {
  enum Framing { case raw, gzip }

  /// No deflate stream expands by more than this (a run of 258 bytes costs two bits).
  static let largestRatio = 1032

  let file: String
  let place: DatasetError.Place
  private let mapping: MappedFile
  private let end: Int
  private var next: Int
  private let framing: Framing
  private let stream: UnsafeMutablePointer<z_stream>
  private var streamEnded = false
  private var produced = 0
  private let limit: Int
  /// CRC-32 of what was unpacked so far, and what it must come to; a gzip stream checks its own.
  private var crc: UInt = 0
  private let expectedCRC: UInt32?

  /// - Parameter limit: the most this stream may unpack to, in bytes.
  init(
    _ mapping: MappedFile, file: String, range: Range<Int>, framing: Framing, place: DatasetError.Place,
    limit: Int, expectedCRC: UInt32? = nil
  ) throws(DatasetError) {
    self.mapping = mapping
    self.file = file
    self.place = place
    self.framing = framing
    self.limit = Swift.min(limit, range.count.multipliedSaturating(by: Inflater.largestRatio))
    self.expectedCRC = expectedCRC
    next = range.lowerBound
    end = range.upperBound
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // Negative window bits: no header. 16 + 15: a gzip header, with its own check.
    let window: Int32 = framing == .raw ? -15 : 31
    let status = inflateInit2_(stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw DatasetError(file: file, place: place, reason: .corruptStream("zlib could not start"))
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  var remainingLimit: Int { limit - produced }

  func read(into buffer: UnsafeMutableRawBufferPointer, part: String) throws(DatasetError) {
    let got = try inflate(into: buffer)
    guard got == buffer.count else {
      throw DatasetError(
        file: file, place: place, reason: .truncated(part: part, needed: buffer.count, left: got))
    }
  }

  func finish() throws(DatasetError) {
    var extra: UInt8 = 0
    let more = try withUnsafeMutableBytes(of: &extra) { buffer throws(DatasetError) in
      try inflate(into: buffer)
    }
    guard more == 0 else { throw DatasetError(file: file, place: place, reason: .trailing(bytes: more)) }
    guard streamEnded else {
      throw DatasetError(
        file: file, place: place, reason: .truncated(part: "compressed data", needed: 1, left: 0))
    }
    guard next == end else {
      throw DatasetError(file: file, place: place, reason: .trailing(bytes: end - next))
    }
    if let expectedCRC, expectedCRC != UInt32(truncatingIfNeeded: crc) {
      throw DatasetError(
        file: file, place: place,
        reason: .checksum(expected: expectedCRC, found: UInt32(truncatingIfNeeded: crc)))
    }
  }

  /// Unpacks up to `buffer.count` bytes; fewer only where the data end.
  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
    guard let output = buffer.baseAddress, let input = mapping.bytes.baseAddress else { return 0 }
    var done = 0
    while done < buffer.count {
      if streamEnded {
        guard framing == .gzip, next < end else { break }
        guard inflateReset(stream) == Z_OK else { break }
        streamEnded = false
      }
      let feed = Swift.min(end - next, 1 << 30)
      let room = Swift.min(buffer.count - done, 1 << 30)
      let source = input + next
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: source.assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(feed)
      stream.pointee.next_out = (output + done).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      next += feed - Int(stream.pointee.avail_in)
      let wrote = room - Int(stream.pointee.avail_out)
      if expectedCRC != nil {
        crc = UInt(crc32_z(crc, (output + done).assumingMemoryBound(to: UInt8.self), wrote))
      }
      done += wrote
      switch status {
      case Z_STREAM_END: streamEnded = true
      case Z_OK: break
      case Z_BUF_ERROR:
        if next == end { return finishRead(done) }
      default:
        let why = stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)"
        throw DatasetError(file: file, place: place, reason: .corruptStream(why))
      }
      if status == Z_OK && wrote == 0 && next == end { break }
    }
    return finishRead(done)
  }

  private func finishRead(_ count: Int) -> Int {
    produced += count
    return count
  }
}

extension Int {
  /// The product, or the largest Int where it does not fit.
  func multipliedSaturating(by factor: Int) -> Int {
    let (value, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : value
  }
}
