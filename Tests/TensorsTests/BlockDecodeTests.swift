import Datasets
import Tensors
import Testing

struct BlockDecodeTests {
  /// Every format that GGUF has, to the bit.
  @Test(
    .enabled(if: BlockFiles.goldenExists, "the shared files are not here"),
    arguments: BlockFormats.all.map(\.name).filter { GGMLType.named($0) != nil })
  func decodesThePublishedBlocks(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let golden = try Npz(BlockFiles.golden)
    let reals = format.decode(try golden.bytes(name + "_raw"))
    let expected = try golden.floats(name + "_f32")
    #expect(reals.map(\.bitPattern) == expected.map(\.bitPattern))
  }

  @Test(arguments: BlockFormats.all.map(\.name))
  func unpacksToWhatItDecodes(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    guard let uniform = format.uniform else { return }
    let blocks = format.encode(normalWeights(1024, seed: 3))
    let (reals, codes, minimums) = format.unpacked(blocks, group: uniform.group)
    #expect(reals == format.decode(blocks))
    let half = 1 << (uniform.bits - 1)
    let range = format.hasMinimums ? 0...2 * half - 1 : -half...half - 1
    #expect(codes.allSatisfy { range.contains(Int($0)) })
    #expect(minimums.contains { $0 != 0 } == format.hasMinimums)
    #expect(format.elements % uniform.group == 0)
  }

  @Test func namesAreFoundInAnyCase() {
    for format in BlockFormats.all {
      #expect(BlockFormats.named(format.name)?.name == format.name)
      #expect(BlockFormats.named(format.name.lowercased())?.name == format.name)
    }
    #expect(Set(BlockFormats.all.map(\.name)).count == BlockFormats.all.count)
    #expect(BlockFormats.named("Q9_K") == nil)
  }

  @Test func typesOfGGUFAgreeWithTheFormats() throws {
    #expect(Set(GGMLType.all.map(\.id)).count == GGMLType.all.count)
    #expect(Set(GGMLType.all.map(\.name)).count == GGMLType.all.count)
    for type in GGMLType.all {
      #expect(GGMLType.numbered(type.id)?.name == type.name)
      #expect(type.elementType == nil || type.format == nil)
      guard let format = type.format else { continue }
      #expect(format.elements == type.elements && format.bytes == type.bytes)
    }
    #expect(BlockFormats.all.filter { GGMLType.named($0.name) == nil }.map(\.name) == ["NF4"])
    #expect(GGMLType.numbered(4) == nil)
    #expect(GGMLType.named("iq2_xxs")?.isReadable == false)
    let type = try #require(GGMLType.numbered(12))
    #expect(type.name == "Q4_K" && type.byteCount(512) == 288 && type.byteCount(100) == nil)
    #expect(type.byteCount(-256) == nil)
    #expect(GGMLType.named("Q8_0")?.byteCount(Int.max - 31) == nil)
  }
}
