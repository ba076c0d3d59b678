import Datasets
import Execution
import Graph
import Operators
import Quantization
import Tensors

/// Trains a candidate epoch by epoch.
///
/// The same data, settings and seed give the same numbers, whatever the number of threads.
package final class Trainer {
  /// Where the samples come from.
  package struct Source {
    package var data: BoundDataset
    /// Samples that train.
    package var samples: [Int]
    package var augmentation: Augmentation

    package init(data: BoundDataset, samples: [Int], augmentation: Augmentation) {
      self.data = data
      self.samples = samples
      self.augmentation = augmentation
    }
  }

  /// What is answered, and what it is judged by.
  package struct Answer {
    package var output: ValueName
    package var hasClasses: Bool

    package init(output: ValueName, hasClasses: Bool) {
      self.output = output
      self.hasClasses = hasClasses
    }
  }

  package let settings: TrainingSettings
  package let stepsPerEpoch: Int
  package var parameters: [Parameter] { optimizer.slots.map(\.parameter) }
  /// Bytes of activations, gradients and parameters.
  package let memoryBytes: Int
  private let start: Candidate
  private let source: Source
  private let batch: Int
  private let optimizer: Optimizer
  private let schedule: Schedule
  private let learners: [TrainingPhase: Learner]
  /// Of the last epoch.
  private let last: Learner
  private let teacher: Program?
  private let logits: ValueName
  /// Loss of the last step.
  package private(set) var loss = Double.nan

  /// - Parameters:
  ///   - candidate: what calibration made; its float graph is the teacher.
  ///   - shapes: of the network's inputs for a batch of so many samples.
  package init(
    _ candidate: Candidate, answer: Answer, source: Source, settings: TrainingSettings, threads: Int,
    shapes: (Int) -> [ValueName: Shape]
  ) throws {
    self.settings = settings
    self.source = source
    start = candidate
    let size = Swift.min(settings.batch, source.samples.count)
    batch = size
    guard batch > 0 else { throw TrainingError("there are no samples to train on.") }
    stepsPerEpoch = source.samples.count / batch
    schedule = Schedule(settings, steps: settings.epochs * stepsPerEpoch)
    let inputs = shapes(size)
    guard inputs.values.allSatisfy({ $0.first == size }) else {
      throw TrainingError(
        "the model takes a fixed batch, and training needs \(size) samples at once. Set training.batch to it."
      )
    }
    let hasLabels = answer.hasClasses ? source.data.labels != nil : source.data.hasTargets
    let distill = settings.distill ?? (hasLabels ? nil : TrainingSettings.Distillation())
    let logits = candidate.encoded.graph.logits(of: answer.output)
    self.logits = logits
    let maps = settings.features > 0 ? try candidate.featureMaps : []
    func learner(_ phase: TrainingPhase) throws -> Learner {
      let network = try TrainingGraph(candidate, inputShapes: inputs, settings: settings, phase: phase)
      return try Learner(network, threads: threads) { builder in
        try Loss(
          logits, hasClasses: answer.hasClasses, distill: distill, isLabelled: hasLabels,
          features: (maps, settings.features), &builder)
      }
    }
    var learners: [TrainingPhase: Learner] = [:]
    for phase in Set((0..<settings.epochs).map { TrainingPhase(settings, epoch: $0) }) {
      learners[phase] = try learner(phase)
    }
    let lastPhase = TrainingPhase(settings, epoch: settings.epochs - 1)
    let last = try learners[lastPhase] ?? learner(lastPhase)
    self.learners = learners
    self.last = last
    guard !last.parameters.isEmpty else {
      throw TrainingError("no layer can be trained: none has mode qat. Give a rule with mode qat.")
    }
    let optimizer = Optimizer(last.parameters, settings)
    self.optimizer = optimizer
    var teacher: Program?
    if !last.loss.teachers.isEmpty {
      var graph = candidate.encoded.graph
      graph.outputs = last.loss.teachers.keys.sorted().map {
        ValueInfo(name: $0, type: .float32, dimensions: nil)
      }
      teacher = try compile(
        EncodedGraph(graph: graph), CompileOptions(inputShapes: inputs, threads: threads))
    }
    self.teacher = teacher
    memoryBytes =
      learners.values.reduce(0) { $0 + $1.program.arenaBytes }
      + (teacher.map { $0.arenaBytes + $0.packedWeightBytes } ?? 0)
      + optimizer.slots.reduce(0) { $0 + 12 * $1.numbers.count }
  }

  /// Trains on every sample once (but for a last incomplete batch), in an order drawn by seed and epoch.
  ///
  /// - Parameter report: called after each step with the number of steps done in this epoch; what it throws ends the
  ///   epoch.
  /// - Returns: the mean loss.
  @discardableResult
  package func epoch(_ number: Int, report: (Int) throws -> Void = { _ in }) throws -> Double {
    let learner = learners[TrainingPhase(settings, epoch: number)] ?? last
    var random = SplitMix64(seed: settings.seed, stream: UInt64(number))
    let order = Sampling.permutation(source.samples.count, seed: random.next())
    var sum = 0.0
    for step in 0..<stepsPerEpoch {
      let samples = order[step * batch..<(step + 1) * batch].map { source.samples[$0] }
      loss = try self.step(
        learner, samples, epoch: number, factor: schedule.factor(number * stepsPerEpoch + step))
      guard loss.isFinite else {
        throw TrainingError(
          "the loss is \(loss) in epoch \(number + 1), step \(step + 1). Lower training.learning-rate.")
      }
      sum += loss
      try report(step + 1)
    }
    return sum / Double(stepsPerEpoch)
  }

  private func step(_ learner: Learner, _ samples: [Int], epoch: Int, factor: Double) throws -> Double {
    var inputs = try source.data.batch(
      samples, augment: source.augmentation, seed: settings.seed, epoch: epoch)
    if let teacher {
      try teacher.load(inputs)
      try teacher.execute()
      let answers = try teacher.views()
      for (value, name) in learner.loss.teachers {
        guard let answer = answers[value] else { throw TrainingError("the teacher gave no \"\(value)\"") }
        inputs[name] = answer.reshaped(try learner.shape(of: name))
      }
    }
    if let name = learner.loss.labels {
      inputs[name] = try target(samples, shape: learner.shape(of: name))
    }
    for slot in optimizer.slots { inputs[slot.parameter.input] = slot.numbers.view }
    try learner.program.load(inputs)
    try learner.program.execute()
    let results = try learner.program.views()
    let gradients = learner.gradients.map { $0.flatMap { results[$0] } }
    let isLate = settings.milestones.freezeObservers.map { epoch >= $0 } ?? false
    optimizer.step(
      factor: factor, isFrozen: { isLate && $0.role == .offset },
      gradient: { index in
        gradients[index]?.withBytes { $0.baseAddress?.assumingMemoryBound(to: Float.self) }
      })
    for slot in optimizer.slots {
      if let output = learner.statistics[slot.parameter.input], let new = results[output] {
        slot.numbers.set(new)
      }
    }
    return Double(results[learner.loss.value]?.array(of: Float.self).first ?? .nan)
  }

  private func target(_ samples: [Int], shape: Shape) throws -> Tensor {
    if let labels = source.data.labels, shape.count == 2 {
      let classes = shape[1]
      return Tensor(of: Float.self, shape: shape) { out in
        for (row, sample) in samples.enumerated() where labels[sample] < classes {
          out[row * classes + labels[sample]] = 1
        }
      }
    }
    guard let targets = try source.data.targets(samples) else {
      throw TrainingError("the data has neither labels nor targets")
    }
    return targets.reshaped(shape)
  }

  // MARK: results

  /// What the fake-quantized network answers to a batch as it is now, for tests.
  func answer(of inputs: [ValueName: Tensor]) throws -> Tensor {
    var graph = last.graph
    graph.outputs = [ValueInfo(name: logits, type: .float32, dimensions: nil)]
    var shapes = inputs.mapValues(\.shape)
    var all = inputs
    for slot in optimizer.slots {
      all[slot.parameter.input] = slot.numbers.copy
      shapes[slot.parameter.input] = slot.parameter.start.shape
    }
    for input in graph.inputs where all[input.name] == nil {
      let shape = try last.shape(of: input.name)
      all[input.name] = Tensor(shape: shape, type: .float32) { _ in }
      shapes[input.name] = shape
    }
    let results = try compile(
      EncodedGraph(graph: graph), CompileOptions(inputShapes: shapes, threads: 1)
    ).run(all)
    guard let answer = results[logits] else { throw TrainingError("the network gave no answer") }
    return answer
  }

  /// The numbers as they are now, by parameter key.
  package var numbers: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: optimizer.slots.map { ($0.parameter.key, $0.numbers.copy) })
  }

  /// The candidate that these numbers make.
  package func candidate(_ numbers: [String: Tensor]) throws -> Candidate {
    var learned = LearnedNumbers()
    var norms: [ValueName: [Parameter.Role: [Float]]] = [:]
    for parameter in parameters {
      guard let tensor = numbers[parameter.key], tensor.count == parameter.start.count else {
        throw TrainingError("the checkpoint does not fit the network: \"\(parameter.key)\" is missing")
      }
      switch parameter.role {
      case .weight, .bias: learned.constants[parameter.value] = tensor.reshaped(parameter.start.shape)
      case .scale: learned.scales[parameter.value] = tensor.array(of: Float.self)
      case .offset: learned.offsets[parameter.value] = tensor.array(of: Float.self)
      case .gain, .shift, .mean, .variance:
        norms[parameter.value, default: [:]][parameter.role] = tensor.array(of: Float.self)
      }
    }
    for (weight, norm) in last.norms {
      guard let own = learned.constants[weight], let numbers = norms[weight], let gain = numbers[.gain],
        let shift = numbers[.shift], let mean = numbers[.mean], let variance = numbers[.variance]
      else { continue }
      let folded = norm.folded(weight: own, gain: gain, shift: shift, mean: mean, variance: variance)
      learned.constants[weight] = folded.weight
      learned.constants[norm.norm.bias] = folded.bias
    }
    return try start.retrained(learned)
  }

  /// Everything the next step depends on beside the settings.
  package struct State: Sendable {
    package var steps: Int
    /// By parameter key: numbers and both moments.
    package var numbers: [String: [Tensor]]

    package init(steps: Int, numbers: [String: [Tensor]]) {
      self.steps = steps
      self.numbers = numbers
    }
  }

  package var state: State {
    State(
      steps: optimizer.steps,
      numbers: Dictionary(
        uniqueKeysWithValues: optimizer.slots.map {
          ($0.parameter.key, [$0.numbers.copy, $0.first.copy, $0.second.copy])
        }))
  }

  /// Goes on from a state of the same network and settings.
  package func restore(_ state: State) throws {
    for slot in optimizer.slots {
      guard let saved = state.numbers[slot.parameter.key], saved.count == 3,
        saved.allSatisfy({ $0.count == slot.numbers.count })
      else {
        throw TrainingError("the checkpoint does not fit the network: \"\(slot.parameter.key)\" is missing")
      }
      slot.numbers.set(saved[0])
      slot.first.set(saved[1])
      slot.second.set(saved[2])
    }
    optimizer.steps = state.steps
  }
}

/// The program of one kind of step: loss, and gradients of the parameters.
private final class Learner {
  let parameters: [Parameter]
  /// Forward and backward.
  let graph: Graph
  let loss: Loss
  let program: Program
  /// By parameter, where its gradient comes out; `nil` where the loss does not depend on it.
  let gradients: [ValueName?]
  /// For inputs that hold running statistics, where the new ones come out.
  let statistics: [ValueName: ValueName]
  let norms: [ValueName: NormTraining]

  init(_ network: TrainingGraph, threads: Int, loss: (inout GraphBuilder) throws -> Loss) throws {
    var builder = network.builder
    parameters = network.parameters
    self.loss = try loss(&builder)
    (statistics, norms) = (network.statistics, network.norms)
    let found = try builder.gradients(
      of: self.loss.value, by: network.parameters.filter { !$0.isStatistic }.map(\.input))
    var graph = builder.graph
    graph.outputs = []
    builder = GraphBuilder(graph, infos: builder.infos)
    builder.output(self.loss.value)
    for parameter in network.parameters { found[parameter.input].map { builder.output($0) } }
    for value in network.statistics.values.sorted() { builder.output(value) }
    self.graph = builder.graph
    gradients = network.parameters.map { found[$0.input] }
    var shapes: [ValueName: Shape] = [:]
    for input in builder.graph.inputs { shapes[input.name] = builder.infos[input.name]?.shape }
    program = try compile(
      EncodedGraph(graph: builder.graph), CompileOptions(inputShapes: shapes, threads: threads))
  }

  func shape(of input: ValueName) throws -> Shape {
    guard let shape = program.inputs.first(where: { $0.name == input })?.shape else {
      throw TrainingError("the program has no input \"\(input)\"")
    }
    return shape
  }
}

extension Graph {
  /// The numbers a softmax makes probabilities of, where `output` is such; else `output`.
  func logits(of output: ValueName) -> ValueName {
    guard let producer = producers[output], nodes[producer].op is Softmax,
      let input = nodes[producer].inputs.first.flatMap({ $0 })
    else { return output }
    return input
  }
}
