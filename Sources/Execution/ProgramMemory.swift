import Graph
import Tensors

/// Where a step finds a value.
enum Source {
  /// In the arena, at a byte offset.
  case arena(offset: Int, type: ElementType, shape: Shape)
  case constant(Tensor)
  /// Among the values whose shapes exist only at run time.
  case slot(Int)
}

/// The memory of a program: the arena, and the tensors whose shapes are known only at run time.
final class ProgramMemory: @unchecked Sendable {
  let byteCount: Int
  private let storage: Storage
  /// Offset in the arena of each input.
  private let inputOffsets: [Int]
  var slots: [Tensor?]
  let inputDefaults: [ValueName: Tensor]

  /// Where steps say what is wrong with their data.
  let fault = UnsafeMutablePointer<KernelFault>.allocate(capacity: 1)
  /// Kept alive: kernels hold their addresses.
  private let constants: [Tensor]

  init(
    byteCount: Int, inputOffsets: [Int], slots: Int, inputDefaults: [ValueName: Tensor],
    inputs: [Program.Port],
    constants: [Tensor]
  ) {
    self.byteCount = byteCount
    self.constants = constants
    fault.initialize(to: .none)
    storage = Storage(byteCount: byteCount)
    self.inputOffsets = inputOffsets
    self.slots = [Tensor?](repeating: nil, count: slots)
    self.inputDefaults = inputDefaults
    for (index, port) in inputs.enumerated() {
      if let tensor = inputDefaults[port.name] { load(tensor, input: index) }
    }
  }

  deinit { fault.deallocate() }

  func address(_ offset: Int) -> UnsafeMutableRawPointer {
    guard let base = storage.bytes.baseAddress else { preconditionFailure("an arena has memory") }
    return UnsafeMutableRawPointer(mutating: base) + offset
  }

  func address(ofInput index: Int) -> UnsafeMutableRawPointer { address(inputOffsets[index]) }

  func load(_ tensor: Tensor, input index: Int) {
    tensor.withBytes { bytes in
      if let base = bytes.baseAddress {
        address(inputOffsets[index]).copyMemory(from: base, byteCount: bytes.count)
      }
    }
  }

  /// The value as a tensor; in the arena it is a view that the next steps overwrite.
  func view(_ source: Source, of name: ValueName) throws -> Tensor {
    switch source {
    case .arena(let offset, let type, let shape):
      return Tensor(shape: shape, type: type, storage: storage, byteOffset: offset)
    case .constant(let tensor): return tensor
    case .slot(let index):
      guard let tensor = slots[index] else { throw ExecutionError.output(name, "was not computed") }
      return tensor
    }
  }

  func copy(_ source: Source, of name: ValueName) throws -> Tensor {
    let view = try view(source, of: name)
    guard case .arena = source else { return view }
    return copy(of: view)
  }

  private func copy(of view: Tensor) -> Tensor {
    Tensor(shape: view.shape, type: view.type) { bytes in view.withBytes { bytes.copyMemory(from: $0) } }
  }

  /// Keeps what a step computed.
  func store(_ tensor: Tensor, to target: Source, of name: ValueName) throws {
    switch target {
    case .arena(let offset, let type, let shape):
      guard tensor.type == type, tensor.shape == shape else {
        throw ExecutionError.output(
          name,
          "is \(tensor.type.name) of shape \(tensor.shape.shapeText), expected \(type.name) of shape \(shape.shapeText)"
        )
      }
      tensor.withBytes { bytes in
        if let base = bytes.baseAddress { address(offset).copyMemory(from: base, byteCount: bytes.count) }
      }
    case .slot(let index):
      // A reference may hand back a view of the arena, which later steps overwrite.
      slots[index] = tensor.storage === storage ? copy(of: tensor) : tensor
    case .constant: preconditionFailure("a constant is not written")
    }
  }
}
