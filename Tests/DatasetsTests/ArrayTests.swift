import Datasets
import Tensors
import Testing

private let types: [String: ElementType] = [
  "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64, "i1": .int8, "i2": .int16, "i4": .int32,
  "i8": .int64,
  "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool,
]

private let expected: [Character: [Double]] = [
  "u": [0, 37, 74, 111, 148, 185], "i": [-4, -1, 2, 5, 8, 11], "f": [-3.5, -0.5, 2.5, 5.5, 8.5, 11.5],
  "b": [0, 1, 0, 1, 0, 1],
]

struct ArrayTests {
  @Test func everyTypeAndOrderOfADeflatedArchive() throws {
    let archive = try Npz(fixture("deflated.npz"))
    #expect(archive.names.count == 48)
    for name in archive.names {
      let tensor = try archive.read(name)
      #expect(tensor.shape == [2, 3] && tensor.type == types[String(name.prefix(2))], "\(name)")
      #expect(doubles(tensor) == expected[name.first ?? "?"], "\(name)")
    }
  }

  @Test func storedArraysStayMapped() throws {
    let archive = try Npz(fixture("stored.npz"))
    let tensor = try archive.read("f4-little-C")
    #expect(tensor.storage.isMapped)
    #expect(doubles(tensor) == expected["f"])
    #expect(doubles(try archive.read("f4-big-F")) == expected["f"])
    #expect(try archive.read("empty").shape == [0, 4])
    let scalar = try archive.read("scalar")
    #expect(scalar.shape == [] && doubles(scalar) == [2.5])
  }

  @Test(arguments: ["version2.npy", "version3.npy"])
  func laterVersionsOfTheHeader(_ file: String) throws {
    let tensor = try Npy.read(fixture(file))
    #expect(doubles(tensor) == expected["f"] && tensor.storage.isMapped)
  }

  @Test(arguments: ["images.idx3", "images.idx3.gz", "two-members.idx3.gz"])
  func idxImages(_ file: String) throws {
    let tensor = try ArrayFile.read(fixture(file))
    #expect(tensor.shape == [2, 3, 4] && tensor.type == .uint8)
    #expect(doubles(tensor) == (0..<24).map { Double($0 * 11 % 256) })
  }

  @Test func otherIdxTypesAreBigEndian() throws {
    #expect(try ArrayFile.read(fixture("shorts.idx1")).array(of: Int16.self) == [-2, 300, 7])
  }

  @Test func gzippedNpy() throws {
    #expect(doubles(try ArrayFile.read(fixture("array.npy.gz"))) == expected["i"])
  }

  @Test func aHeaderAsPython2WroteIt() throws {
    let scratch = try Scratch()
    let path = try scratch.write(
      "a.npy", npy(header: "{'shape': (2L,), \"descr\": \"|u1\", 'fortran_order': False}", body: [7, 9]))
    #expect(try Npy.read(path).array(of: UInt8.self) == [7, 9])
  }

  @Test func writtenArchivesAreReadBack() throws {
    let scratch = try Scratch()
    var arrays: [(name: String, tensor: Tensor)] = []
    let archive = try Npz(fixture("deflated.npz"))
    for name in archive.names { arrays.append((name, try archive.read(name))) }
    arrays.append(("zeros", Tensor(of: Float.self, shape: [100, 1000]) { _ in }))
    arrays.append(("none", Tensor(of: Int64.self, shape: [3, 0]) { _ in }))
    arrays.append(("scalar", Tensor(scalar: Int32(-7))))
    let bytes = try Npz.encode(arrays)
    #expect(bytes.count < 100_000)
    #expect(try Npz.encode(arrays) == bytes)
    let back = try Npz(try scratch.write("a.npz", bytes))
    #expect(back.names == arrays.map(\.name))
    for (name, tensor) in arrays {
      let read = try back.read(name)
      #expect(
        read.shape == tensor.shape && read.type == tensor.type && doubles(read) == doubles(tensor), "\(name)")
    }
  }

  @Test func typesThatNumPyLacksAreWidened() throws {
    let scratch = try Scratch()
    let brain = Tensor(shape: [2], type: .bfloat16) { $0.copyBytes(from: [0x80, 0x3F, 0x20, 0xC0]) }
    let nibbles = Tensor(shape: [3], type: .int4) { $0.copyBytes(from: [0x7F, 0x08]) }
    let bits = Tensor(shape: [4], type: .uint2) { $0.copyBytes(from: [0b11_10_01_00]) }
    #expect(doubles(try Npy.read(try scratch.write("a.npy", Npy.encode(brain)))) == [1, -2.5])
    #expect(doubles(try Npy.read(try scratch.write("b.npy", Npy.encode(nibbles)))) == [-1, 7, -8])
    #expect(doubles(try Npy.read(try scratch.write("c.npy", Npy.encode(bits)))) == [0, 1, 2, 3])
    let tiny = Tensor(shape: [1], type: .float8e4m3fn) { _ in }
    #expect(throws: DatasetError.self) { try Npy.encode(tiny) }
  }

  @Test func wideSizesOfAnArchive() throws {
    let body = npy(descr: "|u1", shape: "(3,)", body: [1, 2, 3])
    var maker = ZipMaker(body)
    maker.compressed = 0xFFFF_FFFF
    maker.size = 0xFFFF_FFFF
    maker.extra =
      little(UInt16(1)) + little(UInt16(16)) + little(UInt64(body.count)) + little(UInt64(body.count))
    let scratch = try Scratch()
    let wide = try scratch.write("wide.npz", maker.bytes())
    #expect(try Npz(wide).read("a").array(of: UInt8.self) == [1, 2, 3])

    // The directory itself behind a 64-bit end record.
    var far = ZipMaker(body)
    far.comment = Array("a comment".utf8)
    let start = UInt64(35 + body.count)
    far.tail =
      little(UInt32(0x0606_4B50)) + little(UInt64(44)) + [UInt8](repeating: 0, count: 12) + little(UInt64(1))
      + little(UInt64(1)) + little(UInt64(51)) + little(start)
      + little(UInt32(0x0706_4B50)) + little(UInt32(0)) + little(start + 51) + little(UInt32(1))
    far.directoryOffset = 0xFFFF_FFFF
    far.directorySize = 0xFFFF_FFFF
    far.entries = 0xFFFF
    #expect(try Npz(try scratch.write("far.npz", far.bytes())).read("a").array(of: UInt8.self) == [1, 2, 3])
  }
}
