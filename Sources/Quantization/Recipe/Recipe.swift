import Graph
import Tensors

/// A part of a recipe that measuring may choose.
package enum Choice: String, Sendable, Hashable, CaseIterable {
  /// Whether biases are corrected.
  case corrections
  /// Whether the network is reshaped before anything is encoded, and how.
  case equalization
  /// Observers of activations and the search of weight scales.
  case ranges
  /// Methods of rounding.
  case rounding
  /// Layers that are better left with ranges found at run time, or in float.
  case modes
}

/// The user's whole choice as data: what the interface edits, the command line applies and exporters translate.
package struct Recipe: Sendable, Hashable {
  package var name: String
  package var defaults: LayerSettings
  package var inputs: InputSettings
  /// Later rules win.
  package var rules: [Rule]
  package var calibration: CalibrationSettings
  /// In the order they are applied.
  package var corrections: [Correction]
  /// SmoothQuant's α, 0…1; `nil` searches it for each value.
  package var smoothing: Float?
  package var training: TrainingSettings?
  /// What is left to be chosen by measuring on a part of the calibration samples that is held back.
  package var choices: [Choice] = []

  package init(
    name: String, defaults: LayerSettings = LayerSettings(), inputs: InputSettings = InputSettings(),
    rules: [Rule] = [], calibration: CalibrationSettings = CalibrationSettings(),
    corrections: [Correction] = [.foldBatchNorm], training: TrainingSettings? = nil,
    choices: [Choice] = []
  ) {
    self.name = name
    self.defaults = defaults
    self.inputs = inputs
    self.rules = rules
    self.calibration = calibration
    self.corrections = corrections
    self.training = training
    self.choices = choices
  }

  /// Whether a layer of these settings takes a correction: its own list counts, or else the recipe's.
  package func corrects(_ settings: LayerSettings, by correction: Correction) -> Bool {
    settings.mode != .float && (settings.corrections ?? corrections).contains(correction)
  }

  /// Whether a layer of these settings needs samples: for ranges, for rounding, or for its corrections.
  package func readsSamples(_ settings: LayerSettings) -> Bool {
    settings.mode.isStatic || settings.mode != .float && settings.weights.readsSamples
      || Correction.allCases.contains { $0.readsSamples && corrects(settings, by: $0) }
  }

  /// Whether some layer may need samples.
  package var mayCalibrate: Bool {
    readsSamples(defaults)
      || rules.contains {
        $0.change.mode?.isStatic == true || $0.change.weights.method?.readsSamples == true
          || $0.change.weights.scale == .outputMSE
          || $0.change.corrections?.contains(where: \.readsSamples) ?? false
      }
  }
}

/// What is wrong with a recipe, and where.
package struct RecipeError: Error, Equatable, CustomStringConvertible {
  package var file: String
  package var place: SourcePlace
  package var message: String

  package init(file: String, place: SourcePlace, message: String) {
    self.file = file
    self.place = place
    self.message = message
  }

  package var description: String {
    place.line == 0 ? "\(file): \(message)" : "\(file):\(place.line):\(place.column): \(message)"
  }
}
