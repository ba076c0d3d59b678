extension DamagedContainer {
  private typealias Builder = GGUFBuilder

  private static func gguf(
    _ name: String, says: String, _ bytes: @escaping @Sendable () -> [UInt8]
  ) -> DamagedContainer {
    DamagedContainer(name, says: says, "model.gguf", bytes)
  }

  private static func list(_ type: UInt32, _ count: UInt64, _ rest: [UInt8] = []) -> [UInt8] {
    Builder.entry(9, Builder.bytes(type) + Builder.bytes(count) + rest)
  }

  static let gguf = header + values + tensorInfos + parts

  private static let header: [DamagedContainer] = [
    gguf("empty", says: "empty") { [] },
    gguf("text", says: "not a GGUF file") { Array("once upon a time there was no model".utf8) },
    gguf("small letters", says: "not a GGUF file") { Builder.changed { $0.magic = Array("gguf".utf8) } },
    gguf("magic alone", says: "4 bytes are needed") { Array("GGUF".utf8) },
    gguf("no counts", says: "8 bytes are needed") { Array("GGUF".utf8) + Builder.bytes(UInt32(3)) },
    gguf("version 0", says: "GGUF version 0") { Builder.changed { $0.version = 0 } },
    gguf("version 1", says: "GGUF version 1") { Builder.changed { $0.version = 1 } },
    gguf("version 4", says: "GGUF version 4") { Builder.changed { $0.version = 4 } },
    gguf("big-endian", says: "big-endian") { Builder.changed { $0.version = UInt32(3).byteSwapped } },
    gguf("all tensors there could be", says: "too many tensors") {
      Builder.changed { $0.tensorCount = .max }
    },
    gguf("more tensors than bytes", says: "too many tensors") {
      Builder.changed { $0.tensorCount = 1 << 40 }
    },
    gguf("a tensor too many", says: "bytes are needed") { Builder.changed { $0.tensorCount = 3 } },
    gguf("all entries there could be", says: "too many metadata entries") {
      Builder.changed { $0.entryCount = .max }
    },
    gguf("more entries than bytes", says: "too many metadata entries") {
      Builder.changed { $0.entryCount = 1000 }
    },
    gguf("an entry too many", says: "bytes are needed") { Builder.changed { $0.entryCount = 3 } },
  ]

  private static let values: [DamagedContainer] = [
    gguf("key beyond the file", says: "bytes are needed") {
      Builder.changed {
        $0.entries = []
        $0.infos = []
        $0.entryCount = 1
        $0.data = Builder.bytes(UInt64(1000)) + [UInt8](repeating: 65, count: 24)
        $0.alignment = 1
      }
    },
    gguf("key of 2^63 bytes", says: "bytes are needed") {
      Builder.changed {
        $0.entries = []
        $0.infos = []
        $0.entryCount = 1
        $0.data = Builder.bytes(UInt64(1) << 63) + [UInt8](repeating: 65, count: 24)
        $0.alignment = 1
      }
    },
    gguf("key that is not UTF-8", says: "UTF-8") { Builder.entry(0, [1], key: [0xff, 0xfe]) },
    gguf("key given twice", says: "defined twice") {
      Builder.entry(0, [1], key: Array("test.block_count".utf8))
    },
    gguf("value of type 13", says: "unknown type 13") { Builder.entry(13, [1]) },
    gguf("value of type 2^32 - 1", says: "unknown type 4294967295") { Builder.entry(.max, [1]) },
    gguf("text beyond the file", says: "bytes are needed") {
      Builder.entry(8, Builder.bytes(UInt64(1 << 20)))
    },
    gguf("text of 2^64 - 1 bytes", says: "bytes are needed") { Builder.entry(8, Builder.bytes(UInt64.max)) },
    gguf("text that is not UTF-8", says: "UTF-8") {
      Builder.entry(8, Builder.bytes(UInt64(3)) + [0xe2, 0x28, 0xa1])
    },
    gguf("surrogate in UTF-8", says: "UTF-8") {
      Builder.entry(8, Builder.bytes(UInt64(3)) + [0xed, 0xa0, 0x80])
    },
    gguf("truth value 2", says: "truth value is 2") { Builder.entry(7, [2]) },
    gguf("list of unknown type", says: "unknown type 99") { list(99, 1, [0]) },
    gguf("list longer than the file", says: "too many elements") { list(0, 1 << 20) },
    gguf("list of 2^62 bytes", says: "too many elements") { list(0, 1 << 62) },
    gguf("list of 2^61 doubles", says: "too many elements") { list(12, 1 << 61) },
    gguf("list of 2^64 - 1 texts", says: "too many elements") { list(8, .max) },
    gguf("list of 2^40 lists", says: "too many elements") { list(9, 1 << 40) },
    gguf("list with a text beyond the file", says: "bytes are needed") {
      list(8, 1, Builder.bytes(UInt64(1 << 30)))
    },
    gguf("list with a bad text", says: "UTF-8") { list(8, 1, Builder.bytes(UInt64(1)) + [0x80]) },
    gguf("list with a truth value of 7", says: "truth value is 7") { list(7, 2, [1, 7]) },
    gguf("lists inside lists without end", says: "lists inside each other") {
      Builder.entry(9, (0..<40).flatMap { _ in Builder.bytes(UInt32(9)) + Builder.bytes(UInt64(1)) })
    },
    gguf("alignment 0", says: "no power of two") {
      Builder.entry(4, Builder.bytes(UInt32(0)), key: Array("general.alignment".utf8))
    },
    gguf("alignment 3", says: "no power of two") {
      Builder.entry(4, Builder.bytes(UInt32(3)), key: Array("general.alignment".utf8))
    },
    gguf("alignment below 0", says: "no power of two") {
      Builder.entry(5, Builder.bytes(Int32(-32)), key: Array("general.alignment".utf8))
    },
    gguf("alignment 2^31", says: "no power of two") {
      Builder.entry(4, Builder.bytes(UInt32(1) << 31), key: Array("general.alignment".utf8))
    },
    gguf("alignment that is a text", says: "whole number must") {
      Builder.entry(8, Builder.bytes(UInt64(2)) + Array("32".utf8), key: Array("general.alignment".utf8))
    },
  ]

  private static let tensorInfos: [DamagedContainer] = [
    gguf("tensor name that is not UTF-8", says: "UTF-8") { Builder.changed { $0.infos[0].name = [0xc3] } },
    gguf("five axes", says: "too many axes") { Builder.tensor([1, 1, 1, 4, 2]) },
    gguf("2^32 - 1 axes", says: "too many axes") { Builder.tensor([4, 2], axes: .max) },
    gguf("sizes that overflow", says: "impossible") { Builder.tensor([1 << 62, 16]) },
    gguf("size below zero", says: "impossible") { Builder.tensor([.max]) },
    gguf("unknown type of tensor", says: "number 999") { Builder.tensor([4, 2], type: 999) },
    gguf("type that is no more", says: "number 4") { Builder.tensor([4, 2], type: 4) },
    gguf("rows shorter than a block", says: "no whole number of Q4_0 blocks") {
      Builder.tensor([4, 8], type: 2)
    },
    gguf("rows of half a block", says: "no whole number of Q4_K blocks") {
      Builder.tensor([128, 2], type: 12)
    },
    gguf("bytes of blocks that overflow", says: "impossible") { Builder.tensor([1 << 62, 1 << 5], type: 8) },
    gguf("odd offset", says: "no multiple of the alignment") { Builder.tensor([4, 2], offset: 4) },
    gguf("offset beyond the file", says: "bytes are needed") { Builder.tensor([4, 2], offset: 1 << 20) },
    gguf("offset of 2^64 - 32", says: "bytes are needed") { Builder.tensor([4, 2], offset: .max - 31) },
    gguf("tensor longer than the file", says: "bytes are needed") { Builder.tensor([1 << 20, 1 << 10]) },
    gguf("tensors that overlap", says: "also those of tensor") { Builder.tensor([4, 4]) },
    gguf("tensors in one place", says: "also those of tensor") { Builder.changed { $0.infos[1].offset = 0 } },
    gguf("tensor given twice", says: "defined twice") {
      Builder.changed { $0.infos[1].name = Array("w".utf8) }
    },
    gguf("last byte lost", says: "bytes are needed") {
      Builder.changed { $0.data = Array($0.data.prefix(47)) }
    },
    gguf("no data", says: "bytes are needed") { Builder.changed { $0.data = [] } },
  ]

  /// A part of a model in several files.
  private static func part(_ number: UInt16?, of count: Int32, _ tensor: String, total: Int32? = nil)
    -> [UInt8]
  {
    Builder.changed { file in
      file.entries.append(.init("split.count", 5, Builder.bytes(count)))
      if let number { file.entries.append(.init("split.no", 2, Builder.bytes(number))) }
      if let total { file.entries.append(.init("split.tensors.count", 5, Builder.bytes(total))) }
      file.infos = [.init(tensor, [4, 2], 0, 0)]
    }
  }
  private static func partName(_ number: Int) -> String { "m-0000\(number)-of-00002.gguf" }

  private static let parts: [DamagedContainer] = [
    gguf("part under another name", says: "does not end in") { part(0, of: 2, "w") },
    gguf("part without a number", says: "split.no") { part(nil, of: 2, "w") },
    DamagedContainer("part beyond the last", says: "does not end in", partName(1)) { part(7, of: 2, "w") },
    gguf("part of 2^31 - 1", says: "too many files") { part(0, of: .max, "w") },
    DamagedContainer("missing part", says: "No such file", partName(1)) { part(0, of: 2, "w") },
    DamagedContainer(
      "part that links to itself", says: "symbolic links", open: partName(1),
      links: [(partName(2), partName(2))]
    ) { [(partName(1), part(0, of: 2, "w"))] },
    DamagedContainer("the same part twice", says: "does not say that it is part 2", open: partName(1)) {
      [(partName(1), part(0, of: 2, "w")), (partName(2), part(0, of: 2, "w"))]
    },
    DamagedContainer("part of another model", says: "does not say that it is part 2", open: partName(1)) {
      [(partName(1), part(0, of: 2, "w")), (partName(2), part(1, of: 3, "v"))]
    },
    DamagedContainer("tensor in two parts", says: "defined twice", open: partName(1)) {
      [(partName(1), part(0, of: 2, "w")), (partName(2), part(1, of: 2, "w"))]
    },
    DamagedContainer("parts with a tensor too few", says: "tensors in all parts", open: partName(1)) {
      [(partName(1), part(0, of: 2, "w", total: 3)), (partName(2), part(1, of: 2, "v"))]
    },
    DamagedContainer("second part damaged", says: "not a GGUF file", open: partName(1)) {
      [(partName(1), part(0, of: 2, "w")), (partName(2), Array("nothing".utf8))]
    },
  ]
}
