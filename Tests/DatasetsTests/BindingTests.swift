import Datasets
import Tensors
import Testing

struct BindingTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func card(_ shape: String, _ count: Int, _ settings: String, _ more: String = "") throws -> Dataset
  {
    _ = try scratch.write("x.npy", npy(descr: "|u1", shape: shape, body: (0..<count).map { UInt8($0 % 256) }))
    _ = try scratch.write("y.npy", npy(descr: "|u1", shape: "(2,)", body: [3, 1]))
    return try Dataset.open(try scratch.write("card.yaml", "inputs: {x: {file: x.npy\(settings)}}\n" + more))
  }

  private func spec(_ dimensions: [Int?]?, name: String = "x", type: ElementType = .float32) -> InputSpec {
    InputSpec(name: name, type: type, dimensions: dimensions)
  }

  private func shape(_ dataset: Dataset, _ dimensions: [Int?]?) throws -> Shape? {
    try dataset.bound(to: [spec(dimensions)]).sampleShapes["x"]
  }

  @Test func axesOfOneComeAndGo() throws {
    #expect(try shape(card("(2, 28, 28)", 1568, ""), [1, 1, 28, 28]) == [1, 28, 28])
    #expect(try shape(card("(2, 28, 28)", 1568, ", layout: nhw"), [nil, 28, 28, 1]) == [28, 28, 1])
    #expect(try shape(card("(2, 28, 28, 1)", 1568, ", layout: nhwc"), [nil, 1, 28, 28]) == [1, 28, 28])
    #expect(try shape(card("(2,)", 2, ""), [nil, 1]) == [1])
    #expect(try shape(card("(2, 6)", 12, ""), nil) == [6])
    #expect(try shape(card("(2, 6, 3)", 36, ", layout: nwc"), [nil, 3, 6]) == [3, 6])
  }

  @Test func theModelsLayoutDecidesWhereBothFit() throws {
    let both = try card("(2, 3, 3, 3)", 54, ", layout: nhwc")
    let first = try both.bound(to: [spec([nil, nil, nil, nil])])
    #expect(first.notes.count == 1 && first.notes[0].contains("model-layout"))
    #expect(try first.batch([0])["x"]?.array(of: Float.self).prefix(3) == [0, 3, 6])
    let said = try card("(2, 3, 3, 3)", 54, ", layout: nhwc", "model-layout: nhwc")
    let last = try said.bound(to: [spec([nil, nil, nil, nil])])
    #expect(last.notes.isEmpty)
    #expect(try last.batch([0])["x"]?.array(of: Float.self).prefix(3) == [0, 1, 2])
  }

  static let wrong: [(shape: String, count: Int, settings: String, dimensions: [Int?]?, says: String)] = [
    (
      "(2, 4, 5, 3)", 120, "", [nil, 3, 4, 5],
      "found ?x4x5x3, expected ?x3x4x5). If its channels come last, say `layout: nhwc`"
    ),
    ("(2, 3, 4, 5)", 120, "", [nil, 4, 5, 3], "say `layout: nchw`"),
    ("(2, 4, 5, 3)", 120, ", layout: nhwc", [nil, 3, 5, 4], "neither as 3x4x5 nor as 4x5x3"),
    ("(2, 4, 5, 3)", 120, ", layout: nhwc, model-layout: nchw", [nil, 4, 5, 3], "Correct `model-layout`"),
    ("(2, 4, 5)", 40, ", layout: nhwc", [nil, 3, 4, 5], "found 3 axes, expected 4 for layout nhwc"),
    ("(2, 4, 5)", 40, ", layout: nhw", [nil, 3, 4, 5], "no channel axis"),
    ("(2, 4, 5, 3)", 120, ", layout: nhwc, mean: [1, 2]", [nil, 3, 4, 5], "1 value or 3"),
    ("(2, 4, 5, 3)", 120, ", mean: [1, 2, 3]", [nil, 4, 5, 3], "`layout`"),
    ("(2, 6)", 12, "", [nil, 7], "found ?x6, expected ?x7"),
    ("(2, 6)", 12, "", [], "no axis for samples"),
    ("(2, 6)", 12, ", layout: nc", [nil, 7], "expected ?x7"),
  ]

  @Test(arguments: wrong)
  func shapesThatDoNotFit(
    _ shape: String, _ count: Int, _ settings: String, _ dimensions: [Int?]?, _ says: String
  ) throws {
    let dataset = try card(shape, count, settings)
    do {
      _ = try dataset.bound(to: [spec(dimensions)])
      Issue.record("no error")
    } catch {
      #expect(error.description.contains("line 1, column 13"))
      #expect(error.description.contains(says), "\(error)")
    }
  }

  @Test func aLoneInputNeedsNoName() throws {
    let bound = try card("(2, 6)", 12, "").bound(to: [spec([nil, 6], name: "other")])
    #expect(bound.notes == ["the data's only input \"x\" feeds \"other\""])
    #expect(try bound.batch([0]).keys.sorted() == ["other"])
    #expect(throws: DatasetError.self) {
      try card("(2, 6)", 12, "").bound(to: [spec([nil, 6], name: "a"), spec([nil, 6], name: "b")])
    }
  }

  @Test func labelsAreCheckedAgainstTheOutput() throws {
    let dataset = try card("(2, 6)", 12, "", "labels: {file: y.npy, output: scores}")
    let two = [OutputSpec(name: "scores", dimensions: [nil, 3]), OutputSpec(name: "other", dimensions: nil)]
    #expect { try dataset.bound(to: [spec([nil, 6])], outputs: two) } throws: {
      String(describing: $0).contains("sample 0 of \"labels\": label 3 is out of range (expected 0…2)")
    }
    #expect { try dataset.bound(to: [spec([nil, 6])], outputs: [two[1], two[1]]) } throws: {
      String(describing: $0).contains("the output \"scores\" is missing (found other, other)")
    }
    let lone = try dataset.bound(
      to: [spec([nil, 6])], outputs: [OutputSpec(name: "probs", dimensions: [nil, 4])])
    #expect(lone.answerOutput == "probs" && lone.notes.count == 1)
    #expect(throws: DatasetError.self) { try lone.checkLabels(classes: 3) }
    let shifted = try card("(2, 6)", 12, "", "labels: {file: y.npy, offset: -2}")
    #expect { try shifted.bound(to: [spec([nil, 6])]) } throws: {
      String(describing: $0).contains("label -1")
    }
  }

  @Test func classesHaveTheNamesOfTheirLines() throws {
    _ = try scratch.write("names.txt", "cat\n\u{1B}[2Jdog\r\n\nhorse\n\n")
    let bound = try card("(2, 6)", 12, "", "labels: {file: y.npy, names: names.txt}")
      .bound(to: [spec([nil, 6])])
    #expect(bound.classNames == ["cat", "[2Jdog", "", "horse"])
    #expect(bound.selecting([1]).classNames == bound.classNames)
    #expect(try Dataset.files(scratch.path + "/card.yaml").last?.hasSuffix("names.txt") == true)
    #expect(try card("(2, 6)", 12, "", "labels: y.npy").bound(to: [spec([nil, 6])]).classNames == nil)
  }

  @Test func viewsRenumberSamples() throws {
    let bound = try card("(2, 6)", 12, "", "labels: y.npy").bound(to: [spec([nil, 6])])
    let view = bound.selecting([1, 1, 0]).selecting([2, 0])
    #expect(view.count == 2 && view.labels == [3, 1])
    #expect(try view.batch(0..<2)["x"]?.array(of: Float.self) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    #expect(throws: DatasetError(file: bound.path, reason: .noSuchSample(2, count: 2))) {
      try view.batch([2])
    }
    #expect(throws: DatasetError.self) { try bound.batch(-1..<1) }
    #expect(try bound.batch([])["x"]?.shape == [0, 6])
  }

  @Test func targetsAreServedLikeInputs() throws {
    let bound = try card(
      "(2, 2, 2, 1)", 8, ", layout: nhwc",
      "targets: {file: x.npy, layout: nhwc, scale: 0.5, output: big}\nmetric: psnr"
    ).bound(to: [spec([nil, 1, 2, 2])], outputs: [OutputSpec(name: "big", dimensions: [nil, 1, nil, nil])])
    #expect(bound.hasTargets && bound.metric == .psnr && bound.answerOutput == "big")
    let targets = try #require(try bound.targets([1]))
    #expect(targets.shape == [1, 1, 2, 2] && targets.array(of: Float.self) == [2, 2.5, 3, 3.5])
  }

  @Test func archivesServeByName() throws {
    let arrays: [(name: String, tensor: Tensor)] = [
      ("extra", Tensor([Float(1)], shape: [1])), ("a", Tensor([Float(1), 2, 3], shape: [3, 1])),
      ("b", Tensor([Int64(4), 5, 6], shape: [3])), ("y", Tensor([Int64(0), 1, 1], shape: [3, 1])),
    ]
    let file = try scratch.write("a.npz", Npz.encode(arrays))
    let bound = try Dataset.open(file).bound(
      to: [spec([nil, 1], name: "a"), spec([nil], name: "b", type: .int64)])
    #expect(bound.count == 3 && bound.labels == [0, 1, 1])
    #expect(bound.notes == ["the array \"extra\" is not an input of the model and is not used"])
    let batch = try bound.batch([2])
    #expect(batch["a"]?.array(of: Float.self) == [3] && batch["b"]?.array(of: Int64.self) == [6])
    #expect {
      try Dataset.open(file).bound(to: [spec([nil, 1], name: "a"), spec([nil], name: "c")])
    } throws: {
      String(describing: $0).contains("data for the model's input \"c\" is missing (found extra, a, b)")
    }
    #expect(throws: DatasetError.self) {
      try Dataset.open(file).bound(to: [spec([nil], name: "extra"), spec([nil, 1], name: "a")])
    }
  }
}
