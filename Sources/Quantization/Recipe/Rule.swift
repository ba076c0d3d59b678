import Graph
import Tensors

/// An exception to the defaults: what it changes of the layers it matches.
package struct Rule: Sendable, Hashable {
  package var match: Match
  package var change: SettingsChange
  /// Where the recipe's file has it.
  package var place: SourcePlace

  package init(match: Match, change: SettingsChange, place: SourcePlace = SourcePlace()) {
    self.match = match
    self.change = change
    self.place = place
  }
}

/// Which layers a rule applies to; every condition that is given must hold.
package struct Match: Sendable, Hashable {
  /// Patterns of which one has to match the whole name; empty for any name.
  ///
  /// A glob (`*` and `?` also match `/`, `\` takes the next character literally), or `regex:` and an expression.
  package var names: [String]
  /// Operator types, as ONNX spells them, of which one has to be the layer's; empty for any.
  package var operators: [String]
  /// Patterns, as for names, of which one has to match the whole role (`LayerIdentity.role`); empty for any.
  package var roles: [String]

  package init(names: [String] = [], operators: [String] = [], roles: [String] = []) {
    self.names = names
    self.operators = operators
    self.roles = roles
  }
}

/// Line and column in the file a recipe was read from, from 1; 0 when it was not read from a file.
///
/// Takes no part in equality or hashing: a recipe is the same wherever it was written.
package struct SourcePlace: Sendable, Hashable {
  package var line: Int
  package var column: Int

  package init(line: Int = 0, column: Int = 0) {
    self.line = line
    self.column = column
  }

  package static func == (a: SourcePlace, b: SourcePlace) -> Bool { true }
  package func hash(into hasher: inout Hasher) {}
}

/// Settings of which only some are given; the others stay as they are.
package struct SettingsChange: Sendable, Hashable {
  package var mode: Mode?
  package var weights = WeightChange()
  package var activations = ActivationChange()
  package var corrections: [Correction]?

  package struct WeightChange: Sendable, Hashable {
    package var bits: Int?
    package var symmetric: Bool?
    package var granularity: Scheme.Granularity?
    package var range: Scheme.CodeRange?
    package var scale: WeightSettings.Scale?
    package var method: Method?
    package var format: String?
    package var minimumElements: Int?
    package init() {}
  }

  package struct ActivationChange: Sendable, Hashable {
    package var bits: Int?
    package var symmetric: Bool?
    package var reducedRange: Bool?
    package var observer: ObserverChoice?
    package var dynamic: LayerEncoding.DynamicActivation?
    package init() {}
  }

  package init() {}

  /// A change of the mode alone.
  package init(mode: Mode) { self.mode = mode }

  /// A change of the weights alone.
  package init(weightBits: Int? = nil, granularity: Scheme.Granularity? = nil) {
    weights.bits = weightBits
    weights.granularity = granularity
  }

  /// A change of the activations alone.
  package init(activationBits: Int? = nil, observer: ObserverChoice? = nil) {
    activations.bits = activationBits
    activations.observer = observer
  }

  package var isEmpty: Bool { self == SettingsChange() }

  /// This change, then `later`, as one.
  package func followed(by later: SettingsChange) -> SettingsChange {
    var result = self
    if let x = later.mode { result.mode = x }
    if let x = later.weights.bits { result.weights.bits = x }
    if let x = later.weights.symmetric { result.weights.symmetric = x }
    if let x = later.weights.granularity { result.weights.granularity = x }
    if let x = later.weights.range { result.weights.range = x }
    if let x = later.weights.scale { result.weights.scale = x }
    if let x = later.weights.method { result.weights.method = x }
    if let x = later.weights.format { result.weights.format = x }
    if let x = later.weights.minimumElements { result.weights.minimumElements = x }
    if let x = later.activations.bits { result.activations.bits = x }
    if let x = later.activations.symmetric { result.activations.symmetric = x }
    if let x = later.activations.reducedRange { result.activations.reducedRange = x }
    if let x = later.activations.observer { result.activations.observer = x }
    if let x = later.activations.dynamic { result.activations.dynamic = x }
    if let x = later.corrections { result.corrections = x }
    return result
  }

  /// What has to change in `base` to make `wanted` of it.
  ///
  /// Taking a format, a scale or corrections away cannot be said.
  package init(from base: LayerSettings, to wanted: LayerSettings) {
    func changed<T: Equatable>(_ a: T, _ b: T) -> T? { a == b ? nil : b }
    mode = changed(base.mode, wanted.mode)
    weights.bits = changed(base.weights.bits, wanted.weights.bits)
    weights.symmetric = changed(base.weights.symmetric, wanted.weights.symmetric)
    weights.granularity = changed(base.weights.granularity, wanted.weights.granularity)
    weights.range = changed(base.weights.range, wanted.weights.range)
    weights.scale = base.weights.scale == wanted.weights.scale ? nil : wanted.weights.scale
    weights.method = changed(base.weights.method, wanted.weights.method)
    weights.format = base.weights.format == wanted.weights.format ? nil : wanted.weights.format
    weights.minimumElements = changed(base.weights.minimumElements, wanted.weights.minimumElements)
    activations.bits = changed(base.activations.bits, wanted.activations.bits)
    activations.symmetric = changed(base.activations.symmetric, wanted.activations.symmetric)
    activations.reducedRange = changed(base.activations.reducedRange, wanted.activations.reducedRange)
    activations.observer = changed(base.activations.observer, wanted.activations.observer)
    activations.dynamic =
      base.activations.dynamic == wanted.activations.dynamic ? nil : wanted.activations.dynamic
    corrections = base.corrections == wanted.corrections ? nil : wanted.corrections
  }
}

extension LayerSettings {
  /// These settings with the change made.
  package func applying(_ change: SettingsChange) -> LayerSettings {
    var result = self
    if let x = change.mode { result.mode = x }
    if let x = change.weights.bits { result.weights.bits = x }
    if let x = change.weights.symmetric { result.weights.symmetric = x }
    if let x = change.weights.granularity { result.weights.granularity = x }
    if let x = change.weights.range { result.weights.range = x }
    if let x = change.weights.scale { result.weights.scale = x }
    if let x = change.weights.method { result.weights.method = x }
    if let x = change.weights.format { result.weights.format = x }
    if let x = change.weights.minimumElements { result.weights.minimumElements = x }
    if let x = change.activations.bits { result.activations.bits = x }
    if let x = change.activations.symmetric { result.activations.symmetric = x }
    if let x = change.activations.reducedRange { result.activations.reducedRange = x }
    if let x = change.activations.observer { result.activations.observer = x }
    if let x = change.activations.dynamic { result.activations.dynamic = x }
    if let x = change.corrections { result.corrections = x }
    return result
  }
}
