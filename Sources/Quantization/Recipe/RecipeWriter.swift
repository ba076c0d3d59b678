import Graph
import Tensors

extension Recipe {
  /// The recipe as YAML: one line per part and per rule; reading it gives an equal recipe.
  package var yaml: String {
    var lines = ["lathe: 1", "name: \(YAMLText.scalar(name))"]
    lines.append("defaults: \(YAMLText.mapping(defaultPairs))")
    let inputPairs = inputPairs
    if !inputPairs.isEmpty { lines.append("inputs: \(YAMLText.mapping(inputPairs))") }
    if !rules.isEmpty {
      lines.append("rules:")
      lines += rules.map { "  - \(YAMLText.mapping($0.pairs))" }
    }
    var calibrationPairs = [("samples", "\(calibration.samples)"), ("seed", "\(calibration.seed)")]
    if calibration.source != .data { calibrationPairs.append(("source", calibration.source.rawValue)) }
    lines.append("calibration: \(YAMLText.mapping(calibrationPairs))")
    lines.append("corrections: \(YAMLText.list(corrections.map(\.rawValue)))")
    if let smoothing { lines.append("smoothing: \(smoothing)") }
    if let training { lines.append("training: \(YAMLText.mapping(training.pairs))") }
    if !choices.isEmpty { lines.append("choose: \(YAMLText.list(choices.map(\.rawValue)))") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The main settings always, the rest where they differ from what reading assumes.
  private var defaultPairs: [(String, String)] {
    let usual = LayerSettings()
    let (w, a) = (defaults.weights, defaults.activations)
    var weights = [
      ("bits", "\(w.bits)"), ("symmetric", "\(w.symmetric)"),
      ("granularity", YAMLText.granularity(w.granularity)),
    ]
    if w.range != usual.weights.range { weights.append(("range", w.range.rawValue)) }
    if let scale = w.scale { weights.append(("scale", YAMLText.scale(scale))) }
    weights.append(("method", w.method.rawValue))
    if let format = w.format { weights.append(("format", YAMLText.scalar(format))) }
    if w.minimumElements != 0 { weights.append(("minimum-elements", "\(w.minimumElements)")) }
    var activations = [
      ("bits", "\(a.bits)"), ("symmetric", "\(a.symmetric)"), ("observer", YAMLText.observer(a.observer)),
    ]
    if a.reducedRange { activations.append(("reduced-range", "true")) }
    if let dynamic = a.dynamic { activations.append(("dynamic", dynamic.rawValue)) }
    var pairs = [
      ("mode", defaults.mode.rawValue), ("weights", YAMLText.mapping(weights)),
      ("activations", YAMLText.mapping(activations)),
    ]
    if let corrections = defaults.corrections {
      pairs.append(("corrections", YAMLText.list(corrections.map(\.rawValue))))
    }
    return pairs
  }

  private var inputPairs: [(String, String)] {
    var pairs: [(String, String)] = []
    if let bits = inputs.bits { pairs.append(("bits", "\(bits)")) }
    if let symmetric = inputs.symmetric { pairs.append(("symmetric", "\(symmetric)")) }
    if let observer = inputs.observer { pairs.append(("observer", YAMLText.observer(observer))) }
    return pairs
  }
}

extension Rule {
  /// The rule on one line, as recipes write it.
  package var text: String { YAMLText.mapping(pairs) }

  fileprivate var pairs: [(String, String)] {
    var condition: [(String, String)] = []
    if !match.names.isEmpty { condition.append(("name", YAMLText.oneOrList(match.names))) }
    if !match.roles.isEmpty { condition.append(("role", YAMLText.oneOrList(match.roles))) }
    if !match.operators.isEmpty { condition.append(("operator", YAMLText.oneOrList(match.operators))) }
    return [("match", YAMLText.mapping(condition))] + change.pairs
  }
}

extension SettingsChange {
  /// The change on one line, as recipes write it.
  package var text: String { YAMLText.mapping(pairs) }

  fileprivate var pairs: [(String, String)] {
    var pairs: [(String, String)] = []
    if let mode { pairs.append(("mode", mode.rawValue)) }
    var inner: [(String, String)] = []
    if let x = weights.bits { inner.append(("bits", "\(x)")) }
    if let x = weights.symmetric { inner.append(("symmetric", "\(x)")) }
    if let x = weights.granularity { inner.append(("granularity", YAMLText.granularity(x))) }
    if let x = weights.range { inner.append(("range", x.rawValue)) }
    if let x = weights.scale { inner.append(("scale", YAMLText.scale(x))) }
    if let x = weights.method { inner.append(("method", x.rawValue)) }
    if let x = weights.format { inner.append(("format", YAMLText.scalar(x))) }
    if let x = weights.minimumElements { inner.append(("minimum-elements", "\(x)")) }
    if !inner.isEmpty { pairs.append(("weights", YAMLText.mapping(inner))) }
    inner = []
    if let x = activations.bits { inner.append(("bits", "\(x)")) }
    if let x = activations.symmetric { inner.append(("symmetric", "\(x)")) }
    if let x = activations.reducedRange { inner.append(("reduced-range", "\(x)")) }
    if let x = activations.observer { inner.append(("observer", YAMLText.observer(x))) }
    if let x = activations.dynamic { inner.append(("dynamic", x.rawValue)) }
    if !inner.isEmpty { pairs.append(("activations", YAMLText.mapping(inner))) }
    if let corrections { pairs.append(("corrections", YAMLText.list(corrections.map(\.rawValue)))) }
    return pairs
  }
}

/// Pieces of YAML in flow style.
enum YAMLText {
  static func mapping(_ pairs: [(String, String)]) -> String {
    "{" + pairs.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}"
  }

  static func list(_ words: [String]) -> String { "[" + words.map(scalar).joined(separator: ", ") + "]" }

  static func oneOrList(_ words: [String]) -> String { words.count == 1 ? scalar(words[0]) : list(words) }

  static func granularity(_ granularity: Scheme.Granularity) -> String {
    switch granularity {
    case .tensor: "tensor"
    case .channel: "channel"
    case .group(let size): "{group: \(size)}"
    }
  }

  static func observer(_ observer: ObserverChoice) -> String {
    observer.parameter.map { "{\(observer.name): \($0)}" } ?? observer.name
  }

  static func scale(_ scale: WeightSettings.Scale) -> String {
    scale.parameter.map { "{\(scale.name): \($0)}" } ?? scale.name
  }

  /// A word as it is where YAML leaves no doubt, else in double quotes.
  static func scalar(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text.unicodeScalars.allSatisfy { isPlainScalar($0) || $0 == " " }
      && text.first.map { $0.isLetter } == true && text.last != " " && !reserved.contains(text.lowercased())
    if isPlain { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _
      where scalar.value < 0x20 || (0x7f...0xa0).contains(scalar.value)
        || (0x2028...0x2029).contains(scalar.value)
        || scalar.value == 0xfeff:
        let hex = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  private static let reserved: Set<String> = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]

  private static func isPlainScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/": true
    default: false
    }
  }
}
