import CKernels
import Graph
import Tensors

/// How the int32 sums of a static layer become its output: DESIGN "Integer".
///
/// Codes where every reader wants codes and the bias is int32; float32 otherwise.
struct CodesEpilogue {
  var form: Form.Content
  private var values: ck_gemm_u8s8
  private var multiplier: Pinned
  private var bias: Pinned?
  private var floatBias: Pinned?
  private var caps: Pinned?

  /// - Parameters:
  ///   - scales: weight scale of each output channel.
  ///   - floatBias: everything added per channel, as float.
  ///   - hasBias: whether the node has a bias of its own.
  /// - Returns: `nil` where the fused residual is of another kind than the output.
  init?(site: LoweringSite, scales: [Float], input: ByteCodes, floatBias: [Float]?, hasBias: Bool) {
    let epilogue = site.epilogue
    values = ck_gemm_u8s8()
    let canHoldBias = epilogue.bias == nil && (site.encodedBias != nil || !hasBias)
    if let output = site.outputCodes, canHoldBias,
      epilogue.residual == nil || epilogue.residual?.branch != nil
    {
      form = .codes(output)
      let own = epilogue.residual?.branch ?? output
      multiplier = Pinned(scales.map { Float(Double(input.scale) * Double($0) / Double(own.scale)) })
      bias = site.encodedBias.map { Pinned($0.codes.array(of: Int32.self)) }
      values.output = CK_OUT_U8
      values.zero = own.zero
      (values.lower, values.upper) = own.clamp(epilogue.lower, epilogue.upper)
      caps = epilogue.channelUpper.map { bounds in
        Pinned(bounds.map { UInt8(own.clamp(epilogue.lower, $0).1) })
      }
      if let residual = epilogue.residual {
        guard let codes = residual.operand.codes else { return nil }
        values.r_zero = codes.zero
        values.branch_multiplier = Float(Double(own.scale) / Double(output.scale))
        values.r_multiplier = Float(Double(codes.scale) / Double(output.scale))
        values.sum_zero = output.zero
        (values.sum_lower, values.sum_upper) = output.clamp(residual.lower, residual.upper)
      }
      return
    }
    guard epilogue.channelUpper == nil else { return nil }
    form = .plain
    multiplier = Pinned(scales)
    self.floatBias = floatBias.map { Pinned($0) }
    values.output = CK_OUT_F32
    values.a_scale = input.scale
    values.lower_f = epilogue.lower
    values.upper_f = epilogue.upper
    if let residual = epilogue.residual {
      guard residual.branch == nil, epilogue.lower == -.infinity, epilogue.upper == .infinity else {
        return nil
      }
      values.lower_f = residual.lower
      values.upper_f = residual.upper
    }
  }

  var isFloat: Bool { form == .plain }
  var hasCaps: Bool { caps != nil }
  var hasResidual: Bool { values.r_multiplier != 0 }

  /// A product whose epilogue is filled in: outputs from element `offset` of `c`, whose first channel is given.
  func gemm(
    firstChannel: Int, c: UnsafeMutableRawPointer, residual: UnsafeRawPointer?, offset: Int
  ) -> ck_gemm_u8s8 {
    var g = values
    let bytes = isFloat ? 4 : 1
    g.c = c + offset * bytes
    g.multiplier = multiplier.of(Float.self) + firstChannel
    g.bias = bias.map { $0.of(Int32.self) + firstChannel }
    g.bias_f = floatBias.map { $0.of(Float.self) + firstChannel }
    if isFloat {
      g.residual_f = residual.map { $0.of(Float.self) + offset }
    } else {
      g.residual = residual.map { $0.of(UInt8.self) + offset }
    }
    return g
  }

  /// Clamps codes by the bounds of their channels, the first of which is given, where there are such bounds.
  ///
  /// - Parameter codes: `rows` times `channels`, rows `stride` apart.
  func cap(
    _ codes: UnsafeMutableRawPointer, rows: Int, stride: Int, firstChannel: Int, channels: Int,
    _ kernels: UnsafePointer<ck_table>
  ) {
    guard let caps else { return }
    kernels.pointee.cap_u8(codes.of(UInt8.self), rows, stride, caps.of(UInt8.self) + firstChannel, channels)
  }

  /// The same for a depthwise convolution; `nil` where it would need a float residual.
  func depthwise(c: UnsafeMutableRawPointer, residual: UnsafeRawPointer?, offset: Int) -> ck_depthwise_u8s8 {
    let g = gemm(firstChannel: 0, c: c, residual: residual, offset: offset)
    var d = ck_depthwise_u8s8()
    d.output = g.output
    d.c = g.c
    d.bias = g.bias
    d.multiplier = g.multiplier
    d.bias_f = g.bias_f
    d.a_scale = g.a_scale
    d.lower_f = g.lower_f
    d.upper_f = g.upper_f
    d.zero = g.zero
    d.lower = g.lower
    d.upper = g.upper
    d.residual = g.residual
    d.r_zero = g.r_zero
    d.branch_multiplier = g.branch_multiplier
    d.r_multiplier = g.r_multiplier
    d.sum_zero = g.sum_zero
    d.sum_lower = g.sum_lower
    d.sum_upper = g.sum_upper
    return d
  }
}
