import CKernels
import Graph
import Tensors

extension ArithmeticFunction {
  package var fusions: Fusions { self is Add || self is Sub || self is Mul || self is Min ? [.clamp] : [] }

  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard site.inputs.count == 2, site.epilogue.residual == nil, site.epilogue.bias == nil,
      let a = site.input(0),
      let b = site.input(1), a.info.type == b.info.type
    else { return nil }
    if let call = codesCall(site, a, b) { return call }
    switch a.info.type {
    case .float32: return floatCall(site)
    case .int64: return loopCall(site) { (a: Int64, b: Int64) in value(a, b) }
    case .int32: return loopCall(site) { (a: Int32, b: Int32) in value(a, b) }
    default: return nil
    }
  }

  private func codesCall(_ site: LoweringSite, _ a: LoweringSite.Operand, _ b: LoweringSite.Operand)
    -> KernelCall?
  {
    guard let output = site.outputCodes, let count = site.outputs[0].count else { return nil }
    let (lower, upper) = output.clamp(site.epilogue.lower, site.epilogue.upper)
    let kernels = site.kernels
    // A constant scalar makes it a function of one element.
    for (index, operand, constant) in [(0, a, b.info.constant), (1, b, a.info.constant)] {
      guard let codes = operand.codes, let number = constant?.scalarFloat, operand.info.count == count else {
        continue
      }
      var clamped = output
      (clamped.lower, clamped.upper) = (lower, upper)
      let table = Pinned(codes.table(to: clamped) { index == 0 ? value($0, number) : value(number, $0) })
      return KernelCall(
        "\(Self.name.type) table",
        reads: [KernelCall.Read(.input(index), Form(.codes(codes), operand.layout))],
        writes: [Form(.codes(output), operand.layout)], inPlace: 0
      ) { memory in
        let (x, y) = (memory.reads[0].of(UInt8.self), memory.writes[0].of(UInt8.self))
        return [
          Phase.over(count, grain: 4 * rowGrain) { from, to in
            kernels.pointee.lookup_u8(x + from, to - from, table.of(UInt8.self), y + from)
          }
        ]
      }
    }
    guard let x = a.codes, let y = b.codes, a.info.shape == b.info.shape,
      self is Add || self is Sub || self is Mul
    else {
      return nil
    }
    let layout = a.layout == .channelsLast || b.layout == .channelsLast ? Layout.channelsLast : .rowMajor
    let sign: Float = self is Sub ? -1 : 1
    let isProduct = self is Mul
    return KernelCall(
      "\(Self.name.type) u8",
      reads: [
        KernelCall.Read(.input(0), Form(.codes(x), layout)),
        KernelCall.Read(.input(1), Form(.codes(y), layout)),
      ], writes: [Form(.codes(output), layout)], inPlace: 0
    ) { memory in
      let (left, right) = (memory.reads[0].of(UInt8.self), memory.reads[1].of(UInt8.self))
      let out = memory.writes[0].of(UInt8.self)
      let first = Float(Double(x.scale) / Double(output.scale))
      let second = sign * Float(Double(y.scale) / Double(output.scale))
      let product = Float(Double(x.scale) * Double(y.scale) / Double(output.scale))
      return [
        Phase.over(count, grain: 2 * rowGrain) { from, to in
          if isProduct {
            kernels.pointee.mul_u8(
              left + from, right + from, to - from, x.zero, y.zero, product, output.zero, lower, upper,
              out + from)
          } else {
            kernels.pointee.add_u8(
              left + from, right + from, to - from, x.zero, first, y.zero, second, output.zero, lower, upper,
              out + from)
          }
        }
      ]
    }
  }

  private func floatCall(_ site: LoweringSite) -> KernelCall? {
    guard let operands = BroadcastOperands(site, indices: [0, 1]) else { return nil }
    let plan = operands.plan
    let (a, b) = (plan.inner[1], plan.inner[2])
    let kernels = site.kernels
    let row = floatRow(kernels, a, b)
    let (lower, upper) = (site.epilogue.lower, site.epilogue.upper)
    let clamps = lower > -.infinity || upper < .infinity
    let takesOver =
      operands.strides[1] == operands.strides[0] ? 0 : (operands.strides[2] == operands.strides[0] ? 1 : nil)
    var call = KernelCall(
      Self.name.type, reads: operands.reads, writes: [Form(.plain, operands.layout)],
      inPlace: takesOver
    ) { memory in
      let (x, y) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      let out = memory.writes[0].of(Float.self)
      return [
        plan.phase(grain: elementGrain) { count, offsets in
          let target = out + offsets[0]
          row(x + offsets[1], y + offsets[2], count, target)
          if clamps { kernels.pointee.clamp_f32(target, count, lower, upper, target) }
        }
      ]
    }
    if plan.rows == 1, plan.inner.allSatisfy({ $0 == 0 || $0 == 1 }) { call.elements = plan.count }
    return call
  }

  private typealias Row = (UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) ->
    Void

  /// The kernel of a row whose operands step by `a` and `b` elements.
  private func floatRow(_ kernels: UnsafePointer<ck_table>, _ a: Int, _ b: Int) -> Row {
    switch (self as any ArithmeticFunction, a, b) {
    case (is Add, 1, 1): return { kernels.pointee.add_f32($0, $1, $2, $3) }
    case (is Add, 1, 0): return { kernels.pointee.add_scalar_f32($0, $1[0], $2, $3) }
    case (is Add, 0, 1): return { kernels.pointee.add_scalar_f32($1, $0[0], $2, $3) }
    case (is Sub, 1, 1): return { kernels.pointee.sub_f32($0, $1, $2, $3) }
    case (is Sub, 1, 0): return { kernels.pointee.add_scalar_f32($0, -$1[0], $2, $3) }
    case (is Mul, 1, 1): return { kernels.pointee.mul_f32($0, $1, $2, $3) }
    case (is Mul, 1, 0): return { kernels.pointee.mul_scalar_f32($0, $1[0], $2, $3) }
    case (is Mul, 0, 1): return { kernels.pointee.mul_scalar_f32($1, $0[0], $2, $3) }
    case (is Div, 1, 1): return { kernels.pointee.div_f32($0, $1, $2, $3) }
    case (is Div, 1, 0):
      return { x, y, n, out in
        let divisor = y[0]
        for i in 0..<n { out[i] = x[i] / divisor }
      }
    case (is Max, 1, 0): return { kernels.pointee.clamp_f32($0, $2, $1[0], .infinity, $3) }
    case (is Max, 0, 1): return { kernels.pointee.clamp_f32($1, $2, $0[0], .infinity, $3) }
    case (is Min, 1, 0): return { kernels.pointee.clamp_f32($0, $2, -.infinity, $1[0], $3) }
    case (is Min, 1, 1):
      return { x, y, n, out in for i in 0..<n { out[i] = x[i] < y[i] || x[i].isNaN ? x[i] : y[i] } }
    case (is Min, 0, 1): return { kernels.pointee.clamp_f32($1, $2, -.infinity, $0[0], $3) }
    default:
      return { x, y, n, out in for i in 0..<n { out[i] = value(x[i &* a], y[i &* b]) } }
    }
  }

  private func loopCall<T: TensorElement>(_ site: LoweringSite, _ function: @escaping (T, T) -> T)
    -> KernelCall?
  {
    guard let operands = BroadcastOperands(site, indices: [0, 1]) else { return nil }
    return loopPairs(site, operands, label: Self.name.type, function)
  }
}

/// The call of a function of pairs of elements, with broadcasting.
func loopPairs<T: BitwiseCopyable, R: BitwiseCopyable>(
  _ site: LoweringSite, _ operands: BroadcastOperands, label: String, _ function: @escaping (T, T) -> R
) -> KernelCall {
  let plan = operands.plan
  let (a, b) = (plan.inner[1], plan.inner[2])
  return KernelCall(label, reads: operands.reads, writes: [Form(.plain, operands.layout)]) { memory in
    let (x, y) = (memory.reads[0].of(T.self), memory.reads[1].of(T.self))
    let out = memory.writes[0].of(R.self)
    return [
      plan.phase(grain: elementGrain) { count, offsets in
        let (x, y, out) = (x + offsets[1], y + offsets[2], out + offsets[0])
        for i in 0..<count { out[i] = function(x[i &* a], y[i &* b]) }
      }
    ]
  }
}

extension Pow: Lowerable {
  /// Powers of a constant exponent that are a multiplication or a root.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), x.info.type == .float32,
      let exponent = site.input(1)?.info.constant?.scalarFloat,
      site.outputs[0].shape == x.info.shape
    else { return nil }
    let kernels = site.kernels
    switch exponent {
    case 2:
      return elementwiseCall(site, label: "Pow", function: { $0 * $0 }) {
        kernels.pointee.mul_f32($0, $0, $1, $2)
      }
    case 0.5:
      return elementwiseCall(site, label: "Pow", function: { $0.squareRoot() }) {
        kernels.pointee.sqrt_f32($0, $1, $2)
      }
    case 3:
      return elementwiseCall(site, label: "Pow", function: { $0 * $0 * $0 }) { x, n, y in
        for i in 0..<n { y[i] = x[i] * x[i] * x[i] }
      }
    default: return nil
    }
  }
}

extension Where: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let operands = BroadcastOperands(site, indices: [0, 1, 2]) else { return nil }
    switch site.outputs[0].type.bits {
    case 32: return call(operands, UInt32.self)
    case 64: return call(operands, UInt64.self)
    case 8: return call(operands, UInt8.self)
    default: return nil
    }
  }

  private func call<T: BitwiseCopyable>(_ operands: BroadcastOperands, _ type: T.Type) -> KernelCall {
    let plan = operands.plan
    let (c, a, b) = (plan.inner[1], plan.inner[2], plan.inner[3])
    return KernelCall("Where", reads: operands.reads, writes: [Form(.plain, operands.layout)]) { memory in
      let condition = memory.reads[0].of(UInt8.self)
      let (x, y) = (memory.reads[1].of(T.self), memory.reads[2].of(T.self))
      let out = memory.writes[0].of(T.self)
      return [
        plan.phase(grain: elementGrain) { count, offsets in
          let (condition, x, y, out) = (
            condition + offsets[1], x + offsets[2], y + offsets[3], out + offsets[0]
          )
          for i in 0..<count { out[i] = condition[i &* c] != 0 ? x[i &* a] : y[i &* b] }
        }
      ]
    }
  }
}
