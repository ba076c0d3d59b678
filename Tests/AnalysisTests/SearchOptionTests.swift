import Analysis
import Graph
import Jobs
import Quantization
import Tensors
import Testing
import Workflows

@Suite struct SearchOptionTests {
  private func settings(_ project: Project) -> SearchSettings {
    var settings = SearchSettings()
    settings.selectionSamples = 32
    settings.limit = 16
    (settings.frontPoints, settings.refinements) = (4, 4)
    settings.bounds.maxBytes = settings.floatBytes(project.model) / 3
    return settings
  }

  private func base() -> Recipe {
    var base = SearchSettings.base().roundingToNearest
    base.calibration.samples = 16
    return base
  }

  private func chosen(_ report: SearchReport) throws -> SearchReport.Point {
    try #require(report.points.first { $0.kind == .chosen })
  }

  /// Every recipe told is one of the options asked for, and takes the bytes that are told of it.
  @Test func modesAndMethodsAreChosenFrom() throws {
    let project = try Sample.project()
    var settings = settings(project)
    settings.modes = [.static, .weightOnly, .float]
    settings.methods = [.nearest, .gptq]
    settings.bits = [4]
    var fronts: [SearchFront] = []
    let (report, recipe) = try project.search(base: base(), settings: settings, reporter: .silent) {
      fronts.append($0)
    }
    let names: Set = [
      "W4 static nearest", "W4 static GPTQ", "W4 weight-only nearest", "W4 weight-only GPTQ", "float",
    ]
    #expect(Set(report.points.flatMap(\.widths.keys)) == names)
    #expect(report.points.count { $0.kind == .uniform } >= 3)
    let layers = project.model.layers.filter(\.hasWeights).count
    for point in report.points { #expect(point.widths.values.reduce(0, +) == layers) }
    // The recipe says the same as the count of layers.
    let point = try chosen(report)
    let resolved = recipe.resolve(project.model.graph, infos: project.model.infos).layers.filter {
      $0.kind == .weighted
    }
    for (name, count) in point.widths {
      let found = resolved.count { layer in
        let (mode, weights) = (layer.effective.mode, layer.effective.weights)
        return mode == .float
          ? name == "float" : name == "W\(weights.bits) \(mode.rawValue) \(weights.method.title)"
      }
      #expect(found == count, "\(name)")
    }
    // The front is first predicted, then fills; predicted sizes are those measured.
    let first = try #require(fronts.first)
    #expect(first.points.count > 10 && first.points.allSatisfy { $0.distance == nil })
    let counts = fronts.map { $0.points.count { $0.distance != nil } }
    #expect(counts == counts.sorted() && counts.count > 4 && counts[1] == 1)
    let last = try #require(fronts.last)
    #expect(last.points.count { $0.isChosen } == 1)
    #expect(try #require(last.points.first { $0.isChosen }).recipe == recipe)
    for point in last.points {
      guard let before = first.points.first(where: { $0.picks == point.picks }) else { continue }
      #expect(before.bytes == point.bytes)
    }
    #expect(last.points.map(last.share) == last.points.map(last.share).sorted())
  }

  /// Alone and everywhere, a mode measures what its own recipe does.
  @Test func anOptionAloneIsItsRecipe() throws {
    let project = try Sample.project()
    let layer = try #require(
      SensitivitySweep(project, base: base(), options: [LayerOption(weightBits: 4)]).layers.first)
    let dynamic = base().alone(
      LayerIdentity(layer), as: LayerOption(mode: .dynamic, weightBits: 4, method: .gptq))
    let layers = dynamic.resolve(project.model.graph, infos: project.model.infos).layers.filter {
      $0.effective.mode != .float
    }
    #expect(layers.map(\.node) == [layer.node] && layers[0].effective.mode == .dynamic)
    #expect(layers[0].effective.weights.bits == 4 && layers[0].effective.weights.method == .nearest)
    // Without a mode it is the base recipe's.
    var weightOnly = base()
    weightOnly.defaults.mode = .weightOnly
    let own = weightOnly.alone(LayerIdentity(layer), as: LayerOption(weightBits: 4))
    #expect(
      own.resolve(project.model.graph, infos: project.model.infos)[layer.node]?.effective.mode == .weightOnly)
    #expect(LayerOption(mode: .dynamic, weightBits: 4, method: .gptq).text == "W4 dynamic GPTQ")
    #expect(Width(weightBits: nil, activationBits: 8).option.text == "A8 static")
  }

  /// Layers may not be left in float where that is no option.
  @Test func withoutFloatEveryLayerIsQuantized() throws {
    let project = try Sample.project()
    var settings = settings(project)
    settings.modes = [.weightOnly]
    let report = try project.search(base: base(), settings: settings, reporter: .silent).report
    #expect(
      Set(report.points.flatMap(\.widths.keys)).isSubset(of: ["W8 weight-only", "W4 weight-only"]))
    settings.modes = [.float]
    #expect(throws: WorkflowError.self) {
      try project.search(base: base(), settings: settings, reporter: .silent)
    }
  }

  /// Time is made small: the front is drawn over it, and the result is timed and keeps the bound on the drop.
  @Test func latencyIsMadeSmall() throws {
    let project = try Sample.project(threads: 1)
    var settings = settings(project)
    settings.goal = .latency
    settings.bounds = SearchBounds(maxDrop: 0.2)
    settings.modes = [.static, .weightOnly, .float]
    settings.bits = [8]
    var last: SearchFront?
    let report = try project.search(base: base(), settings: settings, reporter: .silent) { last = $0 }.report
    let point = try chosen(report)
    #expect(report.goal == .latency && report.meetsBounds && point.latencyRatio != nil)
    #expect(report.points.allSatisfy { $0.predictedLatencyRatio != nil })
    for other in report.points where other.kind == .uniform {
      guard try 1 - #require(other.selection.agreement) <= 0.2 else { continue }
      #expect(try #require(other.latencyRatio) >= #require(point.latencyRatio))
    }
    let front = try #require(last)
    #expect(front.overTime && front.points.allSatisfy { $0.latencyRatio != nil })
    #expect(front.points.contains { $0.isTimed } && front.points.contains { !$0.isTimed })
  }

  @Test func aListenerEndsTheSearch() throws {
    let project = try Sample.project()
    #expect(throws: JobCancelled.self) {
      try project.search(base: base(), settings: settings(project), reporter: .silent) { _ in
        throw JobCancelled()
      }
    }
  }

  @Test func theBestWithinABudgetNeedsNoMeasuring() {
    var front = SearchFront(goal: .size, overTime: false, floatBytes: 1000)
    func point(_ bytes: Int, predicted: Double, measured: Double? = nil) -> SearchFront.Point {
      var point = SearchFront.Point(
        picks: [bytes], recipe: Recipe(name: "\(bytes)"), layers: [:], bytes: bytes, predicted: predicted)
      point.distance = measured
      return point
    }
    #expect(front.best(within: 1) == nil)
    for (bytes, cost) in [(300, 1.0), (200, 2.0), (500, 0.25), (400, 0.5)] {
      front.put(point(bytes, predicted: cost))
    }
    #expect(front.points.map(\.bytes) == [200, 300, 400, 500])
    #expect(front.best(within: 0.45) == 2 && front.best(within: 0.3) == 1 && front.best(within: 0.1) == 0)
    #expect(front.correction == 1)
    // Measured, it is three times what was predicted: so are the others, and the next smaller one is no worse.
    front.put(point(400, predicted: 0.5, measured: 1.5))
    #expect(front.points.count == 4 && front.correction == 3 && front.cost(front.points[0]) == 6)
    front.put(point(350, predicted: 0.9, measured: 1.2))
    #expect(front.best(within: 0.45) == 2 && front.points[2].bytes == 350)
  }
}
