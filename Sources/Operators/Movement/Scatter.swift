import Graph
import Tensors

/// What happens where an update meets an element.
enum ScatterReduction: String, CaseIterable, Sendable {
  case none, add, mul, max, min
}

/// Replaces or combines elements of a tensor at indices along an axis.
///
/// - Inputs: data; indices and updates of one shape, of data's rank. Updates apply in order.
/// - Source: ONNX ScatterElements-18.
package struct ScatterElements: Operator {
  package static let name = OperatorName("ScatterElements", since: 18)
  var reduction: ScatterReduction
  package var axis: Int

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: 0)
    let text = try attributes.text("reduction", among: ScatterReduction.allCases.map(\.rawValue))
    reduction = ScatterReduction(rawValue: text) ?? .none
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: 0)
    writer.add("reduction", reduction.rawValue, unless: "none")
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    if let shape = data.shape { _ = try shape.axis(axis) }
    return [OperandInfo(type: data.type, shape: data.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let updates = try inputs.required(2, "updates")
    guard indices.shape == updates.shape, updates.type == data.type else {
      throw OperatorError(
        "indices have shape \(indices.shape.shapeText), updates \(updates.shape.shapeText) of \(updates.type.name) "
          + "(expected one shape and \(data.type.name)).")
    }
    let offsets = try elementOffsets(data.shape, indices, axis: data.shape.axis(axis))
    return [try data.scattering(updates, at: offsets, block: 1, reduction)]
  }
}

/// The name `ScatterElements` had in opsets 9 and 10.
package struct Scatter: Operator {
  package static let name = OperatorName("Scatter", since: 11)
  package static var upgrades: [Upgrade] { [.becomes("ScatterElements")] }
  private var elements: ScatterElements

  package init(attributes: Attributes) throws { elements = try ScatterElements(attributes: attributes) }
  package var attributes: Attributes { elements.attributes }
  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    try elements.infer(inputs, outputs: outputs)
  }
  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    try elements.evaluate(inputs, outputs: outputs, context: context)
  }
}

/// Replaces or combines slices of a tensor at index tuples.
///
/// - Inputs: data; indices `[…, k]`; updates: indices' axes but the last, then data's axes from k on. Updates apply in
///   order.
/// - Source: ONNX ScatterND-18.
package struct ScatterND: Operator {
  package static let name = OperatorName("ScatterND", since: 18)
  var reduction: ScatterReduction

  package init(attributes: Attributes) throws {
    let text = try attributes.text("reduction", among: ScatterReduction.allCases.map(\.rawValue))
    reduction = ScatterReduction(rawValue: text) ?? .none
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("reduction", reduction.rawValue, unless: "none")
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let data = try inputs.required(0, "data")
    return [OperandInfo(type: data.type, shape: data.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let data = try inputs.required(0, "data")
    let indices = try inputs.required(1, "indices")
    let updates = try inputs.required(2, "updates")
    let width = indices.shape.last ?? 0
    guard indices.rank > 0, width <= data.rank, updates.type == data.type,
      updates.shape == Array(indices.shape.dropLast()) + Array(data.shape.dropFirst(width))
    else {
      throw OperatorError(
        "indices of shape \(indices.shape.shapeText) and updates of shape \(updates.shape.shapeText) do not fit data "
          + "of shape \(data.shape.shapeText).")
    }
    let offsets = try tupleOffsets(data.shape, indices, batchAxes: 0)
    let block = Array(data.shape.dropFirst(width)).elementCount
    return [try data.scattering(updates, at: offsets, block: block, reduction)]
  }
}

extension Tensor {
  /// This tensor with blocks of `block` elements at flat offsets replaced by, or combined with, those of `updates`.
  fileprivate func scattering(
    _ updates: Tensor, at offsets: [Int], block: Int, _ reduction: ScatterReduction
  ) throws -> Tensor {
    if reduction == .none {
      let (target, source) = (words, updates.words)
      return Tensor(
        words: target.type.dispatchWord(Replace(x: target, updates: source, offsets: offsets, block: block)),
        type: type)
    }
    return Combine(x: self, updates: updates, offsets: offsets, block: block, reduction: reduction).result
  }
}

private struct Replace: WordVisitor {
  let x: Tensor
  let updates: Tensor
  let offsets: [Int]
  let block: Int

  func visit<W: ElementWord>(_ word: W.Type) -> Tensor {
    x.withElements(of: W.self) { x in
      updates.withElements(of: W.self) { updates in
        Tensor(of: W.self, shape: self.x.shape) { y in
          _ = y.update(fromContentsOf: x)
          for (i, offset) in offsets.enumerated() {
            for j in 0..<block { y[offset + j] = updates[i * block + j] }
          }
        }
      }
    }
  }
}

private struct Combine {
  let x: Tensor
  let updates: Tensor
  let offsets: [Int]
  let block: Int
  let reduction: ScatterReduction

  var result: Tensor {
    if x.type == .bool {
      let isOr = reduction == .add || reduction == .max
      return combined(Bool.self) { isOr ? $0 || $1 : $0 && $1 }
    }
    if x.type.isFloatingPoint {
      return combined(Double.self) { old, new in
        switch reduction {
        case .add: old + new
        case .mul: old * new
        case .max: Swift.max(old, new)
        case .min: Swift.min(old, new)
        case .none: new
        }
      }
    }
    // Integers of every width fit 64 bits, whose sums and products wrap to the same low bits.
    let isUnsigned = x.type == .uint64
    func isLess(_ a: Int64, _ b: Int64) -> Bool {
      isUnsigned ? UInt64(bitPattern: a) < UInt64(bitPattern: b) : a < b
    }
    return combined(Int64.self) { old, new in
      switch reduction {
      case .add: old &+ new
      case .mul: old &* new
      case .max: isLess(old, new) ? new : old
      case .min: isLess(new, old) ? new : old
      case .none: new
      }
    }
  }

  /// Combines in the type `T`, which holds every element exactly.
  private func combined<T: TensorElement>(_ type: T.Type, _ combine: (T, T) -> T) -> Tensor {
    let wide = x.converted(to: T.elementType)
    return updates.converted(to: T.elementType).withElements(of: T.self) { updates in
      wide.withElements(of: T.self) { old in
        Tensor(of: T.self, shape: x.shape) { y in
          _ = y.update(fromContentsOf: old)
          for (i, offset) in offsets.enumerated() {
            for j in 0..<block { y[offset + j] = combine(y[offset + j], updates[i * block + j]) }
          }
        }
      }
    }.converted(to: x.type)
  }
}

/// Writes a piece of a sequence into a cache, for each sample at a place of its own.
///
/// - Inputs: cache `[batch, …, length, …]`; update, the same but shorter along `axis`; write indices, int64 `[batch]`,
///   optional: 0.
/// - Output: the cache with update[b] at write index b…, wrapping around with `isCircular`.
/// - Source: ONNX TensorScatter-24.
package struct TensorScatter: Operator {
  package static let name = OperatorName("TensorScatter", since: 24)
  package var axis: Int
  package var isCircular: Bool

  package init(attributes: Attributes) throws {
    axis = try attributes.integer("axis", default: -2)
    isCircular = try attributes.text("mode", among: ["linear", "circular"]) == "circular"
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    writer.add("axis", axis, unless: -2)
    writer.add("mode", isCircular ? "circular" : "linear", unless: "linear")
    return writer.attributes
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let cache = try inputs.required(0, "past_cache")
    return [OperandInfo(type: cache.type, shape: cache.shape)]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let cache = try inputs.required(0, "past_cache")
    let update = try inputs.required(1, "update")
    let along = try cache.shape.axis(axis)
    var fitting = update.shape
    if fitting.count == cache.rank, fitting[along] <= cache.shape[along] {
      fitting[along] = cache.shape[along]
    }
    guard along > 0, fitting == cache.shape, update.type == cache.type else {
      throw OperatorError(
        "an update of shape \(update.shape.shapeText) does not fit a cache of shape \(cache.shape.shapeText) along "
          + "axis \(along).")
    }
    let batch = cache.shape[0]
    let places = inputs.optional(2)?.integers ?? [Int](repeating: 0, count: batch)
    guard places.count == batch else {
      throw OperatorError("write_indices has \(places.count) elements (expected \(batch), the batch).")
    }
    let length = cache.shape[along]
    let pieces = update.shape[along]
    let block = Array(cache.shape[(along + 1)...]).elementCount
    let perSample = Array(cache.shape[1..<along]).elementCount
    var offsets: [Int] = []
    for sample in 0..<batch {
      for prefix in sample * perSample..<(sample + 1) * perSample {
        for piece in 0..<pieces {
          let (sum, overflow) = places[sample].addingReportingOverflow(piece)
          let index = isCircular ? ((sum % length) + length) % length : sum
          guard !overflow, index >= 0, index < length else {
            throw OperatorError(
              "write index \(places[sample]) leaves no room for \(pieces) of \(length) places.")
          }
          offsets.append((prefix * length + index) * block)
        }
      }
    }
    return [try cache.scattering(update, at: offsets, block: block, .none)]
  }
}
