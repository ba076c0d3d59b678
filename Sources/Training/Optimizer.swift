import CKernels
import Quantization
import Tensors

/// Parameters in memory with what an optimizer keeps of each, and the steps it takes.
///
/// - Source: SGD with momentum as PyTorch has it; Kingma and Ba, *Adam*, 2015; Loshchilov and Hutter, *Decoupled weight
///   decay regularization*, 2019.
final class Optimizer {
  /// One parameter: its numbers, and up to two moments of its gradient.
  final class Slot {
    let parameter: Parameter
    let numbers: FloatBuffer
    let first: FloatBuffer
    let second: FloatBuffer

    init(_ parameter: Parameter) {
      self.parameter = parameter
      numbers = FloatBuffer(parameter.start)
      first = FloatBuffer(count: numbers.count)
      second = FloatBuffer(count: numbers.count)
    }
  }

  let slots: [Slot]
  private let settings: TrainingSettings
  private let kernels: UnsafePointer<ck_table>
  /// Steps taken.
  var steps = 0

  private static let beta1: Float = 0.9
  private static let beta2: Float = 0.999
  private static let epsilon: Float = 1e-8
  /// What PACT's clips shrink by.
  private static let clipDecay: Float = 1e-4
  /// Scales stay above this.
  private static let leastScale: Float = 1e-9

  init(_ parameters: [Parameter], _ settings: TrainingSettings) {
    slots = parameters.map(Slot.init)
    self.settings = settings
    kernels = ck_best()
  }

  /// Takes a step along gradients that `gradient` finds by slot; slots without one keep their numbers.
  ///
  /// - Parameters:
  ///   - factor: on the learning rate, by the schedule.
  ///   - isFrozen: parameters that keep their numbers in this step.
  /// - Returns: the norm of all gradients together, before clipping.
  @discardableResult
  func step(
    factor: Double, isFrozen: (Parameter) -> Bool = { _ in false }, gradient: (Int) -> UnsafePointer<Float>?
  ) -> Double {
    let moving = slots.indices.filter { !isFrozen(slots[$0].parameter) && gradient($0) != nil }
    var square = 0.0
    for index in moving {
      guard let values = gradient(index) else { continue }
      for i in 0..<slots[index].numbers.count { square += Double(values[i]) * Double(values[i]) }
    }
    let norm = square.squareRoot()
    guard norm.isFinite else { return norm }
    let clip = settings.clip > 0 && norm > settings.clip ? Float(settings.clip / (norm + 1e-6)) : 1
    steps += 1
    for index in moving {
      guard let values = gradient(index) else { continue }
      let slot = slots[index]
      var rate = settings.learningRate * factor
      if slot.parameter.isEncoding { rate *= settings.scaleRate }
      let decay = decay(of: slot.parameter)
      if clip == 1 {
        update(slot, values, rate: Float(rate), decay: decay)
      } else {
        slot.clipped(values, clip, kernels) { update(slot, $0, rate: Float(rate), decay: decay) }
      }
      if slot.parameter.role == .scale {
        for i in 0..<slot.numbers.count {
          slot.numbers.base[i] = Swift.max(abs(slot.numbers.base[i]), Self.leastScale)
        }
      }
    }
    return norm
  }

  private func decay(of parameter: Parameter) -> Float {
    if parameter.decays { return Float(settings.weightDecay) }
    return settings.scales == .pact && parameter.role == .scale ? Self.clipDecay : 0
  }

  private func update(_ slot: Slot, _ gradient: UnsafePointer<Float>, rate: Float, decay: Float) {
    let (numbers, count) = (slot.numbers.base, slot.numbers.count)
    switch settings.optimizer {
    case .sgd:
      kernels.pointee.sgd_f32(
        numbers, gradient, slot.first.base, count, rate, Float(settings.momentum), decay)
    case .adam, .adamw:
      let isDecoupled = settings.optimizer == .adamw
      var o = ck_adam_f32()
      o.rate = rate
      o.beta1 = Self.beta1
      o.beta2 = Self.beta2
      o.epsilon = Self.epsilon
      o.decay = isDecoupled ? 0 : decay
      o.decoupled_decay = isDecoupled ? decay : 0
      o.correction1 = Float(1 / (1 - power(Double(Self.beta1), steps)))
      o.correction2 = Float(1 / (1 - power(Double(Self.beta2), steps)))
      kernels.pointee.adam_f32(&o, numbers, gradient, slot.first.base, slot.second.base, count)
    }
  }

  /// By repeated squaring, so that it is the same on every machine.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return result
  }
}

extension Optimizer.Slot {
  fileprivate func clipped(
    _ gradient: UnsafePointer<Float>, _ factor: Float, _ kernels: UnsafePointer<ck_table>,
    _ body: (UnsafePointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: numbers.count) { copy in
      guard let base = copy.baseAddress else { return }
      kernels.pointee.mul_scalar_f32(gradient, factor, numbers.count, base)
      body(base)
    }
  }
}

/// float32 numbers at a fixed address that a tensor can look at.
final class FloatBuffer {
  let storage: Storage
  let count: Int
  let shape: Shape

  init(shape: Shape) {
    self.shape = shape
    count = shape.elementCount
    storage = Storage(byteCount: count * 4)
  }

  convenience init(count: Int) { self.init(shape: [count]) }

  convenience init(_ tensor: Tensor) {
    self.init(shape: tensor.shape)
    set(tensor)
  }

  var base: UnsafeMutablePointer<Float> {
    guard let bytes = storage.bytes.baseAddress else { preconditionFailure("a buffer has memory") }
    return UnsafeMutableRawPointer(mutating: bytes).assumingMemoryBound(to: Float.self)
  }

  /// The numbers in place; changes show through.
  var view: Tensor { Tensor(shape: shape, type: .float32, storage: storage) }
  var copy: Tensor { Tensor(array, shape: shape) }
  var array: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  func set(_ tensor: Tensor) {
    precondition(tensor.count == count, "as many numbers as there are")
    tensor.withElements(of: Float.self) { values in
      if let from = values.baseAddress { base.update(from: from, count: count) }
    }
  }
}
