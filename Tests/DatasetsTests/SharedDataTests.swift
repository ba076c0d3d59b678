import Datasets
import Tensors
import Testing

/// Values that NumPy computes for the shared cards; the tables make ours equal to the bit.
@Suite(.enabled(if: Shared.exists, "the shared files are not here"))
struct SharedDataTests {
  @Test func cifarIsNormalisedAndLaidOutChannelsFirst() throws {
    let dataset = try Dataset.open(Shared.data("cifar10/test.yaml"))
    #expect(dataset.count == 1000 && dataset.isLabelled && !dataset.trainedOn)
    let bound = try dataset.bound(
      to: [InputSpec(name: "input", type: .float32, dimensions: [nil, 3, 32, 32])],
      outputs: [OutputSpec(name: "logits", dimensions: [nil, 10])])
    #expect(bound.notes.isEmpty && bound.metric == .top1 && bound.answerOutput == "logits")
    let batch = try #require(try bound.batch([0, 7, 999])["input"])
    #expect(batch.shape == [3, 3, 32, 32])
    let values = batch.array(of: Float.self)
    #expect(values[0] == 0.5878072)
    #expect(values[(1 * 3 + 2) * 1024 + 31 * 32 + 5] == -1.3687145)
    #expect(values[(2 * 3 + 1) * 1024 + 16 * 32 + 16] == -0.14495783)
    var sum = 0.0
    for start in stride(from: 0, to: 1000, by: 128) {
      let part = try #require(try bound.batch(start..<min(start + 128, 1000))["input"])
      sum += part.withElements(of: Float.self) { $0.reduce(0) { $0 + Double($1) } }
    }
    #expect(abs(sum - 397627.6910614222) < 1e-6)
    #expect(bound.labels?.prefix(8) == [3, 8, 8, 0, 6, 6, 1, 6])
    #expect(bound.labels?.reduce(0, +) == 4603)
  }

  @Test func imagesStayChannelsLastWhereTheModelWantsIt() throws {
    let bound = try Dataset.open(Shared.data("imagenet250/tf.yaml")).bound(
      to: [InputSpec(name: "input", type: .float32, dimensions: [nil, nil, nil, 3])],
      outputs: [OutputSpec(name: "output", dimensions: [nil, 1001])])
    #expect(bound.sampleShapes == ["input": [224, 224, 3]])
    let batch = try #require(try bound.batch([3, 249])["input"]).array(of: Float.self)
    #expect(batch[(100 * 224 + 50) * 3 + 2] == -0.99215686)
    let sum = batch[(224 * 224 * 3)...].reduce(0.0) { $0 + Double($1) }
    #expect(abs(sum + 16785.294706106186) < 1e-6)
    #expect(bound.labels?.prefix(4) == [353, 465, 653, 71])
  }

  @Test func theBackgroundClassMakesLabelsOfTheSmallerNetworkTooLarge() throws {
    let dataset = try Dataset.open(Shared.data("imagenet250/tf.yaml"))
    #expect {
      try dataset.bound(
        to: [InputSpec(name: "input", type: .float32, dimensions: [nil, 3, 224, 224])],
        outputs: [OutputSpec(name: "output", dimensions: [nil, 500])])
    } throws: { error in
      String(describing: error).contains("is out of range (expected 0…499)")
    }
  }

  @Test func fileBytesBecomeInt32() throws {
    let bound = try Dataset.open(Shared.data("filetype/test.yaml")).bound(
      to: [InputSpec(name: "bytes", type: .int32, dimensions: [nil, 2048])])
    let batch = try #require(try bound.batch([10, 594])["bytes"])
    #expect(batch.type == .int32 && batch.shape == [2, 2048])
    let values = batch.array(of: Int32.self)
    #expect(values.prefix(6) == [35, 32, 49, 46, 32, 80])
    #expect(values[2048...].reduce(0, +) == 200378)
    #expect(bound.labels?.prefix(4) == [181, 153, 22, 26])
  }

  @Test func aFixedBatchAndAChannelOfOneAreFitted() throws {
    let bound = try Dataset.open(Shared.data("mnist/test.yaml")).bound(
      to: [InputSpec(name: "Input3", type: .float32, dimensions: [1, 1, 28, 28])],
      outputs: [OutputSpec(name: "Plus214_Output_0", dimensions: [1, 10])])
    #expect(bound.fixedBatch == 1 && bound.notes.isEmpty)
    let image = try #require(try bound.batch([5])["Input3"])
    #expect(image.shape == [1, 1, 28, 28])
    let values = image.array(of: Float.self)
    #expect(values.reduce(0, +) == 13855)
    #expect(values[290..<296] == [0, 0, 0, 0, 134, 254])
  }

  @Test func tokensComeOutOfAnArchive() throws {
    let dataset = try Dataset.open(Shared.data("text/sst2_dev_tokens64.npz"))
    let names = ["input_ids", "attention_mask", "token_type_ids"]
    #expect(dataset.inputNames == names && dataset.count == 872)
    let bound = try dataset.bound(
      to: names.map { InputSpec(name: $0, type: .int64, dimensions: [nil, nil]) })
    let batch = try bound.batch(0..<872)
    #expect(batch["input_ids"]?.array(of: Int64.self).reduce(0, +) == 97_869_635)
    #expect(batch["attention_mask"]?.array(of: Int64.self).reduce(0, +) == 20599)
    #expect(try bound.batch([3])["input_ids"]?.array(of: Int64.self).prefix(4) == [101, 2009, 1005, 1055])
    #expect(bound.labels?.reduce(0, +) == 444)
  }

  @Test(arguments: [
    "cifar10/test-raw.yaml", "cifar10/train-raw.yaml", "cifar10/train.yaml", "imagenet250/torch.yaml",
    "text/tinystories.yaml", "text/wikitext2.yaml",
  ])
  func everyCardIsRead(_ path: String) throws {
    let card = try DatasetCard.read(Shared.data(path))
    #expect((card.text == nil) != card.inputs.isEmpty)
    if card.text == nil { _ = try Dataset.open(Shared.data(path)) }
  }

  @Test func aTextIsNoArrayDataset() {
    #expect(throws: (any Error).self) { try Dataset.open(Shared.data("text/tinystories.yaml")) }
  }
}
