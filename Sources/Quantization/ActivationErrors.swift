import Execution
import Foundation
import Graph
import Tensors

/// An activation as some samples have it, channel by channel, and how far its codes are from it.
package struct ActivationErrors: Sendable, Hashable {
  /// Of x and of x − Q(x).
  package var errors: WeightErrors
  /// 10·log10(Σ x² / Σ (x − Q(x))²); `nil` where there is no error.
  package var sqnrDb: Double?
  /// Elements looked at.
  package var count: Int

  /// - Parameters:
  ///   - values: of any number of samples, row-major; finite.
  ///   - encoding: of the whole tensor.
  ///   - channels: length of the channel axis.
  ///   - inner: elements behind one index of it.
  package init(_ values: [Float], _ encoding: Encoding, channels: Int, inner: Int) {
    count = values.count
    errors = WeightErrors(values, scale: encoding.scales[0], channels: channels, inner: inner) {
      encoding.real(encoding.code($0))
    }
    var (signal, noise) = (0.0, 0.0)
    for x in values {
      let error = Double(x) - Double(encoding.real(encoding.code(x)))
      signal += Double(x) * Double(x)
      noise += error * error
    }
    sqnrDb = noise > 0 && signal > 0 ? 10 * log10(signal / noise) : nil
  }
}

extension Candidate {
  /// Elements of a value that are looked at, at most: whole samples, one at least.
  private static let mostElements = 4 << 20

  /// Runs samples through the float network that the candidate was made from, and compares values with their codes.
  ///
  /// - Parameters:
  ///   - values: with an encoding; others are not in the answer.
  ///   - node: which reads or makes them. Of a convolution, and from rank 4 on, channels are on axis 1, else on the last.
  /// - Errors: `QuantizationError` where a value is not finite; what running the graph throws.
  package func activationErrors(
    of values: [ValueName], around node: Node, infos: [ValueName: OperandInfo], source: any CalibrationSource,
    samples: Int, threads: Int, report: (Double, String) throws -> Void
  ) throws -> [ValueName: ActivationErrors] {
    let names = values.filter { encoded.activations[$0]?.scheme.granularity == .tensor }
    guard !names.isEmpty else { return [:] }
    var kept = [[Float]](repeating: [], count: names.count)
    var shapes = [Shape?](repeating: nil, count: names.count)
    let calibrator = Calibrator(graph: encoded.graph, infos: infos, threads: threads, keepsOrder: true)
    try calibrator.forEachBatch(of: names, source: source, samples: samples) { found, range, count in
      for (index, tensor) in found.enumerated() {
        guard let tensor, tensor.type == .float32, tensor.count > 0 else { continue }
        shapes[index] = tensor.shape
        let parts = tensor.shape.first == range.count ? range.count : 1
        let each = tensor.count / parts
        let room = max((Self.mostElements - kept[index].count) / each, kept[index].isEmpty ? 1 : 0)
        tensor.withElements(of: Float.self) { kept[index] += $0.prefix(each * min(room, parts)) }
      }
      try report(Double(range.upperBound) / Double(count), "sample \(range.upperBound) of \(count)")
    }
    var answer: [ValueName: ActivationErrors] = [:]
    for (index, name) in names.enumerated() {
      guard let shape = shapes[index], let encoding = encoded.activations[name] else { continue }
      guard kept[index].allSatisfy(\.isFinite) else {
        throw QuantizationError("\"\(name)\" holds NaN or infinity in the samples looked at.")
      }
      let axis = shape.count > 1 && (node.op.isImageOperator || shape.count > 3) ? 1 : max(shape.count - 1, 0)
      answer[name] = ActivationErrors(
        kept[index], encoding, channels: shape.isEmpty ? 1 : shape[axis],
        inner: shape.isEmpty ? 1 : shape[(axis + 1)...].reduce(1, *))
    }
    return answer
  }
}
