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
      let wide = operands.map { $0.converted(to: .int64) }
      return [run(plan, wide, one: Int64(1), zero: 0, &*, &+).converted(to: type)]
    }
    return [
      run(plan, operands.map { $0.converted(to: .float64) }, one: 1.0, zero: 0, *, +).converted(to: type)
    ]
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
        sizes[label] = max(known, size)
        if size == 0 { sizes[label] = 0 }
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

  @inline(__always)
  private func run<T: TensorElement>(
    _ plan: Plan, _ operands: [Tensor], one: T, zero: T, _ multiply: (T, T) -> T, _ add: (T, T) -> T
  ) -> Tensor {
    let arrays = operands.map { $0.array(of: T.self) }
    let count = plan.summed.elementCount
    let loop = StridedLoop(shape: plan.output + plan.summed, strides: plan.strides)
    return Tensor(of: T.self, shape: plan.output) { out in
      for i in 0..<out.count { out[i] = zero }
      guard count > 0 else { return }
      loop.forEachRow { position, offsets in
        for i in 0..<loop.innerCount {
          var product = one
          for k in arrays.indices {
            product = multiply(product, arrays[k][offsets[k] + i * loop.innerStrides[k]])
          }
          let target = (position + i) / count
          out[target] = add(out[target], product)
        }
      }
    }
  }
}
