import Datasets
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing

@testable import Workflows

@Suite struct MadeUpSamplesTests {
  static func project(normed: Bool) throws -> Project {
    var random = SplitMix64(seed: 3)
    func tensor(_ shape: Shape) -> Tensor {
      Tensor((0..<shape.elementCount).map { _ in Float(random.unit()) - 0.4 }, shape: shape)
    }
    var graph = Graph()
    graph.inputs = [
      ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(2), .fixed(5), .fixed(5)])
    ]
    graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    graph.constants = ["w": tensor([4, 2, 3, 3])]
    graph.nodes = [
      Node(name: "conv", op: try Conv(attributes: [:]), inputs: ["x", "w"], outputs: [normed ? "c" : "y"])
    ]
    if normed {
      for (name, value) in [("gain", Float(0.5)), ("shift", 3), ("mean", 0), ("variance", 1)] {
        graph.constants[name] = Tensor([Float](repeating: value, count: 4), shape: [4])
      }
      graph.nodes.append(
        Node(
          name: "norm", op: BatchNormalization(), inputs: ["c", "gain", "shift", "mean", "variance"],
          outputs: ["y"]))
    }
    return try Project(model: try Model(source: graph, path: "tiny.onnx", format: "onnx"), threads: 1)
  }

  static func candidate(normed: Bool, seed: UInt64 = 1) throws -> Candidate {
    var recipe = Recipe(name: "x", defaults: LayerSettings(mode: .static))
    recipe.calibration = CalibrationSettings(samples: 12, seed: seed, source: .synthetic)
    return try project(normed: normed).prepare(recipe, name: "x", reporter: .silent)
  }

  /// The layer, whose norm says 3 ± 0.5, is calibrated on inputs that give it that, and the candidate says so.
  @Test func statisticsMakeTheSamples() throws {
    let found = try Self.candidate(normed: true)
    #expect(
      try #require(found.warnings.first).hasPrefix(
        "calibrated on 12 samples made from batch-norm statistics (distance from them "))
    let again = try Self.candidate(normed: true)
    #expect(again.encoded.activations == found.encoded.activations && again.warnings == found.warnings)
    #expect(try Self.candidate(normed: true, seed: 2).encoded.activations != found.encoded.activations)
  }

  @Test func samplesGiveTheLayerItsStatistics() throws {
    let project = try Self.project(normed: true)
    let calibration = CalibrationSettings(samples: 500, seed: 4, source: .synthetic)
    var shares: [Double] = []
    let seen = Locked<[Double]>([])
    let samples = try project.makeUpSamples(
      calibration, name: "x",
      Reporter(report: { share, _ in
        if let share { seen.withLock { $0.append(share) } }
      }))
    shares = seen.withLock { $0 }
    #expect(shares == shares.sorted() && shares.last == 1)
    #expect(samples.data.count == Project.distilledSamples && samples.data.isSynthetic)
    let all = try samples.data.batch(0..<samples.data.count)
    let picked = try samples.data.selecting([5, 3]).batch(0..<2)
    let (x, two) = (
      try #require(all["x"]).array(of: Float.self), try #require(picked["x"]).array(of: Float.self)
    )
    #expect(two == Array(x[250..<300]) + Array(x[150..<200]))
    let weights = try #require(project.model.graph.constants.first { $0.value.count == 72 }?.value).array(
      of: Float.self)
    for channel in 0..<4 {
      var values: [Double] = []
      for sample in 0..<samples.data.count {
        for place in 0..<9 {
          var sum = 3.0
          for tap in 0..<18 {
            let (input, row, column) = (tap / 9, place / 3 + tap % 9 / 3, place % 3 + tap % 3)
            sum +=
              Double(weights[channel * 18 + tap]) * Double(x[sample * 50 + input * 25 + row * 5 + column])
          }
          values.append(sum)
        }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(mean - 3) < 0.1 && abs(variance.squareRoot() - 0.5) < 0.1, "\(mean), \(variance)")
    }
  }

  @Test func withoutStatisticsTheyAreNoise() throws {
    let found = try Self.candidate(normed: false)
    #expect(
      found.warnings.first
        == "synthetic samples are noise, which says little of real inputs: the model has no batch-norm statistics"
    )
    let noise = try Self.project(normed: false).model.synthetic(12, seed: 1)
    let made = try Self.project(normed: false).makeUpSamples(
      CalibrationSettings(samples: 12, seed: 1, source: .synthetic), name: "x", .silent)
    #expect(
      try made.data.batch(0..<12)["x"]?.array(of: Float.self)
        == noise.batch(0..<12)["x"]?.array(of: Float.self))
  }
}
