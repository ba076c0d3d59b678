import Execution
import Graph
import Operators
import Quantization
import Tensors

/// Makes samples for a network without data: inputs, noise at first, on which its layers have the statistics that their
/// batch norms were trained with.
///
/// What is made small, for each normalised layer, is the mean over channels of ((m − β) / γ)² + (d / |γ| − 1)², where m
/// and d are mean and deviation over a batch of what the layer gives with its batch norm folded: the distance of the
/// statistics in units of the running deviation. Adam changes the inputs, its rate falling along half a cosine.
/// - Source: Cai et al., *ZeroQ: a novel zero shot quantization framework*, 2020, section 3.1, there without units and
///   with a term for the input, whose statistics no batch norm knows.
package struct SampleDistiller {
  package static let iterations = 200
  package static let learningRate = 0.1
  /// Channels whose |γ| is below this share of the layer's mean have next to no output to go by.
  static let leastGain: Float = 0.01

  private let inputs: [ValueName: Shape]
  private let program: Program
  private let loss: ValueName
  private let gradients: [ValueName: ValueName]

  /// - Parameters:
  ///   - graph: the float network, with its folded norms.
  ///   - inputShapes: of its inputs, with the samples of a batch.
  /// - Returns: `nil` where no layer has statistics that depend on an input of float32.
  /// - Errors: `NodeError` where an operator between the inputs and a norm has no gradient.
  package init?(_ graph: Graph, inputShapes: [ValueName: Shape], threads: Int) throws {
    guard !graph.foldedNorms.isEmpty else { return nil }
    var own = graph
    // What no norm reads need not run.
    own.outputs = graph.nodes.compactMap { node in
      guard graph.norm(of: node) != nil, let output = node.outputs[0] else { return nil }
      return ValueInfo(name: output, type: .float32, dimensions: nil)
    }
    let targets = Dictionary(
      graph.nodes.compactMap { node in
        node.outputs[0].flatMap { output in graph.norm(of: node).map { (output, $0) } }
      }, uniquingKeysWith: { first, _ in first })
    let fixed = try simplified(own, inputShapes: inputShapes)
    var given: [ValueName: OperandInfo] = [:]
    for input in fixed.inputs {
      given[input.name] = OperandInfo(type: input.type ?? .float32, shape: inputShapes[input.name])
    }
    var builder = GraphBuilder(fixed, infos: try fixed.infer(inputs: given))
    var terms: [ValueName] = []
    for (output, norm) in targets.sorted(by: { $0.key < $1.key }) {
      if let term = try builder.distance(of: output, from: norm) { terms.append(term) }
    }
    let floats = fixed.inputs.map(\.name).filter { builder.infos[$0]?.type == .float32 }
    guard let first = terms.first else { return nil }
    loss = try terms.dropFirst().reduce(first) { try builder.sum($0, $1) }
    gradients = try builder.gradients(of: loss, by: floats)
    guard !gradients.isEmpty else { return nil }
    var whole = builder.graph
    whole.outputs = ([loss] + gradients.values.sorted()).map {
      ValueInfo(name: $0, type: .float32, dimensions: nil)
    }
    inputs = inputShapes
    program = try compile(
      EncodedGraph(graph: whole), CompileOptions(inputShapes: inputShapes, threads: threads))
  }

  /// Distils a batch.
  ///
  /// - Parameters:
  ///   - noise: where it starts, by input.
  ///   - report: called with the share done; what it throws ends the work.
  /// - Returns: the inputs, and the distance of the statistics at first and at last.
  package func distilled(
    from noise: [ValueName: Tensor], iterations: Int = iterations, report: (Double) throws -> Void
  ) throws -> (inputs: [ValueName: Tensor], before: Double, after: Double) {
    let names = gradients.keys.sorted()
    let parameters = try names.map { name in
      guard let start = noise[name], start.shape == inputs[name] else {
        throw TrainingError("the noise for \"\(name)\" has not the shape of the input")
      }
      return Parameter(value: name, role: .bias, input: name, start: start)
    }
    var settings = TrainingSettings()
    settings.optimizer = .adam
    settings.learningRate = Self.learningRate
    settings.clip = 0
    let optimizer = Optimizer(parameters, settings)
    let schedule = Schedule(.cosine, steps: iterations)
    var before = Double.nan
    for step in 0..<iterations {
      let found = try run(optimizer, noise)
      if step == 0 { before = found.loss }
      optimizer.step(factor: schedule.factor(step)) { index in
        gradients[names[index]].flatMap { found.results[$0] }?.withBytes {
          $0.baseAddress?.assumingMemoryBound(to: Float.self)
        }
      }
      try report(Double(step + 1) / Double(iterations))
    }
    let after = try run(optimizer, noise).loss
    guard after.isFinite else {
      throw TrainingError("the samples do not converge: the distance of their statistics is \(after)")
    }
    var result = noise
    for slot in optimizer.slots { result[slot.parameter.input] = slot.numbers.copy }
    return (result, before, after)
  }

  /// The distance now, and the gradients, good until the next run.
  private func run(
    _ optimizer: Optimizer, _ noise: [ValueName: Tensor]
  ) throws -> (loss: Double, results: [ValueName: Tensor]) {
    var values = noise
    for slot in optimizer.slots { values[slot.parameter.input] = slot.numbers.view }
    try program.load(values)
    try program.execute()
    let results = try program.views()
    return (Double(results[loss]?.array(of: Float.self).first ?? .nan), results)
  }
}

extension Graph {
  fileprivate func norm(of node: Node) -> FoldedNorm? {
    node.inputs.lazy.compactMap { $0.flatMap { foldedNorms[$0] } }.first
  }
}

extension GraphBuilder {
  /// Adds the distance of a layer's statistics from those of its norm; `nil` where there is nothing to compare.
  fileprivate mutating func distance(of output: ValueName, from norm: FoldedNorm) throws -> ValueName? {
    guard let shape = infos[output]?.shape, shape.count > 1, shape[1] == norm.gain.count else { return nil }
    let channels = shape[1]
    let count = Float(shape.elementCount / channels)
    let usual = norm.gain.reduce(0) { $0 + abs($1) } / Float(channels)
    let counts = norm.gain.map { abs($0) > SampleDistiller.leastGain * usual && usual > 0 }
    guard counts.contains(true), count > 1 else { return nil }
    var spread = [Int](repeating: 1, count: shape.count)
    spread[1] = channels
    func constant(_ numbers: [Float], _ builder: inout GraphBuilder) -> ValueName {
      builder.constant(Tensor(numbers, shape: spread))
    }
    let inverse = constant(zip(norm.gain, counts).map { $1 ? 1 / abs($0) : 0 }, &self)
    let one = constant(counts.map { $0 ? 1 : 0 }, &self)
    let mean = try product(sum(output, to: spread), 1 / count)
    let centred = try difference(output, mean)
    let variance = try product(sum(product(centred, centred), to: spread), 1 / count)
    let deviation = try add(Sqrt(), sum(variance, 1e-12))
    let shift = try product(difference(mean, constant(norm.shift, &self)), inverse)
    let stretch = try difference(product(deviation, inverse), one)
    let squares = try sum(product(shift, shift), product(stretch, stretch))
    return try product(sum(squares, to: []), 1 / Float(counts.count { $0 }))
  }
}
