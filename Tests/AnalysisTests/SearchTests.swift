import Analysis
import Datasets
import Evaluation
import Foundation
import Graph
import Jobs
import Operators
import Quantization
import Tensors
import Testing
import Workflows

@Suite struct KnapsackTests {
  /// Every way to choose, for every budget.
  @Test(arguments: [UInt64(1), 2, 3, 4, 5]) func isTheBestOfAllChoices(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let groups = (0..<5).map { _ in
      (0..<3).map { _ in Knapsack.Choice(cost: Double(random.below(100)), amount: random.below(40) - 20) }
    }
    var all: [[Int]] = [[]]
    for group in groups { all = all.flatMap { start in group.indices.map { start + [$0] } } }
    let knapsack = Knapsack(groups)
    for budget in knapsack.leastAmount - 2...knapsack.mostAmount + 2 {
      let best = all.filter { knapsack.amount($0) <= budget }.map(knapsack.cost).min()
      let picks = knapsack.picks(within: budget)
      #expect(picks.map(knapsack.cost) == best)
      if let picks { #expect(knapsack.amount(picks) <= budget) }
    }
    let picks = try #require(knapsack.picks(within: 0))
    let near = knapsack.neighbours(picks, within: 0)
    let costs = near.map(knapsack.cost)
    #expect(near.count > 0 && costs == costs.sorted() && Set(near).count == near.count)
    for other in near {
      #expect(knapsack.amount(other) <= 0 && (1...2).contains(zip(other, picks).count { $0 != $1 }))
    }
  }

  @Test func largeSizesStayWithinTheBudget() throws {
    var random = SplitMix64(seed: 9)
    let groups = (0..<40).map { _ in
      let bytes = 1000 + random.below(1_000_000)
      return [
        Knapsack.Choice(cost: 0, amount: 4 * bytes), Knapsack.Choice(cost: random.unit(), amount: bytes),
        Knapsack.Choice(cost: 1 + random.unit() * 5, amount: bytes / 2),
      ]
    }
    let knapsack = Knapsack(groups)
    #expect(knapsack.picks(within: knapsack.leastAmount - 1) == nil)
    #expect(knapsack.picks(within: knapsack.mostAmount) == groups.map { _ in 0 })
    var last = Double.infinity
    for step in 0...50 {
      let budget = knapsack.leastAmount + (knapsack.mostAmount - knapsack.leastAmount) * step / 50
      let picks = try #require(knapsack.picks(within: budget))
      #expect(knapsack.amount(picks) <= budget && knapsack.cost(picks) <= last)
      last = knapsack.cost(picks)
    }
  }
}

@Suite struct LayerGroupTests {
  @Test func whatMeetsHasOneWidth() throws {
    var graph = Graph()
    graph.inputs = [ValueInfo(name: "x", type: .float32, dimensions: [.fixed(2), .fixed(4)])]
    func node(_ type: String, _ name: String, _ inputs: [String]) throws {
      let op = try #require(Catalog.find(domain: "", type: type))
      graph.nodes.append(Node(name: name, op: try op.init(attributes: [:]), inputs: inputs, outputs: [name]))
    }
    for name in ["q", "k", "v", "left", "right", "last"] {
      graph.constants[name + "_w"] = Tensor([Float](repeating: 1, count: 16), shape: [4, 4])
    }
    for name in ["q", "k", "v"] { try node("MatMul", name, ["x", name + "_w"]) }
    try node("Mul", "qk", ["q", "k"])
    try node("MatMul", "left", ["qk", "left_w"])
    try node("MatMul", "right", ["v", "right_w"])
    try node("Relu", "bent", ["right"])
    try node("Add", "sum", ["left", "bent"])
    try node("MatMul", "last", ["sum", "last_w"])
    graph.outputs = [ValueInfo(name: "last", type: .float32, dimensions: nil)]
    let infos = try graph.infer()
    let layers = try #require(Presets["weight-int8"]).recipe.resolve(graph, infos: infos).layers.filter {
      $0.kind == .weighted
    }
    #expect(layers.map(\.node) == ["q", "k", "v", "left", "right", "last"])
    #expect(LayerGroups.of(layers, in: graph, infos: infos) == [[0, 1, 2], [3, 4], [5]])
  }
}

@Suite struct SearchTests {
  private func settings() -> SearchSettings {
    var settings = SearchSettings()
    settings.selectionSamples = 96
    settings.limit = 64
    settings.frontPoints = 4
    settings.refinements = 6
    return settings
  }

  private func base() -> Recipe {
    var base = SearchSettings.base()
    base.calibration.samples = 24
    return base
  }

  private func chosen(_ report: SearchReport) throws -> SearchReport.Point {
    try #require(report.points.first { $0.kind == .chosen })
  }

  @Test func withinASizeItBeatsUniformRecipes() throws {
    let project = try Sample.project()
    var settings = settings()
    let most = settings.floatBytes(project.model) / 5
    settings.bounds.maxBytes = most
    let (report, recipe) = try project.search(base: base(), settings: settings, reporter: .silent)
    let point = try chosen(report)
    #expect(report.meetsBounds && point.weightBytes <= most && point.compression >= 5)
    for other in report.points where other.kind == .uniform && other.weightBytes <= most {
      #expect(try #require(point.selection.kl) < #require(other.selection.kl))
    }
    #expect(report.points.contains { $0.kind == .uniform && $0.weightBytes <= most })
    #expect(point.widths.count > 1 && report.measured > 4)
    // The recipe says all there is to it.
    let read = try Recipe(yaml: report.recipe, file: "recipe.yaml")
    #expect(read == recipe)
    let candidate = try project.prepare(read, name: "read", reporter: .silent)
    #expect(project.model.sizes(of: candidate).weightBytes == point.weightBytes)
  }

  /// What is reported on has no say.
  @Test func theEvaluationDataChoosesNothing() throws {
    var project = try Sample.project()
    var settings = settings()
    settings.bounds.maxBytes = settings.floatBytes(project.model) / 5
    settings.refinements = 3
    let first = try project.search(base: base(), settings: settings, reporter: .silent)
    project.data = project.data.selecting(Array(500..<600))
    project.threads = 1
    let second = try project.search(base: base(), settings: settings, reporter: .silent)
    #expect(first.recipe == second.recipe)
    #expect(try chosen(first.report).evaluation.top1 != chosen(second.report).evaluation.top1)
    #expect(try chosen(first.report).selection.kl == chosen(second.report).selection.kl)
  }

  @Test func withinADropItFindsASmallNetwork() throws {
    let project = try Sample.project()
    var settings = settings()
    settings.bounds.maxDrop = 0.03
    let (report, _) = try project.search(
      base: base().roundingToNearest, settings: settings, reporter: .silent)
    let point = try chosen(report)
    #expect(report.meetsBounds)
    #expect(try 1 - #require(point.selection.agreement) <= 0.03 && point.compression > 3.5)
    for other in report.points where other.weightBytes < point.weightBytes {
      #expect(try 1 - #require(other.selection.agreement) > 0.03)
    }
  }

  @Test func widthsThatSaveNothingAreLeftOut() throws {
    let project = try Sample.project()
    var settings = settings()
    settings.bits = [8, 4, 3, 2]
    settings.bounds.maxBytes = settings.floatBytes(project.model) / 4
    (settings.frontPoints, settings.refinements) = (2, 0)
    let report = try project.search(
      base: base().roundingToNearest, settings: settings, reporter: .silent
    ).report
    let names = Set(report.points.flatMap(\.widths.keys))
    #expect(
      names.isSubset(of: ["W8", "W4", "float"]) && report.warnings.contains { $0.contains("3 and 2 bits") })
    settings.countsPacked = true
    let packed = try project.search(
      base: base().roundingToNearest, settings: settings, reporter: .silent
    ).report
    #expect(Set(packed.points.flatMap(\.widths.keys)).isSuperset(of: ["W8", "W4", "W3", "W2"]))
  }

  /// The result is timed, and a bound that nothing keeps is said not to be kept.
  @Test(arguments: [(1000.0, true), (1e-6, false)]) func latencyIsBounded(_ most: Double, _ keeps: Bool)
    throws
  {
    let project = try Sample.project(threads: 1)
    var settings = settings()
    settings.bounds.maxBytes = settings.floatBytes(project.model) / 5
    settings.bounds.maxLatencyRatio = most
    (settings.frontPoints, settings.refinements) = (2, 3)
    let report = try project.search(
      base: base().roundingToNearest, settings: settings, reporter: .silent
    ).report
    let ratio = try #require(chosen(report).latencyRatio)
    #expect(ratio > 0.01 && ratio < 1000 && report.meetsBounds == keeps)
    #expect(try chosen(report).weightBytes <= #require(settings.bounds.maxBytes))
  }

  @Test func itNeedsData() throws {
    let samples = try Sample.project()
    let project = try Project(model: samples.model, threads: 1)
    #expect(throws: WorkflowError.self) {
      try project.search(base: base(), settings: settings(), reporter: .silent)
    }
  }
}
