import Formats
import Foundation
import Tensors
import Testing

@Suite struct SafetensorsTests {
  /// One tensor of every type the format has.
  static var everyType: [TensorOutput] {
    ElementType.allCases.filter { $0.safetensorsName != nil }.map { type in
      TensorOutput("t.\(type.name)", Tensor(integers: [0, 1, 1, 0, 1, 0], shape: [2, 3], type: type))
    }
  }

  @Test func everyTypeComesBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    try SafetensorsWriter.write(Self.everyType, metadata: [("format", "pt"), ("a \"b\"", "c\n")], path: path)
    let file = try SafetensorsFile.open(path)
    #expect(file.metadata.map(\.key) == ["format", "a \"b\""])
    #expect(file.metadata.map(\.value) == ["pt", "c\n"])
    #expect(file.weights.tensors.count == Self.everyType.count)
    #expect(Self.everyType.count >= 18)
    for tensor in file.weights.tensors {
      let numbers = try #require(tensor.tensor)
      #expect(tensor.name == "t.\(numbers.type.name)")
      #expect(tensor.shape == [2, 3])
      // E8M0 has no zero: its smallest number stands there.
      if numbers.type != .float8e8m0 { #expect(numbers.floats == [0, 1, 1, 0, 1, 0], "\(numbers.type)") }
      let width = max(1, numbers.type.bits / 8)
      #expect(Int(bitPattern: tensor.storage.bytes.baseAddress) % width == 0)
    }
  }

  @Test(.enabled(if: Shared.exists)) func sharedFileWrittenAgainHoldsTheSame() throws {
    let path = GGUFTests.sharedFolder + "/model.safetensors"
    let file = try SafetensorsFile.open(path)
    let folder = try TemporaryFolder()
    let copy = folder.path("copy.safetensors")
    try SafetensorsWriter.write(
      file.weights.tensors.map { TensorOutput($0) }, metadata: file.metadata, path: copy)
    let written = try SafetensorsFile.open(copy)
    #expect(written.metadata.map(\.value) == file.metadata.map(\.value))
    #expect(Set(written.weights.tensors.map(\.name)) == Set(file.weights.tensors.map(\.name)))
    for tensor in written.weights.tensors {
      let original = try #require(file.weights[tensor.name])
      #expect(original.shape == tensor.shape && original.typeName == tensor.typeName)
      #expect(original.tensor?.floats == tensor.tensor?.floats, "\(tensor.name)")
    }
  }

  @Test func weightsInSeveralFilesAreOneTable() throws {
    let folder = try TemporaryFolder()
    for name in ["a", "b"] {
      try SafetensorsWriter.write(
        [TensorOutput("\(name).weight", Tensor([Float(1), 2], shape: [2]))],
        path: folder.path("\(name).safetensors"))
    }
    try Data(#"{"model_type":"x"}"#.utf8).write(to: URL(fileURLWithPath: folder.path("config.json")))
    try Data(
      #"{"metadata":{},"weight_map":{"b.weight":"b.safetensors","a.weight":"a.safetensors"}}"#.utf8
    ).write(to: URL(fileURLWithPath: folder.path("model.safetensors.index.json")))
    #expect(HuggingFaceFolder.isFolder(folder.url.path))
    let opened = try HuggingFaceFolder.open(folder.url.path)
    #expect(opened.weights.tensors.map(\.name) == ["b.weight", "a.weight"])
    #expect(opened.generation == nil)
  }

  @Test func whatCannotBeWrittenIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("m.safetensors")
    let tensor = Tensor([Float(1), 2], shape: [2])
    let q4 = try #require(GGMLType.named("Q4_0"))
    for (tensors, says) in [
      ([TensorOutput("a", tensor), TensorOutput("a", tensor)], "twice"),
      ([TensorOutput("__metadata__", tensor)], "of the format's own"),
      ([TensorOutput("a", shape: [1, 32], kind: .blocks(q4)) { _ in }], "no blocks"),
      ([TensorOutput("a", Tensor(integers: [1, 2], shape: [2], type: .int4))], "no int4"),
      ([TensorOutput("a", shape: [2], kind: .numbers(.float32)) { _ in }], "has 0 bytes"),
    ] {
      let error = #expect(throws: ExportError.self) { try SafetensorsWriter.write(tensors, path: path) }
      #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
  }

  @Test func jsonComesBackInOrder() throws {
    let text =
      #"{"z":[1,-2.5,1e-05,true,null],"a":{"":"\"\\\n\u0001é€😀"},"big":9223372036854775807,"none":{},"empty":[]}"#
    let value = try JSON(parsing: text)
    #expect(value.object?.keys == ["z", "a", "big", "none", "empty"])
    #expect(value.text == text)
    #expect(try JSON(parsing: value.lines) == value)
    #expect(value["a"]?[""]?.string == "\"\\\n\u{1}é€😀")
    #expect(value["z"]?.array?.compactMap(\.number) == [1, -2.5, 1e-05])
    #expect(try JSON(parsing: #"["\ud83d\ude00\/\b\f\r\t"]"#).array?.first?.string == "😀/\u{8}\u{c}\r\t")
    #expect(try JSON(parsing: "[1.0, 1e2, 18446744073709551615]").array?.map(\.integer) == [1, 100, nil])
    #expect(try JSON(parsing: "[NaN, Infinity, -Infinity]").text == "[NaN,Infinity,-Infinity]")
  }
}
