import CKernels
import Graph
import Tensors

extension Compiler {
  /// Plans the memory and binds every step to it.
  mutating func program(level: ck_level) throws -> Program {
    var outputHomes: [Place.Home] = []
    for output in graph.outputs {
      let home: Place.Home
      if let place = places[output.name]?.first, case .slot = place.home {
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
    let (plan, offsets) = planned(roots)
    let ports = try inputPorts()
    let memory = ProgramMemory(
      byteCount: Swift.max(64, plan.byteCount),
      inputOffsets: ports.map { port in
        if case .buffer(let index)? = places[port.name]?.first?.home { offsets[index] } else { 0 }
      }, slots: slots,
      inputDefaults: graph.constants.filter { name, _ in ports.contains { $0.name == name } },
      inputs: ports, constants: constants)
    var work: [StepWork] = []
    for step in steps { work.append(bound(step, memory, offsets)) }
    let outputs = graph.outputs.map { output in
      Program.Port(
        name: output.name, type: infos[output.name]?.type ?? output.type ?? .float32,
        shape: infos[output.name]?.shape)
    }
    return Program(
      parts: ProgramParts(
        inputs: ports, outputs: outputs, steps: steps.map(\.info), work: work, memory: memory,
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

  /// The plan of the buffers that have memory of their own, and the offset of every buffer.
  private func planned(_ roots: [Int]) -> (MemoryPlan, [Int]) {
    let owners = buffers.indices.filter { roots[$0] == $0 }
    let plan = MemoryPlan(
      owners.map { PlannedBuffer(bytes: buffers[$0].bytes, first: buffers[$0].first, last: buffers[$0].last) }
    )
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
      let phases = call.bind(
        KernelMemory(
          reads: reads.map { UnsafeRawPointer(address($0)) }, writes: writes.map(address),
          scratch: memory.address(step.scratch.map { offsets[$0] } ?? 0)))
      return .phases(PhaseList(phases, owner: call.bind))
    }
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
