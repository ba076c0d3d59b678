import Foundation
import Graph
import Tensors
import Workflows

/// Compares two model files, quantized or not, of any toolkit.
///
/// Weights are found by the name of their layer, else by their own, else by operator, shape and order (`matchedBy`).
/// Their error is that of B's real numbers against A's.
package enum ModelDiff {
  /// - Errors: what reading either file throws.
  package static func compare(_ a: String, _ b: String) throws -> DiffReport {
    let files = [try TwinFile(path: a), try TwinFile(path: b)]
    // Where one cannot be folded and has something to fold, the other is not folded either.
    let folds = !files.contains(where: \.keepsNorms)
    let models = try files.map { try StoredModel($0, isFolded: folds && $0.isFoldable) }
    return compare(models[0], models[1])
  }

  static func compare(_ a: StoredModel, _ b: StoredModel) -> DiffReport {
    let matches = match(a.constants, b.constants)
    var onlyInA = DiffReport.Rest()
    var onlyInB = DiffReport.Rest()
    func named(_ constants: [StoredModel.Constant], besides used: Set<Int>) -> [DiffReport.Rest.Named] {
      constants.indices.filter { !used.contains($0) }.map {
        .init(
          name: constants[$0].layer, operatorName: constants[$0].operatorName,
          role: constants[$0].role.rawValue)
      }
    }
    onlyInA.constants = named(a.constants, besides: Set(matches.map(\.a)))
    onlyInB.constants = named(b.constants, besides: Set(matches.map(\.b)))
    let layersOfA = Set(matches.map { a.constants[$0.a].layer })
    let layersOfB = Set(matches.map { b.constants[$0.b].layer })
    onlyInA.nodes = nodes(of: a.graph, missingIn: b.graph, besides: layersOfA)
    onlyInB.nodes = nodes(of: b.graph, missingIn: a.graph, besides: layersOfB)
    onlyInA.activations = a.activations.keys.filter { b.activations[$0] == nil }.sorted()
    onlyInB.activations = b.activations.keys.filter { a.activations[$0] == nil }.sorted()
    return DiffReport(
      a: a.facts, b: b.facts,
      tensors: matches.map { pair(a.constants[$0.a], b.constants[$0.b], matchedBy: $0.by) },
      activations: activations(a, b), onlyInA: onlyInA, onlyInB: onlyInB, notes: notes(a, b, matches))
  }

  // MARK: Matching

  private struct Match {
    var a: Int
    var b: Int
    var by: String
  }

  /// Endings that toolkits give to the names of what they quantized.
  private static let endings = [
    "_quantized", "_quant", "_blocks", "_twin", "_dq", "_DequantizeLinear", "_DequantizeLinear_Output",
    "_QuantizeLinear", "_sums", "_Transposed", "_MatMul",
  ]

  /// A name without what quantizing added to it.
  static func base(_ name: String) -> String {
    for ending in endings where name.hasSuffix(ending) && name.count > ending.count {
      return base(String(name.dropLast(ending.count)))
    }
    return name
  }

  private static func match(_ a: [StoredModel.Constant], _ b: [StoredModel.Constant]) -> [Match] {
    var matches: [Match] = []
    var usedA: Set<Int> = []
    var usedB: Set<Int> = []
    func pass(_ by: String, _ key: (StoredModel.Constant) -> String) {
      var places: [String: [Int]] = [:]
      for index in b.indices where !usedB.contains(index) { places[key(b[index]), default: []].append(index) }
      for index in a.indices where !usedA.contains(index) {
        let found = places[key(a[index])]?.first { !usedB.contains($0) && fits(a[index], b[$0]) }
        guard let found else { continue }
        usedA.insert(index)
        usedB.insert(found)
        matches.append(Match(a: index, b: found, by: by))
      }
    }
    pass("layer") { "\(base($0.layer)) \($0.role) \($0.input)" }
    pass("weight") { "\(base($0.stored.name)) \($0.role)" }
    pass("position") { "\(family($0.operatorName)) \($0.role) \($0.tensor.shape.sorted())" }
    return matches.sorted { $0.a < $1.a }
  }

  /// A Gemm may have become a MatMul.
  private static func family(_ name: String) -> String { name == "Gemm" ? "MatMul" : name }

  private static func fits(_ a: StoredModel.Constant, _ b: StoredModel.Constant) -> Bool {
    a.role == b.role && aligned(b, to: a) != nil
  }

  /// B's tensor with its axes in the order of A's; `nil` where the shapes do not fit.
  private static func aligned(_ b: StoredModel.Constant, to a: StoredModel.Constant) -> Tensor? {
    if a.tensor.rank == 2, b.tensor.rank == 2, a.channelAxis != b.channelAxis {
      let shape = [b.tensor.shape[1], b.tensor.shape[0]]
      return shape == a.tensor.shape
        ? b.tensor.gathering(shape: shape, strides: [1, b.tensor.shape[1]]) : nil
    }
    if a.tensor.shape == b.tensor.shape { return b.tensor }
    // A bias may lie as [1, n].
    return a.role == .bias && a.tensor.count == b.tensor.count ? b.tensor.reshaped(a.tensor.shape) : nil
  }

  // MARK: Figures

  private static func pair(
    _ a: StoredModel.Constant, _ b: StoredModel.Constant, matchedBy: String
  ) -> DiffReport.Pair {
    guard let other = aligned(b, to: a) else { preconditionFailure("only what fits is matched") }
    let error = TensorError(of: other, against: a.tensor)
    var pair = DiffReport.Pair(
      layer: a.layer, layerInB: a.layer == b.layer ? nil : b.layer, operatorName: a.operatorName,
      role: a.role.rawValue, shape: a.tensor.shape, matchedBy: matchedBy, a: a.stored, b: b.stored,
      sqnrDb: error.sqnrDb, maxAbsError: error.maxAbs == 0 ? nil : error.maxAbs, isEqual: error.maxAbs == 0)
    if let x = a.stored.numbers, let y = b.stored.numbers, x.scales.count == y.scales.count {
      pair.scaleMaxRelativeDifference = zip(x.scales, y.scales).map(relative).max()
      if x.zeroPoints.count == y.zeroPoints.count, a.stored.bits == b.stored.bits {
        pair.zeroPointMaxDifferenceCodes = zip(x.zeroPoints, y.zeroPoints).map { abs($0 - $1) }.max()
      }
    }
    return pair
  }

  private static func relative(_ a: Float, _ b: Float) -> Double {
    a == b ? 0 : a == 0 ? 1 : abs(Double(b) / Double(a) - 1)
  }

  private static func activations(_ a: StoredModel, _ b: StoredModel) -> [DiffReport.ActivationPair] {
    a.activations.keys.sorted().compactMap { value in
      guard let x = a.activations[value], let y = b.activations[value] else { return nil }
      return DiffReport.ActivationPair(
        value: value, a: .init(x), b: .init(y), scaleRelativeDifference: relative(x.scale, y.scale),
        zeroPointDifferenceCodes: x.type == y.type ? abs(x.zeroPoint - y.zeroPoint) : nil)
    }
  }

  /// Nodes whose name, or whose first output, the other graph does not have.
  private static func nodes(
    of graph: Graph, missingIn other: Graph, besides matched: Set<String>
  ) -> [DiffReport.Rest.Named] {
    let names = Set(other.nodes.map { base($0.name) })
    let outputs = Set(other.nodes.flatMap { $0.outputs.compactMap { $0 } })
    return graph.nodes.filter { node in
      !matched.contains(node.name) && !names.contains(base(node.name))
        && !(node.outputs.first.flatMap { $0 }.map(outputs.contains) ?? false)
    }.map { .init(name: $0.name, operatorName: $0.operatorName.text) }
  }

  private static func notes(_ a: StoredModel, _ b: StoredModel, _ matches: [Match]) -> [String] {
    var notes: [String] = []
    for model in [a, b] where model.hasIntegerProducts {
      notes.append(
        "\(model.facts.path): computes with integers whose ranges are found when it runs; its nodes are listed as the file has them."
      )
    }
    notes.append(
      a.isSimplified || b.isSimplified
        ? "Batch norm and constants are folded before comparing, as they are before quantizing."
        : "Batch norm is folded on neither side, as one cannot be folded.")
    let guessed = matches.count { $0.by == "position" }
    if guessed > 0 {
      notes.append(
        "\(guessed) of \(matches.count) tensors have other names in B and are matched by operator, shape and order."
      )
    }
    return notes
  }
}

/// How far one tensor is from another of the same shape, both float32.
package struct TensorError {
  /// 10·log10(Σ a² / Σ (a − b)²); `nil` where nothing differs, or where it is not a finite number.
  package var sqnrDb: Double?
  package var maxAbs: Float

  package init(of b: Tensor, against a: Tensor) {
    var signal = 0.0
    var noise = 0.0
    var largest: Float = 0
    a.withElements(of: Float.self) { a in
      b.withElements(of: Float.self) { b in
        for i in a.indices {
          let d = a[i] - b[i]
          signal += Double(a[i]) * Double(a[i])
          noise += Double(d) * Double(d)
          largest = Swift.max(largest, abs(d))
        }
      }
    }
    let db = 10 * log10(signal / noise)
    sqnrDb = db.isFinite ? db : nil
    maxAbs = largest.isFinite ? largest : .greatestFiniteMagnitude
  }
}
