/// A dataset card: which arrays feed which inputs, and how raw values become model values.
package struct DatasetCard: Sendable, Equatable {
  /// A raw array and how it is scaled: value = (raw · scale − mean) / std, in float32, per channel.
  package struct Source: Sendable, Equatable {
    /// Relative to the card.
    package var file: String
    /// Name inside a `.npz`; not needed when it holds one array.
    package var array: String?
    package var layout: Layout?
    package var modelLayout: Layout?
    package var scale: Float = 1
    /// One value, or one for each channel.
    package var mean: [Float] = [0]
    package var std: [Float] = [1]
    var line = 0
    var column = 0

    package init(file: String) { self.file = file }
  }

  package struct Labels: Sendable, Equatable {
    package var file: String
    package var array: String?
    /// The model output the labels are for; may be left out when there is one.
    package var output: String?
    /// Added to every label, for models that number their classes from another start.
    package var offset = 0
    /// A file with the names of the model's classes, one in each line; relative to the card.
    package var names: String?
    var line = 0
    var column = 0

    package init(file: String) { self.file = file }
  }

  /// What the answers are measured by.
  package enum Metric: String, Sendable, CaseIterable {
    case top1, top5, psnr, mse
  }

  /// In the order of the card.
  package var inputs: [(name: String, array: Source)] = []
  package var labels: Labels?
  /// What the output should be, for `psnr` and `mse`.
  package var targets: Source?
  package var targetOutput: String?
  package var metric: Metric?
  /// Whether the model was trained on these samples, so that accuracy here says little.
  package var trainedOn = false
  /// Random changes to images that train.
  package var augmentation = Augmentation.none
  /// Set for a language-model dataset, which has no arrays.
  package var text: TextSource?

  package init() {}

  package static func == (a: DatasetCard, b: DatasetCard) -> Bool {
    a.inputs.elementsEqual(b.inputs, by: ==) && a.labels == b.labels && a.targets == b.targets
      && a.targetOutput == b.targetOutput && a.metric == b.metric && a.trainedOn == b.trainedOn
      && a.augmentation == b.augmentation && a.text == b.text
  }
}
