import Execution
import Formats
import Foundation
import Graph
import LanguageModels
import Operators
import Quantization
import Tensors

/// What is wrong with a request: where, what was found and expected, and what to do.
package struct WorkflowError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// An opened model: the graph as the file holds it, and the simplified float32 graph that is quantized and run.
package struct Model: Sendable {
  package var path: String
  package var format: String
  /// The files it was read from.
  package var files: [String]
  package var fileBytes: Int
  /// What there is beside the graph of a language model.
  package var language: Language?
  /// As read.
  package var source: Graph
  /// Constants folded, batch normalisation folded: what recipes apply to.
  package var graph: Graph
  /// Shapes of the inputs for one sample.
  package var inputShapes: [ValueName: Shape]
  /// What is known of every value of `graph` for one sample.
  package var infos: [ValueName: OperandInfo]
  /// Inputs whose first axis is the batch and free; empty for a network of fixed batch.
  package var batchInputs: Set<ValueName>
  package var layers: [LayerFacts]
  /// Elements of all weights and biases.
  package var parameters: Int
  /// Multiply–accumulates of one inference of one sample.
  package var macs: Int

  /// Name without folder and ending.
  package var title: String { URL(fileURLWithPath: path).lastPathComponent }

  /// Share of the multiply–accumulates that are in quantized layers, 0…1; `nil` where there are none at all.
  package func quantizedMacs(_ isQuantized: (_ layer: String) -> Bool) -> Double? {
    guard macs > 0 else { return nil }
    return Double(layers.reduce(0) { $0 + (isQuantized($1.name) ? $1.macs : 0) }) / Double(macs)
  }

  /// The largest batch that inputs allow: `wanted`, or what the file fixes.
  package func batch(_ wanted: Int) -> Int {
    guard batchInputs.isEmpty else { return wanted }
    return source.suppliedInputs.first.flatMap { inputShapes[$0.name]?.first } ?? 1
  }

  /// Input shapes for a batch of `count` samples.
  package func inputShapes(batch count: Int) -> [ValueName: Shape] {
    inputShapes.mapValues { $0 }.merging(
      batchInputs.compactMap { name in
        inputShapes[name].map { (name, [count] + $0.dropFirst()) }
      }, uniquingKeysWith: { $1 })
  }
}

/// What is fixed about one node of a model, whatever the recipe.
package struct LayerFacts: Sendable, Hashable {
  package var name: String
  package var operatorName: String
  /// Shape of the weight, where the node has one.
  package var weightShape: Shape?
  /// Value name of the weight.
  package var weight: ValueName?
  package var outputShape: Shape?
  package var parameters: Int
  package var macs: Int
  /// Smallest and largest weight.
  package var weightRange: ClosedRange<Float>?
  /// float32 bytes of weights and bias.
  package var bytes: Int

  /// Whether it has weights that a recipe can quantize.
  package var hasWeights: Bool { weight != nil }
}

extension Model {
  /// Opens a model file of any known format.
  ///
  /// - Parameters:
  ///   - shapes: sizes for free dimensions, by input name.
  ///   - samples: shapes of one sample without the batch, from data; they fix what `shapes` leaves free.
  package static func open(
    _ path: String, shapes: [ValueName: Shape] = [:], samples: [ValueName: Shape] = [:]
  ) throws -> Model {
    try Model(ModelFile(path), shapes: shapes, samples: samples)
  }

  package init(
    _ file: ModelFile, shapes: [ValueName: Shape] = [:], samples: [ValueName: Shape] = [:]
  ) throws {
    try self.init(
      source: file.source, path: file.path, format: file.format, files: file.files, language: file.language,
      shapes: shapes, samples: samples)
  }

  /// Bytes of a file; 0 where there is none.
  package static func bytes(ofFile path: String) -> Int {
    let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    return (size ?? nil) ?? 0
  }

  package init(
    source: Graph, path: String, format: String, files: [String]? = nil, language: Language? = nil,
    shapes: [ValueName: Shape] = [:], samples: [ValueName: Shape] = [:]
  ) throws {
    let ports = source.suppliedInputs
    let samples = samples.isEmpty ? language?.usualSample ?? [:] : samples
    let known = Set(ports.map(\.name))
    if let stranger = shapes.keys.first(where: { !known.contains($0) }) {
      throw WorkflowError(
        "--input-shape \(stranger): the model has no such input (it has \(known.sorted().joined(separator: ", ")))."
      )
    }
    var inputShapes: [ValueName: Shape] = [:]
    var batchInputs: Set<ValueName> = []
    for port in ports {
      let (shape, isBatchFree) = try Self.shape(
        of: port, given: shapes[port.name], sample: samples[port.name], path: path)
      inputShapes[port.name] = shape
      if isBatchFree { batchInputs.insert(port.name) }
    }
    self.path = path
    self.format = format
    self.files = files ?? [path]
    fileBytes = self.files.reduce(0) { $0 + Self.bytes(ofFile: $1) }
    self.language = language
    self.source = source
    self.inputShapes = inputShapes
    self.batchInputs = batchInputs
    // Shapes are left free where the batch is, so that one simplified graph serves every batch.
    graph = try simplified(source, inputShapes: batchInputs.isEmpty ? inputShapes : nil)
    var operands: [ValueName: OperandInfo] = [:]
    for port in ports {
      operands[port.name] = OperandInfo(type: port.type ?? .float32, shape: inputShapes[port.name])
    }
    infos = try graph.infer(inputs: operands)
    let facts = LayerFacts.all(of: graph, infos: infos)
    layers = facts
    macs = facts.reduce(0) { $0 + $1.macs }
    parameters = graph.constants.values.reduce(0) { $0 + ($1.type.isFloatingPoint ? $1.count : 0) }
  }

  private static func shape(
    of port: ValueInfo, given: Shape?, sample: Shape?, path: String
  ) throws -> (Shape, isBatchFree: Bool) {
    guard let dimensions = port.dimensions else {
      guard let shape = given ?? sample.map({ [1] + $0 }) else {
        throw WorkflowError(
          "\(path): input \"\(port.name)\": the file says nothing of its shape. Give --input-shape \(port.name)=1x…."
        )
      }
      return (shape, false)
    }
    if let given, given.count != dimensions.count {
      throw WorkflowError(
        "--input-shape \(port.name)=\(given.shapeText): \(given.count) axes given, the model's input has \(dimensions.count)."
      )
    }
    var shape: Shape = []
    for (axis, dimension) in dimensions.enumerated() {
      switch dimension {
      case .fixed(let size):
        if let given, given[axis] != size {
          throw WorkflowError(
            "--input-shape \(port.name)=\(given.shapeText): axis \(axis) is fixed to \(size) in the model.")
        }
        shape.append(size)
      case .free(let symbol):
        if let given {
          shape.append(given[axis])
        } else if axis == 0 {
          shape.append(1)
        } else if let sample, axis <= sample.count {
          shape.append(sample[axis - 1])
        } else {
          throw WorkflowError(
            "\(path): input \"\(port.name)\": axis \(axis)\(symbol.isEmpty ? "" : " (\(symbol))") is free. Give --input-shape \(port.name)=… or data."
          )
        }
      }
    }
    if let first = dimensions.first, case .free = first { return (shape, given == nil) }
    return (shape, false)
  }
}

extension Graph {
  /// Inputs that have no default among the constants.
  package var suppliedInputs: [ValueInfo] { inputs.filter { constants[$0.name] == nil } }
}

extension LayerFacts {
  /// One row for each node that a recipe can speak of: with weights, or with an activation that can be codes.
  static func all(of graph: Graph, infos: [ValueName: OperandInfo]) -> [LayerFacts] {
    graph.nodes.compactMap { node in
      let operands = node.inputs.map { $0.flatMap { infos[$0] } }
      let results = node.outputs.compactMap { $0.flatMap { infos[$0] } }
      var facts = LayerFacts(
        name: node.name, operatorName: node.operatorName.text, weightShape: nil, weight: nil,
        outputShape: results.first?.shape, parameters: 0, macs: 0, weightRange: nil, bytes: 0)
      if let op = node.op as? any WeightedOperator {
        let roles = op.weightRoles(operands)
        facts.macs = op.multiplyAccumulates(operands, results)
        for role in roles {
          guard let name = node.inputs[role.input], let tensor = graph.constants[name] else { continue }
          if facts.weight == nil {
            facts.weight = name
            facts.weightShape = tensor.shape
          }
          facts.parameters += tensor.count
          if let bias = role.bias, bias < node.inputs.count, let name = node.inputs[bias],
            let tensor = graph.constants[name]
          {
            facts.parameters += tensor.count
          }
        }
        facts.bytes = facts.parameters * 4
        if let name = facts.weight, let tensor = graph.constants[name], tensor.type == .float32,
          tensor.count > 0
        {
          facts.weightRange = tensor.withElements(of: Float.self) { values in
            var low = values[0]
            var high = values[0]
            for x in values {
              low = Swift.min(low, x)
              high = Swift.max(high, x)
            }
            return low...Swift.max(low, high)
          }
        }
        return roles.isEmpty && facts.macs == 0 ? nil : facts
      }
      guard let op = node.op as? any ActivationOperator, op.encodingRule(operands) != nil else { return nil }
      return facts
    }
  }
}
