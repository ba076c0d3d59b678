import Graph
import Tensors

/// What a tensor becomes when it is held in integers: scale · (clamp(rne(x / scale) + zero point) − zero point).
///
/// - Input: x, float. Output: y, as x.
/// - The attributes are those of an encoding; axes and groups as `EncodedTensor.scaleShape(of:encoding:)` lays out.
package struct QuantizeDequantize: Operator {
  package static let name = OperatorName("QuantizeDequantize", domain: "lathe", since: 1)
  package let encoding: Encoding

  package init(encoding: Encoding) { self.encoding = encoding }

  package init(attributes: Attributes) throws {
    let scales = try attributes.required("scales", try attributes.realsIfPresent("scales"))
    let zeros = try attributes.integersIfPresent("zero_points") ?? scales.map { _ in 0 }
    guard !scales.isEmpty, zeros.count == scales.count, scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw OperatorError(
        "\(scales.count) scales and \(zeros.count) zero points, expected as many, and scales above 0")
    }
    let bits = try attributes.integer("bits")
    let codes = try attributes.required("codes", try attributes.integersIfPresent("codes"))
    let representable = -131_072...131_072
    guard (2...16).contains(bits), codes.count == 2, codes[0] < codes[1],
      codes.allSatisfy(representable.contains),
      zeros.allSatisfy(representable.contains)
    else { throw OperatorError("\(bits) bits and codes \(codes), expected 2 to 16 bits and a range") }
    let symmetry = attributes.string("symmetry").map(Scheme.Symmetry.init(rawValue:)) ?? .symmetric
    let range = attributes.string("range").map(Scheme.CodeRange.init(rawValue:)) ?? .automatic
    guard let symmetry, let range else {
      throw OperatorError("attribute \"symmetry\" or \"range\" is unknown")
    }
    let granularity: Scheme.Granularity
    if let size = try attributes.integerIfPresent("group_size") {
      guard size > 0 else { throw OperatorError("attribute \"group_size\" is \(size), expected 1 or more") }
      granularity = .group(size)
    } else {
      granularity = attributes["channel_axis"] == nil ? .tensor : .channel
    }
    encoding = Encoding(
      scheme: Scheme(bits: bits, symmetry: symmetry, granularity: granularity, range: range),
      channelAxis: try attributes.integerIfPresent("channel_axis"),
      groupAxis: try attributes.integerIfPresent("group_axis"), scales: scales,
      zeroPoints: zeros.map { Int32($0) }, codes: Int32(codes[0])...Int32(codes[1]))
  }

  package var attributes: Attributes {
    var result: Attributes = [
      "scales": .floats(encoding.scales), "zero_points": .ints(encoding.zeroPoints.map { Int($0) }),
      "bits": .int(encoding.scheme.bits), "symmetry": .string(encoding.scheme.symmetry.rawValue),
      "range": .string(encoding.scheme.range.rawValue),
      "codes": .ints([Int(encoding.codes.lowerBound), Int(encoding.codes.upperBound)]),
    ]
    if let axis = encoding.channelAxis { result["channel_axis"] = .int(axis) }
    if let axis = encoding.groupAxis { result["group_axis"] = .int(axis) }
    if case .group(let size) = encoding.scheme.granularity { result["group_size"] = .int(size) }
    return result
  }

  /// Shape of the scales, or what does not fit.
  private func scaleShape(_ shape: Shape) throws -> Shape {
    for axis in [encoding.channelAxis, encoding.groupAxis] {
      if let axis, !shape.indices.contains(axis) {
        throw OperatorError("the encoding has axis \(axis), but x has shape \(shape.shapeText)")
      }
    }
    let scales = EncodedTensor.scaleShape(of: shape, encoding: encoding)
    guard scales.elementCount == encoding.scales.count else {
      throw OperatorError(
        "the encoding has \(encoding.scales.count) scales, expected \(scales.shapeText) for shape \(shape.shapeText)"
      )
    }
    return scales
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "x")
    try x.require("x", \.isReal, "a float type")
    if let shape = x.shape { _ = try scaleShape(shape) }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let scales = try scaleShape(x.shape)
    return [run(x.converted(to: .float32), scales).converted(to: x.type)]
  }

  private func run(_ x: Tensor, _ scaleShape: Shape) -> Tensor {
    var (size, groupAxis) = (1, 0)
    if case .group(let elements) = encoding.scheme.granularity, let axis = encoding.groupAxis {
      (size, groupAxis) = (elements, axis)
    }
    let own = x.shape.rowMajorStrides
    let ofScales = scaleShape.rowMajorStrides
    let grouped = size > 1
    let groups = grouped ? scaleShape[groupAxis] : 1
    let (lower, upper) = (Float(encoding.codes.lowerBound), Float(encoding.codes.upperBound))
    let scales = encoding.scales
    let zeros = encoding.zeroPoints.map { Float($0) }
    return x.withElements(of: Float.self) { source in
      Tensor(of: Float.self, shape: x.shape) { out in
        guard let source = source.baseAddress, let out = out.baseAddress else { return }
        for group in 0..<groups {
          // The elements of one group along the axis; without groups, all of them.
          var part = x.shape
          if grouped { part[groupAxis] = min(size, x.shape[groupAxis] - group * size) }
          let strides = x.shape.indices.map { axis in
            scaleShape[axis] == 1 || grouped && axis == groupAxis ? 0 : ofScales[axis]
          }
          let first = grouped ? group * size * own[groupAxis] : 0
          let firstScale = grouped ? group * ofScales[groupAxis] : 0
          let loop = StridedLoop(shape: part, strides: [own, strides])
          let (n, step) = (loop.innerCount, loop.innerStrides[1])
          let distance = loop.innerStrides[0]
          loop.forEachRow { _, offsets in
            let (start, index) = (first + offsets[0], firstScale + offsets[1])
            if step == 0, distance == 1 {
              let zero = zeros[index]
              quantizeDequantize(
                source + start, out + start, count: n, scale: scales[index], lowest: lower - zero,
                highest: upper - zero)
            } else {
              for i in 0..<n {
                let (position, k) = (start + i * distance, index + i * step)
                quantizeDequantize(
                  source + position, out + position, count: 1, scale: scales[k], lowest: lower - zeros[k],
                  highest: upper - zeros[k])
              }
            }
          }
        }
      }
    }
  }
}
