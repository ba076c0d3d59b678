import Analysis
import Graph
import Interface
import Quantization
import Tensors
import Workbench
import Workflows

/// The words panes use for settings, in one place.
enum Words {
  static func mode(_ mode: Mode) -> String {
    switch mode {
    case .float: "float"
    case .static: "static"
    case .dynamic: "dynamic"
    case .weightOnly: "weight-only"
    case .qat: "qat"
    }
  }

  /// Four characters, for narrow columns.
  static func shortMode(_ mode: Mode) -> String {
    switch mode {
    case .float: "fp32"
    case .static: "PTQ"
    case .dynamic: "dyn"
    case .weightOnly: "wght"
    case .qat: "QAT"
    }
  }

  /// Weight and activation bits, `8/8`; `-` where there is none.
  static func bits(_ layer: LayerView) -> String {
    guard let activations = layer.activationBits else { return "-" }
    if layer.resolved?.effective.mode == .float { return "32/32" }
    return "\(layer.weightBits.map(String.init) ?? "-")/\(activations)"
  }

  /// A layer's settings in few characters: mode, bits, what shares a scale.
  private static func scheme(_ settings: LayerSettings, _ layer: ResolvedLayer) -> [String] {
    // Without weights there is nothing to do but to run on codes or not.
    let isFloat = layer.kind == .weighted ? settings.mode == .float : !settings.mode.isStatic
    guard !isFloat else { return [shortMode(.float)] }
    let activations = LayerView.activationBits(settings)
    guard layer.kind == .weighted else { return [shortMode(settings.mode), "-/\(activations)"] }
    let granularity =
      switch settings.weights.granularity {
      case .tensor: "tensor"
      case .channel: "chan"
      case .group(let size): "g\(size)"
      }
    return [shortMode(settings.mode), "\(settings.weights.bits)/\(activations)", granularity]
  }

  /// What was asked for a layer, and what of it takes effect otherwise, `nil` where all does: `PTQ 8/8 g32`, `chan`.
  static func schemes(_ layer: ResolvedLayer) -> (asked: String, got: String?) {
    let (asked, got) = (scheme(layer.requested, layer), scheme(layer.effective, layer))
    let changes = asked.count == got.count ? zip(asked, got).filter { $0 != $1 }.map(\.1) : got
    return (
      asked.joined(separator: " "), asked == got || changes.isEmpty ? nil : changes.joined(separator: " ")
    )
  }

  /// What a rule matches, in few words: `block/* Conv`.
  static func match(_ match: Match) -> String {
    let all = match.names + match.roles + match.operators
    return all.isEmpty ? "every layer" : all.joined(separator: " ")
  }

  static func goal(_ goal: SearchGoal) -> String {
    switch goal {
    case .size: "size"
    case .latency: "latency"
    case .loss: "accuracy loss"
    }
  }

  /// `static, dynamic or float`.
  static func choice(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
  }

  /// `static, dynamic and float`.
  static func all(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) and \(last)"
  }

  static func granularity(_ granularity: Scheme.Granularity) -> String {
    switch granularity {
    case .tensor: "per tensor"
    case .channel: "per channel"
    case .group(let size): "groups of \(size)"
    }
  }

  static func symmetry(_ symmetric: Bool) -> String { symmetric ? "symmetric" : "affine" }

  /// A share in percent without the sign, at most seven characters: `0`, `<0.001`, `0.012`, `1.23`, `123`.
  static func percent(_ share: Double?) -> String {
    guard let share else { return Numbers.none }
    let percent = share * 100
    if percent == 0 { return "0" }
    if percent < 0.001 { return "<0.001" }
    return percent < 1_000_000 ? Numbers.significant(percent, percent < 1 ? 2 : 3) : ">999999"
  }

  static func plural(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
}
