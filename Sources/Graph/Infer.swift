import Tensors

extension ValueInfo {
  /// The shape where every dimension is fixed.
  package var shape: Shape? {
    guard let dimensions else { return nil }
    var shape: Shape = []
    for dimension in dimensions {
      guard case .fixed(let size) = dimension else { return nil }
      shape.append(size)
    }
    return shape
  }
}

extension Graph {
  /// Type, shape and, where it is known before anything runs, content of every value.
  ///
  /// Shapes computed from constants and from known shapes (Shape → Gather → Concat → Reshape) are followed by
  /// evaluating nodes whose inputs are all known and small.
  /// - Parameters:
  ///   - inputs: what is known of inputs beyond their declaration, which must agree with it.
  ///   - around: values of the surrounding graphs, for a subgraph.
  ///   - limit: most elements of inputs, and of outputs, of a node that is evaluated.
  /// - Returns: also the surrounding values given.
  /// - Errors: `GraphInputError` for inputs that contradict the declaration or have no type; `NodeError` with the
  ///   operator's reason.
  package func infer(
    inputs given: [ValueName: OperandInfo] = [:], around: [ValueName: OperandInfo] = [:], limit: Int = 65_536
  ) throws -> [ValueName: OperandInfo] {
    var infos = around
    for (name, tensor) in constants {
      infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
    }
    for input in inputs {
      if let info = given[input.name] {
        try input.check(type: info.type, shape: info.shape)
        infos[input.name] = OperandInfo(
          type: info.type, shape: info.shape ?? input.shape, constant: info.constant)
      } else if constants[input.name] == nil {
        guard let type = input.type else {
          throw GraphInputError("input \"\(input.name)\" has no element type")
        }
        infos[input.name] = OperandInfo(type: type, shape: input.shape)
      }
    }
    for node in nodes {
      do {
        try infer(node, &infos, limit: limit)
      } catch let error as NodeError {
        throw error
      } catch {
        throw NodeError(node: node, reason: error)
      }
    }
    return infos
  }

  private func infer(_ node: Node, _ infos: inout [ValueName: OperandInfo], limit: Int) throws {
    let operands = try node.inputs.map { name -> OperandInfo? in
      guard let name else { return nil }
      guard let info = infos[name] else {
        throw GraphInputError("reads \"\(name)\", which nothing before it writes")
      }
      return info
    }
    var results: [OperandInfo]
    if let op = node.op as? any SubgraphOperator {
      results = try op.infer(operands, outputs: node.outputs.count, around: infos)
    } else {
      results = try node.op.infer(operands, outputs: node.outputs.count)
      if let known = try evaluate(node, operands, results, limit: limit) {
        results = known.map { OperandInfo(type: $0.type, shape: $0.shape, constant: $0) }
      }
    }
    try node.requireOutputs(results.count)
    for (name, result) in zip(node.outputs, results) {
      guard let name else { continue }
      var result = result
      // A declared shape helps where the operator cannot know it.
      if result.shape == nil, let declared = valueInfos[name], declared.type ?? result.type == result.type {
        result.shape = declared.shape
      }
      infos[name] = result
    }
  }

  /// The outputs of a node whose inputs are all known, where they are small; `nil` otherwise.
  private func evaluate(
    _ node: Node, _ operands: [OperandInfo?], _ results: [OperandInfo], limit: Int
  ) throws -> [Tensor]? {
    guard !(node.op is any NondeterministicOperator), results.contains(where: { $0.constant == nil }) else {
      return nil
    }
    var inputs: [Tensor?] = []
    for operand in operands {
      guard let operand else {
        inputs.append(nil)
        continue
      }
      guard let constant = operand.constant, constant.count <= limit else { return nil }
      inputs.append(constant)
    }
    for result in results {
      if let shape = result.shape {
        guard let count = shape.checkedElementCount, count <= limit else { return nil }
      }
    }
    return try node.op.evaluate(inputs, outputs: node.outputs.count, context: EvaluationContext())
  }
}

/// An operator whose outputs are not a function of its inputs (random numbers), so that it is never folded.
package protocol NondeterministicOperator: Operator {}

extension ValueInfo {
  /// Throws when a type or shape contradicts this declaration.
  func check(type: ElementType, shape: Shape?) throws {
    if let declared = self.type, declared != type {
      throw GraphInputError("input \"\(name)\" is \(type.name), expected \(declared.name)")
    }
    guard let shape, let dimensions else { return }
    let agrees =
      shape.count == dimensions.count
      && zip(shape, dimensions).allSatisfy { size, dimension in
        if case .fixed(let fixed) = dimension { size == fixed } else { size >= 0 }
      }
    guard agrees else {
      let text = dimensions.map { dimension in
        switch dimension {
        case .fixed(let size): String(size)
        case .free(let symbol): symbol.isEmpty ? "?" : symbol
        }
      }.joined(separator: "x")
      throw GraphInputError(
        "input \"\(name)\" has shape \(shape.shapeText), expected \(dimensions.isEmpty ? "scalar" : text)")
    }
  }
}
