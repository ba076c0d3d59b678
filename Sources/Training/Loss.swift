import Graph
import Operators
import Quantization
import Tensors

/// What training makes small, as graph: distance to labels, to the outputs of the float32 network, or both.
struct Loss {
  /// A value of one element.
  let value: ValueName
  /// Inputs that take what the output should be; `nil` where the loss does not read it.
  let teacher: ValueName?
  let labels: ValueName?

  /// Classes: w · T² · KL(teacher ‖ student) at temperature T + (1 − w) · cross-entropy, means over samples; anything
  /// else: the mean squared distance, w of it to the teacher.
  ///
  /// - Parameters:
  ///   - output: the network's answer: logits `[batch, classes]` (or with axes of size 1 behind), or numbers.
  ///   - shares: w as `settings.distill` says it; `nil` where there is nothing to distil from.
  /// - Source: Hinton, Vinyals, Dean, *Distilling the knowledge in a neural network*, 2015.
  init(
    _ output: ValueName, hasClasses: Bool, distill: TrainingSettings.Distillation?, isLabelled: Bool,
    _ builder: inout GraphBuilder
  ) throws {
    let shape = try builder.shape(output)
    let weight = Float(distill?.weight ?? 0)
    var terms: [ValueName] = []
    var (teacher, labels): (ValueName?, ValueName?) = (nil, nil)
    let batch = Float(shape[0])
    let rows = hasClasses ? [shape[0], shape.elementCount / shape[0]] : shape
    let own = try builder.reshape(output, rows)
    if weight > 0, let distill {
      let target = builder.input("teacher", shape: rows)
      teacher = target
      let distance =
        hasClasses
        ? try Self.divergence(own, from: target, Float(distill.temperature), batch, &builder)
        : try Self.squares(own, target, &builder)
      terms.append(try builder.product(distance, weight))
    }
    if weight < 1, isLabelled {
      let target = builder.input("labels", shape: rows)
      labels = target
      let distance =
        hasClasses
        ? try Self.crossEntropy(own, target, batch, &builder) : try Self.squares(own, target, &builder)
      terms.append(try builder.product(distance, 1 - weight))
    }
    guard let first = terms.first else {
      throw TrainingError(
        "there is nothing to learn from: no labels, and no distillation. Give training.distill.")
    }
    value = terms.count > 1 ? try builder.sum(first, terms[1]) : first
    self.teacher = teacher
    self.labels = labels
  }

  private static func divergence(
    _ own: ValueName, from teacher: ValueName, _ temperature: Float, _ batch: Float,
    _ builder: inout GraphBuilder
  ) throws -> ValueName {
    let student = try builder.add(LogSoftmax(axis: -1), builder.product(own, 1 / temperature))
    let target = try builder.add(LogSoftmax(axis: -1), builder.product(teacher, 1 / temperature))
    let terms = try builder.product(builder.add(Exp(), target), builder.difference(target, student))
    return try builder.product(builder.sum(terms, to: []), temperature * temperature / batch)
  }

  private static func crossEntropy(
    _ own: ValueName, _ oneHot: ValueName, _ batch: Float, _ builder: inout GraphBuilder
  ) throws -> ValueName {
    let terms = try builder.product(oneHot, builder.add(LogSoftmax(axis: -1), own))
    return try builder.product(builder.sum(terms, to: []), -1 / batch)
  }

  private static func squares(
    _ own: ValueName, _ target: ValueName, _ builder: inout GraphBuilder
  ) throws -> ValueName {
    let distance = try builder.difference(own, target)
    let count = Float(try builder.shape(own).elementCount)
    return try builder.product(builder.sum(builder.product(distance, distance), to: []), 1 / count)
  }
}

/// What stops training.
package struct TrainingError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
