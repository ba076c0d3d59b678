import Evaluation
import Execution
import Graph
import Quantization
import Tensors

/// A compiled network that takes batches of samples.
package struct Runner: Sendable {
  package let program: Program
  /// Samples of one run.
  package let batch: Int

  /// - Parameters:
  ///   - wanted: samples per run where the network leaves its batch free and keeps samples apart.
  package init(_ encoded: EncodedGraph, model: Model, batch wanted: Int, threads: Int) throws {
    var count = model.batch(wanted)
    func program(_ count: Int) throws -> Program {
      try compile(encoded, CompileOptions(inputShapes: model.inputShapes(batch: count), threads: threads))
    }
    var compiled = try program(count)
    // A network whose outputs do not have the batch in front cannot be cut into samples.
    if count > 1, !model.batchInputs.isEmpty, compiled.outputs.contains(where: { $0.shape?.first != count }) {
      count = 1
      compiled = try program(1)
    }
    self.program = compiled
    batch = count
  }

  /// The outputs of `count` samples at the front of a full batch.
  package func run(_ inputs: [ValueName: Tensor], count: Int) throws -> [Tensor] {
    let results = try program.run(inputs)
    return program.outputs.compactMap { port in results[port.name].map { leading(count, of: $0) } }
  }

  /// The first `count` samples of what a full batch gives.
  package func leading(_ count: Int, of tensor: Tensor) -> Tensor {
    guard count < batch else { return tensor }
    return Tensor(
      shape: [count] + tensor.shape.dropFirst(), type: tensor.type, storage: tensor.storage,
      byteOffset: tensor.byteOffset)
  }

  /// Inputs of a full batch: samples already there fill the last one up.
  package func fill(_ samples: [Int]) -> [Int] {
    samples + Array(repeating: samples[samples.count - 1], count: batch - samples.count)
  }
}

extension Candidate {
  /// How the candidate can run: on integer kernels, or simulated where a width has none.
  package var execution: Trial.Execution { encoded.simulationReasons.isEmpty ? .integer : .simulated }

  /// What `compile` takes for that.
  package func runnable() throws -> EncodedGraph {
    execution == .integer ? encoded : EncodedGraph(graph: try simulated(encoded))
  }

  /// Whether a layer finds its ranges over the whole batch, so that samples must run one at a time.
  package var mixesSamples: Bool { encoded.layers.values.contains { $0.dynamicActivation == .tensor } }
}

extension Model {
  /// Samples per run while evaluating: enough to fill the kernels, little enough for the caches and, where outputs are
  /// large, for memory.
  package var evaluationBatch: Int {
    let (most, bytes) = (8, 64 << 20)
    return Swift.min(most, Swift.max(1, bytes / Swift.max(outputBytesPerSample, 1)))
  }

  package var outputBytesPerSample: Int {
    let samples = source.suppliedInputs.first.flatMap { inputShapes[$0.name]?.first } ?? 1
    let bytes = graph.outputs.reduce(0) { sum, output in
      sum
        + (infos[output.name].flatMap { info in info.shape.map { info.type.byteCount($0.elementCount) } } ?? 0)
    }
    return bytes / Swift.max(samples, 1)
  }

  /// Index of the output that holds class scores: a language model's logits, else the one data names, else the first that
  /// looks like it.
  package func classOutput(named name: String?, in outputs: [Program.Port]) -> Int? {
    if language != nil { return outputs.firstIndex { $0.name == Language.logits } }
    func isScores(_ port: Program.Port) -> Bool {
      guard let shape = port.shape, shape.count >= 2, port.type == .float32 else { return false }
      let each = Array(shape.dropFirst())
      return each.elementCount >= 2 && each.max() == each.elementCount
    }
    if let name, let index = outputs.firstIndex(where: { $0.name == name }), isScores(outputs[index]) {
      return index
    }
    return outputs.firstIndex(where: isScores)
  }
}
