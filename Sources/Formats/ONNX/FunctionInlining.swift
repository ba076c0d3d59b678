import Tensors

/// Replaces calls of a model's own functions by their bodies, in every graph, bounded in depth and number of nodes.
struct FunctionInlining {
  private let file: String
  private let functions: [FileFunction.Key: FileFunction]
  /// Bytes that bodies may still take: functions that call each other twice would otherwise grow without end.
  private var budget: Int
  private var calls = 0

  static let deepestCall = 32

  /// - `fileSize`: in bytes; all bodies together may take 64 times as much, and 16 MB in any case.
  init(_ functions: [FileFunction], file: String, fileSize: Int) throws(ImportError) {
    self.file = file
    budget = (16 << 20) + 64 * fileSize
    var table: [FileFunction.Key: FileFunction] = [:]
    for function in functions {
      guard table.updateValue(function, forKey: function.key) == nil else {
        throw ImportError(file: file, place: .function(function.name), reason: .writtenTwice(function.name))
      }
    }
    self.functions = table
  }

  mutating func inlined(_ graph: FileGraph) throws(ImportError) -> FileGraph {
    if functions.isEmpty { return graph }
    var result = graph
    result.nodes = try inlined(graph.nodes, depth: 0)
    return result
  }

  private mutating func inlined(_ nodes: [FileNode], depth: Int) throws(ImportError) -> [FileNode] {
    var result: [FileNode] = []
    for node in nodes {
      var node = node
      for i in node.attributes.indices {
        if case .graph(var graph) = node.attributes[i].value {
          graph.nodes = try inlined(graph.nodes, depth: depth)
          node.attributes[i].value = .graph(graph)
        }
      }
      let key = FileFunction.Key(name: node.type, domain: node.domain, overload: node.overload)
      guard let function = functions[key] else {
        result.append(node)
        continue
      }
      guard depth < Self.deepestCall else {
        throw failure(
          function, .limit(what: "functions inside each other", found: depth + 1, most: Self.deepestCall))
      }
      result += try inlined(try body(of: function, calledBy: node), depth: depth + 1)
    }
    return result
  }

  /// The function's nodes with its names replaced by those of the call, and all others made unique.
  private mutating func body(
    of function: FileFunction, calledBy call: FileNode
  ) throws(ImportError) -> [FileNode] {
    guard call.inputs.count <= function.inputs.count else {
      throw failure(
        function, .count(what: "inputs", found: call.inputs.count, expected: function.inputs.count))
    }
    guard call.outputs.count <= function.outputs.count else {
      throw failure(
        function, .count(what: "outputs", found: call.outputs.count, expected: function.outputs.count))
    }
    calls += 1
    let label = call.name.isEmpty ? call.outputs.first ?? function.name : call.name
    let long = label.utf8.count + function.name.utf8.count > 200
    var renaming = Renaming(prefix: long ? "call.\(calls)/" : "\(label)/\(function.name).\(calls)/")
    budget -= cost(function.nodes, prefix: renaming.prefix.utf8.count)
    guard budget >= 0 else {
      throw failure(function, .malformed("its calls grow beyond what a file of this size can need"))
    }
    for (i, name) in function.inputs.enumerated() {
      renaming.names[name] = i < call.inputs.count ? call.inputs[i] : ""
    }
    var copies: [FileNode] = []
    for (i, name) in function.outputs.enumerated() where i < call.outputs.count && !call.outputs[i].isEmpty {
      if let input = renaming.names[name] {
        // An output that is an input, or that is given twice, needs a node to carry its second name.
        copies.append(FileNode(type: "Identity", inputs: [input], outputs: [call.outputs[i]]))
      } else {
        renaming.names[name] = call.outputs[i]
      }
    }
    var values: [String: FileAttribute.Value] = [:]
    for attribute in function.defaults { values[attribute.name] = attribute.value }
    for attribute in call.attributes { values[attribute.name] = attribute.value }
    for name in copies.indices { copies[name].name = renaming.prefix + "output\(name)" }
    return function.nodes.map { node in
      var node = renaming.renamed(node)
      node.opsets = node.opsets ?? function.opsets
      node = substitute(values, in: node, opsets: function.opsets)
      return node
    } + copies
  }

  /// Fills references to the function's attributes; one the call does not give is left out, as ONNX says.
  private func substitute(
    _ values: [String: FileAttribute.Value], in node: FileNode, opsets: [String: Int]
  ) -> FileNode {
    var node = node
    node.opsets = node.opsets ?? opsets
    node.attributes = node.attributes.compactMap { attribute in
      switch attribute.value {
      case .reference(let name):
        guard let value = values[name] else { return nil }
        return FileAttribute(name: attribute.name, value: value)
      case .graph(var graph):
        graph.nodes = graph.nodes.map { substitute(values, in: $0, opsets: opsets) }
        return FileAttribute(name: attribute.name, value: .graph(graph))
      default: return attribute
      }
    }
    return node
  }

  /// Bytes a copy of these nodes takes, roughly: its names, and 64 for each node, attribute and value.
  private func cost(_ nodes: [FileNode], prefix: Int) -> Int {
    var sum = 0
    for node in nodes {
      sum += 64 + prefix + node.name.utf8.count + node.type.utf8.count
      for name in node.inputs { sum += 64 + prefix + name.utf8.count }
      for name in node.outputs { sum += 64 + prefix + name.utf8.count }
      for attribute in node.attributes {
        sum += 64
        guard case .graph(let graph) = attribute.value else { continue }
        sum += cost(graph.nodes, prefix: prefix)
        for value in graph.inputs + graph.outputs + graph.values {
          sum += 64 + prefix + value.name.utf8.count
        }
        for constant in graph.constants { sum += 64 + prefix + constant.name.utf8.count }
      }
    }
    return sum
  }

  private func failure(_ function: FileFunction, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file, place: .function(function.name), reason: reason)
  }
}

/// Gives the values and nodes of a function body names of their own.
private struct Renaming {
  var names: [String: String] = [:]
  let prefix: String

  init(prefix: String) { self.prefix = prefix }

  private func name(_ name: String) -> String { name.isEmpty ? "" : names[name] ?? prefix + name }

  func renamed(_ node: FileNode) -> FileNode {
    var node = node
    if !node.name.isEmpty { node.name = prefix + node.name }
    node.inputs = node.inputs.map(name)
    node.outputs = node.outputs.map(name)
    for i in node.attributes.indices {
      if case .graph(let graph) = node.attributes[i].value {
        node.attributes[i].value = .graph(renamed(graph))
      }
    }
    return node
  }

  private func renamed(_ graph: FileGraph) -> FileGraph {
    var graph = graph
    graph.nodes = graph.nodes.map(renamed)
    graph.constants = graph.constants.map { (name($0.name), $0.tensor) }
    for i in graph.inputs.indices { graph.inputs[i].name = name(graph.inputs[i].name) }
    for i in graph.outputs.indices { graph.outputs[i].name = name(graph.outputs[i].name) }
    for i in graph.values.indices { graph.values[i].name = name(graph.values[i].name) }
    return graph
  }
}
