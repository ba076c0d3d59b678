import Datasets
import Tensors
import Testing

/// Every raw type in every layout against a plain computation on one element at a time.
struct ConversionTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  static let (samples, height, width, channels) = (3, 2, 5, 3)

  struct Case: Sendable, CustomTestStringConvertible {
    var raw: String
    var layout: Layout
    var toBack: Bool
    var testDescription: String { "\(raw) \(layout) to \(toBack ? "channels last" : "channels first")" }
  }

  static let cases: [Case] = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "b1"].flatMap
  { raw in
    [Layout.nhwc, .nchw].flatMap { layout in [true, false].map { Case(raw: raw, layout: layout, toBack: $0) }
    }
  }

  /// The value stored for one pixel, small enough for every type.
  static func value(_ n: Int, _ h: Int, _ w: Int, _ c: Int, _ raw: String) -> Int {
    let plain = (((n * height + h) * width + w) * channels + c) % 90
    return switch raw.first {
    case "b": plain % 2
    case "u": plain
    default: plain - 40
    }
  }

  static func bytes(_ value: Int, _ raw: String) -> [UInt8] {
    switch raw {
    case "u1", "i1", "b1": [UInt8(truncatingIfNeeded: value)]
    case "u2", "i2": little(Int16(value))
    case "u4", "i4": little(Int32(value))
    case "u8", "i8": little(Int64(value))
    case "f2": little(Float16(value).bitPattern)
    case "f4": little(Float(value).bitPattern)
    default: little(Double(value).bitPattern)
    }
  }

  static func body(_ item: Case) -> [UInt8] {
    var out: [UInt8] = []
    for n in 0..<samples {
      if item.layout == .nhwc {
        for h in 0..<height {
          for w in 0..<width { for c in 0..<channels { out += bytes(value(n, h, w, c, item.raw), item.raw) } }
        }
      } else {
        for c in 0..<channels {
          for h in 0..<height { for w in 0..<width { out += bytes(value(n, h, w, c, item.raw), item.raw) } }
        }
      }
    }
    return out
  }

  private func dataset(_ item: Case, _ settings: String) throws -> Dataset {
    let shape = item.layout == .nhwc ? "(3, 2, 5, 3)" : "(3, 3, 2, 5)"
    _ = try scratch.write("x.npy", npy(descr: "<" + item.raw, shape: shape, body: Self.body(item)))
    let card = try scratch.write("card.yaml", "inputs: {x: {file: x.npy, layout: \(item.layout)\(settings)}}")
    return try Dataset.open(card)
  }

  private func dimensions(_ item: Case) -> [Int?] { item.toBack ? [nil, 2, 5, 3] : [nil, 3, nil, 5] }

  /// Position of a pixel in the model's layout.
  private func index(_ position: Int, _ h: Int, _ w: Int, _ c: Int, _ item: Case) -> Int {
    item.toBack ? ((position * 2 + h) * 5 + w) * 3 + c : ((position * 3 + c) * 2 + h) * 5 + w
  }

  @Test(arguments: cases)
  func scaledToFloat(_ item: Case) throws {
    let bound = try dataset(item, ", scale: 0.1, mean: [0.25, -1, 3], std: [0.5, 3, 0.7]").bound(
      to: [InputSpec(name: "x", type: .float32, dimensions: dimensions(item))])
    let batch = try #require(try bound.batch([2, 0])["x"])
    #expect(batch.shape == (item.toBack ? [2, 2, 5, 3] : [2, 3, 2, 5]))
    let found = batch.array(of: Float.self)
    let (mean, std): ([Float], [Float]) = ([0.25, -1, 3], [0.5, 3, 0.7])
    for (position, n) in [2, 0].enumerated() {
      for h in 0..<2 {
        for w in 0..<5 {
          for c in 0..<3 {
            let expected = (Float(Self.value(n, h, w, c, item.raw)) * Float(0.1) - mean[c]) / std[c]
            #expect(found[index(position, h, w, c, item)] == expected)
          }
        }
      }
    }
  }

  @Test(arguments: cases)
  func castToTheModelsType(_ item: Case) throws {
    let dataset = try dataset(item, "")
    for type in [ElementType.int8, .uint8, .int32, .int64, .uint16, .float16, .float64, .bfloat16] {
      let bound = try dataset.bound(to: [InputSpec(name: "x", type: type, dimensions: dimensions(item))])
      if type.isUnsignedInteger, !"ub".contains(item.raw.first ?? "?") {
        #expect(throws: DatasetError.self) { try bound.batch([0]) }
        continue
      }
      let batch = try #require(try bound.batch(0..<3)["x"])
      #expect(batch.type == type)
      let found = type == .bfloat16 ? brainFloats(batch) : doubles(batch)
      var expected = [Double](repeating: 0, count: 90)
      for n in 0..<3 {
        for h in 0..<2 {
          for w in 0..<5 {
            for c in 0..<3 { expected[index(n, h, w, c, item)] = Double(Self.value(n, h, w, c, item.raw)) }
          }
        }
      }
      #expect(found == expected, "\(type)")
    }
  }

  private func brainFloats(_ tensor: Tensor) -> [Double] {
    tensor.withBytes { bytes in
      (0..<tensor.count).map {
        Double(Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16))
      }
    }
  }

  @Test func valuesOutsideTheTypeNameTheSample() throws {
    let file = try scratch.write(
      "x.npy", npy(descr: "<u2", shape: "(2, 1)", body: little(UInt16(7)) + little(UInt16(300))))
    let bound = try Dataset.open(file).bound(to: [InputSpec(name: "x", type: .uint8, dimensions: [nil, 1])])
    #expect(try bound.batch([0])["x"]?.array(of: UInt8.self) == [7])
    #expect(
      throws: DatasetError(
        file: file, place: .sample(1, of: "x"), reason: .valueRange(found: "300", type: "uint8"))
    ) { try bound.batch([1]) }
  }

  @Test func roundingIsHalfToEven() throws {
    _ = try scratch.write("x.npy", npy(descr: "|u1", shape: "(1, 4)", body: [1, 3, 5, 7]))
    let card = try scratch.write("card.yaml", "inputs: {x: {file: x.npy, scale: 0.5}}")
    let bound = try Dataset.open(card).bound(to: [InputSpec(name: "x", type: .int64, dimensions: [nil, 4])])
    #expect(try bound.batch([0])["x"]?.array(of: Int64.self) == [0, 2, 2, 4])
  }

  @Test func unalignedArraysOfAnArchive() throws {
    // The data of this stored entry start at an odd offset, and are wider than a byte.
    var maker = ZipMaker(npy(descr: "<i4", shape: "(2, 1)", body: little(Int32(-5)) + little(Int32(70_000))))
    maker.name = Array("odd".utf8) + Array(".npy".utf8)
    for extra in ["", "x", "xy", "xyz"] {
      maker.name = Array((extra + ".npy").utf8)
      let dataset = try Dataset.open(try scratch.write("a.npz", maker.bytes()))
      let bound = try dataset.bound(to: [InputSpec(name: extra, type: .float32, dimensions: [nil, 1])])
      #expect(try bound.batch(0..<2)[extra]?.array(of: Float.self) == [-5, 70_000])
    }
  }
}
