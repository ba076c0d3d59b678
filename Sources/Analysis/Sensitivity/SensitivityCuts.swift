import Execution
import Graph
import Quantization
import Tensors
import Workflows

/// A model cut in front of some layers, for one batch size.
struct SensitivityCuts: Sendable {
  /// Where values are kept.
  enum Place: Sendable, Hashable {
    case inputs
    /// In front of the layer of this number.
    case layer(Int)
    case outputs

    static func after(layer: Int, of count: Int) -> Place { layer + 1 < count ? .layer(layer + 1) : .outputs }
  }

  private let model: Model
  /// The whole network in float32, one thread.
  let whole: Runner
  private let lanes: Int
  private let limit: Int
  /// What is known of every value at this batch size.
  private let infos: [ValueName: OperandInfo]
  private let crossing: [Place: [ValueName]]

  var batch: Int { whole.batch }

  /// - Parameters:
  ///   - layers: names of nodes, in their order.
  ///   - lanes: batches that are worked on at a time.
  ///   - limit: most bytes in memory.
  /// - Errors: `WorkflowError` where the size of a value that crosses a cut depends on data.
  init(_ model: Model, layers: [String], lanes: Int, limit: Int) throws {
    self.model = model
    self.lanes = lanes
    self.limit = limit
    whole = try Runner(
      EncodedGraph(graph: model.graph), model: model, batch: model.evaluationBatch, threads: 1)
    let graph = model.graph
    let shapes = model.inputShapes(batch: whole.batch)
    infos = try graph.infer(
      inputs: Dictionary(
        uniqueKeysWithValues: graph.suppliedInputs.map {
          ($0.name, OperandInfo(type: $0.type ?? .float32, shape: shapes[$0.name]))
        }))
    var crossing: [Place: [ValueName]] = [
      .inputs: graph.suppliedInputs.map(\.name), .outputs: graph.outputs.map(\.name),
    ]
    let places = Dictionary(uniqueKeysWithValues: layers.enumerated().map { ($1, $0) })
    for (index, node) in graph.nodes.enumerated() {
      if let number = places[node.name] { crossing[.layer(number)] = graph.valuesCrossing(index) }
    }
    self.crossing = crossing
    for name in crossing.values.joined() where infos[name]?.shape == nil {
      throw WorkflowError(
        "the size of \"\(name)\" depends on data, so the network cannot be cut there. Fix the input's sizes.")
    }
  }

  /// A whole network of its own for another lane.
  func runner() throws -> Runner {
    try Runner(EncodedGraph(graph: model.graph), model: model, batch: batch, threads: 1)
  }

  /// The program between two places.
  ///
  /// - Parameter graph: the network it is a part of, with the values of the float network; `nil` for that itself.
  func stretch(_ graph: Graph?, from: Place, to: Place) throws -> Stretch {
    let sources = Set(crossing[from] ?? [])
    let targets = crossing[to] ?? []
    let slice = (graph ?? model.graph).slice(from: infos.filter { sources.contains($0.key) }, to: targets)
    var program: Program?
    if !slice.outputs.isEmpty {
      let shapes = slice.inputs.compactMap { input in input.shape.map { (input.name, $0) } }
      program = try compile(
        EncodedGraph(graph: slice),
        CompileOptions(inputShapes: Dictionary(uniqueKeysWithValues: shapes), threads: 1))
    }
    return Stretch(program: program, targets: targets)
  }

  /// The graph's outputs among values, in their order.
  func outputs(_ values: [ValueName: Tensor]) -> [Tensor] {
    model.graph.outputs.compactMap { values[$0.name] }
  }

  /// Bytes that one batch keeps at the cut where they are most, with float32's outputs.
  private var bytesPerBatch: Int {
    func bytes(_ names: [ValueName]) -> Int {
      names.reduce(0) { sum, name in
        guard let info = infos[name], let shape = info.shape else { return sum }
        return sum + info.type.byteCount(shape.elementCount)
      }
    }
    return (crossing.values.map(bytes).max() ?? 0) + bytes(crossing[.outputs] ?? [])
  }

  /// Programs of each lane, none larger than the whole network's, and the batches being worked on, in two states.
  private var fixedBytes: Int {
    lanes * (2 * (whole.program.arenaBytes + whole.program.packedWeightBytes) + 2 * bytesPerBatch)
  }

  /// How many batches can be kept at a time.
  func batchesPerChunk(_ batches: Int) -> Int {
    Swift.min(batches, Swift.max(lanes, (limit - fixedBytes) / Swift.max(bytesPerBatch, 1)))
  }

  func predictedBytes(batches: Int) -> Int { fixedBytes + batches * bytesPerBatch }
}

/// A part of a network, compiled: from the values at one cut to those at another.
struct Stretch: Sendable {
  /// `nil` where all values at the second cut cross the first too.
  fileprivate let program: Program?
  fileprivate let targets: [ValueName]

  /// What crosses the second cut, until the next run: values the program computes lie in its own memory.
  func run(_ values: [ValueName: Tensor]) throws -> [ValueName: Tensor] {
    try execute(values) { try $0.views() }
  }

  /// The same, to be kept.
  func copies(_ values: [ValueName: Tensor]) throws -> [ValueName: Tensor] {
    try execute(values) { try $0.results() }
  }

  private func execute(
    _ values: [ValueName: Tensor], _ results: (Program) throws -> [ValueName: Tensor]
  ) throws -> [ValueName: Tensor] {
    var computed: [ValueName: Tensor] = [:]
    if let program {
      var inputs: [ValueName: Tensor] = [:]
      for port in program.inputs { inputs[port.name] = values[port.name] }
      try program.load(inputs)
      try program.execute()
      computed = try results(program)
    }
    for name in targets where computed[name] == nil { computed[name] = values[name] }
    return computed
  }

  var multiplyAdds: Double { program?.multiplyAdds ?? 0 }
}

extension Program {
  /// Those one run does.
  var multiplyAdds: Double {
    steps.reduce(0) { $0 + Double($1.macs) * Roofline.share(of: $1.kernel) }
  }
}
