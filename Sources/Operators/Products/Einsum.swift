import Graph
import Tensors

/// A sum of products over named axes, for example `bij,bjk->bik`.
///
/// - Inputs: one tensor per term, numbers of one type. Output: the axes after the arrow, or, without an arrow, the
///   axes named once in alphabetical order. `…` (three dots) stands for axes that broadcast.
package struct Einsum: Operator {
  package static let name = OperatorName("Einsum", since: 12)
  package let equation: String

  package init(attributes: Attributes) throws {
    equation = try attributes.required("equation", attributes.string("equation"))
    _ = try terms()
  }

  package var attributes: Attributes { ["equation": .string(equation)] }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let first = try inputs.required(0, "Inputs")
    try first.require("Inputs", \.isNumber, "a number type")
    var shapes: [Shape] = []
    for (index, _) in inputs.enumerated() {
      let operand = try inputs.required(index, "Inputs")
      try requireSameType(first.type, operand.type)
      guard let shape = operand.shape else { return [OperandInfo(type: first.type, shape: nil)] }
      shapes.append(shape)
    }
    return [OperandInfo(type: first.type, shape: try plan(shapes).output)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let operands = try inputs.indices.map { try inputs.required($0, "Inputs") }
    let type = try inputs.required(0, "Inputs").type
    for operand in operands { try requireSameType(type, operand.type) }
    let plan = try plan(operands.map(\.shape))
    if type.isInteger {
      return [run(plan, operands.map { $0.converted(to: .int64) }, one: Int64(1)).converted(to: type)]
    }
    return [run(plan, operands.map { $0.converted(to: .float64) }, one: 1.0).converted(to: type)]
  }

  /// The axes of the result, those summed over, and how each operand walks them.
  private struct Plan {
    var output: Shape
    var summed: Shape
    /// Per operand, strides along the axes of the result and then those summed over.
    var strides: [[Int]]
  }

  /// Labels of the terms and of the result; `.` is an axis of the ellipsis, counted from the end by position.
  private func terms() throws -> (inputs: [[Character]], output: [Character]?) {
    let text = equation.filter { $0 != " " }.replacing("...", with: ".")
    let sides = text.split(separator: "-", omittingEmptySubsequences: false)
    guard sides.count <= 2, sides.count == 1 || sides[1].first == ">",
      text.allSatisfy({ $0.isASCII && $0.isLetter || ".,->".contains($0) })
    else { throw OperatorError("attribute \"equation\" is \"\(equation)\", which is not an Einstein sum") }
    let inputs = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    return (inputs, sides.count == 2 ? Array(sides[1].dropFirst()) : nil)
  }

  private func plan(_ shapes: [Shape]) throws -> Plan {
    let (inputs, output) = try terms()
    guard inputs.count == shapes.count else {
      throw OperatorError(
        "equation \"\(equation)\" has \(inputs.count) terms, but there are \(shapes.count) inputs")
    }
    var dots = 0
    for (term, shape) in zip(inputs, shapes) where term.contains(".") {
      dots = max(dots, shape.count - term.count + 1)
    }
    // Every label becomes a string; axes of the ellipsis are "0", "1", … from the left of the widest.
    func expand(_ term: [Character], rank: Int?) throws -> [String] {
      let own = rank.map { $0 - term.count + 1 } ?? dots
      let labels = term.flatMap { label in
        label == "." ? (dots - max(own, 0)..<dots).map(String.init) : [String(label)]
      }
      if let rank, labels.count != rank {
        throw OperatorError(
          "term \"\(String(term))\" of \"\(equation)\" does not have the \(rank) axes of its input")
      }
      return labels
    }
    let labels = try zip(inputs, shapes).map { try expand($0, rank: $1.count) }
    var sizes: [String: Int] = [:]
    for (term, shape) in zip(labels, shapes) {
      for (label, size) in zip(term, shape) {
        let known = sizes[label] ?? 1
        guard known == size || known == 1 || size == 1 else {
          throw OperatorError("axis \(label) of \"\(equation)\" has sizes \(known) and \(size)")
        }
        sizes[label] = known == 1 ? size : known
      }
    }
    let all = labels.flatMap { $0 }
    let result: [String]
    if let output {
      result = try expand(output, rank: nil)
    } else {
      let once = Set(all).filter { label in !isDot(label) && all.filter { $0 == label }.count == 1 }
      result = (0..<dots).map(String.init) + once.sorted()
    }
    guard result.allSatisfy({ sizes[$0] != nil }), Set(result).count == result.count else {
      throw OperatorError("the result of \"\(equation)\" names an axis twice or one that no input has")
    }
    let summed = Set(all).subtracting(result).sorted()
    let axes = result + summed
    let strides = zip(labels, shapes).map { term, shape -> [Int] in
      let own = shape.rowMajorStrides
      return axes.map { axis in
        term.indices.reduce(0) { $0 + (term[$1] == axis && shape[$1] != 1 ? own[$1] : 0) }
      }
    }
    let shape = try checked(result.map { sizes[$0] ?? 1 })
    return Plan(output: shape, summed: summed.map { sizes[$0] ?? 1 }, strides: strides)
  }

  private func isDot(_ label: String) -> Bool { label.first?.isNumber ?? false }

  /// The sums: the first operand times the product of the others, which are joined element by element.
  private func run<T: SummableElement>(_ plan: Plan, _ operands: [Tensor], one: T) -> Tensor {
    let axes = plan.output + plan.summed
    // The result takes part with steps of 0 along the axes summed over.
    let result = plan.output.rowMajorStrides + plan.summed.map { _ in 0 }
    guard operands.count <= 2 else {
      let rest = product(axes, Array(operands.dropFirst()), Array(plan.strides.dropFirst()), T.self)
      let pair = Plan(
        output: plan.output, summed: plan.summed, strides: [plan.strides[0], axes.rowMajorStrides])
      return run(pair, [operands[0], rest], one: one)
    }
    let (a, b) = (operands[0], operands.count == 2 ? operands[1] : Tensor([one], shape: []))
    let second = operands.count == 2 ? plan.strides[1] : axes.map { _ in 0 }
    let loop = StridedLoop(shape: axes, strides: [result, plan.strides[0], second])
    let steps = (loop.innerStrides[0], loop.innerStrides[1], loop.innerStrides[2])
    return a.withElements(of: T.self) { x in
      b.withElements(of: T.self) { y in
        Tensor(of: T.self, shape: plan.output) { out in
          guard let x = x.baseAddress, let y = y.baseAddress, let out = out.baseAddress else { return }
          loop.forEachRow { _, offsets in
            addProducts(out + offsets[0], x + offsets[1], y + offsets[2], loop.innerCount, steps)
          }
        }
      }
    }
  }

  /// The products of tensors over all axes.
  private func product<T: SummableElement>(
    _ axes: Shape, _ operands: [Tensor], _ strides: [[Int]], _ type: T.Type
  ) -> Tensor {
    let arrays = operands.map { $0.array(of: T.self) }
    let loop = StridedLoop(shape: axes, strides: strides)
    return Tensor(of: T.self, shape: axes) { out in
      loop.forEachRow { position, offsets in
        for i in 0..<loop.innerCount {
          var product = arrays[0][offsets[0] + i * loop.innerStrides[0]]
          for k in 1..<arrays.count {
            product = T.product(product, arrays[k][offsets[k] + i * loop.innerStrides[k]])
          }
          out[position + i] = product
        }
      }
    }
  }
}

/// out += x · y, element by element, each with its own step.
private func addProducts<T: SummableElement>(
  _ out: UnsafeMutablePointer<T>, _ x: UnsafePointer<T>, _ y: UnsafePointer<T>, _ n: Int,
  _ steps: (Int, Int, Int)
) {
  if steps.0 == 0 {
    var sum = out[0]
    for i in 0..<n { sum = T.addingProduct(sum, x[i &* steps.1], y[i &* steps.2]) }
    out[0] = sum
  } else {
    for i in 0..<n {
      out[i &* steps.0] = T.addingProduct(out[i &* steps.0], x[i &* steps.1], y[i &* steps.2])
    }
  }
}

extension Einsum: DifferentiableOperator {
  /// For each operand the sum of products of ∂loss/∂output and the other operands, over the axes it does not have.
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    let (inputs, output) = try terms()
    let all = inputs.flatMap { $0 }
    guard !all.contains("."), inputs.allSatisfy({ Set($0).count == $0.count }) else {
      throw OperatorError("equation \"\(equation)\" has dots or a diagonal, which has no gradient here")
    }
    let result = output ?? Set(all).filter { label in all.filter { $0 == label }.count == 1 }.sorted()
    let operands = try inputs.indices.map { try site.input($0) }
    return try inputs.indices.map { index in
      guard site.wants(index) else { return nil }
      let others = inputs.indices.filter { $0 != index }
      let known = Set(result + others.flatMap { inputs[$0] })
      let terms = ([result] + others.map { inputs[$0] }).map { String($0) }.joined(separator: ",")
      let reverse = try Einsum(
        attributes: ["equation": .string("\(terms)->\(String(inputs[index].filter(known.contains)))")])
      let product = try builder.add(
        reverse, [site.upstreamOfFirst()] + others.map { operands[$0] }, outputs: 1)[0]
      // Axes that only this operand has were summed, or had size 1 elsewhere: their gradient repeats.
      let shape = try builder.shape(operands[index])
      var found = try builder.shape(product).makeIterator()
      let full = inputs[index].map { known.contains($0) ? found.next() ?? 1 : 1 }
      let kept = zip(full, shape).map { min($0, $1) }
      let sums = try builder.sum(builder.reshape(product, full), to: kept)
      return try builder.expand(sums, to: shape)
    }
  }
}
