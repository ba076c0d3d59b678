import Foundation
import Graph

/// Where a candidate's error comes from, layer by layer (DESIGN "blame").
///
/// With f a layer (its node alone, without the activation behind it), x its input in float32, x̂ the candidate's, Q the
/// encoding of that input and f_q the layer with quantized weights and bias, its error f_q(Qx̂) − f(x) is the sum of
/// what it inherits, f(x̂) − f(x), what encoding its input adds, f(Qx̂) − f(x̂), and what its weights add,
/// f_q(Qx̂) − f(Qx̂). The candidate runs simulated.
package struct Blame: Sendable, Hashable {
  /// Sums of squares over elements and samples.
  package struct Energies: Sendable, Hashable {
    /// f(x).
    package var reference = 0.0
    /// f(x̂) − f(x).
    package var inherited = 0.0
    /// f(Qx̂) − f(x̂).
    package var activations = 0.0
    /// f_q(Qx̂) − f(Qx̂).
    package var weights = 0.0
    /// f_q(Qx̂) − f(x).
    package var total = 0.0
    /// f_q(Qx) − f(x): the layer quantized, and none before it.
    package var alone = 0.0

    package init() {}

    /// What the layer itself adds.
    package var added: Double { activations + weights }
    /// Twice the products of the three parts with each other: what `total` is more, or less, than their sum.
    package var cross: Double { total - inherited - activations - weights }

    /// A sum over that of f(x); `nil` where f(x) is zero and the sum is not.
    package func ratio(_ sum: Double) -> Double? {
      sum == 0 ? 0 : reference > 0 ? sum / reference : nil
    }

    /// 10·log10(Σ f² / sum); `nil` where there is no error, or nothing that errs.
    package func sqnrDb(_ sum: Double) -> Double? {
      sum > 0 && reference > 0 ? 10 * log10(reference / sum) : nil
    }

    static func += (a: inout Energies, b: Energies) {
      for part in Part.allCases { a[part] += b[part] }
    }
  }

  package struct Sample: Sendable, Hashable {
    /// Its number in the data, from 0.
    package var index: Int
    package var energies: Energies

    package init(index: Int, energies: Energies) {
      self.index = index
      self.energies = energies
    }
  }

  package struct Layer: Sendable, Hashable {
    package var name: String
    /// As ONNX spells it: `Conv`.
    package var operatorName: String
    package var mode: Mode
    package var energies: Energies
    /// By output channel.
    package var channels: [Energies]
    /// Those with the largest total error for their size, the worst first; empty where samples cannot be told apart.
    package var worst: [Sample]

    package init(
      name: String, operatorName: String, mode: Mode, energies: Energies, channels: [Energies] = [],
      worst: [Sample] = []
    ) {
      self.name = name
      self.operatorName = operatorName
      self.mode = mode
      self.energies = energies
      self.channels = channels
      self.worst = worst
    }
  }

  /// In the order of the graph.
  package var layers: [Layer]
  package var samples: Int
  /// Layers left out, because their values or errors are not finite or too large to square (masks are).
  package var notFinite: [String]

  package init(layers: [Layer], samples: Int, notFinite: [String] = []) {
    self.layers = layers
    self.samples = samples
    self.notFinite = notFinite
  }

  package subscript(layer name: String) -> Layer? { layers.first { $0.name == name } }
}

extension Blame.Energies {
  /// The sums by name, for loops over them.
  enum Part: CaseIterable {
    case reference, inherited, activations, weights, total, alone
  }

  subscript(part: Part) -> Double {
    get {
      switch part {
      case .reference: reference
      case .inherited: inherited
      case .activations: activations
      case .weights: weights
      case .total: total
      case .alone: alone
      }
    }
    set {
      switch part {
      case .reference: reference = newValue
      case .inherited: inherited = newValue
      case .activations: activations = newValue
      case .weights: weights = newValue
      case .total: total = newValue
      case .alone: alone = newValue
      }
    }
  }
}

extension Blame {
  /// What layers can be ordered by.
  package enum Sort: String, Sendable, CaseIterable {
    /// What the layer itself adds: weights and activations.
    case added
    case weights, activations, inherited, total, alone, order, name

    package var isDescending: Bool { self != .order && self != .name }
  }

  /// The layers with the largest first, or by name or place; equals stay in the order of the graph.
  package func sorted(by sort: Sort) -> [Layer] {
    func ordered(_ value: (Energies) -> Double) -> [Layer] {
      func key(_ layer: Layer) -> Double { layer.energies.ratio(value(layer.energies)) ?? .infinity }
      return layers.enumerated().sorted { (-key($0.element), $0.offset) < (-key($1.element), $1.offset) }
        .map(\.element)
    }
    switch sort {
    case .added: return ordered(\.added)
    case .weights: return ordered(\.weights)
    case .activations: return ordered(\.activations)
    case .inherited: return ordered(\.inherited)
    case .total: return ordered(\.total)
    case .alone: return ordered(\.alone)
    case .order: return layers
    case .name: return layers.sorted { $0.name < $1.name }
    }
  }
}

extension Blame.Layer {
  /// Channels with those first that the layer itself harms most, and the share of its added error that each has.
  package var channelsByAdded: [(channel: Int, share: Double, energies: Blame.Energies)] {
    let all = energies.added
    return channels.enumerated().sorted { (-$0.element.added, $0.offset) < (-$1.element.added, $1.offset) }
      .map { ($0.offset, all > 0 ? $0.element.added / all : 0, $0.element) }
  }
}
