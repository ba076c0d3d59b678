import Datasets
import Foundation
import Tensors
import Testing

struct CardTests {
  let scratch: Scratch
  init() throws {
    scratch = try Scratch()
    _ = try scratch.write(
      "x.npy", npy(descr: "|u1", shape: "(2, 4, 5, 3)", body: (0..<120).map { UInt8($0) }))
    _ = try scratch.write("y.npy", npy(descr: "|u1", shape: "(2,)", body: [3, 1]))
    _ = try scratch.write("y3.npy", npy(descr: "|u1", shape: "(3,)", body: [3, 1, 0]))
    _ = try scratch.write("hot.npy", npy(descr: "|u1", shape: "(2, 4)", body: [0, 0, 0, 1, 1, 0, 0, 0]))
    _ = try scratch.write(
      "float.npy", npy(descr: "<f4", shape: "(2,)", body: [UInt8](repeating: 0, count: 8)))
    _ = try scratch.write("scalar.npy", npy(descr: "|u1", shape: "()", body: [3]))
    _ = try scratch.write("none.npy", npy(descr: "|u1", shape: "(0, 4)"))
  }

  @Test func everyKeyIsRead() throws {
    let card = try DatasetCard.parse(
      """
      # a comment
      inputs:
        a: {file: x.npz, array: pixels, layout: nhwc, scale: 0.5, mean: [1, 2, 3], std: 2, model-layout: nhwc}
        b: other.npy
      labels: {file: y.npy, output: scores, offset: -1, names: names.txt}
      targets: {file: t.npy, layout: nchw, output: image}
      metric: mse
      trained-on: true
      model-layout: nchw
      """, file: "card.yaml")
    #expect(card.inputs.map(\.name) == ["a", "b"])
    let a = card.inputs[0].array
    #expect(a.file == "x.npz" && a.array == "pixels" && a.layout == .nhwc && a.modelLayout == .nhwc)
    #expect(a.scale == 0.5 && a.mean == [1, 2, 3] && a.std == [2])
    #expect(card.inputs[1].array.file == "other.npy" && card.inputs[1].array.modelLayout == .nchw)
    #expect(card.labels?.output == "scores" && card.labels?.offset == -1)
    #expect(card.labels?.names == "names.txt")
    #expect(card.targets?.file == "t.npy" && card.targetOutput == "image")
    #expect(card.metric == .mse && card.trainedOn)
  }

  @Test func aProtocolForTextIsRead() throws {
    let card = try DatasetCard.parse(
      """
      text:
        file: a.txt
        bytes: 200000
        split: "<|endoftext|>"
        strip: true
        bos: true
        eos: false
        prefix-space: false
        window: 512
        stride: 511
        score-from: 1
      """, file: "card.yaml")
    var expected = TextSource(file: "a.txt")
    expected.bytes = 200_000
    expected.split = "<|endoftext|>"
    expected.strip = true
    expected.prefixSpace = false
    expected.window = 512
    expected.stride = 511
    expected.scoreFrom = .position(1)
    #expect(card.text == expected)
    #expect(try DatasetCard.parse("text: a.txt", file: "c").text == TextSource(file: "a.txt"))
  }

  /// A named protocol is a set of keys, which others still change, whatever their order.
  @Test func aProtocolHasAName() throws {
    func text(_ card: String) throws -> TextSource? {
      try DatasetCard.parse("text: {\(card)}", file: "c").text
    }
    #expect(try text("file: a.txt, protocol: stream") == TextSource(file: "a.txt"))
    var documents = TextSource(file: "a.txt")
    (documents.split, documents.strip) = ("<|endoftext|>", true)
    #expect(try text("protocol: documents, file: a.txt") == documents)
    (documents.split, documents.from, documents.eos) = ("--", 7, true)
    #expect(try text("split: --, eos: true, file: a.txt, from: 7, protocol: documents") == documents)
    var llama = TextSource(file: "a.txt")
    (llama.bos, llama.scoreFrom) = (.replacing, .half)
    #expect(try text("file: a.txt, protocol: llama.cpp") == llama)
    #expect(try text("file: a.txt, bos: replace, score-from: half") == llama)
  }

  static let broken: [(text: String, says: String)] = [
    ("", "the card is empty"),
    ("# nothing", "the card is empty"),
    ("a text", "expected a mapping"),
    ("[1, 2]", "expected a mapping"),
    ("inputs: {", "not valid YAML"),
    ("inputs: {x: x.npy}}", "not valid YAML"),
    ("inputs:\n  x: 'x.npy", "not valid YAML"),
    ("inputs:\n\t- x", "not valid YAML"),
    ("\u{1}", "not valid YAML"),
    ("inputs: {x: x.npy}\ninputs: {x: x.npy}", "twice"),
    ("inputs: {x: x.npy, x: x.npy}", "twice"),
    ("inputs: {x: &a x.npy}", "anchor"),
    ("inputs: {x: *a}", "anchor"),
    ("labels: y.npy", "`inputs` (or `text`) is missing"),
    ("inputs: {}", "at least one input"),
    ("inputs: x.npy", "expected a mapping"),
    ("inputs: {x: {}}", "`file` of \"x\" is missing"),
    ("inputs: {x: {file: [x.npy]}}", "expected a text"),
    ("inputs: {x: {file: x.npy, colour: red}}", "line 1, column 27: unknown key \"colour\""),
    ("inputs: {x: x.npy}\nmtric: top1", "line 2, column 1: unknown key \"mtric\""),
    ("inputs: {x: {file: x.npy, layout: hwcn}}", "expected nchw, nhwc"),
    (
      "inputs: {x: {file: x.npy, scale: fast}}",
      "line 1, column 34: \"scale\" is wrong (found \"fast\", expected a number"
    ),
    ("inputs: {x: {file: x.npy, scale: .inf}}", "expected a number"),
    ("inputs: {x: {file: x.npy, scale: 1e300}}", "expected a number"),
    ("inputs: {x: {file: x.npy, mean: []}}", "1 to 4096"),
    ("inputs: {x: {file: x.npy, mean: [a]}}", "expected a number"),
    ("inputs: {x: {file: x.npy, mean: {a: 1}}}", "expected a number"),
    ("inputs: {x: {file: x.npy, std: 0}}", "above 0"),
    ("inputs: {x: {file: x.npy, std: [1, -1, 1]}}", "above 0"),
    ("inputs: {x: {file: x.npy, mean: [1, 2, 3], std: [1, 2]}}", "as many as `mean`"),
    ("inputs: {x: x.npy}\nlabels: {output: a}", "`file` of \"labels\" is missing"),
    ("inputs: {x: x.npy}\nlabels: {file: y.npy, offset: 1.5}", "a whole number"),
    ("inputs: {x: x.npy}\nlabels: {file: y.npy, offset: 99999999999999999999}", "a whole number"),
    ("inputs: {x: x.npy}\nmetric: beauty", "expected top1"),
    ("inputs: {x: x.npy}\nmetric: psnr", "`targets`"),
    ("inputs: {x: x.npy}\ntrained-on: maybe", "true or false"),
    ("inputs: {x: x.npy}\ntext: a.txt", "both"),
    ("text: {bytes: 3}", "`file` of \"text\" is missing"),
    ("text: {file: a.txt, window: 0}", "a whole number"),
    ("text: {file: a.txt, protocol: theirs}", "documents, stream, llama.cpp"),
    ("text: {file: a.txt, bos: 1}", "false, true, replace"),
    ("text: {file: a.txt, score-from: middle}", "a position from 0, or half"),
    ("inputs: {[1, 2]: x.npy}", "a name as key"),
  ]

  @Test(arguments: broken)
  func aBrokenCardIsRefused(_ text: String, _ says: String) throws {
    let file = try scratch.write("card.yaml", text)
    expectClearError(file) { _ = try Dataset.open(file) }
    do { _ = try Dataset.open(file) } catch { #expect(error.description.contains(says), "\(error)") }
  }

  static let misfits: [(text: String, says: String)] = [
    ("inputs: {x: missing.npy}", "cannot be read"),
    ("inputs: {x: ../secret.npy}", "leaves the card's folder"),
    ("inputs: {x: a/../../secret.npy}", "leaves the card's folder"),
    ("inputs: {x: /etc/passwd}", "leaves the card's folder"),
    ("inputs: {x: link.npy}", "leaves the card's folder"),
    ("inputs: {x: folder/../../x.npy}", "leaves the card's folder"),
    ("inputs: {x: .}", "leaves the card's folder"),
    ("inputs: {x: folder}", "not a regular file"),
    ("inputs: {x: \"x\\e[2J.npy\"}", "without control characters"),
    ("inputs: {x: \"x.npy\\0.txt\"}", "without control characters"),
    ("inputs: {x: card.yaml}", "is not a .npy array"),
    ("inputs: {x: {file: x.npy, array: a}}", "is not a .npz archive"),
    ("inputs: {x: x.npy}\nlabels: y3.npy", "has 3 samples, but the input \"x\" has 2"),
    ("inputs: {x: x.npy, z: y3.npy}", "has 3 samples, but the input \"x\" has 2"),
    ("inputs: {x: x.npy}\nlabels: hot.npy", "one label for each sample"),
    ("inputs: {x: x.npy}\nlabels: float.npy", "labels of type float32"),
    ("inputs: {x: x.npy}\nlabels: {file: y.npy, names: ../names.txt}", "leaves the card's folder"),
    ("inputs: {x: x.npy}\nlabels: {file: y.npy, names: x.npy}", "bytes that are not UTF-8"),
    ("inputs: {x: x.npy}\nlabels: {file: y.npy, names: [a, b]}", "a text"),
    ("inputs: {x: scalar.npy}", "samples along the first axis"),
    ("inputs: {x: none.npy}", "no samples"),
  ]

  @Test(arguments: misfits)
  func filesThatDoNotFit(_ text: String, _ says: String) throws {
    try FileManager.default.createDirectory(
      atPath: scratch.path + "/folder", withIntermediateDirectories: true)
    try? FileManager.default.createSymbolicLink(
      atPath: scratch.path + "/link.npy", withDestinationPath: "/etc/passwd")
    let file = try scratch.write("card.yaml", text)
    do {
      _ = try Dataset.open(file)
      Issue.record("no error")
    } catch {
      #expect(error.description.contains(says), "\(error)")
      #expect(error.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
  }

  @Test func deepOrLargeCardsAreRefused() throws {
    for text in [
      String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 100_000),
      String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
      "inputs: {x: x.npy}\n" + String(repeating: "#", count: 2 << 20),
    ] {
      let file = try scratch.write("card.yaml", text)
      expectClearError(file) { _ = try Dataset.open(file) }
    }
    let file = try scratch.write("card.yaml", [0xFF, 0xFE, 0x00])
    expectClearError(file) { _ = try Dataset.open(file) }
  }
}
