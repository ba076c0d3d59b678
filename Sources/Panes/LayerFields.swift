import Analysis
import Graph
import Quantization
import Workbench
import Workflows

/// A layer with what is known of it: what a filter asks about.
struct LayerRecord {
  let view: LayerView
  let figures: LayerFigures

  var name: String { view.facts.name }

  /// What really happens to the layer; `nil` where recipes do not speak of it.
  var settings: LayerSettings? { view.resolved?.effective }
}

/// Something of layers that a filter can ask for.
struct LayerField: Sendable {
  enum Value: Sendable {
    /// Asked for by `:` and a part of it, in any case.
    case text(@Sendable (LayerRecord) -> String)
    /// Compared; `nil` where it is not known. A `k` after a number stands for so many.
    case number(kilo: Double, @Sendable (LayerRecord) -> Double?)
  }

  let name: String
  /// For help.
  let explanation: String
  let value: Value

  private static func text(
    _ name: String, _ explanation: String, _ text: @escaping @Sendable (LayerRecord) -> String
  ) -> LayerField {
    LayerField(name: name, explanation: explanation, value: .text(text))
  }

  private static func number(
    _ name: String, _ explanation: String, kilo: Double = 1000,
    _ number: @escaping @Sendable (LayerRecord) -> Double?
  ) -> LayerField {
    LayerField(name: name, explanation: explanation, value: .number(kilo: kilo, number))
  }

  /// A new field is a line here.
  static let all: [LayerField] = [
    text("op", "Operator: op:Conv") { $0.view.facts.operatorName },
    text("mode", "Mode that takes effect: mode:static") { Words.mode($0.settings?.mode ?? .float) },
    text("asked", "Mode that the recipe asks for: asked:qat") {
      Words.mode($0.view.resolved?.requested.mode ?? .float)
    },
    text("why", "Why a layer has not what was asked: why:kernel") {
      $0.view.resolved?.reasons.joined(separator: " ") ?? ""
    },
    text("name", "Name: name:conv1, the same as the word alone") { $0.name },
    number("bits", "Bits of the weights, 32 for float: bits<8") { $0.view.weightBits.map(Double.init) },
    number("acts", "Bits of the activations, 32 for float: acts<=8") {
      $0.view.activationBits.map(Double.init)
    },
    number("size", "Bytes as float32, k is 1024: size>10k", kilo: 1024) { Double($0.view.bytesBefore) },
    number("after", "Bytes under the candidate, k is 1024: after>1.5M", kilo: 1024) {
      Double($0.view.bytesAfter)
    },
    number("macs", "Multiply-adds, k is 1000: macs>2M") { Double($0.view.facts.macs) },
    number("params", "Weights and biases, k is 1000: params>=1k") { Double($0.view.facts.parameters) },
    number("sens", "Measured cost of the layer alone (KL, points lost, or -dB): sens>0.5") {
      $0.figures.isGuess ? nil : $0.figures.ranking[$0.name]
    },
    number("kurtosis", "Kurtosis of the weights: kurtosis>6") {
      $0.figures.sensitivity[$0.name]?.weightKurtosis
    },
    number("snr", "Signal to noise of the output in dB, once blame is traced: snr<20") {
      $0.figures.sqnrDb[$0.name]
    },
    number("clip", "Clipped % of the weights, once the layer was looked at: clip>0.1") {
      $0.figures.clipped[$0.name]?.weights.map { $0 * 100 }
    },
    number("clipin", "Clipped % of the input as calibration saw it, once it ran: clipin>0.1") {
      $0.figures.clipped[$0.name]?.input.map { $0 * 100 }
    },
    number("rule", "Number of the recipe's rule that decided: rule=2") {
      $0.view.resolved?.rule.map { Double($0 + 1) }
    },
  ]

  static func named(_ name: String) -> LayerField? { all.first { $0.name == name } }
}
