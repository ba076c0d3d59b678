import CKernels
import Glibc
import Graph
import Tensors

/// A compiled graph: a flat list of steps on memory planned once.
///
/// One caller at a time: `run` takes turns by a lock; `load`, `execute` and `executeTimed` are for whoever owns the
/// program alone.
package final class Program: @unchecked Sendable {
  /// An input or output of the program.
  package struct Port: Sendable, Hashable {
    package let name: ValueName
    package let type: ElementType
    /// `nil` for an output whose shape depends on data.
    package let shape: Shape?
  }

  package let inputs: [Port]
  package let outputs: [Port]
  package let steps: [StepInfo]
  /// Bytes of activations and scratch memory.
  package let arenaBytes: Int
  /// Bytes of packed weights.
  package let packedWeightBytes: Int
  package let threads: Int
  package let level: ck_level

  private let memory: ProgramMemory
  private let work: [StepWork]
  private let outputSources: [Source]
  private let crew: Crew
  private let turn = Locked(())

  init(parts: ProgramParts) {
    inputs = parts.inputs
    outputs = parts.outputs
    steps = parts.steps
    arenaBytes = parts.memory.byteCount
    packedWeightBytes = parts.packedWeightBytes
    threads = parts.threads
    level = parts.level
    memory = parts.memory
    work = parts.work
    outputSources = parts.outputSources
    crew = Crew(threads: parts.threads)
  }

  /// Runs on these inputs; the results are copies.
  ///
  /// - Errors: `ExecutionError` for inputs that are missing, unknown or of the wrong type or shape; what a
  ///   reference computation throws.
  package func run(_ inputs: [ValueName: Tensor]) throws -> [ValueName: Tensor] {
    try turn.withLock { _ in
      try load(inputs)
      try execute()
      return try results()
    }
  }

  /// Copies the inputs in.
  package func load(_ given: [ValueName: Tensor]) throws {
    for name in given.keys.sorted() where !inputs.contains(where: { $0.name == name }) {
      throw ExecutionError.unknownInput(name, expected: inputs.map(\.name))
    }
    for (index, port) in inputs.enumerated() {
      guard let tensor = given[port.name] else {
        if memory.inputDefaults[port.name] != nil { continue }
        throw ExecutionError.missingInput(port.name)
      }
      guard tensor.type == port.type else {
        throw ExecutionError.inputType(port.name, found: tensor.type.name, expected: port.type.name)
      }
      guard tensor.shape == port.shape else {
        throw ExecutionError.inputShape(
          port.name, "has shape \(tensor.shape.shapeText), expected \((port.shape ?? []).shapeText)")
      }
      memory.load(tensor, input: index)
    }
  }

  /// The bytes of an input, to be written in place before `execute`.
  ///
  /// - Returns: `nil` where the program has no such input.
  package func memory(ofInput name: ValueName) -> UnsafeMutableRawBufferPointer? {
    guard let index = inputs.firstIndex(where: { $0.name == name }), let shape = inputs[index].shape else {
      return nil
    }
    return UnsafeMutableRawBufferPointer(
      start: memory.address(ofInput: index), count: inputs[index].type.byteCount(shape.elementCount))
  }

  /// Runs all steps on the inputs loaded last.
  package func execute() throws {
    try crew.working { for index in work.indices { try run(index) } }
  }

  /// As `execute`, and writes the seconds of each step.
  package func executeTimed(into seconds: inout [Double]) throws {
    if seconds.count != work.count { seconds = [Double](repeating: 0, count: work.count) }
    try crew.working {
      for index in work.indices {
        let start = Self.now()
        try run(index)
        seconds[index] = Self.now() - start
      }
    }
  }

  /// The outputs of the last execution where they lie: the next one overwrites them.
  package func views() throws -> [ValueName: Tensor] {
    var views: [ValueName: Tensor] = [:]
    for (port, source) in zip(outputs, outputSources) {
      views[port.name] = try memory.view(source, of: port.name)
    }
    return views
  }

  /// Copies of the outputs of the last execution.
  package func results() throws -> [ValueName: Tensor] {
    var results: [ValueName: Tensor] = [:]
    for (port, source) in zip(outputs, outputSources) {
      results[port.name] = try memory.copy(source, of: port.name)
    }
    return results
  }

  private func run(_ index: Int) throws {
    switch work[index] {
    case .phases(let phases):
      for phase in 0..<phases.count { crew.run(phases.base + phase) }
      guard memory.fault.pointee == .none else { throw fault(at: index) }
    case .reference(let reference): try reference.run(in: memory)
    }
  }

  private func fault(at index: Int) -> ExecutionError {
    let fault = memory.fault.pointee
    memory.fault.pointee = .none
    return .node(
      steps[index].name, operatorName: steps[index].kernel,
      reason: fault == .cacheFull
        ? "the cache of keys and values has no room for more tokens. Start with a cache of a larger capacity."
        : "an index lies outside the axis it counts along")
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// What one step of a program does and costs.
package struct StepInfo: Sendable, Hashable {
  /// Name of the node that gives the step its kernel, or what a conversion converts.
  package let name: String
  /// Every node computed in the step.
  package let nodes: [String]
  /// For example `conv u8s8`, `quantize`, `reference Softmax`.
  package let kernel: String
  package let macs: Int
  package let bytesRead: Int
  package let bytesWritten: Int
  package let mode: Mode
}

/// What a finished compilation hands to the program.
struct ProgramParts {
  var inputs: [Program.Port]
  var outputs: [Program.Port]
  var steps: [StepInfo]
  var work: [StepWork]
  var memory: ProgramMemory
  var outputSources: [Source]
  var packedWeightBytes: Int
  var threads: Int
  var level: ck_level
}

/// Phases at an address that does not change, so that running them needs no allocation.
final class PhaseList: @unchecked Sendable {
  let base: UnsafeMutablePointer<Phase>
  let count: Int
  /// What holds the constants the phases read by address.
  private let owners: [(KernelMemory) -> [Phase]]

  init(_ phases: [Phase], owners: [(KernelMemory) -> [Phase]]) {
    self.owners = owners
    count = phases.count
    base = .allocate(capacity: Swift.max(1, count))
    base.initialize(from: phases, count: count)
  }

  deinit {
    base.deinitialize(count: count)
    base.deallocate()
  }
}

enum StepWork {
  case phases(PhaseList)
  case reference(ReferenceStep)
}

/// The threads that share the chunks of a phase.
final class Crew: @unchecked Sendable {
  private let pool: OpaquePointer?

  init(threads: Int) { pool = threads > 1 ? ck_pool_create(Int32(threads)) : nil }
  deinit { if let pool { ck_pool_destroy(pool) } }

  /// Keeps the threads awake while phases follow each other.
  func working<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let pool else { return try body() }
    ck_pool_begin(pool)
    defer { ck_pool_end(pool) }
    return try body()
  }

  func run(_ phase: UnsafeMutablePointer<Phase>) {
    let chunks = phase.pointee.chunks
    guard let pool, chunks > 1 else {
      for chunk in 0..<chunks { phase.pointee.run(chunk, 0) }
      return
    }
    ck_pool_run(pool, chunks, runChunk, phase)
  }
}

/// Nonisolated, because the pool calls it on its own threads.
private nonisolated func runChunk(_ context: UnsafeMutableRawPointer?, _ chunk: Int, _ thread: Int32) {
  context?.assumingMemoryBound(to: Phase.self).pointee.run(chunk, Int(thread))
}
