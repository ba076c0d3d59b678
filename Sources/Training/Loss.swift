import Graph
import Operators
import Quantization
import Tensors

/// What training makes small, as graph: distance to labels, to the outputs of the float32 network, or both.
struct Loss {
  /// A value of one element.
  let value: ValueName
  /// By value of the float32 network, the input that takes what it is there.
  let teachers: [ValueName: ValueName]
  /// The input that takes what the output should be by the labels; `nil` where the loss does not read it.
  let labels: ValueName?

  /// Classes: w · T² · KL(teacher ‖ student) at temperature T + (1 − w) · cross-entropy, means over samples; anything
  /// else: the mean squared distance, w of it to the teacher.
  ///
  /// - Parameters:
  ///   - output: the network's answer: logits `[batch, classes]` (or with axes of size 1 behind), or numbers.
  ///   - shares: w as `settings.distill` says it; `nil` where there is nothing to distil from.
  ///   - features: values of both networks whose distance counts too, and how much: the mean over them of
  ///     ‖own − teacher‖² / ‖teacher‖².
  /// - Source: Hinton, Vinyals, Dean, *Distilling the knowledge in a neural network*, 2015; for features, Romero et al.,
  ///   *FitNets*, 2015.
  init(
    _ output: ValueName, hasClasses: Bool, distill: TrainingSettings.Distillation?, isLabelled: Bool,
    features: (values: [ValueName], weight: Double) = ([], 0), _ builder: inout GraphBuilder
  ) throws {
    let shape = try builder.shape(output)
    let weight = Float(distill?.weight ?? 0)
    var terms: [ValueName] = []
    var teachers: [ValueName: ValueName] = [:]
    var labels: ValueName?
    let batch = Float(shape[0])
    let rows = hasClasses ? [shape[0], shape.elementCount / shape[0]] : shape
    let own = try builder.reshape(output, rows)
    if weight > 0, let distill {
      let target = builder.input("teacher", shape: rows)
      teachers[output] = target
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
    for map in features.values where teachers[map] == nil {
      let target = builder.input("teacher:\(map)", shape: try builder.shape(map))
      teachers[map] = target
      let distance = try Self.relativeSquares(map, target, &builder)
      terms.append(try builder.product(distance, Float(features.weight) / Float(features.values.count)))
    }
    guard let first = terms.first else {
      throw TrainingError(
        "there is nothing to learn from: no labels, and no distillation. Give training.distill.")
    }
    value = try terms.dropFirst().reduce(first) { try builder.sum($0, $1) }
    self.teachers = teachers
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

  private static func relativeSquares(
    _ own: ValueName, _ target: ValueName, _ builder: inout GraphBuilder
  ) throws -> ValueName {
    let distance = try builder.difference(own, target)
    let square = try builder.sum(builder.product(distance, distance), to: [])
    // A map of zeros has nothing to be relative to.
    let size = try builder.sum(
      builder.sum(builder.product(target, target), to: []), Float.leastNormalMagnitude)
    return try builder.quotient(square, size)
  }
}

/// What stops training.
package struct TrainingError: Error, Equatable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}
