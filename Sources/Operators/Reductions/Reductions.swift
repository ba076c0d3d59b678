import Graph
import Tensors

// Reductions, one row each.

/// The sum.
package struct ReduceSum: ReductionFunction {
  package static let name = OperatorName("ReduceSum", since: 13)
  package static var axesInputSince: Int { 13 }
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T { T(row.total()) }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T { row.total() }
}

/// The mean; of integers without its fraction.
package struct ReduceMean: ReductionFunction {
  package static let name = OperatorName("ReduceMean", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(row.total() / Double(row.count))
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(converting: row.reals.reduce(0, +) / Double(row.count))
  }
}

/// The product.
package struct ReduceProd: ReductionFunction {
  package static let name = OperatorName("ReduceProd", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(row.reduce(1.0 as Double) { $0 * Double($1) })
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T { row.reduce(1, &*) }
}

/// Σ |x|.
package struct ReduceL1: ReductionFunction {
  package static let name = OperatorName("ReduceL1", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T { T(row.total(\.magnitude)) }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T {
    row.total { T(truncatingIfNeeded: $0.magnitude) }
  }
}

/// √(Σ x²).
package struct ReduceL2: ReductionFunction {
  package static let name = OperatorName("ReduceL2", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(row.total { $0 * $0 }.squareRoot())
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(converting: row.reals.reduce(0) { $0 + $1 * $1 }.squareRoot())
  }
}

/// Σ x².
package struct ReduceSumSquare: ReductionFunction {
  package static let name = OperatorName("ReduceSumSquare", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T { T(row.total { $0 * $0 }) }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T { row.total { $0 &* $0 } }
}

/// log(Σ x).
package struct ReduceLogSum: ReductionFunction {
  package static let name = OperatorName("ReduceLogSum", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T { T(Double.log(row.total())) }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(converting: Double.log(row.reals.reduce(0, +)))
  }
}

/// log(Σ eˣ), with the largest x taken out so that it does not overflow.
package struct ReduceLogSumExp: ReductionFunction {
  package static let name = OperatorName("ReduceLogSumExp", since: 18)
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    let highest = Double(row.max() ?? -.infinity)
    guard highest.isFinite else { return T(highest) }
    return T(highest + Double.log(row.total { Double.exp($0 - highest) }))
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T {
    T(converting: Double.log(row.reals.reduce(0) { $0 + Double.exp($1) }))
  }
}

/// The largest; −∞ or the lowest integer of nothing, NaN where one is NaN.
package struct ReduceMax: ReductionFunction {
  package static let name = OperatorName("ReduceMax", since: 18)
  package static var takesBooleans: Bool { true }
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    var result: T = -.infinity
    for x in row where x > result || x.isNaN {
      result = x
      if x.isNaN { break }
    }
    return result
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T { row.max() ?? .min }
}

/// The smallest; ∞ or the highest integer of nothing, NaN where one is NaN.
package struct ReduceMin: ReductionFunction {
  package static let name = OperatorName("ReduceMin", since: 18)
  package static var takesBooleans: Bool { true }
  package let options: ReductionOptions
  package init(options: ReductionOptions) { self.options = options }
  package func reduce<T: RealElement>(_ row: UnsafeBufferPointer<T>) -> T {
    var result: T = .infinity
    for x in row where x < result || x.isNaN {
      result = x
      if x.isNaN { break }
    }
    return result
  }
  package func reduce<T: IntegerElement>(_ row: UnsafeBufferPointer<T>) -> T { row.min() ?? .max }
}

extension ReductionFunction {
  /// ∂loss/∂output in a shape that broadcasts to the input's: reduced axes with size 1.
  func keepingAxes(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> (
    upstream: ValueName, axes: [Int]
  ) {
    let shape = try builder.shape(site.input(0))
    let given = site.node.inputs.count > 1 ? site.node.inputs[1] : nil
    let axes = try options.axes(given.flatMap { builder.infos[$0]?.constant?.integers }, of: shape)
    let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    return (try builder.reshape(site.upstreamOfFirst(), kept), axes)
  }
}

extension ReduceSum: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try keepingAxes(site, &builder).upstream
    return [try builder.expand(upstream, to: builder.shape(site.input(0)))]
      + site.node.inputs.dropFirst().map { _ in nil }
  }
}

extension ReduceMean: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (upstream, axes) = try keepingAxes(site, &builder)
    let shape = try builder.shape(site.input(0))
    let share = try builder.product(upstream, 1 / Float(axes.reduce(1) { $0 * shape[$1] }))
    return [try builder.expand(share, to: shape)] + site.node.inputs.dropFirst().map { _ in nil }
  }
}

extension ReductionFunction {
  /// The (first) output in a shape that broadcasts to the input's: reduced axes with size 1.
  fileprivate func keptOutput(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> (
    y: ValueName, upstream: ValueName, axes: [Int]
  ) {
    let (upstream, axes) = try keepingAxes(site, &builder)
    return (try builder.reshape(site.output(), builder.shape(upstream)), upstream, axes)
  }

  /// g to the elements that are the output, in equal parts where several are.
  fileprivate func gradientOfChoice(
    _ site: GradientSite, _ builder: inout GraphBuilder
  ) throws -> [ValueName?] {
    let (y, upstream, axes) = try keptOutput(site, &builder)
    let chosen = try builder.equality(site.input(0), y)
    let count = axes.isEmpty ? chosen : try builder.reduceSum(chosen, axes)
    return site.ofFirst(try builder.product(chosen, builder.quotient(upstream, count)))
  }
}

extension ReduceMax: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try gradientOfChoice(site, &builder)
  }
}

extension ReduceMin: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    try gradientOfChoice(site, &builder)
  }
}

extension ReduceL1: DifferentiableOperator {
  /// ∂x = g · sign(x).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try keepingAxes(site, &builder).upstream
    return site.ofFirst(try builder.product(builder.add(Sign(), site.input(0)), upstream))
  }
}

extension ReduceL2: DifferentiableOperator {
  /// ∂x = g · x / y, 0 where the norm is 0.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream, _) = try keptOutput(site, &builder)
    let factor = try builder.product(upstream, builder.inverseOfNorm(y))
    return site.ofFirst(try builder.product(site.input(0), factor))
  }
}

extension ReduceSumSquare: DifferentiableOperator {
  /// ∂x = 2 · g · x.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let upstream = try keepingAxes(site, &builder).upstream
    return site.ofFirst(try builder.product(site.input(0), builder.product(upstream, 2)))
  }
}

extension ReduceLogSum: DifferentiableOperator {
  /// ∂x = g · e^(−y).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream, _) = try keptOutput(site, &builder)
    let share = try builder.product(upstream, builder.add(Exp(), builder.negative(y)))
    return site.ofFirst(try builder.expand(share, to: builder.shape(site.input(0))))
  }
}

extension ReduceLogSumExp: DifferentiableOperator {
  /// ∂x = g · e^(x − y).
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (y, upstream, _) = try keptOutput(site, &builder)
    let powers = try builder.add(Exp(), builder.difference(site.input(0), y))
    return site.ofFirst(try builder.product(powers, upstream))
  }
}

extension ReduceProd: DifferentiableOperator {
  /// ∂x = g · the product of the other elements, without dividing, so that zeros do no harm.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let x = try site.input(0)
    let shape = try builder.shape(x)
    let (upstream, axes) = try keepingAxes(site, &builder)
    // Reduced axes last, as one.
    let order = shape.indices.filter { !axes.contains($0) } + axes.sorted()
    let moved = order.map { shape[$0] }
    let reduced = axes.reduce(1) { $0 * shape[$1] }
    let rows = try builder.reshape(
      builder.transpose(x, order), [shape.elementCount / Swift.max(1, reduced), reduced])
    let axis = builder.constant(Tensor(integers: [1], shape: []))
    let sides = try [false, true].map { isReversed in
      try builder.add(
        CumProd(options: CumulativeOptions(isExclusive: true, isReversed: isReversed)), rows, axis)
    }
    let others = try builder.reshape(builder.product(sides[0], sides[1]), moved)
    let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
    return site.ofFirst(try builder.product(builder.transpose(others, back), upstream))
  }
}
