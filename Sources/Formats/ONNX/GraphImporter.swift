import Graph
import Operators
import Tensors

/// Turns what a file holds into a `Graph`: orders nodes, makes constants, brings nodes to the newest form.
struct GraphImporter {
  let file: String
  let irVersion: Int
  let opsets: [String: Int]
  /// Whether some upgrade may ask for ranks, so that shapes are worth following.
  private var followsShapes = false
  private var freshNames = 0

  init(file: String, irVersion: Int, opsets: [String: Int]) {
    self.file = file
    self.irVersion = irVersion
    self.opsets = opsets
  }

  /// What is known of the values of one graph; inner graphs see those of the graphs around them.
  struct Scope {
    var defined: Set<ValueName> = []
    var constants: [ValueName: Tensor] = [:]
    var ranks: [ValueName: Int] = [:]
    var infos: [ValueName: OperandInfo] = [:]
  }

  mutating func graph(_ source: FileGraph) throws(ImportError) -> Graph {
    try checkOperators(source)
    followsShapes = needsUpgrades(source)
    return try graph(source, outer: [])
  }

  private mutating func graph(_ source: FileGraph, outer: [Scope]) throws(ImportError) -> Graph {
    var graph = Graph(name: source.name)
    var scope = Scope()
    for (name, tensor) in source.constants {
      guard !name.isEmpty else { throw failure(.file, .missing("the name of a constant")) }
      guard scope.constants.updateValue(tensor, forKey: name) == nil else {
        throw failure(.tensor(name), .writtenTwice(name))
      }
      scope.infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
    }
    scope.defined = Set(scope.constants.keys)
    var seen: Set<ValueName> = []
    for input in source.inputs {
      let isDefault = scope.constants[input.name] != nil
      // Before IR 4 every initializer is listed as an input too.
      if isDefault && irVersion < 4 { continue }
      let info = try valueInfo(input, mustHaveType: outer.isEmpty)
      guard !info.name.isEmpty else { throw failure(.file, .missing("the name of an input")) }
      guard seen.insert(info.name).inserted else {
        throw failure(.value(info.name), .writtenTwice(info.name))
      }
      scope.defined.insert(info.name)
      graph.inputs.append(info)
      note(info, in: &scope)
    }
    for value in source.values {
      let info = try valueInfo(value, mustHaveType: false)
      if !info.name.isEmpty, info.type != nil { graph.valueInfos[info.name] = info }
      if let dimensions = info.dimensions { scope.ranks[info.name] = dimensions.count }
    }
    for output in source.outputs {
      let info = try valueInfo(output, mustHaveType: false)
      graph.outputs.append(info)
      if let dimensions = info.dimensions { scope.ranks[info.name] = dimensions.count }
    }
    for node in try source.orderedNodes(file: file) {
      try append(node, to: &graph, scope: &scope, outer: outer)
    }
    for output in graph.outputs where !isDefined(output.name, scope, outer) {
      throw failure(.value(output.name), .undefinedValue(output.name))
    }
    graph.constants = scope.constants
    nameNodes(&graph)
    return graph
  }

  // MARK: Nodes

  private mutating func append(
    _ source: FileNode, to graph: inout Graph, scope: inout Scope, outer: [Scope]
  ) throws(ImportError) {
    let place = ImportError.Place.node(name: label(source), type: source.type)
    for input in source.inputs where !input.isEmpty && !isDefined(input, scope, outer) {
      throw failure(place, .undefinedValue(input))
    }
    for output in source.outputs where !output.isEmpty && scope.defined.contains(output) {
      throw failure(place, .writtenTwice(output))
    }
    let versions = source.opsets ?? opsets
    var attributes: Attributes = [:]
    for attribute in source.attributes {
      attributes[attribute.name] = try value(attribute, place: place, scope, outer)
    }
    if source.type == "Constant", source.domain.isEmpty {
      let tensor = try constant(attributes, place)
      guard let name = source.outputs.first, !name.isEmpty else { return }
      scope.constants[name] = tensor
      scope.defined.insert(name)
      scope.infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
      return
    }
    let raw = RawNode(
      name: source.name, type: source.type, domain: source.domain, inputs: names(source.inputs),
      outputs: names(source.outputs), attributes: attributes)
    let opset = try self.opset(of: source, in: versions, place)
    try append(raw, opset: opset, to: &graph, scope: &scope, outer: outer)
  }

  /// Brings a node to the newest form and appends it, with the nodes its upgrades put around it.
  private mutating func append(
    _ raw: RawNode, opset: Int, to graph: inout Graph, scope: inout Scope, outer: [Scope]
  ) throws(ImportError) {
    var node = raw
    var reached = opset
    var after: [(node: RawNode, opset: Int)] = []
    let place = ImportError.Place.node(name: label(raw), type: raw.type)
    while let declaration = Catalog.find(domain: node.domain, type: node.type),
      let upgrade = declaration.upgrades.first(where: { $0.before > reached })
    {
      let rewrite = try apply(upgrade, to: &node, place: place, scope: scope, outer: outer)
      reached = upgrade.before
      for (name, tensor) in rewrite.constants {
        scope.constants[name] = tensor
        scope.defined.insert(name)
        scope.infos[name] = OperandInfo(type: tensor.type, shape: tensor.shape, constant: tensor)
      }
      for added in rewrite.before {
        try append(added, opset: reached, to: &graph, scope: &scope, outer: outer)
      }
      after = rewrite.after.map { ($0, reached) } + after
    }
    guard let declaration = Catalog.find(domain: node.domain, type: node.type) else {
      throw failure(
        place, .unknownOperator(type: node.type, domain: node.domain, opset: reached, others: 0))
    }
    do {
      let op = try declaration.init(attributes: node.attributes)
      let made = Node(name: node.name, op: op, inputs: trimmed(node.inputs), outputs: trimmed(node.outputs))
      followShapes(of: made, scope: &scope, outer: outer)
      scope.defined.formUnion(made.outputs.compactMap { $0 })
      graph.nodes.append(made)
    } catch {
      throw failure(place, .operatorRefused("\(error)"))
    }
    for (added, opset) in after {
      try append(added, opset: opset, to: &graph, scope: &scope, outer: outer)
    }
  }

  /// What an upgrade adds; unlike `RawRewrite` it keeps no reference to the scope, which is about to change.
  private struct Additions {
    var constants: [ValueName: Tensor]
    var before: [RawNode]
    var after: [RawNode]
  }

  private mutating func apply(
    _ upgrade: Upgrade, to node: inout RawNode, place: ImportError.Place, scope: Scope, outer: [Scope]
  ) throws(ImportError) -> Additions {
    freshNames += 1
    let scopes = outer + [scope]
    var rewrite = RawRewrite(
      freshName: "\(label(node))#\(freshNames).",
      constant: { name in scopes.reversed().lazy.compactMap { $0.constants[name] }.first },
      rank: { name in
        scopes.reversed().lazy.compactMap { $0.infos[name]?.shape?.count ?? $0.ranks[name] }.first
      })
    do {
      try upgrade.apply(&node, &rewrite)
    } catch {
      throw failure(place, .operatorRefused("\(error)"))
    }
    return Additions(constants: rewrite.constants, before: rewrite.before, after: rewrite.after)
  }

  /// Infers the node's outputs, for the ranks that later upgrades may ask; what cannot be inferred stays unknown.
  private func followShapes(of node: Node, scope: inout Scope, outer: [Scope]) {
    guard followsShapes else { return }
    var operands: [OperandInfo?] = []
    for input in node.inputs {
      guard let input else {
        operands.append(nil)
        continue
      }
      guard let info = scope.infos[input] ?? outer.reversed().lazy.compactMap({ $0.infos[input] }).first
      else { return }
      operands.append(info)
    }
    guard let results = try? node.op.infer(operands, outputs: node.outputs.count) else { return }
    for (output, info) in zip(node.outputs, results) {
      if let output { scope.infos[output] = info }
    }
  }

  // MARK: Attributes and constants

  private mutating func value(
    _ attribute: FileAttribute, place: ImportError.Place, _ scope: Scope, _ outer: [Scope]
  ) throws(ImportError) -> Attribute {
    switch attribute.value {
    case .int(let x): .int(x)
    case .float(let x): .float(x)
    case .string(let x): .string(x)
    case .ints(let x): .ints(x)
    case .floats(let x): .floats(x)
    case .strings(let x): .strings(x)
    case .tensor(let x): .tensor(x)
    case .graph(let x): .graph(try graph(x, outer: outer + [scope]))
    case .reference(let name): throw failure(place, .undefinedValue("attribute \(name)"))
    case .unsupported(let what):
      throw failure(place, .unsupported(what: "attribute \"\(attribute.name)\"", found: what))
    }
  }

  private func constant(_ attributes: Attributes, _ place: ImportError.Place) throws(ImportError) -> Tensor {
    if let tensor = attributes.tensor("value") ?? attributes.tensor("sparse_value") { return tensor }
    if let x = attributes.float("value_float") { return Tensor(scalar: x) }
    if let x = attributes.int("value_int") { return Tensor(scalar: Int64(x)) }
    if let list = attributes.floats("value_floats") { return Tensor(list, shape: [list.count]) }
    if let list = attributes.ints("value_ints") { return Tensor(list.map { Int64($0) }, shape: [list.count]) }
    if attributes["value_string"] != nil || attributes["value_strings"] != nil {
      throw failure(place, .unsupported(what: "element type", found: "string"))
    }
    throw failure(place, .missing("the value"))
  }

  // MARK: Names and versions

  private func names(_ list: [String]) -> [ValueName?] { list.map { $0.isEmpty ? nil : $0 } }

  private func trimmed(_ list: [ValueName?]) -> [ValueName?] {
    var list = list
    while let last = list.last, last == nil { list.removeLast() }
    return list
  }

  private func label(_ node: FileNode) -> String {
    node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? node.type : node.name
  }

  private func label(_ node: RawNode) -> String {
    node.name.isEmpty ? node.outputs.lazy.compactMap { $0 }.first ?? node.type : node.name
  }

  private func isDefined(_ name: ValueName, _ scope: Scope, _ outer: [Scope]) -> Bool {
    scope.defined.contains(name) || outer.contains { $0.defined.contains(name) }
  }

  private func opset(
    of node: FileNode, in versions: [String: Int], _ place: ImportError.Place
  ) throws(ImportError) -> Int {
    if let version = versions[node.domain] ?? opsets[node.domain] { return version }
    guard node.domain.isEmpty, irVersion >= 3 else { return 1 }
    throw failure(place, .missing("the opset import of ai.onnx"))
  }

  /// Gives every node without a unique name that of its first output.
  private func nameNodes(_ graph: inout Graph) {
    var uses: [String: Int] = [:]
    for node in graph.nodes { uses[node.name, default: 0] += 1 }
    var taken = Set(uses.filter { $0.value == 1 && !$0.key.isEmpty }.keys)
    for i in graph.nodes.indices
    where graph.nodes[i].name.isEmpty || uses[graph.nodes[i].name, default: 0] > 1 {
      let base = graph.nodes[i].outputs.lazy.compactMap { $0 }.first ?? graph.nodes[i].operatorName.type
      var name = base
      var number = 1
      while !taken.insert(name).inserted {
        number += 1
        name = "\(base).\(number)"
      }
      graph.nodes[i].name = name
    }
  }

  // MARK: Values

  private func valueInfo(_ value: FileValue, mustHaveType: Bool) throws(ImportError) -> ValueInfo {
    let type = ElementType(rawValue: value.elementType)
    if mustHaveType && type == nil {
      throw failure(
        .value(value.name),
        .unsupported(what: "an input of type", found: value.otherKind ?? elementTypeName(value.elementType)))
    }
    let dimensions = value.dimensions?.map { dimension in
      switch dimension {
      case .fixed(let size): Dimension.fixed(size)
      case .free(let name): Dimension.free(name)
      }
    }
    return ValueInfo(name: value.name, type: type, dimensions: dimensions)
  }

  /// Keeps an input's type, with 1 for a free size: good enough for ranks.
  private func note(_ info: ValueInfo, in scope: inout Scope) {
    guard let dimensions = info.dimensions else { return }
    scope.ranks[info.name] = dimensions.count
    guard let type = info.type, scope.infos[info.name] == nil else { return }
    let shape = dimensions.map { dimension in if case .fixed(let size) = dimension { size } else { 1 } }
    scope.infos[info.name] = OperandInfo(type: type, shape: shape)
  }

  private func failure(_ place: ImportError.Place, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file, place: place, reason: reason)
  }
}

extension GraphImporter {
  /// Throws one error for all nodes whose operator is not in the catalogue, before anything else is done.
  private func checkOperators(_ graph: FileGraph) throws(ImportError) {
    var unknown: [FileNode] = []
    collectNodes(of: graph) { node in
      if Catalog.find(domain: node.domain, type: node.type) == nil,
        !(node.domain.isEmpty && node.type == "Constant")
      {
        unknown.append(node)
      }
    }
    guard let first = unknown.first else { return }
    throw failure(
      .node(name: label(first), type: first.type),
      .unknownOperator(
        type: first.type, domain: first.domain, opset: (first.opsets ?? opsets)[first.domain] ?? 1,
        others: unknown.count - 1))
  }

  private func needsUpgrades(_ graph: FileGraph) -> Bool {
    var found = false
    collectNodes(of: graph) { node in
      guard !found, let declaration = Catalog.find(domain: node.domain, type: node.type) else { return }
      let opset = (node.opsets ?? opsets)[node.domain] ?? 1
      found = declaration.upgrades.contains { $0.before > opset }
    }
    return found
  }

  private func collectNodes(of graph: FileGraph, _ visit: (FileNode) -> Void) {
    for node in graph.nodes {
      visit(node)
      for attribute in node.attributes {
        if case .graph(let inner) = attribute.value { collectNodes(of: inner, visit) }
      }
    }
  }
}
