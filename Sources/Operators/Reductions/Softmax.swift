import Graph
import Tensors

/// A function of all elements along one axis that keeps the shape; float types.
///
/// - Input: x, float. Output: y, as x.
package protocol AxisFunction: Operator {
  var axis: Int { get }
  /// Replaces a row by the function of it. The row's elements are `stride` apart.
  func apply<T: RealElement>(_ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int)
}

extension AxisFunction {
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let x = try inputs.required(0, "input")
    try x.require("input", \.isReal, "a float type")
    if let shape = x.shape, !shape.isEmpty { _ = try shape.axis(axis) }
    return [OperandInfo(type: x.type, shape: x.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "input")
    if x.type == .float64 { return [try run(x, Double.self)] }
    return [try run(x.converted(to: .float32), Float.self).converted(to: x.type)]
  }

  @inline(__always)
  private func run<T: RealElement>(_ x: Tensor, _ type: T.Type) throws -> Tensor {
    let shape = x.shape.isEmpty ? [1] : x.shape
    let rows = AxisRows(shape: shape, axis: try shape.axis(axis))
    return x.withElements(of: T.self) { source in
      Tensor(of: T.self, shape: x.shape) { out in
        guard let source = source.baseAddress, let out = out.baseAddress, rows.count > 0 else { return }
        rows.forEach { _, offset in
          apply(source + offset, out + offset, count: rows.count, stride: rows.inner)
        }
      }
    }
  }

  /// Before opset 13 all axes from `axis` (1 by default) on were one: Flatten, the function, and back.
  static func joiningTrailingAxes() -> Upgrade {
    .before(13) { node, rewrite in
      let axis = try node.attributes.integer("axis", default: 1)
      let input = node.inputs.first ?? nil
      let output = node.outputs.first ?? nil
      guard let input, let output else { return }
      node.attributes["axis"] = .int(-1)
      let rank = rewrite.rank(input) ?? rewrite.rank(output)
      if axis == -1 || rank.map({ (axis < 0 ? axis + $0 : axis) == $0 - 1 }) ?? false { return }
      let (flat, result, shape) = (
        rewrite.freshName + "flat", rewrite.freshName + "rows", rewrite.freshName + "shape"
      )
      let prefix = node.name.isEmpty ? rewrite.freshName : node.name + "/"
      rewrite.before = [
        RawNode(
          name: prefix + "shape", type: "Shape", domain: "", inputs: [input], outputs: [shape],
          attributes: [:]),
        RawNode(
          name: prefix + "flatten", type: "Flatten", domain: "", inputs: [input], outputs: [flat],
          attributes: ["axis": .int(axis)]),
      ]
      rewrite.after = [
        RawNode(
          name: prefix + "reshape", type: "Reshape", domain: "", inputs: [result, shape], outputs: [output],
          attributes: [:])
      ]
      node.inputs = [flat]
      node.outputs = [result]
    }
  }
}

/// eˣ / Σ eˣ along an axis.
package struct Softmax: AxisFunction {
  package static let name = OperatorName("Softmax", since: 13)
  package let axis: Int
  package static let upgrades: [Upgrade] = [joiningTrailingAxes()]

  package init(axis: Int = -1) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: -1) }
  package var attributes: Attributes { ["axis": .int(axis)] }

  package func apply<T: RealElement>(
    _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int
  ) {
    let highest = largest(x, count, stride)
    var sum: T = 0
    for i in 0..<count {
      let power = T.exp(x[i * stride] - highest)
      y[i * stride] = power
      sum += power
    }
    for i in 0..<count { y[i * stride] /= sum }
  }
}

/// x − log Σ eˣ along an axis.
package struct LogSoftmax: AxisFunction {
  package static let name = OperatorName("LogSoftmax", since: 13)
  package let axis: Int
  package static let upgrades: [Upgrade] = [joiningTrailingAxes()]

  package init(axis: Int = -1) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: -1) }
  package var attributes: Attributes { ["axis": .int(axis)] }

  package func apply<T: RealElement>(
    _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int
  ) {
    let highest = largest(x, count, stride)
    var sum: T = 0
    for i in 0..<count { sum += T.exp(x[i * stride] - highest) }
    let offset = T.log(sum)
    for i in 0..<count { y[i * stride] = x[i * stride] - highest - offset }
  }
}

/// 1 at the first of the largest elements along an axis, 0 elsewhere.
package struct Hardmax: AxisFunction {
  package static let name = OperatorName("Hardmax", since: 13)
  package let axis: Int
  package static let upgrades: [Upgrade] = [joiningTrailingAxes()]

  package init(axis: Int = -1) { self.axis = axis }
  package init(attributes: Attributes) throws { axis = try attributes.integer("axis", default: -1) }
  package var attributes: Attributes { ["axis": .int(axis)] }

  package func apply<T: RealElement>(
    _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int
  ) {
    var best = 0
    for i in 0..<count {
      y[i * stride] = 0
      if x[i * stride] > x[best * stride] { best = i }
    }
    y[best * stride] = 1
  }
}

/// x divided by its L1 or L2 norm along an axis; 0 where the norm is 0.
package struct LpNormalization: AxisFunction {
  package static let name = OperatorName("LpNormalization", since: 1)
  package let axis: Int
  /// 1 or 2.
  package let p: Int

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: -1)
    p = try attributes.integer("p", default: 2)
    guard p == 1 || p == 2 else { throw OperatorError("attribute \"p\" is \(p), expected 1 or 2") }
  }

  package var attributes: Attributes { ["axis": .int(axis), "p": .int(p)] }

  package func apply<T: RealElement>(
    _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, stride: Int
  ) {
    var sum = 0.0
    for i in 0..<count {
      let element = Double(x[i * stride])
      sum += p == 1 ? element.magnitude : element * element
    }
    let norm = T(p == 1 ? sum : sum.squareRoot())
    for i in 0..<count { y[i * stride] = norm == 0 ? 0 : x[i * stride] / norm }
  }
}

@inline(__always)
private func largest<T: RealElement>(_ x: UnsafePointer<T>, _ count: Int, _ stride: Int) -> T {
  var highest = x[0]
  for i in 1..<max(count, 1) { highest = max(highest, x[i * stride]) }
  return highest.isFinite ? highest : (highest > 0 ? highest : 0)
}

extension Softmax: DifferentiableOperator {
  /// ∂x = y · (g − Σ g · y).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    let along = try builder.shape(y).axis(axis)
    let sum = try builder.reduceSum(builder.product(upstream, y), [along])
    return [try builder.product(y, builder.difference(upstream, sum))]
  }
}

extension LogSoftmax: DifferentiableOperator {
  /// ∂x = g − eʸ · Σ g.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream) = (try site.output(), try site.upstreamOfFirst())
    let along = try builder.shape(y).axis(axis)
    let sum = try builder.reduceSum(upstream, [along])
    return [try builder.difference(upstream, builder.product(builder.add(Exp(), y), sum))]
  }
}

extension LpNormalization: DifferentiableOperator {
  /// With n the norm: ∂x = (g − y · Σ g · y) / n for p = 2, (g − sign(x) · Σ g · y) / n for p = 1.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (x, y, upstream) = (try site.input(0), try site.output(), try site.upstreamOfFirst())
    let along = try builder.shape(x).axis(axis)
    let axes = builder.integers([along])
    let norm =
      p == 1
      ? try builder.add(ReduceL1(options: ReductionOptions()), x, axes)
      : try builder.add(ReduceL2(options: ReductionOptions()), x, axes)
    let sum = try builder.reduceSum(builder.product(upstream, y), [along])
    let direction = p == 1 ? try builder.add(Sign(), x) : y
    let difference = try builder.difference(upstream, builder.product(direction, sum))
    return [try builder.product(difference, builder.inverseOfNorm(norm))]
  }
}
