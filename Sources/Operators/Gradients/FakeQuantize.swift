import CKernels
import Graph
import Tensors

/// What a tensor becomes in integers, with scales and zero points that are operands and so can be learned.
///
/// y = s · (clamp(rne(x / s) + rne(z), codes) − rne(z)).
///
/// - Inputs: x, float32; s `[cells]`, above 0; z `[cells]`, optional, 0 where absent: real numbers, rounded here.
///   Cells are tensor, channels or groups, in the order of `EncodedTensor.scaleShape`.
/// - Output: y, as x.
/// - Source: Esser et al., *Learned Step Size Quantization*, 2020 (LSQ); Bhalgat et al., *LSQ+*, 2020; Choi et al.,
///   *PACT*, 2018.
package struct FakeQuantize: Operator {
  package static let name = OperatorName("FakeQuantize", domain: "lathe", since: 1)
  package let points: QuantizationPoints

  package init(_ points: QuantizationPoints) { self.points = points }
  package init(attributes: Attributes) throws { points = try QuantizationPoints(attributes: attributes) }
  package var attributes: Attributes { points.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try points.check(inputs, x: x, scale: 1, zero: 2)
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let numbers = try points.numbers(of: x.shape, scale: inputs.required(1, "s"), zero: inputs.optional(2))
    let values = x.array(of: Float.self)
    return [
      Tensor(of: Float.self, shape: x.shape) { out in
        numbers.forEachElement { index, cell in
          let v = (values[index] / numbers.scales[cell]).rounded(.toNearestOrEven)
          out[index] = numbers.scales[cell] * min(max(v, numbers.lowest[cell]), numbers.highest[cell])
        }
      }
    ]
  }
}

/// The gradients of `FakeQuantize`, straight through the rounding.
///
/// With v = x / s + z and g = 1 / √(N · Qp), N elements sharing a scale and Qp the highest code:
/// ∂loss/∂x passes where v lies inside the codes; ∂y/∂s = g · (rne(v) − v) inside and g · (bound − z) outside;
/// ∂y/∂z = −g · s outside.
///
/// - Inputs: x, s, z (optional) of `FakeQuantize`, and ∂loss/∂y.
/// - Outputs: ∂loss/∂x; ∂loss/∂s; ∂loss/∂z where asked for.
package struct FakeQuantizeGradient: Operator {
  package static let name = OperatorName("FakeQuantizeGradient", domain: "lathe", since: 1)
  package let points: QuantizationPoints

  package init(_ points: QuantizationPoints) { self.points = points }
  package init(attributes: Attributes) throws { points = try QuantizationPoints(attributes: attributes) }
  package var attributes: Attributes { points.attributes }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try points.check(inputs, x: x, scale: 1, zero: 2)
    let upstream = try inputs.required(3, "g")
    if let a = x.shape, let b = upstream.shape, a != b {
      throw OperatorError("g has shape \(b.shapeText), expected x's, \(a.shapeText)")
    }
    let scale = try inputs.required(1, "s")
    let cells = OperandInfo(type: .float32, shape: scale.shape)
    return Array([OperandInfo(type: x.type, shape: x.shape), cells, cells].prefix(outputs))
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let scale = try inputs.required(1, "s")
    let numbers = try points.numbers(of: x.shape, scale: scale, zero: inputs.optional(2))
    let (values, upstream) = (x.array(of: Float.self), try inputs.required(3, "g").array(of: Float.self))
    var ofScale = [Double](repeating: 0, count: numbers.scales.count)
    var ofZero = ofScale
    let ofX = Tensor(of: Float.self, shape: x.shape) { out in
      numbers.forEachElement { index, cell in
        let v = values[index] / numbers.scales[cell]
        let (low, high) = (numbers.lowest[cell], numbers.highest[cell])
        if v >= low, v <= high {
          out[index] = upstream[index]
          if !points.clipsOnly {
            ofScale[cell] += Double(upstream[index] * (v.rounded(.toNearestOrEven) - v))
          }
        } else {
          ofScale[cell] += Double(upstream[index] * (v < low ? low : high))
          ofZero[cell] -= Double(upstream[index] * numbers.scales[cell])
        }
      }
    }
    let factor = Double(points.gradientFactor(elements: x.count / numbers.scales.count))
    let results = [
      ofX, Tensor(ofScale.map { Float($0 * factor) }, shape: scale.shape),
      Tensor(ofZero.map { Float($0 * factor) }, shape: scale.shape),
    ]
    return Array(results.prefix(outputs))
  }
}

extension FakeQuantize: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let hasZero = site.wants(2)
    let zero = site.node.inputs.count > 2 ? site.node.inputs[2] : nil
    let gradients = try builder.add(
      FakeQuantizeGradient(points), [site.input(0), site.input(1), zero, site.upstreamOfFirst()],
      outputs: hasZero ? 3 : 2, named: site.node.name + ".gradient")
    return site.only([gradients[0], gradients[1], hasZero ? gradients[2] : nil])
  }
}

/// Which codes a fake-quantized tensor has, and what shares a scale.
package struct QuantizationPoints: Sendable, Hashable {
  package var codes: ClosedRange<Int32>
  package var granularity: Scheme.Granularity
  package var channelAxis: Int?
  package var groupAxis: Int?
  /// Whether the scale learns from what is clipped above alone, by the sum of it (PACT): for unsigned codes with zero
  /// point 0.
  package var clipsOnly = false

  package init(
    codes: ClosedRange<Int32>, granularity: Scheme.Granularity = .tensor, channelAxis: Int? = nil,
    groupAxis: Int? = nil
  ) {
    self.codes = codes
    self.granularity = granularity
    self.channelAxis = channelAxis
    self.groupAxis = groupAxis
  }

  package init(_ encoding: Encoding) {
    self.init(
      codes: encoding.codes, granularity: encoding.scheme.granularity, channelAxis: encoding.channelAxis,
      groupAxis: encoding.groupAxis)
  }

  init(attributes: Attributes) throws {
    let codes = try attributes.required("codes", try attributes.integersIfPresent("codes"))
    guard codes.count == 2, codes[0] < codes[1], codes.allSatisfy((-(1 << 30)...1 << 30).contains) else {
      throw OperatorError("attribute \"codes\" is \(codes), expected the lowest and the highest code")
    }
    channelAxis = try attributes.integerIfPresent("channel_axis")
    groupAxis = try attributes.integerIfPresent("group_axis")
    if let size = try attributes.integerIfPresent("group_size") {
      guard size > 0 else { throw OperatorError("attribute \"group_size\" is \(size), expected 1 or more") }
      granularity = .group(size)
    } else {
      granularity = channelAxis == nil ? .tensor : .channel
    }
    self.codes = Int32(codes[0])...Int32(codes[1])
    clipsOnly = try attributes.isSet("clips_only")
  }

  var attributes: Attributes {
    var writer = AttributeWriter()
    writer.addIfPresent("codes", [Int(codes.lowerBound), Int(codes.upperBound)])
    writer.addIfPresent("channel_axis", channelAxis)
    writer.addIfPresent("group_axis", groupAxis)
    if case .group(let size) = granularity { writer.add("group_size", size) }
    writer.add("clips_only", clipsOnly)
    return writer.attributes
  }

  func cells(of shape: Shape) throws -> ScaleCells {
    try ScaleCells(shape: shape, granularity: granularity, channelAxis: channelAxis, groupAxis: groupAxis)
  }

  /// 1 / √(N · Qp) for N elements that share a scale; PACT takes the gradient as it is.
  func gradientFactor(elements: Int) -> Float {
    clipsOnly ? 1 : 1 / (Float(elements) * Float(Swift.max(codes.upperBound, 1))).squareRoot()
  }

  func check(_ inputs: [OperandInfo?], x: OperandInfo, scale: Int, zero: Int) throws {
    let s = try inputs.required(scale, "s")
    for (info, label) in [(x, "x"), (s, "s"), (inputs.optional(zero) ?? s, "z")] {
      guard info.type == .float32 else {
        throw OperatorError("input \(label) is \(info.type.name), expected float32")
      }
    }
    guard let shape = x.shape else { return }
    let count = try cells(of: shape).count
    for (info, label) in [(s, "s"), (inputs.optional(zero) ?? s, "z")] {
      if let found = info.count, found != count {
        throw OperatorError(
          "\(label) has \(found) elements, expected \(count) for x of shape \(shape.shapeText)")
      }
    }
  }

  struct Numbers {
    var cells: ScaleCells
    var scales: [Float]
    /// Bounds of rne(x / s): codes less the zero point.
    var lowest: [Float]
    var highest: [Float]

    func forEachElement(_ body: (_ index: Int, _ cell: Int) -> Void) {
      for piece in 0..<cells.pieces {
        cells.forEachBlock(of: piece) { block in
          for i in 0..<block.rows * block.columns {
            body(block.start + i, block.hasColumns ? block.cell + i % block.columns : block.cell)
          }
        }
      }
    }
  }

  func numbers(of shape: Shape, scale: Tensor, zero: Tensor?) throws -> Numbers {
    let cells = try cells(of: shape)
    let scales = scale.array(of: Float.self)
    let zeros =
      zero.map { $0.array(of: Float.self).map { $0.rounded(.toNearestOrEven) } }
      ?? [Float](repeating: 0, count: scales.count)
    guard scales.count == cells.count, zeros.count == cells.count else {
      throw OperatorError("\(scales.count) scales and \(zeros.count) zero points, expected \(cells.count)")
    }
    return Numbers(
      cells: cells, scales: scales, lowest: zeros.map { Float(codes.lowerBound) - $0 },
      highest: zeros.map { Float(codes.upperBound) - $0 })
  }
}
