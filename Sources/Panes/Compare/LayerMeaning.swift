import Graph
import Interface
import Quantization
import Tensors
import Workbench

/// Of a layer's settings what has a meaning in its mode, so that two can be compared.
struct LayerMeaning: Hashable {
  private var mode = Mode.float
  private var weights: WeightSettings?
  /// Encoded before the layer runs.
  private var activations: ActivationSettings?
  /// Mode `dynamic`: what shares a range, where the recipe says.
  private var dynamic: LayerEncoding.DynamicActivation?
  private var corrections: [Correction] = []

  /// - Parameter recipe: whose layer it is; `nil` for float32.
  init(_ layer: LayerView, _ recipe: Recipe?) {
    guard let resolved = layer.resolved, resolved.effective.mode != .float else { return }
    let settings = resolved.effective
    mode = settings.mode
    if resolved.kind == .weighted {
      weights = settings.weights
      weights?.scale = settings.weights.scale ?? (mode == .qat ? .mse : .max)
      weights?.minimumElements = 0
      corrections = Correction.allCases.filter { recipe?.corrects(settings, by: $0) ?? false }
    }
    if mode.isStatic {
      activations = settings.activations
      activations?.dynamic = nil
    }
    if mode == .dynamic { dynamic = settings.activations.dynamic }
  }

  /// By name, in the order they are told.
  private var words: [(name: String, text: String)] {
    var result = [("mode", Words.mode(mode))]
    if let weights {
      result += [
        ("weight bits", "\(weights.bits)"), ("weights", Words.symmetry(weights.symmetric)),
        ("granularity", Words.granularity(weights.granularity)), ("rounding", weights.method.rawValue),
        ("format", weights.format ?? Numbers.none), ("weight range", weights.scale?.text ?? Numbers.none),
        ("codes", weights.range.rawValue),
        ("corrections", corrections.isEmpty ? "none" : Words.all(corrections.map(\.title))),
      ]
    }
    if let activations {
      result += [
        ("input bits", "\(activations.bits)\(activations.reducedRange ? " less one" : "")"),
        ("inputs", Words.symmetry(activations.symmetric)),
        ("observer", activations.observer.text),
      ]
    }
    if let dynamic { result.append(("ranges", "per \(dynamic.rawValue)")) }
    return result.map { (name: $0.0, text: $0.1) }
  }

  /// What it has otherwise than another, as `mode static → dynamic`.
  ///
  /// Where one of the two is float the mode says it all.
  func changes(from other: LayerMeaning) -> [String] {
    let (before, after) = (other.words, words)
    let isFloat = mode == .float || other.mode == .float
    let names =
      isFloat
      ? ["mode"]
      : before.map(\.name) + after.map(\.name).filter { name in !before.contains { $0.name == name } }
    return names.compactMap { name in
      func text(_ words: [(name: String, text: String)]) -> String {
        words.first { $0.name == name }?.text ?? Numbers.none
      }
      return text(before) == text(after) ? nil : "\(name) \(text(before)) → \(text(after))"
    }
  }
}
