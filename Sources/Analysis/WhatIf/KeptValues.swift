import Datasets
import Execution
import Graph
import Quantization
import Tensors
import Workflows

/// What layers read in float32, on as many samples as memory allows.
struct KeptValues: Sendable {
  /// What is known of every value, for one batch.
  let infos: [ValueName: OperandInfo]
  /// By batch.
  let batches: [[ValueName: Tensor]]
  let samples: Int
  let bytes: Int

  /// - Parameters:
  ///   - layers: names of the nodes whose inputs are kept.
  ///   - source: samples, of which the first are taken.
  ///   - limit: most bytes that are kept, but that one sample is kept in any case.
  init(
    _ project: Project, layers: Set<String>, source: BoundDataset, samples wanted: Int, limit: Int
  ) throws {
    let model = project.model
    let graph = model.graph
    func known(_ batch: Int) throws -> [ValueName: OperandInfo] {
      let shapes = model.inputShapes(batch: batch)
      return try graph.infer(
        inputs: Dictionary(
          uniqueKeysWithValues: graph.suppliedInputs.map {
            ($0.name, OperandInfo(type: $0.type ?? .float32, shape: shapes[$0.name]))
          }))
    }
    func names(_ infos: [ValueName: OperandInfo]) -> Set<ValueName> {
      graph.nodes.filter { layers.contains($0.name) }.reduce(into: []) {
        $0.formUnion(LayerProbe.reads($1, infos))
      }
    }
    func bytes(_ infos: [ValueName: OperandInfo]) -> Int {
      names(infos).reduce(0) { sum, name in
        sum + (infos[name].flatMap { info in info.shape.map { info.type.byteCount($0.elementCount) } } ?? 0)
      }
    }
    // The batch that the network can be cut into samples with, and that memory holds.
    let float = EncodedGraph(graph: graph)
    var batch = try Runner(float, model: model, batch: model.evaluationBatch, threads: 1).batch
    var infos = try known(batch)
    if batch > 1, bytes(infos) > limit, !model.batchInputs.isEmpty {
      batch = Swift.max(1, batch * limit / bytes(infos))
      infos = try known(batch)
    }
    let each = Swift.max(bytes(infos), 1)
    let count = Swift.min(
      (Swift.min(wanted, source.count) + batch - 1) / batch, Swift.max(limit / each, 1))
    var watched = graph
    let given = Set(graph.outputs.map(\.name)).union(graph.inputs.map(\.name))
    let names = names(infos)
    for name in names.subtracting(given).sorted() {
      watched.outputs.append(ValueInfo(name: name, type: infos[name]?.type, dimensions: nil))
    }
    let program = try compile(
      EncodedGraph(graph: watched),
      CompileOptions(inputShapes: model.inputShapes(batch: batch), threads: project.threads))
    batches = try (0..<count).map { number in
      let inputs = try source.batch((0..<batch).map { (number * batch + $0) % source.count })
      return try program.run(inputs).merging(inputs) { computed, _ in computed }.filter {
        names.contains($0.key)
      }
    }
    self.infos = infos
    self.bytes = count * each
    samples = Swift.min(count * batch, source.count)
  }
}
