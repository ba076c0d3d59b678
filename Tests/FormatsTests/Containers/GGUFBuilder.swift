/// The bytes of a GGUF file, right or wrong.
struct GGUFBuilder: Sendable {
  struct Entry: Sendable {
    var key: [UInt8]
    var type: UInt32
    var value: [UInt8]
  }
  struct Info: Sendable {
    var name: [UInt8]
    var sizes: [UInt64]
    var type: UInt32
    var offset: UInt64
    var axes: UInt32?
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var entryCount: UInt64?
  var entries: [Entry] = []
  var infos: [Info] = []
  var alignment = 32
  var data: [UInt8] = []

  /// Two float32 tensors `w` `[2, 4]` and `b` `[4]`.
  static let small: GGUFBuilder = {
    var file = GGUFBuilder()
    file.entries = [.string("general.architecture", "test"), .init("test.block_count", 4, bytes(UInt32(1)))]
    file.infos = [.init("w", [4, 2], 0, 0), .init("b", [4], 0, 32)]
    file.data = (0..<12).flatMap { bytes(Float($0).bitPattern) } + [UInt8](repeating: 0, count: 16)
    return file
  }()

  var bytes: [UInt8] {
    var out = magic + Self.bytes(version)
    out += Self.bytes(tensorCount ?? UInt64(infos.count)) + Self.bytes(entryCount ?? UInt64(entries.count))
    for entry in entries {
      out += Self.bytes(UInt64(entry.key.count)) + entry.key + Self.bytes(entry.type) + entry.value
    }
    for info in infos {
      out += Self.bytes(UInt64(info.name.count)) + info.name
      out += Self.bytes(info.axes ?? UInt32(info.sizes.count)) + info.sizes.flatMap { Self.bytes($0) }
      out += Self.bytes(info.type) + Self.bytes(info.offset)
    }
    out += [UInt8](repeating: 0, count: (alignment - out.count % alignment) % alignment)
    return out + data
  }

  static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// The small file after a change.
  static func changed(_ change: (inout GGUFBuilder) -> Void) -> [UInt8] {
    var file = small
    change(&file)
    return file.bytes
  }

  /// The small file with one more entry.
  static func entry(_ type: UInt32, _ value: [UInt8], key: [UInt8] = Array("k".utf8)) -> [UInt8] {
    changed { $0.entries.append(Entry(key: key, type: type, value: value)) }
  }

  /// The small file with another first tensor.
  static func tensor(_ sizes: [UInt64], type: UInt32 = 0, offset: UInt64 = 0, axes: UInt32? = nil) -> [UInt8]
  {
    changed {
      $0.infos[0] = Info(name: Array("w".utf8), sizes: sizes, type: type, offset: offset, axes: axes)
    }
  }
}

extension GGUFBuilder.Entry {
  init(_ key: String, _ type: UInt32, _ value: [UInt8]) {
    self.init(key: Array(key.utf8), type: type, value: value)
  }

  static func string(_ key: String, _ value: String) -> Self {
    .init(key, 8, GGUFBuilder.bytes(UInt64(value.utf8.count)) + Array(value.utf8))
  }
}

extension GGUFBuilder.Info {
  init(_ name: String, _ sizes: [UInt64], _ type: UInt32, _ offset: UInt64) {
    self.init(name: Array(name.utf8), sizes: sizes, type: type, offset: offset)
  }
}
