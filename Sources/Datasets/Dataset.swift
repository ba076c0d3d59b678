import Tensors

/// Arrays with one sample for each index of their first axis, as a file describes them; not yet fitted to a model.
package struct Dataset: Sendable {
  package let path: String
  /// Number of samples.
  package let count: Int
  package let metric: DatasetCard.Metric?
  /// Whether the model was trained on these samples.
  package let trainedOn: Bool
  /// What the card wants done to images that train.
  package let augmentation: Augmentation
  let inputs: [RawInput]
  let labels: RawLabels?
  let targets: RawInput?
  let targetOutput: String?
  /// Whether arrays that no input asks for are left aside (`.npz`) or an error (card).
  let ignoresOtherArrays: Bool

  /// One array and how its values are to be read.
  struct RawInput: Sendable {
    /// `nil` for a lone array without a name.
    var name: String?
    var tensor: Tensor
    var source: DatasetCard.Source
    /// Where an error about it points: the card or archive, and the place in it.
    var file: String
    var place: DatasetError.Place
  }

  struct RawLabels: Sendable {
    var values: [Int]
    var output: String?
    /// Of the model's classes, by number.
    var names: [String]?
    var file: String
    var place: DatasetError.Place
  }

  /// Names of the inputs served, in the order of the file; a lone unnamed array counts as "".
  package var inputNames: [String] { inputs.map { $0.name ?? "" } }
  package var isLabelled: Bool { labels != nil }

  /// Opens a dataset, whose arrays stay mapped where their format allows.
  ///
  /// A dataset is a card (`.yaml`, `.yml`), a `.npz` whose arrays are named after the inputs with `labels` or `y`, or
  /// one array of inputs (`.npy`, IDX, either gzipped).
  package static func open(_ path: String) throws(DatasetError) -> Dataset {
    if DatasetCard.isCard(path) {
      return try Dataset(card: DatasetCard.read(path), path: path)
    }
    if try Zip.looksLikeZip(Files.map(path)) { return try Dataset(archive: path) }
    let tensor = try ArrayFile.read(path)
    let input = RawInput(
      name: nil, tensor: tensor, source: DatasetCard.Source(file: path), file: path, place: .whole)
    return try Dataset(path: path, inputs: [input], labels: nil)
  }

  /// The files a dataset at `path` consists of: itself, and what its card names, each once.
  package static func files(_ path: String) throws(DatasetError) -> [String] {
    guard DatasetCard.isCard(path) else { return [path] }
    let card = try DatasetCard.read(path)
    let named =
      card.inputs.map(\.array.file)
      + [card.labels?.file, card.labels?.names, card.targets?.file, card.text?.file].compactMap { $0 }
    var files = [path]
    for file in named {
      let real = try Files.resolve(file, card: path, place: .whole)
      if !files.contains(real) { files.append(real) }
    }
    return files
  }

  /// The dataset of a card that was read from `path`.
  package init(card: DatasetCard, path: String) throws(DatasetError) {
    guard card.text == nil else { throw DatasetError(file: path, reason: .notAnArrayDataset) }
    var archives: [String: Npz] = [:]
    func load(_ file: String, _ array: String?, _ place: DatasetError.Place) throws(DatasetError) -> Tensor {
      let real = try Files.resolve(file, card: path, place: place)
      guard let array else { return try ArrayFile.read(real) }
      if let archive = archives[real] { return try archive.read(array) }
      let archive = try Npz(real)
      archives[real] = archive
      return try archive.read(array)
    }
    func input(_ name: String?, _ source: DatasetCard.Source) throws(DatasetError) -> RawInput {
      let place = DatasetError.Place.line(source.line, column: source.column)
      return RawInput(
        name: name, tensor: try load(source.file, source.array, place), source: source, file: path,
        place: place)
    }
    var inputs: [RawInput] = []
    for (name, source) in card.inputs { inputs.append(try input(name, source)) }
    var labels: RawLabels?
    if let source = card.labels {
      let place = DatasetError.Place.line(source.line, column: source.column)
      let tensor = try load(source.file, source.array, place)
      var values = try labelValues(tensor, file: path, place: place)
      if source.offset != 0 { values = values.map { $0 &+ source.offset } }
      let names: [String]? =
        if let file = source.names {
          try ClassNames.read(Files.resolve(file, card: path, place: place))
        } else { nil }
      labels = RawLabels(values: values, output: source.output, names: names, file: path, place: place)
    }
    let targets: RawInput? = if let source = card.targets { try input("targets", source) } else { nil }
    try self.init(
      path: path, inputs: inputs, labels: labels, targets: targets, targetOutput: card.targetOutput,
      metric: card.metric, trainedOn: card.trainedOn, augmentation: card.augmentation)
  }

  private init(archive path: String) throws(DatasetError) {
    let archive = try Npz(path)
    let labelName = ["labels", "y"].first { archive.names.contains($0) }
    var inputs: [RawInput] = []
    for name in archive.names where name != labelName {
      inputs.append(
        RawInput(
          name: name, tensor: try archive.read(name), source: DatasetCard.Source(file: path), file: path,
          place: .array(name)))
    }
    var labels: RawLabels?
    if let labelName {
      let place = DatasetError.Place.array(labelName)
      let values = try labelValues(archive.read(labelName), file: path, place: place)
      labels = RawLabels(values: values, output: nil, file: path, place: place)
    }
    try self.init(path: path, inputs: inputs, labels: labels, ignoresOtherArrays: true)
  }

  private init(
    path: String, inputs: [RawInput], labels: RawLabels?, targets: RawInput? = nil,
    targetOutput: String? = nil,
    metric: DatasetCard.Metric? = nil, trainedOn: Bool = false, augmentation: Augmentation = .none,
    ignoresOtherArrays: Bool = false
  ) throws(DatasetError) {
    guard let first = inputs.first else {
      throw DatasetError(file: path, reason: .missing("an array for an input", available: []))
    }
    for input in inputs + (targets.map { [$0] } ?? []) {
      guard let samples = input.tensor.shape.first else {
        throw DatasetError(
          file: input.file, place: input.place,
          reason: .shape(
            found: "scalar", expected: "samples along the first axis",
            advice: "Save the samples as one array."))
      }
      guard samples == first.tensor.shape[0] || ignoresOtherArrays else {
        throw DatasetError(
          file: input.file, place: input.place,
          reason: .sampleCount(
            found: samples, expected: first.tensor.shape[0], of: "the input \"\(first.name ?? "")\""))
      }
    }
    count = first.tensor.shape[0]
    guard count > 0 else {
      throw DatasetError(file: first.file, place: first.place, reason: .malformed("there are no samples"))
    }
    if let labels, labels.values.count != count, !ignoresOtherArrays {
      throw DatasetError(
        file: labels.file, place: labels.place,
        reason: .sampleCount(
          found: labels.values.count, expected: count, of: "the input \"\(first.name ?? "")\""))
    }
    self.path = path
    self.inputs = inputs
    self.labels = labels
    self.targets = targets
    self.targetOutput = targetOutput
    self.metric = metric
    self.trainedOn = trainedOn
    self.augmentation = augmentation
    self.ignoresOtherArrays = ignoresOtherArrays
  }
}

/// The labels in an array of shape `[n]` or `[n, 1]` with integer elements.
private func labelValues(
  _ tensor: Tensor, file: String, place: DatasetError.Place
) throws(DatasetError) -> [Int] {
  guard tensor.rank == 1 || tensor.rank == 2 && tensor.shape[1] == 1 else {
    throw DatasetError(
      file: file, place: place,
      reason: .shape(
        found: tensor.shape.shapeText, expected: "one label for each sample",
        advice: "Save class numbers, not one-hot rows."))
  }
  guard tensor.type.isInteger else {
    throw DatasetError(
      file: file, place: place,
      reason: .unsupported("labels of type \(tensor.type.name)", advice: "Save class numbers as integers."))
  }
  let values: [Int]? =
    switch tensor.type {
    case .uint8: tensor.array(of: UInt8.self).map(Int.init)
    case .int8: tensor.array(of: Int8.self).map(Int.init)
    case .uint16: tensor.array(of: UInt16.self).map(Int.init)
    case .int16: tensor.array(of: Int16.self).map(Int.init)
    case .uint32: tensor.array(of: UInt32.self).map(Int.init)
    case .int32: tensor.array(of: Int32.self).map(Int.init)
    case .int64: tensor.array(of: Int64.self).map(Int.init)
    case .uint64: tensor.array(of: UInt64.self).map { Int(clamping: $0) }
    default: nil
    }
  return values ?? []
}
