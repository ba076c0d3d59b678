import Tensors

/// A dataset fitted to a model: serves batches of exactly what the model's inputs want.
package struct BoundDataset: Sendable {
  package let path: String
  package let inputs: [InputSpec]
  /// Shape of one sample of each input, without the batch.
  package let sampleShapes: [String: Shape]
  /// The output that labels or targets are for; `nil` where the caller gave no outputs and the card names none.
  package let answerOutput: String?
  package let metric: DatasetCard.Metric?
  package let trainedOn: Bool
  package let isSynthetic: Bool
  /// What the card wants done to images that train.
  package let augmentation: Augmentation
  /// Choices made while fitting, for people to read.
  package let notes: [String]
  /// Classes, one for each sample of this view, in its order; `nil` without, and for a text.
  package private(set) var labels: [Int]?
  /// Of the model's classes, by number; `nil` where the card has none.
  package let classNames: [String]?
  private let feed: Feed
  private let targetConversion: Conversion?
  /// The samples of the file this view consists of; `nil` for all of them.
  private var selection: [Int]?
  private let total: Int

  enum Feed: Sendable {
    case arrays([(name: String, conversion: Conversion, file: String, place: DatasetError.Place)])
    case synthetic(Synthetic)
    /// Made-up samples that are there already, by input.
    case made([String: Tensor])
    case text(TokenWindows, isMadeUp: Bool)
  }

  init(
    path: String, inputs: [InputSpec], sampleShapes: [String: Shape], count: Int, feed: Feed,
    labels: [Int]? = nil, classNames: [String]? = nil, targets: Conversion? = nil,
    answerOutput: String? = nil,
    metric: DatasetCard.Metric? = nil, trainedOn: Bool = false, augmentation: Augmentation = .none,
    notes: [String] = []
  ) {
    self.path = path
    self.inputs = inputs
    self.sampleShapes = sampleShapes
    self.feed = feed
    self.labels = labels
    self.classNames = classNames
    self.answerOutput = answerOutput
    self.metric = metric
    self.trainedOn = trainedOn
    self.augmentation = augmentation
    self.notes = notes
    targetConversion = targets
    total = count
    isSynthetic =
      switch feed {
      case .arrays, .text(_, isMadeUp: false): false
      case .synthetic, .made, .text(_, isMadeUp: true): true
      }
  }

  /// Number of samples in this view.
  package var count: Int { selection?.count ?? total }
  package var hasTargets: Bool { targetConversion != nil }
  /// The text this serves, all of it; `nil` for other data.
  package var text: TokenWindows? { if case .text(let windows, _) = feed { windows } else { nil } }
  /// Whether it is known what answers are right.
  package var isLabelled: Bool { labels != nil || text != nil && !isSynthetic }

  /// What is right for the samples at `indices`: their classes or, of a text, the token that follows each position of
  /// each window, −1 where it is not scored; empty without labels.
  package func labels(of indices: [Int]) -> [Int] {
    if let labels { return indices.map { labels[$0] } }
    guard let text, isLabelled else { return [] }
    return text.labels(indices.map { selection?[$0] ?? $0 })
  }

  /// The batch the model insists on; `nil` when it takes any.
  package var fixedBatch: Int? {
    inputs.lazy.compactMap { $0.dimensions?.first.flatMap { $0 } }.first
  }

  /// A view of some samples, numbered from 0 in the order given.
  package func selecting(_ indices: [Int]) -> BoundDataset {
    precondition(indices.allSatisfy { (0..<count).contains($0) }, "samples that exist")
    var view = self
    view.selection = selection.map { old in indices.map { old[$0] } } ?? indices
    view.labels = labels.map { old in indices.map { old[$0] } }
    return view
  }

  /// Tensors of the samples in `range`, by input name; the first axis counts samples.
  package func batch(_ range: Range<Int>) throws(DatasetError) -> [String: Tensor] { try batch(Array(range)) }

  /// Tensors of the samples at `indices`, in that order; only these are converted.
  package func batch(_ indices: [Int]) throws(DatasetError) -> [String: Tensor] {
    try batch(indices, augment: .none, seed: 0, epoch: 0)
  }

  /// Tensors of the samples at `indices` as a training epoch sees them: each image changed at random.
  ///
  /// A sample's changes follow from `seed`, `epoch` and its number in the file, so they are the same in every batch
  /// and view; all inputs of a sample change alike. Synthetic samples are noise before and after, and stay as they are.
  /// - Errors: as for `checkAugmentation`; values that do not fit the input's type.
  package func batch(
    _ indices: [Int], augment: Augmentation, seed: UInt64, epoch: Int
  ) throws(DatasetError) -> [String: Tensor] {
    try checkAugmentation(augment)
    let samples = try fileIndices(indices)
    switch feed {
    case .synthetic(let synthetic): return synthetic.batch(samples)
    case .made(let tensors): return tensors.mapValues { $0.rows(samples) }
    case .text(let windows, _): return windows.batch(samples, names: inputs.map(\.name))
    case .arrays(let arrays):
      var result: [String: Tensor] = [:]
      for array in arrays {
        let conversion = array.conversion
        let change =
          augment.isNone
          ? nil
          : conversion.image.map {
            ImageChange(augment, $0, conversion.shape, conversion.type, seed: seed, epoch: epoch)
          }
        do { result[array.name] = try conversion.samples(samples, change: change) } catch {
          throw DatasetError(
            file: array.file, place: .sample(error.sample, of: array.name),
            reason: .valueRange(found: error.value, type: array.conversion.type.name))
        }
      }
      return result
    }
  }

  /// What the output should be for the samples at `indices`, in float32; `nil` without targets.
  package func targets(_ indices: [Int]) throws(DatasetError) -> Tensor? {
    guard let targetConversion else { return nil }
    let samples = try fileIndices(indices)
    do { return try targetConversion.samples(samples) } catch {
      throw DatasetError(
        file: path, place: .sample(error.sample, of: "targets"),
        reason: .valueRange(found: error.value, type: ElementType.float32.name))
    }
  }

  /// Checks that every input is an image this can be done to.
  ///
  /// - Errors: an input that is no image or has no known layout, an image no larger than `crop`, targets, which would
  ///   have to change with the inputs.
  package func checkAugmentation(_ augmentation: Augmentation) throws(DatasetError) {
    guard !augmentation.isNone, case .arrays(let arrays) = feed else { return }
    for array in arrays {
      guard let axes = array.conversion.image else {
        throw DatasetError(
          file: array.file, place: array.place,
          reason: .unsupported(
            "`augment` of the input \"\(array.name)\", which is not an image of known layout,",
            advice: "Say `layout: nhwc`, `nchw` or `nhw` in a dataset card, or remove `augment`."))
      }
      let image = ImageChange.size(axes, array.conversion.shape)
      guard augmentation.crop < min(image.height, image.width) else {
        throw DatasetError(
          file: array.file, place: array.place,
          reason: .wrongValue(
            key: "crop", expected: "under the image's smaller side, \(min(image.height, image.width))",
            found: "\(augmentation.crop)"))
      }
    }
    guard !hasTargets else {
      throw DatasetError(
        file: path,
        reason: .unsupported(
          "`augment` with `targets`", advice: "Targets would not change with the inputs: remove `augment`."))
    }
  }

  /// Checks that every label is below `classes`, for models whose number of classes shows only when they run.
  package func checkLabels(classes: Int) throws(DatasetError) {
    guard let wrong = labels?.firstIndex(where: { !(0..<classes).contains($0) }), let labels else { return }
    throw DatasetError(
      file: path, place: .sample(selection?[wrong] ?? wrong, of: "labels"),
      reason: .labelRange(found: labels[wrong], classes: classes))
  }

  private func fileIndices(_ indices: [Int]) throws(DatasetError) -> [Int] {
    if let wrong = indices.first(where: { !(0..<count).contains($0) }) {
      throw DatasetError(file: path, reason: .noSuchSample(wrong, count: count))
    }
    guard let selection else { return indices }
    return indices.map { selection[$0] }
  }
}

extension Dataset {
  /// Fits the dataset to a model's inputs, and to its outputs where they are given.
  ///
  /// - Errors: an input without data, a shape or number of samples that does not fit, labels out of range.
  package func bound(
    to specs: [InputSpec], outputs: [OutputSpec] = []
  ) throws(DatasetError) -> BoundDataset {
    var notes: [String] = []
    let byName = try match(specs, &notes)
    let count = specs.first.flatMap { byName[$0.name]?.tensor.shape.first } ?? 0
    var arrays: [(name: String, conversion: Conversion, file: String, place: DatasetError.Place)] = []
    var shapes: [String: Shape] = [:]
    for spec in specs {
      guard let input = byName[spec.name] else { continue }
      guard input.tensor.shape.first == count else {
        throw DatasetError(
          file: input.file, place: input.place,
          reason: .sampleCount(
            found: input.tensor.shape.first ?? 0, expected: count, of: "the first input"))
      }
      guard Conversion.canServe(spec.type) else {
        throw DatasetError(
          file: input.file, place: input.place,
          reason: .unsupported(
            "the type \(spec.type.name) of the input \"\(spec.name)\"",
            advice: "Change the model's input type."))
      }
      let conversion = try convert(input, to: spec.type, spec.dimensions, &notes)
      arrays.append((spec.name, conversion, input.file, input.place))
      shapes[spec.name] = conversion.shape
    }
    let answer = try answerOutput(among: outputs, &notes)
    if let labels, labels.values.count != count {
      throw DatasetError(
        file: labels.file, place: labels.place,
        reason: .sampleCount(found: labels.values.count, expected: count, of: "the first input"))
    }
    let targetConversion: Conversion? =
      if let targets { try convert(targets, to: .float32, answer?.dimensions, &notes) } else { nil }
    let result = BoundDataset(
      path: path, inputs: specs, sampleShapes: shapes, count: count, feed: .arrays(arrays),
      labels: labels?.values, classNames: labels?.names,
      targets: targetConversion, answerOutput: answer?.name ?? labels?.output ?? targetOutput,
      metric: metric ?? (labels != nil ? .top1 : targets != nil ? .psnr : nil), trainedOn: trainedOn,
      augmentation: augmentation, notes: notes)
    try result.checkAugmentation(augmentation)
    if let classes = answer?.classes {
      try result.checkLabels(classes: classes)
    } else {
      try result.checkLabels(classes: .max)
    }
    return result
  }

  /// The array for each input: by name, or the only one for the only input.
  private func match(_ specs: [InputSpec], _ notes: inout [String]) throws(DatasetError) -> [String: RawInput]
  {
    var byName: [String: RawInput] = [:]
    for input in inputs { if let name = input.name { byName[name] = input } }
    if specs.count == 1, inputs.count == 1, byName[specs[0].name] == nil {
      if let name = inputs[0].name {
        notes.append("the data's only input \"\(printable(name))\" feeds \"\(printable(specs[0].name))\"")
      }
      return [specs[0].name: inputs[0]]
    }
    for spec in specs where byName[spec.name] == nil {
      throw DatasetError(
        file: path, reason: .missing("data for the model's input \"\(spec.name)\"", available: inputNames))
    }
    let wanted = Set(specs.map(\.name))
    for input in inputs {
      guard let name = input.name, !wanted.contains(name) else { continue }
      guard ignoresOtherArrays else {
        throw DatasetError(
          file: input.file, place: input.place,
          reason: .missing("the input \"\(name)\" of the card in the model", available: specs.map(\.name)))
      }
      notes.append("the array \"\(printable(name))\" is not an input of the model and is not used")
    }
    return byName
  }

  private func convert(
    _ input: RawInput, to type: ElementType, _ dimensions: [Int?]?, _ notes: inout [String]
  ) throws(DatasetError) -> Conversion {
    let source = input.source
    let values = Swift.max(source.mean.count, source.std.count)
    let arrangement: Arrangement
    do {
      arrangement = try Arrangement.fit(
        sample: Array(input.tensor.shape.dropFirst()), layout: source.layout, modelLayout: source.modelLayout,
        declared: dimensions, needsChannels: values > 1)
    } catch {
      throw DatasetError(file: input.file, place: input.place, reason: error.reason)
    }
    guard values == 1 || values == arrangement.channels else {
      throw DatasetError(
        file: input.file, place: input.place,
        reason: .wrongValue(
          key: source.mean.count > 1 ? "mean" : "std",
          expected: arrangement.channels == 1
            ? "1 value" : "1 value or \(arrangement.channels), one for each channel",
          found: "\(values) values"))
    }
    if let note = arrangement.note { notes.append("\"\(printable(input.name ?? ""))\": \(note)") }
    return Conversion(raw: input.tensor, source: source, arrangement: arrangement, type: type)
  }

  /// The output the card names, or the only one.
  private func answerOutput(
    among outputs: [OutputSpec], _ notes: inout [String]
  ) throws(DatasetError) -> OutputSpec? {
    guard !outputs.isEmpty, labels != nil || targets != nil else { return nil }
    let name = labels?.output ?? targetOutput
    if let match = outputs.first(where: { $0.name == name }) { return match }
    if outputs.count == 1 {
      if let name {
        notes.append(
          "the labels' output \"\(printable(name))\" is taken as \"\(printable(outputs[0].name))\"")
      }
      return outputs[0]
    }
    let place = labels?.place ?? targets?.place ?? .whole
    guard let name else {
      notes.append("the labels are taken to be for the first output, \"\(printable(outputs[0].name))\"")
      return outputs[0]
    }
    throw DatasetError(
      file: path, place: place, reason: .missing("the output \"\(name)\"", available: outputs.map(\.name)))
  }
}
