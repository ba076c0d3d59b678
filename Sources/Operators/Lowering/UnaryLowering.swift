import CKernels
import Graph
import Tensors

/// Elements of a chunk of work on rows.
let rowGrain = 1 << 14

/// Elements of a chunk of elementwise work: few enough that several operands stay in the first-level cache.
let elementGrain = 1 << 12

/// Work on x of n elements to y; y may be x.
typealias VectorKernel = (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void

extension UnaryFunction {
  /// The kernel of this function, where there is one; a loop over `value` otherwise.
  func vectorKernel(_ kernels: UnsafePointer<ck_table>) -> VectorKernel {
    switch self as any UnaryFunction {
    case is Exp: return { kernels.pointee.exp_f32($0, $1, $2) }
    case is Tanh: return { kernels.pointee.tanh_f32($0, $1, $2) }
    case is Sigmoid: return { kernels.pointee.sigmoid_f32($0, $1, $2) }
    case is Erf: return { kernels.pointee.erf_f32($0, $1, $2) }
    case is Sqrt: return { kernels.pointee.sqrt_f32($0, $1, $2) }
    case is HardSwish: return { kernels.pointee.hardswish_f32($0, $1, $2) }
    case is Relu: return { kernels.pointee.clamp_f32($0, $1, 0, .infinity, $2) }
    case is Neg: return { kernels.pointee.mul_scalar_f32($0, -1, $1, $2) }
    case let gelu as Gelu:
      let tanhForm: Int32 = gelu.isTanh ? 1 : 0
      return { kernels.pointee.gelu_f32($0, $1, tanhForm, $2) }
    case let swish as Swish where swish.alpha == 1: return { kernels.pointee.silu_f32($0, $1, $2) }
    case is Reciprocal: return { x, n, y in for i in 0..<n { y[i] = 1 / x[i] } }
    default: return { x, n, y in for i in 0..<n { y[i] = value(x[i]) } }
    }
  }

  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    elementwiseCall(site, label: Self.name.type, function: { value($0) }, kernel: vectorKernel(site.kernels))
  }
}

extension Clip: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard case .clamp(let lower, let upper)? = encodingRule(site.inputs.map { $0?.info }) else { return nil }
    let kernels = site.kernels
    return elementwiseCall(site, label: "Clip", function: { Swift.min(Swift.max($0, lower), upper) }) {
      kernels.pointee.clamp_f32($0, $1, lower, upper, $2)
    }
  }
}

/// The call of a function of each element of the first input: a table from codes to codes where input and output are
/// encoded, a loop over floats otherwise.
func elementwiseCall(
  _ site: LoweringSite, label: String, function: (Float) -> Float, kernel: @escaping VectorKernel
) -> KernelCall? {
  guard let x = site.input(0), x.info.type == .float32, let count = x.info.count else { return nil }
  let kernels = site.kernels
  if let source = x.codes, let target = site.outputCodes {
    let table = Pinned(source.table(to: target, function))
    return KernelCall(
      "\(label) table", reads: [KernelCall.Read(.input(0), Form(.codes(source), x.layout))],
      writes: [Form(.codes(target), x.layout)], inPlace: 0
    ) { memory in
      let (from, to) = (memory.reads[0].of(UInt8.self), memory.writes[0].of(UInt8.self))
      return [
        Phase.over(count, grain: 4 * rowGrain) { start, end in
          kernels.pointee.lookup_u8(from + start, end - start, table.of(UInt8.self), to + start)
        }
      ]
    }
  }
  var call = KernelCall(
    label, reads: [KernelCall.Read(.input(0), x.decoded(x.layout))], writes: [Form(.plain, x.layout)],
    inPlace: 0
  ) { memory in
    let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
    return [
      Phase.over(count, grain: elementGrain) { start, end in kernel(from + start, end - start, to + start) }
    ]
  }
  call.elements = count
  return call
}

extension Cast: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let count = x.info.count else { return nil }
    guard let convert = Self.conversion(x.info.type, to, site.kernels) else { return nil }
    return KernelCall(
      "Cast", reads: [KernelCall.Read(.input(0), x.decoded(x.layout))], writes: [Form(.plain, x.layout)]
    ) { memory in
      let (from, to) = (memory.reads[0], memory.writes[0])
      return [Phase.over(count, grain: elementGrain) { start, end in convert(from, to, start, end) }]
    }
  }

  private typealias Conversion = (UnsafeRawPointer, UnsafeMutableRawPointer, Int, Int) -> Void

  private static func conversion(
    _ source: ElementType, _ target: ElementType, _ kernels: UnsafePointer<ck_table>
  ) -> Conversion? {
    switch (source, target) {
    case (.bool, .float32), (.uint8, .float32): return loop { (x: UInt8) in Float(x) }
    case (.int32, .float32): return loop { (x: Int32) in Float(x) }
    case (.int64, .float32): return loop { (x: Int64) in Float(x) }
    case (.int64, .int32): return loop { (x: Int64) in Int32(truncatingIfNeeded: x) }
    case (.int32, .int64): return loop { (x: Int32) in Int64(x) }
    case (.int64, .bool): return loop { (x: Int64) in UInt8(x != 0 ? 1 : 0) }
    case (.int32, .bool): return loop { (x: Int32) in UInt8(x != 0 ? 1 : 0) }
    case (.float32, .bool): return loop { (x: Float) in UInt8(x != 0 ? 1 : 0) }
    case (.bool, .int32): return loop { (x: UInt8) in Int32(x) }
    case (.bool, .int64): return loop { (x: UInt8) in Int64(x) }
    case (.float16, .float32):
      return { kernels.pointee.f16_to_f32($0.of(UInt16.self) + $2, $3 - $2, $1.of(Float.self) + $2) }
    case (.float32, .float16):
      return { kernels.pointee.f32_to_f16($0.of(Float.self) + $2, $3 - $2, $1.of(UInt16.self) + $2) }
    case (.bfloat16, .float32):
      return { kernels.pointee.bf16_to_f32($0.of(UInt16.self) + $2, $3 - $2, $1.of(Float.self) + $2) }
    default: return nil
    }
  }

  @inline(__always)
  private static func loop<A, B>(_ convert: @escaping (A) -> B) -> Conversion {
    return { x, y, start, end in
      let (x, y) = (x.of(A.self), y.of(B.self))
      for i in start..<end { y[i] = convert(x[i]) }
    }
  }
}
