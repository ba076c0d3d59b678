import Analysis
import Datasets
import Evaluation
import Execution
import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workflows

/// Two dense layers of a small classifier, and a third beside the second that meets it in a sum.
private func smallProject() throws -> Project {
  var graph = Graph(name: "small")
  graph.inputs = [ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(12)])]
  graph.outputs = [ValueInfo(name: "scores", type: .float32, dimensions: [.free("N"), .fixed(5)])]
  func node(_ type: String, _ name: String, _ inputs: [String], _ output: String) throws {
    let op = try #require(Catalog.find(domain: "", type: type))
    graph.nodes.append(
      Node(name: name, op: try op.init(attributes: [:]), inputs: inputs, outputs: [output]))
  }
  for (name, shape, seed) in [("w1", [12, 16], 1), ("w2", [16, 5], 2), ("w3", [16, 5], 3)] {
    graph.constants[name] = pseudoRandom(shape, seed: UInt64(seed))
  }
  graph.constants["b1"] = pseudoRandom([16], seed: 4)
  try node("Gemm", "first", ["x", "w1", "b1"], "a")
  try node("Relu", "bent", ["a"], "h")
  try node("MatMul", "second", ["h", "w2"], "p")
  try node("MatMul", "third", ["h", "w3"], "q")
  try node("Add", "sum", ["p", "q"], "scores")
  return try Project(model: Model(source: graph, path: "small.onnx", format: "onnx"), threads: 2)
}

private func base() throws -> Recipe {
  let preset = try #require(Presets["static-int8"])
  return try #require(WhatIf.base(for: preset.recipe))
}

/// The base with every layer but some in float.
private func only(_ changes: [String: SettingsChange]) throws -> Recipe {
  var recipe = try base()
  recipe.defaults.mode = .float
  for (name, change) in changes.sorted(by: { $0.key < $1.key }) {
    recipe.set(change, for: [LayerIdentity(name: name, operatorName: "")])
  }
  return recipe
}

private func change(
  _ mode: Mode, _ weights: Int, _ activations: Int? = nil, method: Quantization.Method? = nil
) -> SettingsChange {
  var change = SettingsChange(mode: mode)
  change.weights.bits = weights
  change.weights.method = method
  change.activations.bits = activations
  return change
}

/// The samples that calibrate, and the network of a recipe simulated, as `prepare` makes it.
private func simulation(_ recipe: Recipe, _ project: Project) throws -> (samples: BoundDataset, graph: Graph)
{
  let made = try project.calibrationData(.synthetic, recipe: recipe)
  let source = try #require(made)
  let candidate = try quantize(
    project.model.graph, infos: project.model.infos, recipe: recipe, calibration: source, threads: 1,
    report: { _, _ in })
  return (source, try simulated(candidate.encoded))
}

/// 10·log10(Σ f² / Σ (f − q)²) of one value over the first samples.
private func decibels(
  _ value: ValueName, _ graph: Graph, _ project: Project, _ source: BoundDataset, samples: Int
) throws -> Double {
  func values(_ graph: Graph) throws -> [Float] {
    var graph = graph
    graph.outputs = [ValueInfo(name: value, type: .float32, dimensions: nil)]
    let program = try compile(
      EncodedGraph(graph: graph), CompileOptions(inputShapes: project.model.inputShapes(batch: samples)))
    let results = try program.run(source.batch(0..<samples))
    return try #require(results[value]).array(of: Float.self)
  }
  let (f, q) = (try values(project.model.graph), try values(graph))
  let noise = zip(f, q).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  return 10 * log10(f.reduce(0.0) { $0 + pow(Double($1), 2) } / noise)
}

@Suite struct WhatIfTests {
  /// A layer run by itself errs as it does in the whole network with no other quantized.
  @Test func aLayersErrorIsThatOfTheWholeNetwork() throws {
    let project = try smallProject()
    let whatIf = try project.whatIf(base: base(), reporter: .silent)
    #expect(whatIf.keptSamples == 32 && whatIf.keptBytes == 32 * 4 * (12 + 16))
    for (layer, output) in [("first", "a"), ("second", "p")] {
      for change in [
        change(.static, 4, 5), change(.static, 8, 8), change(.weightOnly, 3), change(.dynamic, 6),
        change(.static, 3, 8, method: .gptq),
      ] {
        let recipe = try only([layer: change])
        let answer = try whatIf.predict(recipe)
        #expect(answer.layers.map(\.name) == [layer])
        let found = try #require(answer.layers.first?.sqnrDb)
        if change.weights.method == nil {
          let (source, graph) = try simulation(recipe, project)
          let expected = try decibels(output, graph, project, source, samples: whatIf.keptSamples)
          #expect(abs(found - expected) < 1e-3, "\(layer) \(change): \(found) \(expected)")
        } else {
          let nearest = try whatIf.predict(only([layer: change.nearest])).layers[0]
          #expect(try found > #require(nearest.sqnrDb), "it rounds to make this error small")
        }
      }
    }
  }

  /// At a width that was measured the prediction of one layer is what was measured.
  @Test func oneLayerAloneCostsWhatWasMeasured() throws {
    let project = try smallProject()
    let whatIf = try project.whatIf(base: base(), reporter: .silent)
    var sum = 0.0
    for layer in ["first", "second", "third"] {
      let recipe = try only([layer: change(.weightOnly, 3)])
      let prediction = try whatIf.predict(recipe)
      let (source, graph) = try simulation(recipe, project)
      let samples = whatIf.scoredSamples
      let inputs = try source.batch(0..<samples)
      let networks = try [project.model.graph, graph].map {
        try Runner(EncodedGraph(graph: $0), model: project.model, batch: samples, threads: 1)
      }
      var scores = Scores()
      scores.add(
        try networks[1].run(inputs, count: samples), reference: try networks[0].run(inputs, count: samples),
        classes: 0, labels: [], count: samples)
      let (kl, measured) = (try #require(prediction.kl), try #require(scores.meanDivergence))
      #expect(measured > 0 && abs(kl - measured) < 1e-3 * measured, "\(layer): \(kl) \(measured)")
      sum += kl
    }
    let all = try whatIf.predict(
      only([
        "first": change(.weightOnly, 3), "second": change(.weightOnly, 3), "third": change(.weightOnly, 3),
      ]))
    // Together they cost no less than added up, and what the sum of layers says.
    #expect(all.cost > sum * (1 - 1e-9) && all.layers.reduce(0) { $0 + $1.cost } > sum * (1 - 1e-9))
    #expect(abs(all.cost - whatIf.sum.cost(all.layers.map(\.cost))) < 1e-9 * all.cost)
    let float = try whatIf.predict(only([:]))
    #expect(float.cost == 0 && float.agreement == 1 && float.layers.isEmpty && float.compression == 1)
  }

  @Test func sizesAreThoseOfTheCandidate() throws {
    let project = try Sample.project()
    let model = project.model
    var grouped = try #require(Presets["weight-int4"]).recipe
    grouped.defaults.weights.symmetric = false
    var mixed = try base()
    let layers = mixed.resolve(model.graph, infos: model.infos).layers.filter { $0.kind == .weighted }
    mixed = mixed.mixed(layers, weights: 2...8, activations: 4...8, seed: 3)
    mixed.calibration.samples = 4
    var corrected = try #require(Presets["static-int8-corrected"]).recipe
    corrected.calibration.samples = 4
    for recipe in [grouped, mixed, corrected] {
      let candidate = try project.prepare(recipe, name: recipe.name, reporter: .silent)
      let expected = Sizes(candidate.encoded, infos: model.infos)
      let found = try recipe.sizes(model.graph, infos: model.infos, threads: 2)
      #expect(found == expected, "\(recipe.name): \(found) \(expected)")
    }
  }

  @Test func roundingThatTakesTooLongIsSaidToBeOfNearest() throws {
    let whatIf = try smallProject().whatIf(base: base(), reporter: .silent)
    let nearest = try whatIf.predict(only(["second": change(.weightOnly, 3)]))
    let learned = try whatIf.predict(only(["second": change(.weightOnly, 3, method: .adaRound)]))
    #expect(learned.layers[0].isOfNearest == true && learned.notes.contains { $0.contains("nearest") })
    #expect(learned.cost == nearest.cost && nearest.layers[0].isOfNearest == nil && nearest.notes.isEmpty)
  }

  /// An edge has one encoding, the widest that a reader asks.
  @Test func aLayerReadsWhatItsNeighbourWidens() throws {
    let whatIf = try smallProject().whatIf(base: base(), reporter: .silent)
    func second(_ recipe: Recipe) throws -> Double {
      let answer = try whatIf.predict(recipe)
      return try #require(answer[layer: "second"]?.sqnrDb)
    }
    let narrow = try second(only(["second": change(.static, 8, 4)]))
    let widened = try second(
      only(["second": change(.static, 8, 4), "third": change(.static, 8, 8)]))
    let wide = try second(only(["second": change(.static, 8, 8)]))
    #expect(widened == wide && narrow < wide - 10)
  }

  @Test func costsComeTogetherAsInWholeNetworks() {
    var random = SplitMix64(seed: 5)
    for exponent in [0.5, 0.75, 1] {
      let points = (0..<6).map { _ in
        let layers = (0..<7).map { _ in random.unit() * 0.1 }
        let cost = pow(layers.reduce(0) { $0 + pow($1, exponent) }, 1 / exponent)
        return LayerSum.Point(layers: layers, cost: cost * 1.01)
      }
      let sum = LayerSum(points)
      #expect(abs(sum.exponent - exponent) < 1e-9)
      #expect(abs(sum.cost([0, 0.3, 0]) - 0.3) < 1e-12 && sum.cost([]) == 0 && sum.cost([0]) == 0)
    }
    #expect(LayerSum([]).exponent == 1)
  }

  @Test func noiseCurvesPassThroughTheirPoints() {
    let points = [(0.001, 0.0002), (0.01, 0.004), (0.2, 0.05)].map {
      NoiseCurve.Point(noise: $0.0, cost: $0.1)
    }
    let curve = NoiseCurve(points.reversed() + [NoiseCurve.Point(noise: 0, cost: 0)])
    for point in points { #expect(abs(curve.cost(point.noise) - point.cost) < 1e-12) }
    // Below the least measured noise cost is proportional to its power.
    #expect(abs(curve.cost(0.0001) - 0.00002) < 1e-12 && curve.cost(0) == 0)
    #expect(curve.cost(1) > 0.05 && curve.cost(1) < 0.25)
    #expect(NoiseCurve([]).cost(0.1) == 0)
  }

  @Test func dropsAreFittedToWhatWasMeasured() throws {
    func drop(_ cost: Double) -> Double { 0.8 * (1 - exp(-pow(cost / 0.7, 0.75))) }
    let points = [0.001, 0.01, 0.05, 0.2, 0.6, 1.5, 4].map { DropCurve.Point(cost: $0, drop: drop($0)) }
    let curve = try #require(DropCurve(points, ceiling: 0.8))
    var last = 0.0
    for step in 0..<60 {
      let cost = pow(10, -3 + 5 * Double(step) / 60)
      #expect(abs(curve.drop(cost) - drop(cost)) < 0.02 && curve.drop(cost) >= last)
      last = curve.drop(cost)
    }
    #expect(curve.drop(0) == 0 && DropCurve([], ceiling: 0.8) == nil)
  }

  @Test func latencyComesFromStepsThatWereTimed() throws {
    let model = try smallProject().model
    func variant(_ name: String, _ ms: [Double]) -> BenchReport.Variant {
      let steps = zip([["first", "bent"], ["second", "third"], ["sum"]], ms).map { nodes, ms in
        BenchTable.Step(name: nodes[0], nodes: nodes, kernel: "gemm f32", ms: ms, macs: 10, bytes: 10)
      }
      let peaks = Peaks(
        threads: 1, float32: .init(oneThreadGops: 1, allThreadsGops: 1),
        int8: .init(oneThreadGops: 1, allThreadsGops: 1), memory: [])
      let table = BenchTable(name: name, latencyMs: ms.reduce(0, +) + 1, workingSet: 1, steps: steps)
      return BenchReport(machine: .current(threads: 1), peaks: peaks, tables: [table]).variants[0]
    }
    func layers(_ recipe: Recipe) -> [ResolvedLayer] {
      recipe.resolve(model.graph, infos: model.infos).layers
    }
    var times = LayerTimes()
    let all = try base()
    #expect(times.latency(layers(all)) == nil)
    times.add(variant("float32", [4, 6, 1]), layers: nil, of: model)
    #expect(times.latency(layers(all)) == nil, "no layer was timed on codes")
    times.add(variant("static-int8", [1, 2, 1]), layers: layers(all), of: model)
    let half = try only(["second": change(.static, 8, 8)])
    let latency = try #require(times.latency(layers(half)))
    // Of the step it shares a layer has half.
    #expect(latency.float32 == 12 && abs(latency.ms - 10) < 1e-9)
    #expect(times.latency(layers(try only(["second": change(.weightOnly, 8)]))) == nil)
    let narrow = try only(["first": change(.static, 6, 8)])
    #expect(abs(try #require(times.latency(layers(narrow))).ms - 9) < 1e-9, "6 bits run as 8 do")
  }

  private func residualNetwork() throws -> Project {
    try Project.open(
      model: Shared.path("models/vision/resnet20_cifar10-akamaster.onnx"),
      data: Shared.path("data/cifar10/test.yaml"), trainData: Shared.path("data/cifar10/train.yaml"),
      threads: 2)
  }

  /// Fifty networks whose layers' modes and widths are drawn at random.
  @Test(.enabled(if: Shared.exists, "the shared models are not here"))
  func predictedDropsRankAsMeasuredOnes() throws {
    let project = try residualNetwork()
    let base = try base()
    let model = project.model
    let layers = base.resolve(model.graph, infos: model.infos).layers.filter { $0.kind == .weighted }
    let recipes = (0..<50).map { number in
      let recipe = base.mixed(layers, weights: 2...8, activations: 4...8, seed: UInt64(1000 + number))
      return (name: recipe.name, recipe: recipe)
    }
    let report = try project.whatIf(recipes, base: base, measures: true, limit: 500, reporter: .silent)
    let correlation = try #require(report.rankCorrelation?.top1Drop)
    #expect(correlation >= 0.8)
  }

  #if !DEBUG
    /// An answer to one changed layer comes within 200 ms.
    @Test(.enabled(if: Shared.exists, "the shared models are not here"))
    func oneChangedLayerIsAnsweredAtOnce() throws {
      let project = try residualNetwork()
      let base = try base()
      let whatIf = try project.whatIf(base: base, reporter: .silent)
      var recipe = base
      _ = try whatIf.predict(recipe)
      let layers = base.resolve(project.model.graph, infos: project.model.infos).layers.filter {
        $0.kind == .weighted
      }
      var milliseconds: [Double] = []
      for (index, layer) in layers.enumerated() {
        recipe.set(SettingsChange(weightBits: 2 + index % 6), for: [LayerIdentity(layer)])
        let began = ContinuousClock.now
        _ = try whatIf.predict(recipe)
        milliseconds.append((ContinuousClock.now - began) / .milliseconds(1))
      }
      #expect(Quantiles.median(milliseconds) <= 200)
    }
  #endif
}

extension SettingsChange {
  /// The same, rounded to nearest.
  fileprivate var nearest: SettingsChange {
    var change = self
    change.weights.method = .nearest
    return change
  }
}
