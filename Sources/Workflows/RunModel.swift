import Execution
import Graph
import Jobs
import Quantization
import Tensors

extension Project {
  /// Runs the model on given inputs, float32 or as a candidate.
  ///
  /// Inputs of more samples than one run takes are cut along the first axis and the outputs joined.
  /// - Parameters:
  ///   - candidate: `nil` for float32.
  ///   - isSimulated: run the candidate's float graph with quantize–dequantize instead of integer kernels.
  package func run(
    _ inputs: [ValueName: Tensor], candidate: Candidate?, isSimulated: Bool, reporter: Reporter
  ) throws -> [(name: ValueName, tensor: Tensor)] {
    let encoded =
      try candidate.map { candidate in
        isSimulated ? EncodedGraph(graph: try simulated(candidate.encoded)) : try candidate.runnable()
      } ?? EncodedGraph(graph: model.graph)
    let names = model.source.suppliedInputs.map(\.name)
    for name in names where inputs[name] == nil {
      throw WorkflowError(
        "input \"\(name)\" is missing (found \(inputs.keys.sorted().joined(separator: ", "))).")
    }
    let counts = Set(names.compactMap { inputs[$0]?.shape.first })
    guard counts.count == 1, let total = counts.first, total > 0 else {
      throw WorkflowError(
        "inputs must have the same number of samples along their first axis (found \(counts.sorted())).")
    }
    let runner = try Runner(
      encoded, model: model, batch: candidate?.mixesSamples ?? false ? 1 : Swift.min(total, 8),
      threads: threads)
    guard total % runner.batch == 0 || !model.batchInputs.isEmpty else {
      throw WorkflowError(
        "the model takes \(runner.batch) samples at a time, and \(total) is not a multiple of it.")
    }
    var parts: [[Tensor]] = runner.program.outputs.map { _ in [] }
    for start in stride(from: 0, to: total, by: runner.batch) {
      let count = Swift.min(runner.batch, total - start)
      var slice: [ValueName: Tensor] = [:]
      for name in names {
        slice[name] = inputs[name]?.samples(start..<start + count, paddedTo: runner.batch)
      }
      for (index, tensor) in try runner.run(slice, count: count).enumerated() { parts[index].append(tensor) }
      try reporter.report(Double(start + count) / Double(total), "\(start + count) of \(total) samples")
    }
    return zip(runner.program.outputs, parts).map { ($0.name, Tensor.joined($1)) }
  }
}

extension Tensor {
  /// A run of samples along the first axis; the last is repeated until there are `size`.
  func samples(_ range: Range<Int>, paddedTo size: Int) -> Tensor {
    let each = byteCount / Swift.max(shape[0], 1)
    return Tensor(shape: [size] + shape.dropFirst(), type: type) { target in
      withBytes { source in
        for i in 0..<size {
          let from = Swift.min(range.lowerBound + i, range.upperBound - 1) * each
          UnsafeMutableRawBufferPointer(rebasing: target[i * each..<(i + 1) * each])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[from..<from + each]))
        }
      }
    }
  }

  /// Tensors one after another along the first axis.
  static func joined(_ parts: [Tensor]) -> Tensor {
    guard parts.count > 1, let first = parts.first, !first.shape.isEmpty else { return parts[0] }
    let total = parts.reduce(0) { $0 + $1.shape[0] }
    return Tensor(shape: [total] + first.shape.dropFirst(), type: first.type) { target in
      var offset = 0
      for part in parts {
        part.withBytes { source in
          UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + source.count]).copyMemory(
            from: source)
          offset += source.count
        }
      }
    }
  }
}
