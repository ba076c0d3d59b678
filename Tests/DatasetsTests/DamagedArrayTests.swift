import Datasets
import Tensors
import Testing

private let goodHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
private let goodNpy = npy(header: goodHeader, body: [UInt8](repeating: 1, count: 24))

private let damagedNpy: [Damaged] =
  [
    0, 1, 5, 6, 7, 8, 9, 10, 11, 40, 10 + goodHeader.utf8.count - 1, 10 + goodHeader.utf8.count,
    goodNpy.count - 1,
  ]
  .map { Damaged("cut at \($0)", Array(goodNpy.prefix($0))) } + [
    Damaged("a byte too many", goodNpy + [0]),
    Damaged("no signature", [0x92] + goodNpy.dropFirst()),
    Damaged("version 4", npy(header: goodHeader, version: [4, 0])),
    Damaged("version 1.1", npy(header: goodHeader, version: [1, 1])),
    Damaged("header longer than the file", npy(header: goodHeader, length: 0xFFFF)),
    Damaged("header of 4 GB", npy(header: goodHeader, version: [2, 0], length: 0xFFFF_FFFF)),
    Damaged("empty header", npy(header: "")),
    Damaged("not a dictionary", npy(header: "[1, 2]")),
    Damaged("not closed", npy(header: "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), ")),
    Damaged("goes on", npy(header: goodHeader + "{}")),
    Damaged("a string without end", npy(header: "{'descr")),
    Damaged("no descr", npy(header: "{'fortran_order': False, 'shape': (2, 3)}")),
    Damaged("no shape", npy(header: "{'descr': '<f4', 'fortran_order': False}")),
    Damaged("no order", npy(header: "{'descr': '<f4', 'shape': (2, 3)}")),
    Damaged("unknown key", npy(header: "{'descr': '<f4', 'colour': 1}")),
    Damaged(
      "key twice", npy(header: "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}")),
    Damaged("order is perhaps", npy(header: "{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (2, 3)}")),
    Damaged("pickled objects", npy(descr: "|O", shape: "(1,)", body: [0])),
    Damaged("raw bytes", npy(descr: "|V8", shape: "(1,)", body: [0])),
    Damaged("complex", npy(descr: "<c8", shape: "(1,)", body: [0])),
    Damaged("text", npy(descr: "<U4", shape: "(1,)", body: [0])),
    Damaged("dates", npy(descr: "<M8[ns]", shape: "(1,)", body: [0])),
    Damaged("control characters", npy(descr: "\u{1B}[2J\u{7}", shape: "(1,)", body: [0])),
    Damaged("records", npy(header: "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")),
    Damaged("negative size", npy(descr: "<f4", shape: "(-1,)", body: [0])),
    Damaged("a word as size", npy(descr: "<f4", shape: "(two,)", body: [0])),
    Damaged("shape not closed", npy(descr: "<f4", shape: "(2, 3", body: [0])),
    Damaged("shape is a number", npy(descr: "<f4", shape: "6", body: [0])),
    Damaged("larger than the file", npy(descr: "<f4", shape: "(1000000000000,)", body: [0])),
    Damaged("sizes that overflow", npy(descr: "<f4", shape: "(4294967296, 4294967296)", body: [0])),
    Damaged("overflow behind a zero", npy(descr: "<f4", shape: "(0, 9223372036854775807, 9)")),
    Damaged("largest number", npy(descr: "<f4", shape: "(9223372036854775807,)", body: [0])),
    Damaged("no number at all", npy(descr: "<f4", shape: "(99999999999999999999,)", body: [0])),
    Damaged("65 axes", npy(descr: "<f4", shape: "(" + String(repeating: "1, ", count: 65) + ")")),
    Damaged("big-endian and short", npy(descr: ">f8", shape: "(4,)", body: [0])),
    Damaged(
      "Fortran order and short",
      npy(header: "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 3)}", body: [0])),
  ]

private let goodIdx: [UInt8] = [0, 0, 8, 2] + big(UInt32(2)) + big(UInt32(3)) + [1, 2, 3, 4, 5, 6]

private let damagedIdx: [Damaged] =
  (0..<goodIdx.count).map { Damaged("cut at \($0)", Array(goodIdx.prefix($0))) } + [
    Damaged("a byte too many", goodIdx + [0]),
    Damaged("not zero", [0, 1] + goodIdx.dropFirst(2)),
    Damaged("type 0", [0, 0, 0, 1] + big(UInt32(1)) + [0]),
    Damaged("type 10", [0, 0, 10, 1] + big(UInt32(1)) + [0]),
    Damaged("type 255", [0, 0, 255, 1] + big(UInt32(1)) + [0]),
    Damaged("no axes", [0, 0, 8, 0, 1]),
    Damaged("255 axes", [0, 0, 8, 255] + [UInt8](repeating: 0, count: 2000)),
    Damaged("larger than the file", [0, 0, 8, 1] + big(UInt32.max) + [1, 2]),
    Damaged("sizes that overflow", [0, 0, 14, 3] + [UInt8](repeating: 255, count: 12) + [1, 2]),
    Damaged("overflow behind a zero", [0, 0, 14, 4] + big(UInt32(0)) + [UInt8](repeating: 255, count: 12)),
    Damaged("little-endian sizes", [0, 0, 8, 1] + little(UInt32(6)) + [1, 2, 3, 4, 5, 6]),
    Damaged("doubles too short", [0, 0, 14, 1] + big(UInt32(1)) + [1, 2, 3, 4, 5, 6, 7]),
  ]

private let goodGzip = gzip(goodIdx)

private let damagedGzip: [Damaged] =
  (2..<goodGzip.count).map { Damaged("cut at \($0)", Array(goodGzip.prefix($0))) } + [
    Damaged("wrong checksum", gzip(goodIdx, crc: 1)),
    Damaged("wrong length", gzip(goodIdx, size: 5)),
    Damaged("unknown method", gzip(goodIdx, header: [0x1F, 0x8B, 9, 0, 0, 0, 0, 0, 0, 255])),
    Damaged("reserved flags", gzip(goodIdx, header: [0x1F, 0x8B, 8, 0xE0, 0, 0, 0, 0, 0, 255])),
    Damaged("extra field too long", gzip(goodIdx, header: [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 255, 255, 255])),
    Damaged(
      "name without end",
      gzip([], header: [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 255] + [UInt8](repeating: 65, count: 99))),
    Damaged("rubbish after it", goodGzip + [1, 2, 3]),
    Damaged("a broken second member", goodGzip + goodGzip.prefix(9)),
    Damaged("data after the array", gzip(goodIdx + [0])),
    Damaged("a second array", goodGzip + goodGzip),
    Damaged("array cut inside", gzip(Array(goodIdx.dropLast()))),
    Damaged("neither kind inside", gzip(Array("a text".utf8))),
    Damaged("nothing inside", gzip([])),
    Damaged("broken block", Array(goodGzip.prefix(10)) + [7] + Array(goodGzip.dropFirst(11))),
    Damaged("claims 4 GB", gzip([0, 0, 8, 1] + big(UInt32.max))),
    Damaged("claims 2^64", gzip([0, 0, 8, 2] + big(UInt32.max) + big(UInt32.max))),
    Damaged("npy that claims a terabyte", gzip(npy(descr: "<f4", shape: "(274877906944,)"))),
  ]

struct DamagedArrayTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func thereAreEnough() {
    for list in [damagedNpy, damagedIdx, damagedGzip] { #expect(list.count >= 30) }
  }

  @Test func theUndamagedOnesAreRead() throws {
    for good in [goodNpy, goodIdx, goodGzip] { _ = try ArrayFile.read(try scratch.write("good", good)) }
  }

  @Test(arguments: damagedNpy)
  func npyFile(_ damaged: Damaged) throws {
    let file = try scratch.write("a.npy", damaged.bytes)
    expectClearError(file) { _ = try Npy.read(file) }
    expectClearError(file) { _ = try Dataset.open(file) }
  }

  @Test(arguments: damagedIdx)
  func idxFile(_ damaged: Damaged) throws {
    let file = try scratch.write("a.idx", damaged.bytes)
    expectClearError(file) { _ = try ArrayFile.read(file) }
  }

  @Test(arguments: damagedGzip)
  func gzipFile(_ damaged: Damaged) throws {
    let file = try scratch.write("a.gz", damaged.bytes)
    expectClearError(file) { _ = try ArrayFile.read(file) }
  }

  /// Any byte replaced by any of a few: an error or an array, never a crash.
  @Test(arguments: [
    "deflated.npz", "stored.npz", "images.idx3", "two-members.idx3.gz", "array.npy.gz", "version3.npy",
  ])
  func everyByteChanged(_ name: String) throws {
    let good = try fixtureBytes(name)
    var refused = 0
    for index in stride(from: 0, to: good.count, by: good.count > 1000 ? 23 : 1) {
      for value in [0, 0xFF, good[index] ^ 1] as [UInt8] where value != good[index] {
        var bytes = good
        bytes[index] = value
        let file = try scratch.write(name, bytes)
        do {
          if name.hasSuffix("npz") {
            let archive = try Npz(file)
            for array in archive.names { _ = try archive.read(array) }
          } else {
            _ = try ArrayFile.read(file)
          }
        } catch {
          refused += 1
        }
      }
    }
    #expect(refused > 30)
  }

  @Test func messagesSayWhatIsWrong() throws {
    func message(_ bytes: [UInt8]) throws -> String {
      let file = try scratch.write("x", bytes)
      do { _ = try ArrayFile.read(file) } catch {
        return String(String(describing: error).dropFirst(file.count))
      }
      return "no error"
    }
    #expect(
      try message(Array(goodNpy.dropLast()))
        == ": byte 70: the array 2x3 needs 24 bytes, but 23 are left. The file may be incomplete.")
    #expect(
      try message(npy(descr: "|O", shape: "(1,)"))
        == ": byte 10: an array of Python objects (pickle) is not supported. Save it as an array of numbers.")
    #expect(
      try message(Array("hello".utf8))
        == ": byte 0: the .npy signature needs 8 bytes, but 5 are left. The file may be incomplete.")
    #expect(
      try message(Array("hello world".utf8))
        == ": byte 0: is not a .npy array (found bytes 68 65 6c 6c 6f 20). Check that it is the right file.")
    #expect(
      try message(gzip([0, 0, 8, 1] + big(UInt32.max)))
        == ": the array 4294967295 claims 4294967295 bytes, more than the file can justify (at most 31984). "
        + "It is damaged or hostile.")
  }

  @Test func filesThatAreNone() throws {
    expectClearError("/nowhere/a.npy") { _ = try Npy.read("/nowhere/a.npy") }
    expectClearError(scratch.path) { _ = try ArrayFile.read(scratch.path) }
    expectClearError("/dev/zero") { _ = try ArrayFile.read("/dev/zero") }
  }
}
