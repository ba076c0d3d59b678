import Datasets
import Foundation
import Tensors
import Testing

/// Beside llama.cpp's encoders, and in the corners; rows of `blocks.npz` are 512 weights.
struct BlockEncodeTests {
  static let names = BlockFormats.all.map(\.name)
  /// Formats whose plain encoder is published.
  static let published = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "MXFP4", "NF4"]

  @Test(arguments: published)
  func plainEncodersGiveTheReferenceBytes(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let file = try Npz(BlockFiles.encoded)
    #expect(format.encode(try file.floats("x")) == (try file.bytes(name)))
  }

  @Test(
    .enabled(if: BlockFiles.goldenExists, "the shared files are not here"),
    arguments: published.filter { $0 != "NF4" })
  func plainEncodersGiveTheSharedBytes(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let file = try Npz(BlockFiles.golden)
    let x = try file.floats("quantize_input_f32")
    #expect(format.encode(x) == (try file.bytes(name + "_quantized")))
  }

  /// Squared errors of the eight ordinary rows, without and with importance, at most llama.cpp's.
  @Test(arguments: names)
  func searchesAtLeastAsWellAsTheReference(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let file = try Npz(BlockFiles.encoded)
    let importance = try file.floats("importance")
    let x = Array(try file.floats("x").prefix(8 * 512))
    let size = 8 * 512 / format.elements * format.bytes
    let plain = Array(try file.bytes(name).prefix(size))
    let ours = squaredError(x, format.decode(format.encode(x)))
    #expect(ours <= squaredError(x, format.decode(plain)))
    let weighted = file.names.contains(name + "-weighted")
    let reference = weighted ? Array(try file.bytes(name + "-weighted").prefix(size)) : plain
    let theirs = squaredError(x, format.decode(reference), importance: importance)
    let blocks = format.encode(x, importance: importance)
    #expect(squaredError(x, format.decode(blocks), importance: importance) < theirs)
  }

  @Test(arguments: names)
  func importanceLowersTheErrorItCounts(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let x = normalWeights(2048, seed: 5, deviation: 0.02)
    let importance = (0..<2048).map { Float($0 % 7 == 0 ? 20 : 1) }
    let plain = squaredError(x, format.decode(format.encode(x)), importance: importance)
    let searched = format.decode(format.encode(x, importance: importance))
    #expect(squaredError(x, searched, importance: importance) < plain)
  }

  /// Root mean square of the error over that of normal weights: what the bits allow.
  @Test(arguments: names)
  func errorsOfNormalWeightsAreWhatTheBitsAllow(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let x = normalWeights(4096, seed: 11)
    let share = squaredError(x, format.decode(format.encode(x))) / squaredError(x, x.map { _ in 0 })
    // A bit halves the error; the worst of them reaches 2.5 · 2^−bits.
    let allowed = 2.8 * exp2(-format.bitsPerWeight)
    #expect(share.squareRoot() < allowed)
  }

  @Test(arguments: names)
  func zerosStayZeros(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let x = [Float](repeating: 0, count: 512)
    #expect(format.decode(format.encode(x)).allSatisfy { $0 == 0 })
    #expect(format.decode(format.encode(x, importance: [Float](repeating: 2, count: 512))) == x)
  }

  /// One constant, of either sign, with and without importance, and where nothing counts.
  @Test(arguments: names, [Float(0.37), -0.37, 3e-3, -1000])
  func constantsAreNearlyKept(_ name: String, _ constant: Float) throws {
    let format = try #require(BlockFormats.named(name))
    let x = [Float](repeating: constant, count: 512)
    let none = [Float](repeating: 0, count: 512)
    let some = (0..<512).map { Float($0 % 5) }
    for blocks in [format.encode(x), format.encode(x, importance: none), format.encode(x, importance: some)] {
      let worst = format.decode(blocks).map { abs($0 - constant) }.max() ?? .infinity
      // The published scales of MXFP4 are powers of two that let 7.99 become 6.
      #expect(worst <= abs(constant) * (name == "MXFP4" ? 0.25 : 0.02))
    }
  }

  /// A block that its scales cannot hold saturates or vanishes; nothing becomes infinite or no number.
  @Test(arguments: names)
  func hugeAndTinyWeightsStayNumbers(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let normal = normalWeights(512, seed: 13)
    let importance = normalWeights(512, seed: 17).map { abs($0) }
    for factor: Float in [1e38, 1e30, 1e7, 1e-7, 1e-20, 1e-38, 0x1p-140] {
      var x = normal.map { Swift.max(-3e38, Swift.min(3e38, $0 * factor)) }
      for mixed in [false, true] {
        if mixed { for i in stride(from: 0, to: 512, by: 3) { x[i] = normal[i] } }
        let most = x.reduce(0) { Swift.max($0, abs($1)) }
        for blocks in [format.encode(x), format.encode(x, importance: importance)] {
          let reals = format.decode(blocks)
          // The smallest float16 above 0, as a scale, makes reals of up to a millionth.
          #expect(reals.allSatisfy { $0.isFinite && abs($0) <= 1.6 * most + 1e-6 })
        }
      }
    }
  }

  /// What must not happen upstream still ends: blocks with NaN or infinity are written, whatever they hold.
  @Test(arguments: names, [Float.nan, .infinity, -.infinity])
  func notANumberDoesNotTrap(_ name: String, _ wrong: Float) throws {
    let format = try #require(BlockFormats.named(name))
    var x = normalWeights(512, seed: 19)
    x[40] = wrong
    x[256] = wrong
    let importance = normalWeights(512, seed: 23).map { abs($0) }
    #expect(format.decode(format.encode(x)).count == 512)
    #expect(format.decode(format.encode(x, importance: importance)).count == 512)
    var broken = importance
    broken[3] = wrong
    #expect(
      format.decode(format.encode(normalWeights(512, seed: 19), importance: broken)).allSatisfy {
        $0.isFinite
      })
  }

  /// A row is its blocks one by one, so rows may be split anywhere between blocks.
  @Test(arguments: names)
  func blocksDoNotDependOnTheirNeighbours(_ name: String) throws {
    let format = try #require(BlockFormats.named(name))
    let x = normalWeights(1024, seed: 29)
    let importance = normalWeights(1024, seed: 31).map { abs($0) }
    for importance in [nil, importance] {
      let parts = stride(from: 0, to: 1024, by: format.elements).flatMap { start in
        let range = start..<start + format.elements
        return format.encode(Array(x[range]), importance: importance.map { Array($0[range]) })
      }
      #expect(format.encode(x, importance: importance) == parts)
    }
  }
}
