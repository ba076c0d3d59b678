import Datasets
import Foundation
import Tensors
import Testing

/// A folder of its own that is removed with the value's last use.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/lathe-datasets-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }
}

/// A file in Tests/Fixtures/datasets, made by the script there.
func fixture(_ name: String) -> String {
  let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  return folder.appendingPathComponent("Fixtures/datasets/" + name).path
}

func fixtureBytes(_ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// All elements as doubles, whatever the type.
func doubles(_ tensor: Tensor) -> [Double] {
  switch tensor.type {
  case .uint8: tensor.array(of: UInt8.self).map { Double($0) }
  case .int8: tensor.array(of: Int8.self).map { Double($0) }
  case .uint16: tensor.array(of: UInt16.self).map { Double($0) }
  case .int16: tensor.array(of: Int16.self).map { Double($0) }
  case .uint32: tensor.array(of: UInt32.self).map { Double($0) }
  case .int32: tensor.array(of: Int32.self).map { Double($0) }
  case .uint64: tensor.array(of: UInt64.self).map { Double($0) }
  case .int64: tensor.array(of: Int64.self).map { Double($0) }
  case .float16: tensor.array(of: Float16.self).map { Double($0) }
  case .float32: tensor.array(of: Float.self).map { Double($0) }
  case .float64: tensor.array(of: Double.self)
  case .bool: tensor.array(of: Bool.self).map { $0 ? 1 : 0 }
  default: []
  }
}

/// A broken file: what was done to it, and its bytes.
struct Damaged: CustomTestStringConvertible, Sendable {
  var what: String
  var bytes: [UInt8]
  var testDescription: String { what }

  init(_ what: String, _ bytes: [UInt8]) {
    self.what = what
    self.bytes = bytes
  }
}

/// Expects an error that names the file and is safe to print.
func expectClearError(
  _ file: String, _ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(sourceLocation: sourceLocation) {
    try body()
  } throws: { error in
    guard let error = error as? DatasetError else { return false }
    let text = error.description
    return text.hasPrefix(file + ": ") && text.hasSuffix(".")
      && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }
}

/// Peak memory of this process, in bytes.
func peakMemory() -> Int {
  var usage = rusage()
  getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
  return usage.ru_maxrss * 1024
}

func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc: UInt32 = 0xFFFF_FFFF
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
  }
  return ~crc
}

func little(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
func big(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// A `.npy` file with a header as given.
func npy(
  header: String, version: [UInt8] = [1, 0], length: Int? = nil, body: [UInt8] = []
) -> [UInt8] {
  let size = length ?? header.utf8.count
  return [0x93] + Array("NUMPY".utf8) + version
    + (version[0] == 1 ? little(UInt16(truncatingIfNeeded: size)) : little(UInt32(truncatingIfNeeded: size)))
    + Array(header.utf8) + body
}

func npy(descr: String, shape: String, body: [UInt8] = []) -> [UInt8] {
  npy(header: "{'descr': '\(descr)', 'fortran_order': False, 'shape': \(shape), }\n", body: body)
}

/// A stored zip archive of one entry, whose fields can be set wrong.
struct ZipMaker {
  var name = Array("a.npy".utf8)
  var body: [UInt8]
  var method: UInt16 = 0
  var flags: UInt16 = 0
  var crc: UInt32?
  var compressed: UInt32?
  var size: UInt32?
  var localOffset: UInt32 = 0
  var localSignature: UInt32 = 0x0403_4B50
  var localNameLength: UInt16?
  var extra: [UInt8] = []
  var entries: UInt16 = 1
  var copies = 1
  var directoryOffset: UInt32?
  var directorySize: UInt32?
  var disk: UInt16 = 0
  var comment: [UInt8] = []
  var tail: [UInt8] = []

  init(_ body: [UInt8]) { self.body = body }

  func bytes() -> [UInt8] {
    let common =
      little(method) + little(UInt16(0)) + little(UInt16(0x21)) + little(crc ?? crc32(body))
      + little(compressed ?? UInt32(body.count)) + little(size ?? UInt32(body.count))
    var out =
      little(localSignature) + little(UInt16(20)) + little(flags) + common
      + little(localNameLength ?? UInt16(name.count)) + little(UInt16(0)) + name + body
    let start = out.count
    for _ in 0..<copies {
      out +=
        little(UInt32(0x0201_4B50)) + little(UInt16(20)) + little(UInt16(20)) + little(flags) + common
        + little(UInt16(name.count)) + little(UInt16(extra.count)) + [UInt8](repeating: 0, count: 10)
        + little(localOffset) + name + extra
    }
    let size = out.count - start
    out += tail
    return out + little(UInt32(0x0605_4B50)) + little(disk) + little(disk) + little(entries) + little(entries)
      + little(directorySize ?? UInt32(size)) + little(directoryOffset ?? UInt32(start))
      + little(UInt16(comment.count)) + comment
  }
}

/// A gzip member of stored blocks.
func gzip(_ bytes: [UInt8], crc: UInt32? = nil, size: UInt32? = nil, header: [UInt8]? = nil) -> [UInt8] {
  var out = header ?? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
  out += [1] + little(UInt16(bytes.count)) + little(~UInt16(bytes.count)) + bytes
  return out + little(crc ?? crc32(bytes)) + little(size ?? UInt32(bytes.count))
}
