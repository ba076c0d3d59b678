import Datasets
import Tensors
import Testing

private let array = npy(descr: "|u1", shape: "(3,)", body: [1, 2, 3])
private let good = ZipMaker(array).bytes()
/// Local header and name, data, central record, name, end record.
private let structures = [
  0, 4, 29, 30, 34, 35, 35 + array.count, 35 + array.count + 45, good.count - 23, good.count - 22,
]

private func made(_ what: String, _ change: (inout ZipMaker) -> Void) -> Damaged {
  var maker = ZipMaker(array)
  change(&maker)
  return Damaged(what, maker.bytes())
}

private let damaged: [Damaged] =
  (structures + [good.count - 12, good.count - 1]).map { Damaged("cut at \($0)", Array(good.prefix($0))) } + [
    Damaged("bytes after the end", good + [0]),
    Damaged("only an end", Array(good.suffix(22))),
    made("wrong checksum") { $0.crc = 7 },
    made("not an array") { $0.name = Array("readme.txt".utf8) },
    made("encrypted") { $0.flags = 1 },
    made("bzip2") { $0.method = 12 },
    made("unknown method") { $0.method = 99 },
    made("deflated, but is not") { $0.method = 8 },
    made("two sizes") { $0.size = 3 },
    made("longer than the file") {
      $0.compressed = 4000
      $0.size = 4000
    },
    made("claims 4 GB when unpacked") {
      $0.method = 8
      $0.size = 0xFFFF_FFF0
    },
    made("64-bit sizes without the field") { $0.size = 0xFFFF_FFFF },
    made("64-bit sizes cut") {
      $0.size = 0xFFFF_FFFF
      $0.extra = little(UInt16(1)) + little(UInt16(4)) + [0, 0, 0, 0]
    },
    made("size of 2^64") {
      $0.method = 8
      $0.size = 0xFFFF_FFFF
      $0.extra = little(UInt16(1)) + little(UInt16(8)) + little(UInt64.max)
    },
    made("size of 2^60") {
      $0.method = 8
      $0.size = 0xFFFF_FFFF
      $0.extra = little(UInt16(1)) + little(UInt16(8)) + little(UInt64(1) << 60)
    },
    made("offset of 2^60") {
      $0.localOffset = 0xFFFF_FFFF
      $0.extra = little(UInt16(1)) + little(UInt16(8)) + little(UInt64(1) << 60)
    },
    made("extra field too long") { $0.extra = little(UInt16(9)) + little(UInt16(99)) },
    made("record outside the file") { $0.localOffset = 100_000 },
    made("record without signature") { $0.localOffset = 1 },
    made("record with another signature") { $0.localSignature = 0x0403_4B51 },
    made("local name longer than the file") { $0.localNameLength = 0xFFFF },
    made("more entries than fit") { $0.entries = 100 },
    made("directory outside the file") { $0.directoryOffset = 1_000_000 },
    made("directory too long") { $0.directorySize = 1_000_000 },
    made("directory too short") {
      $0.directorySize = 60
      $0.entries = 1
    },
    made("directory over the data") {
      $0.directoryOffset = 0
      $0.entries = 1
    },
    made("several parts") { $0.disk = 3 },
    made("the same name twice") {
      $0.copies = 2
      $0.entries = 2
    },
    made("64-bit end elsewhere") {
      $0.directorySize = 0xFFFF_FFFF
      $0.tail = little(UInt32(0x0706_4B50)) + little(UInt32(0)) + little(UInt64(5)) + little(UInt32(1))
    },
    made("64-bit end outside the file") {
      $0.directorySize = 0xFFFF_FFFF
      $0.tail = little(UInt32(0x0706_4B50)) + little(UInt32(0)) + little(UInt64.max / 8) + little(UInt32(1))
    },
    made("control characters in the name") {
      $0.name = Array("\u{1B}]0;x\u{7}\n.txt".utf8)
    },
    Damaged("a broken array inside", ZipMaker(Array(array.dropLast())).bytes()),
    Damaged("an array that claims a terabyte", ZipMaker(npy(descr: "<f4", shape: "(274877906944,)")).bytes()),
    Damaged("an empty file inside", ZipMaker([]).bytes()),
    Damaged("no zip at all", Array("PKunzip".utf8)),
    Damaged("nothing", []),
  ]

struct DamagedArchiveTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func theUndamagedOneIsRead() throws {
    #expect(damaged.count >= 30)
    #expect(try Npz(try scratch.write("a.npz", good)).read("a").array(of: UInt8.self) == [1, 2, 3])
  }

  @Test(arguments: damaged)
  func archive(_ damaged: Damaged) throws {
    let file = try scratch.write("a.npz", damaged.bytes)
    expectClearError(file) {
      let archive = try Npz(file)
      for name in archive.names { _ = try archive.read(name) }
    }
    expectClearError(file) { _ = try Dataset.open(file).bound(to: []) }
  }

  @Test func bombsAreRefusedBeforeAnythingIsAllocated() throws {
    // Many names for the same deflated bytes, each within the ratio of deflate, together far beyond the file.
    let shared = (0..<60_000).map { number in
      var maker = ZipMaker([UInt8](repeating: 0, count: 900))
      maker.name = Array("\(number).npy".utf8)
      return maker
    }
    var directory: [UInt8] = []
    for maker in shared { directory += maker.centralRecord(method: 8, size: 900_000) }
    var bytes = shared[0].bytes().prefix(30 + 5 + 900) + directory
    bytes +=
      little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(60_000)) + little(UInt16(60_000))
      + little(UInt32(directory.count)) + little(UInt32(935)) + little(UInt16(0))
    let before = peakMemory()
    let file = try scratch.write("bomb.npz", Array(bytes))
    expectClearError(file) { _ = try Npz(file) }
    #expect(peakMemory() - before < 100 << 20)
  }
}

extension ZipMaker {
  /// The record of this entry in the table of contents alone.
  func centralRecord(method: UInt16, size: UInt32) -> [UInt8] {
    little(UInt32(0x0201_4B50)) + little(UInt16(20)) + little(UInt16(20)) + little(UInt16(0)) + little(method)
      + little(UInt32(0)) + little(UInt32(0)) + little(UInt32(body.count)) + little(size)
      + little(UInt16(name.count)) + [UInt8](repeating: 0, count: 12) + little(UInt32(0)) + name
  }
}
