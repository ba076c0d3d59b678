import Datasets
import Foundation
import Tensors
import Testing

/// The data that comes with the program.
struct SampleTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("samples")
    .resolvingSymlinksInPath().path

  @Test(arguments: [("test", 2000, false), ("train", 4000, true), ("calibration", 256, false)])
  func cardsFitTheNetwork(_ name: String, _ count: Int, _ trainedOn: Bool) throws {
    let dataset = try Dataset.open("\(Self.folder)/\(name).yaml")
    #expect(dataset.count == count && dataset.trainedOn == trainedOn)
    let bound = try dataset.bound(
      to: [InputSpec(name: "image", type: .float32, dimensions: [nil, 3, 24, 24])],
      outputs: [OutputSpec(name: "scores", dimensions: [nil, 12])])
    #expect(bound.notes.isEmpty && bound.metric == .top1)
    let labels = try #require(bound.labels)
    #expect(Set(labels) == Set(0..<12))
    let values = try #require(try bound.batch(0..<64)["image"]).array(of: Float.self)
    #expect(values.allSatisfy { abs($0) <= 2 })
    #expect(Set(values).count == 16)
  }

  @Test func theFolderStaysSmall() throws {
    let all = FileManager.default.enumerator(atPath: Self.folder)?.allObjects as? [String] ?? []
    let files = all.filter { !$0.contains("__pycache__") && !$0.contains(".lathe") }
    let sizes = try files.map {
      try FileManager.default.attributesOfItem(atPath: Self.folder + "/" + $0)[.size] as? Int ?? 0
    }
    #expect(files.contains("shapes.onnx") && sizes.reduce(0, +) < 5_000_000)
  }
}
