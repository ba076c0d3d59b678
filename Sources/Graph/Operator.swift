import Tensors

/// What a file calls an operator: type and domain (`""` is ONNX's own), and the opset its declaration is written for.
package struct OperatorName: Sendable, Hashable {
  package var type: String
  package var domain: String
  /// The opset of `domain` whose form the declaration implements; older forms reach it by `upgrades`.
  package var since: Int

  package init(_ type: String, domain: String = "", since: Int) {
    self.type = type
    self.domain = domain
    self.since = since
  }

  package var text: String { domain.isEmpty ? type : "\(domain).\(type)" }
}

/// What is known about one operand before anything runs.
package struct OperandInfo: Sendable {
  package var type: ElementType
  /// `nil` when the shape depends on data that exists only at run time.
  package var shape: Shape?
  /// The operand itself where it is already known: a constant or folded from constants.
  package var constant: Tensor?

  package init(type: ElementType, shape: Shape?, constant: Tensor? = nil) {
    self.type = type
    self.shape = shape
    self.constant = constant
  }
}

/// A computation a node can name.
///
/// Declared once; import, export, shape inference, execution, quantization and
/// training all read it from here.
package protocol Operator: Sendable {
  static var name: OperatorName { get }
  /// How nodes of older opsets become this form, oldest boundary first. Default: none.
  static var upgrades: [Upgrade] { get }
  /// Throws `OperatorError` when an attribute is missing, of the wrong kind or out of range.
  init(attributes: Attributes) throws
  /// The attributes that make this operator again; what export writes. Defaults may be left out.
  var attributes: Attributes { get }
  /// Types and shapes of the first `outputs` outputs, or what is wrong with the inputs.
  ///
  /// A shape that depends on run-time data is `nil`.
  func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo]
  /// Computes the first `outputs` outputs: the reference, exact in the element types given, simple before fast.
  func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor]
}

extension Operator {
  package static var upgrades: [Upgrade] { [] }
}

/// What evaluation may need from around a node: captured values for subgraphs, and a way to run them.
package struct EvaluationContext: Sendable {
  /// Values of the surrounding graphs by name, for subgraphs.
  package var captured: [ValueName: Tensor]
  /// Runs a subgraph on its inputs, with `captured` visible, and returns its outputs.
  package var run: @Sendable (Graph, [Tensor], [ValueName: Tensor]) throws -> [Tensor]
  package var seed: UInt64

  package init(
    captured: [ValueName: Tensor] = [:], seed: UInt64 = 0,
    run: @escaping @Sendable (Graph, [Tensor], [ValueName: Tensor]) throws -> [Tensor]
  ) {
    self.captured = captured
    self.seed = seed
    self.run = run
  }
}

/// What is wrong with a node: the sentence about the operator; whoever knows the node and file adds those.
package struct OperatorError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// A change of form between opsets: applied to nodes of an opset below `before`.
package struct Upgrade: Sendable {
  package var before: Int
  /// Changes the node in place; may add constants and nodes through the rewrite.
  package var apply: @Sendable (inout RawNode, inout RawRewrite) throws -> Void

  package static func before(
    _ opset: Int, _ apply: @escaping @Sendable (inout RawNode, inout RawRewrite) throws -> Void
  ) -> Upgrade { Upgrade(before: opset, apply: apply) }
}

/// A node as a file holds it, before an operator is made of it.
package struct RawNode: Sendable {
  package var name: String
  package var type: String
  package var domain: String
  package var inputs: [ValueName?]
  package var outputs: [ValueName?]
  package var attributes: Attributes

  package init(
    name: String, type: String, domain: String, inputs: [ValueName?], outputs: [ValueName?],
    attributes: Attributes
  ) {
    self.name = name
    self.type = type
    self.domain = domain
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }
}

/// What an upgrade may do beside changing its node.
package struct RawRewrite: Sendable {
  /// Constants the upgraded node reads.
  package var constants: [ValueName: Tensor] = [:]
  /// Nodes to put before and after the upgraded one.
  package var before: [RawNode] = []
  package var after: [RawNode] = []
  /// A prefix no other value has; append to it for names of new values.
  package var freshName: String
  /// The constant a value is known to be, such as an initializer; `nil` when it is computed.
  package var constant: @Sendable (ValueName) -> Tensor?
  /// The rank of a value where the file declares it.
  package var rank: @Sendable (ValueName) -> Int?

  package init(
    freshName: String, constant: @escaping @Sendable (ValueName) -> Tensor?,
    rank: @escaping @Sendable (ValueName) -> Int?
  ) {
    self.freshName = freshName
    self.constant = constant
    self.rank = rank
  }

  /// Adds a constant and returns its name.
  package mutating func add(constant tensor: Tensor, _ suffix: String) -> ValueName {
    let name = freshName + suffix
    constants[name] = tensor
    return name
  }
}
