import Execution
import Graph
import Operators
import Tensors
import Testing
import Training

@Suite struct SampleDistillerTests {
  static let shapes: [ValueName: Shape] = ["x": [16, 3, 6, 6]]

  /// Two convolutions with batch norms whose statistics are those of samples that the test keeps to itself, not of noise.
  static func network(normed: Bool = true) throws -> Graph {
    var random = SplitMix64(seed: 3)
    func numbers(_ count: Int, _ range: ClosedRange<Double> = -1...1) -> [Float] {
      (0..<count).map { _ in
        Float(range.lowerBound + (range.upperBound - range.lowerBound) * random.unit())
      }
    }
    var graph = Graph()
    graph.inputs = [
      ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(3), .fixed(6), .fixed(6)])
    ]
    graph.outputs = [ValueInfo(name: "y", type: .float32, dimensions: nil)]
    for (name, input, inputs, channels) in [("a", "x", 3, 6), ("b", "relu", 6, 4)] {
      graph.constants["\(name)_w"] = Tensor(
        numbers(channels * inputs * 9, -0.4...0.4), shape: [channels, inputs, 3, 3])
      graph.constants["\(name)_b"] = Tensor(numbers(channels), shape: [channels])
      let conv = try #require(Catalog.find(domain: "", type: "Conv"))
      graph.nodes.append(
        Node(
          name: name, op: try conv.init(attributes: ["pads": .ints([1, 1, 1, 1])]),
          inputs: [input, "\(name)_w", "\(name)_b"], outputs: [name == "b" ? "y" : "a"]))
      if name == "a" {
        let relu = try #require(Catalog.find(domain: "", type: "Relu"))
        graph.nodes.append(
          Node(name: "relu", op: try relu.init(attributes: [:]), inputs: ["a"], outputs: ["relu"]))
      }
    }
    guard normed else { return graph }
    let hidden = noise().mapValues { tensor in
      Tensor(tensor.array(of: Float.self).map { 2 * $0 * $0 + 0.3 * $0 - 0.2 }, shape: tensor.shape)
    }
    for (value, seen) in try statistics(graph, hidden).sorted(by: { $0.key < $1.key }) {
      let name = value == "a" ? "a" : "b"
      graph.foldedNorms["\(name)_w"] = FoldedNorm(
        bias: "\(name)_b", gain: seen.map { Float($0.deviation) }, shift: seen.map { Float($0.mean) },
        mean: numbers(seen.count), variance: numbers(seen.count, 0.5...2), epsilon: 1e-5)
    }
    return graph
  }

  static func noise() -> [ValueName: Tensor] {
    var random = SplitMix64(seed: 5)
    let shape = shapes["x"] ?? []
    return ["x": Tensor((0..<shape.elementCount).map { _ in Float(2 * random.unit() - 1) }, shape: shape)]
  }

  /// Mean and deviation of the channels of both outputs.
  static func statistics(
    _ graph: Graph, _ inputs: [ValueName: Tensor]
  ) throws -> [ValueName: [(mean: Double, deviation: Double)]] {
    var own = graph
    own.outputs = ["a", "y"].map { ValueInfo(name: $0, type: .float32, dimensions: nil) }
    let values = try compile(
      EncodedGraph(graph: own), CompileOptions(inputShapes: shapes, threads: 1)
    ).run(inputs)
    return values.mapValues { tensor in
      var parts = [[Double]](repeating: [], count: tensor.shape[1])
      for (index, element) in tensor.array(of: Float.self).enumerated() {
        parts[index / 36 % parts.count].append(Double(element))
      }
      return parts.map { part in
        let mean = part.reduce(0, +) / Double(part.count)
        let variance = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(part.count)
        return (mean, variance.squareRoot())
      }
    }
  }

  /// The distance, computed anew from what the network gives on the samples.
  static func distance(_ graph: Graph, _ inputs: [ValueName: Tensor]) throws -> Double {
    var sum = 0.0
    for (value, seen) in try statistics(graph, inputs) {
      let norm = try #require(graph.foldedNorms[value == "a" ? "a_w" : "b_w"])
      for (channel, seen) in seen.enumerated() {
        let gain = Double(norm.gain[channel])
        let (a, b) = ((seen.mean - Double(norm.shift[channel])) / gain, seen.deviation / gain - 1)
        sum += (a * a + b * b) / Double(norm.gain.count)
      }
    }
    return sum
  }

  @Test func statisticsComeToThoseOfTheNorms() throws {
    let graph = try Self.network()
    let distiller = try #require(try SampleDistiller(graph, inputShapes: Self.shapes, threads: 1))
    var shares: [Double] = []
    let found = try distiller.distilled(from: Self.noise(), iterations: 200) { shares.append($0) }
    #expect(abs(found.before - (try Self.distance(graph, Self.noise()))) < 1e-3 * found.before)
    #expect(abs(found.after - (try Self.distance(graph, found.inputs))) < 1e-3 * found.before)
    #expect(found.after < 0.02 * found.before, "\(found.before) to \(found.after)")
    #expect(shares == shares.sorted() && shares.count == 200 && shares.last == 1)
  }

  @Test func resultsDependOnNeitherThreadsNorTheRun() throws {
    let graph = try Self.network()
    let results = try [1, 2, 1].map { threads in
      let distiller = try #require(try SampleDistiller(graph, inputShapes: Self.shapes, threads: threads))
      return try distiller.distilled(from: Self.noise(), iterations: 5) { _ in }.inputs["x"]?.array(
        of: Float.self)
    }
    #expect(results[0] == results[1] && results[0] == results[2] && results[0] != nil)
  }

  @Test func withoutStatisticsThereIsNothingToDistil() throws {
    let graph = try Self.network(normed: false)
    #expect(try SampleDistiller(graph, inputShapes: Self.shapes, threads: 1) == nil)
  }

  @Test func cancellationEndsIt() throws {
    let distiller = try #require(
      try SampleDistiller(Self.network(), inputShapes: Self.shapes, threads: 1))
    #expect(throws: CancellationError.self) {
      try distiller.distilled(from: Self.noise()) { _ in throw CancellationError() }
    }
  }
}
