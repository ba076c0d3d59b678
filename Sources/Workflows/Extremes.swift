import Datasets
import Execution
import Graph
import Jobs
import Quantization
import Tensors

extension Project {
  /// Samples that `extremes` looks at, at most.
  private static let extremeSamples = 64

  /// Smallest and largest value of every float activation of the model over a recipe's calibration samples.
  ///
  /// For toolkits that want a range for each tensor, also for those our encodings do not need.
  package func extremes(_ recipe: Recipe, reporter: Reporter) throws -> [ValueName: ClosedRange<Float>] {
    let plan = plan([recipe])
    guard let samples = try calibrationData(plan.source, recipe: recipe) else { return [:] }
    var graph = model.graph
    var names = Set(graph.outputs.map(\.name))
    for node in graph.nodes {
      for case let output? in node.outputs where model.infos[output]?.type == .float32 {
        guard names.insert(output).inserted else { continue }
        graph.outputs.append(ValueInfo(name: output, type: .float32, dimensions: nil))
      }
    }
    let count = model.batch(1)
    let program = try compile(
      EncodedGraph(graph: graph),
      CompileOptions(inputShapes: model.inputShapes(batch: count), threads: threads))
    let chosen = Array(plan.kept[0].prefix(Self.extremeSamples))
    var ranges: [ValueName: ClosedRange<Float>] = [:]
    for start in stride(from: 0, to: chosen.count, by: count) where start + count <= chosen.count {
      let inputs = try samples.batch(Array(chosen[start..<start + count]))
      for (name, tensor) in try program.run(inputs).merging(inputs, uniquingKeysWith: { $1 })
      where tensor.type == .float32 && tensor.count > 0 {
        let range = tensor.withElements(of: Float.self) { values in
          values.reduce(into: (low: Float.infinity, high: -Float.infinity)) {
            $0.low = Swift.min($0.low, $1)
            $0.high = Swift.max($0.high, $1)
          }
        }
        guard range.low <= range.high else { continue }
        let known = ranges[name] ?? range.low...range.high
        ranges[name] = Swift.min(known.lowerBound, range.low)...Swift.max(known.upperBound, range.high)
      }
      try reporter.report(Double(start + count) / Double(chosen.count), "ranges of all tensors")
    }
    return ranges
  }
}
