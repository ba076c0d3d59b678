import Datasets
import Tensors
import Testing

/// Random changes to training images, against a plain computation one pixel at a time.
struct AugmentationTests {
  static let (count, height, width) = (60, 6, 8)
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  struct Case: Sendable, CustomTestStringConvertible {
    var channels: Int
    var toBack: Bool
    var type: ElementType
    var testDescription: String { "\(channels) channels \(toBack ? "last" : "first") \(type.name)" }
  }

  static let cases: [Case] = [1, 2, 3, 4, 5].flatMap { channels in
    [true, false].flatMap { toBack in
      [ElementType.float32, .float16, .float64, .uint8].map {
        Case(channels: channels, toBack: toBack, type: $0)
      }
    }
  }

  /// No pixel is 0, so that padding shows.
  static func pixel(_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Int {
    1 + (n * 31 + c * 83 + y * width + x) % 254
  }

  private func dataset(
    _ item: Case, card more: String = "", settings: String = ""
  ) throws -> BoundDataset {
    var body: [UInt8] = []
    for n in 0..<Self.count {
      for y in 0..<Self.height {
        for x in 0..<Self.width {
          for c in 0..<item.channels { body.append(UInt8(Self.pixel(n, c, y, x))) }
        }
      }
    }
    _ = try scratch.write(
      "x.npy",
      npy(descr: "|u1", shape: "(\(Self.count), \(Self.height), \(Self.width), \(item.channels))", body: body)
    )
    let layout = item.toBack ? "nhwc" : "nchw"
    let card = try scratch.write(
      "card.yaml", "inputs: {x: {file: x.npy, layout: nhwc, model-layout: \(layout)\(settings)}}\n" + more)
    return try Dataset.open(card).bound(
      to: [InputSpec(name: "x", type: item.type, dimensions: [nil, nil, nil, nil])])
  }

  /// The images of a batch as `[sample][channel][row][column]`.
  private func images(_ batch: [String: Tensor], _ item: Case) throws -> [[[[Int]]]] {
    let tensor = try #require(batch["x"])
    let values = doubles(tensor)
    let (h, w, k) = (Self.height, Self.width, item.channels)
    return (0..<tensor.shape[0]).map { n in
      (0..<k).map { c in
        (0..<h).map { y in
          (0..<w).map { x in
            Int(values[item.toBack ? ((n * h + y) * w + x) * k + c : ((n * k + c) * h + y) * w + x])
          }
        }
      }
    }
  }

  /// A change of one image, as it would be written down.
  private func changed(_ n: Int, _ item: Case, _ flips: Bool, _ dy: Int, _ dx: Int) -> [[[Int]]] {
    (0..<item.channels).map { c in
      (0..<Self.height).map { y in
        (0..<Self.width).map { x in
          let (row, column) = (y + dy, x + dx)
          guard (0..<Self.height).contains(row), (0..<Self.width).contains(column) else { return 0 }
          return Self.pixel(n, c, row, flips ? Self.width - 1 - column : column)
        }
      }
    }
  }

  @Test(arguments: cases)
  func everyImageIsAChangeThatCanBe(_ item: Case) throws {
    let data = try dataset(item)
    let batch = try data.batch(
      Array(0..<Self.count), augment: Augmentation(flip: true, crop: 2), seed: 3, epoch: 1)
    let found = try images(batch, item)
    var seen: Set<[Int]> = []
    for n in 0..<Self.count {
      var matches: [[Int]] = []
      for flips in [0, 1] {
        for dy in -2...2 {
          for dx in -2...2 where found[n] == changed(n, item, flips == 1, dy, dx) {
            matches.append([flips, dy, dx])
          }
        }
      }
      #expect(matches.count == 1, "sample \(n)")
      seen.formUnion(matches)
    }
    // 60 draws from 50 changes: all flips and offsets come up.
    #expect(Set(seen.map { $0[0] }) == [0, 1])
    #expect(Set(seen.map { $0[1] }) == Set(-2...2) && Set(seen.map { $0[2] }) == Set(-2...2))
  }

  @Test func choicesFollowSeedEpochAndSampleOnly() throws {
    let item = Case(channels: 3, toBack: false, type: .float32)
    let data = try dataset(item)
    let augment = Augmentation(flip: true, crop: 2)
    func images(_ data: BoundDataset, _ indices: [Int], seed: UInt64 = 9, epoch: Int = 4) throws
      -> [[[[Int]]]]
    {
      try self.images(data.batch(indices, augment: augment, seed: seed, epoch: epoch), item)
    }
    let all = try images(data, Array(0..<Self.count))
    let order = Sampling.permutation(Self.count, seed: 5)
    #expect(try images(data, order) == order.map { all[$0] })
    #expect(try images(data, [17]) == [all[17]])
    // A view numbers its samples anew, but they are the same.
    #expect(try images(data.selecting([40, 17]), [1, 0]) == [all[17], all[40]])
    #expect(try images(data, Array(0..<Self.count), epoch: 5) != all)
    #expect(try images(data, Array(0..<Self.count), seed: 8) != all)
  }

  @Test func oneChangeCanBeHadWithoutTheOther() throws {
    let item = Case(channels: 3, toBack: false, type: .float32)
    let data = try dataset(item)
    let indices = Array(0..<Self.count)
    let flipped = try images(data.batch(indices, augment: Augmentation(flip: true), seed: 1, epoch: 0), item)
    let mirrored = indices.filter { flipped[$0] == changed($0, item, true, 0, 0) }
    #expect(indices.allSatisfy { mirrored.contains($0) || flipped[$0] == changed($0, item, false, 0, 0) })
    #expect((20...40).contains(mirrored.count))
    let cropped = try images(data.batch(indices, augment: Augmentation(crop: 1), seed: 1, epoch: 0), item)
    for n in indices {
      let offsets = (-1...1).flatMap { y in (-1...1).map { (y, $0) } }
      #expect(offsets.count { cropped[n] == changed(n, item, false, $0.0, $0.1) } == 1)
    }
    let plain = try images(data.batch(indices), item)
    #expect(try images(data.batch(indices, augment: .none, seed: 1, epoch: 0), item) == plain)
  }

  @Test func paddingIsZeroAfterNormalisation() throws {
    let item = Case(channels: 3, toBack: false, type: .float32)
    let data = try dataset(item, settings: ", scale: 0.01, mean: 7, std: 0.5")
    let values = doubles(
      try #require(
        try data.batch(Array(0..<Self.count), augment: Augmentation(crop: 2), seed: 1, epoch: 0)["x"]))
    #expect(values.contains(0) && values.allSatisfy { $0 == 0 || $0 < -8 })
  }

  @Test func theCardSaysWhat() throws {
    let item = Case(channels: 3, toBack: false, type: .float32)
    #expect(try dataset(item).augmentation == .none)
    let data = try dataset(item, card: "augment: {flip: true, crop: 4}")
    #expect(data.augmentation == Augmentation(flip: true, crop: 4))
    #expect(data.selecting([3, 1]).augmentation == data.augmentation)
    #expect(try dataset(item, card: "augment: {crop: 3}").augmentation == Augmentation(crop: 3))
    #expect(try dataset(item, card: "augment: {}").augmentation.isNone)
    // Evaluation sees images as they are.
    #expect(try images(data.batch([5]), item)[0] == changed(5, item, false, 0, 0))
  }

  @Test func greyImagesWithoutAChannelAxis() throws {
    _ = try scratch.write(
      "g.npy", npy(descr: "|u1", shape: "(2, 3, 4)", body: (1...24).map { UInt8($0) }))
    let card = try scratch.write(
      "grey.yaml", "inputs: {x: {file: g.npy, layout: nhw}}\naugment: {flip: true, crop: 1}")
    for dimensions in [[nil, 1, 3, 4], [nil, 3, 4, 1]] as [[Int?]] {
      let data = try Dataset.open(card).bound(
        to: [InputSpec(name: "x", type: .float32, dimensions: dimensions)])
      let tensor = try #require(
        try data.batch([0, 1], augment: data.augmentation, seed: 2, epoch: 0)["x"])
      #expect(tensor.shape == [2] + dimensions.dropFirst().map { $0 ?? 0 })
    }
  }

  static let broken: [(text: String, says: String)] = [
    ("augment: true", "line 2, column 10: \"augment\" is wrong (found \"true\", expected a mapping"),
    ("augment: {flip: maybe}", "\"flip\" is wrong (found \"maybe\", expected true or false"),
    ("augment: {crop: -1}", "\"crop\" is wrong (found \"-1\", expected a whole number from 0"),
    ("augment: {rotate: 3}", "line 2, column 11: unknown key \"rotate\" (expected one of flip, crop)"),
    (
      "augment: {crop: 6}",
      "line 1, column 13: \"crop\" is wrong (found 6, expected under the image's smaller side, 6)"
    ),
    (
      "augment: {flip: true}\ntargets: {file: x.npy, layout: nhwc}",
      "`augment` with `targets` is not supported. Targets would not change with the inputs"
    ),
  ]

  @Test(arguments: broken) func aBrokenCardIsRefused(_ text: String, _ says: String) {
    let item = Case(channels: 3, toBack: false, type: .float32)
    do {
      _ = try dataset(item, card: text)
      Issue.record("no error")
    } catch { #expect(String(describing: error).contains(says), "\(error)") }
  }

  static let noImages: [(input: String, shape: String, dimensions: [Int?])] = [
    ("{file: a.npy}", "(2, 3, 4, 5)", [nil, 3, 4, 5]),
    ("{file: a.npy, layout: nc}", "(2, 60)", [nil, 60]),
    ("{file: a.npy, layout: ncw}", "(2, 12, 5)", [nil, 12, 5]),
    ("{file: a.npy, layout: nhw}", "(2, 12, 5)", [nil, 12, 5]),
    ("{file: a.npy, layout: ncdhw}", "(2, 1, 3, 4, 5)", [nil, 1, 3, 4, 5]),
  ]

  @Test(arguments: noImages)
  func onlyImagesOfKnownLayoutAreChanged(_ input: String, _ shape: String, _ dimensions: [Int?]) throws {
    _ = try scratch.write("a.npy", npy(descr: "|u1", shape: shape, body: (0..<120).map { UInt8($0) }))
    let spec = InputSpec(name: "x", type: .float32, dimensions: dimensions)
    let says =
      "`augment` of the input \"x\", which is not an image of known layout, is not supported. Say `layout: nhwc`"
    let card = try scratch.write("a.yaml", "inputs: {x: \(input)}\naugment: {flip: true}")
    #expect {
      try Dataset.open(card).bound(to: [spec])
    } throws: { String(describing: $0).contains(says) }
    // The same when a recipe asks for it.
    let plain = try scratch.write("a.yaml", "inputs: {x: \(input)}")
    let data = try Dataset.open(plain).bound(to: [spec])
    #expect {
      try data.batch([0], augment: Augmentation(flip: true), seed: 1, epoch: 0)
    } throws: { String(describing: $0).contains(says) }
    expectClearError(plain) { try data.checkAugmentation(Augmentation(crop: 1)) }
  }

  @Test func textIsNotAnImage() {
    #expect {
      try DatasetCard.parse("text: a.txt\naugment: {flip: true}", file: "c.yaml")
    } throws: { String(describing: $0).contains("`augment` of `text` is not supported") }
  }

  @Test func syntheticSamplesStayAsTheyAre() throws {
    let data = try BoundDataset.synthetic(
      for: [InputSpec(name: "x", type: .float32, dimensions: [nil, 3, 8, 8])], count: 4, seed: 1)
    let changed = try data.batch([1, 2], augment: Augmentation(flip: true, crop: 2), seed: 1, epoch: 0)
    #expect(changed["x"]?.array(of: Float.self) == (try data.batch([1, 2])["x"]?.array(of: Float.self)))
  }
}
