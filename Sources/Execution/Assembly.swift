import CKernels
import Glibc
import Graph
import Tensors

extension Compiler {
  /// Plans the memory and binds every step to it.
  ///
  /// - Parameter unordered: outputs given as they lie, whatever the order of a sample's elements.
  mutating func program(level: ck_level, unordered: Set<ValueName>) throws -> Program {
    var outputHomes: [Place.Home] = []
    for output in graph.outputs {
      let home: Place.Home
      if let place = places[output.name]?.first, case .slot = place.home {
        home = place.home
      } else if unordered.contains(output.name),
        let place = places[output.name]?.first(where: { $0.form.content == .plain })
      {
        home = place.home
      } else {
        guard infos[output.name]?.shape != nil else {
          throw ExecutionError.output(output.name, "nothing computes it")
        }
        home = try bring(output.name, Form())
      }
      outputHomes.append(home)
    }
    for home in outputHomes { touch(home, at: Int.max) }
    var roots = Array(buffers.indices)
    shareInPlace(&roots)
    let runs = elementRuns()
    let (plan, offsets) = planned(roots, runs)
    let available = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    guard plan.byteCount <= available else {
      throw ExecutionError.memory(bytes: plan.byteCount, available: available)
    }
    let ports = try inputPorts()
    let memory = ProgramMemory(
      byteCount: Swift.max(64, plan.byteCount),
      inputOffsets: ports.map { port in
        if case .buffer(let index)? = places[port.name]?.first?.home { offsets[index] } else { 0 }
      }, slots: slots,
      inputDefaults: graph.constants.filter { name, _ in ports.contains { $0.name == name } },
      inputs: ports, constants: constants)
    let work = runs.map { run in
      run.count == 1 ? bound(steps[run.lowerBound], memory, offsets) : bound(run, memory, offsets)
    }
    let outputs = graph.outputs.map { output in
      Program.Port(
        name: output.name, type: infos[output.name]?.type ?? output.type ?? .float32,
        shape: infos[output.name]?.shape)
    }
    return Program(
      parts: ProgramParts(
        inputs: ports, outputs: outputs, steps: runs.map(info), work: work, memory: memory,
        outputSources: zip(graph.outputs, outputHomes).map { source($1, $0.name, offsets) },
        packedWeightBytes: packedBytes, threads: threads, level: level))
  }

  private func inputPorts() throws -> [Program.Port] {
    try graph.inputs.map { input in
      guard let info = infos[input.name], let shape = info.shape else {
        throw ExecutionError.inputShape(input.name, "its shape is not fixed")
      }
      return Program.Port(name: input.name, type: info.type, shape: shape)
    }
  }

  /// Lets steps write over operands nobody reads later.
  private mutating func shareInPlace(_ roots: inout [Int]) {
    func root(_ index: Int) -> Int {
      var index = index
      while roots[index] != index { index = roots[index] }
      return index
    }
    for (number, step) in steps.enumerated() {
      guard case .call(let call, let reads, let writes) = step.work, let read = call.inPlace,
        case .buffer(let source) = reads[read], case .buffer(let target) = writes[0]
      else { continue }
      let old = root(source)
      guard buffers[old].last == number, buffers[old].first >= 0, buffers[old].bytes >= buffers[target].bytes,
        roots[target] == target, target != old
      else { continue }
      // Another operand in the same memory may be read in another order.
      let others = reads.indices.filter { $0 != read }
      let isShared = others.contains { index in
        if case .buffer(let other) = reads[index] { return root(other) == old }
        return false
      }
      guard !isShared else { continue }
      roots[target] = old
      buffers[old].last = buffers[target].last
    }
  }

  /// Runs of steps that take turns chunk by chunk, elementwise work on as many elements, and all others by themselves.
  private func elementRuns() -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for index in steps.indices {
      if let last = runs.last, let count = elements(index), count == elements(last.lowerBound) {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  private func elements(_ step: Int) -> Int? {
    if case .call(let call, _, _) = steps[step].work { call.elements } else { nil }
  }

  private func info(_ run: Range<Int>) -> StepInfo {
    let infos = steps[run].map(\.info)
    guard infos.count > 1, let last = infos.last else { return infos[0] }
    return StepInfo(
      name: last.name, nodes: infos.flatMap(\.nodes), kernel: infos.map(\.kernel).joined(separator: "+"),
      macs: 0, bytesRead: infos.reduce(0) { $0 + $1.bytesRead },
      bytesWritten: infos.reduce(0) { $0 + $1.bytesWritten }, mode: last.mode)
  }

  /// The plan of the buffers that have memory of their own, and the offset of every buffer.
  ///
  /// A buffer used in a run is in use during all of it, because the run's steps take turns.
  private func planned(_ roots: [Int], _ runs: [Range<Int>]) -> (MemoryPlan, [Int]) {
    let owners = buffers.indices.filter { roots[$0] == $0 }
    var runOfStep: [Range<Int>] = []
    for run in runs { runOfStep += run.map { _ in run } }
    let plan = MemoryPlan(
      owners.map { owner in
        let buffer = buffers[owner]
        let first =
          runOfStep.indices.contains(buffer.first) ? runOfStep[buffer.first].lowerBound : buffer.first
        let last =
          runOfStep.indices.contains(buffer.last) ? runOfStep[buffer.last].upperBound - 1 : buffer.last
        return PlannedBuffer(bytes: buffer.bytes, first: first, last: last)
      })
    var offsets = [Int](repeating: 0, count: buffers.count)
    for (position, owner) in owners.enumerated() { offsets[owner] = plan.offsets[position] }
    for index in buffers.indices where roots[index] != index {
      var root = index
      while roots[root] != root { root = roots[root] }
      offsets[index] = offsets[root]
    }
    return (plan, offsets)
  }

  private func bound(_ step: Step, _ memory: ProgramMemory, _ offsets: [Int]) -> StepWork {
    switch step.work {
    case .reference(let plan):
      return .reference(ReferenceStep(plan) { source($0, $1 ?? "", offsets) })
    case .call(let call, let reads, let writes):
      let phases = phases(call, reads, writes, step.scratch, memory, offsets)
      return .phases(PhaseList(phases, owners: [call.bind]))
    }
  }

  /// The steps of a run as one phase.
  private func bound(_ run: Range<Int>, _ memory: ProgramMemory, _ offsets: [Int]) -> StepWork {
    var parts: [Phase] = []
    var owners: [(KernelMemory) -> [Phase]] = []
    for step in steps[run] {
      guard case .call(let call, let reads, let writes) = step.work else { continue }
      parts += phases(call, reads, writes, nil, memory, offsets)
      owners.append(call.bind)
    }
    let chunks = parts.first?.chunks ?? 0
    precondition(parts.allSatisfy { $0.chunks == chunks }, "steps of a run are cut alike")
    let joined = Phase(
      chunks: chunks, onThread: { chunk, thread in for part in parts { part.run(chunk, thread) } })
    return .phases(PhaseList([joined], owners: owners))
  }

  private func phases(
    _ call: KernelCall, _ reads: [Place.Home], _ writes: [Place.Home], _ scratch: Int?,
    _ memory: ProgramMemory,
    _ offsets: [Int]
  ) -> [Phase] {
    func address(_ home: Place.Home) -> UnsafeMutableRawPointer {
      switch home {
      case .buffer(let index): return memory.address(offsets[index])
      case .constant(let index):
        // The program keeps the constant alive, and nothing writes through this address.
        return constants[index].withBytes { $0.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) } }
          ?? memory.address(0)
      case .slot: preconditionFailure("kernels work on planned memory")
      }
    }
    return call.bind(
      KernelMemory(
        reads: reads.map { UnsafeRawPointer(address($0)) }, writes: writes.map(address),
        scratch: memory.address(scratch.map { offsets[$0] } ?? 0), fault: memory.fault))
  }

  private func source(_ home: Place.Home, _ name: ValueName, _ offsets: [Int]) -> Source {
    switch home {
    case .constant(let index):
      let tensor = constants[index]
      guard let info = infos[name], let shape = info.shape, tensor.type == .uint8, info.type != .uint8 else {
        return .constant(tensor)
      }
      // A converted constant is kept as bytes.
      return .constant(
        Tensor(shape: shape, type: info.type, storage: tensor.storage, byteOffset: tensor.byteOffset))
    case .slot(let index): return .slot(index)
    case .buffer(let index):
      return .arena(
        offset: offsets[index], type: infos[name]?.type ?? .float32, shape: infos[name]?.shape ?? [])
    }
  }
}
