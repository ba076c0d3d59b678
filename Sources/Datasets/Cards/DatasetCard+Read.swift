import Tensors

extension DatasetCard {
  /// Longest card read, in bytes.
  static let longest = 1 << 20

  /// Whether a path is a card's, by its ending.
  package static func isCard(_ path: String) -> Bool {
    let lower = path.lowercased()
    return lower.hasSuffix(".yaml") || lower.hasSuffix(".yml")
  }

  /// Reads the card at `path`; the arrays are not opened.
  package static func read(_ path: String) throws(DatasetError) -> DatasetCard {
    let mapping = try Files.map(path)
    guard mapping.bytes.count <= longest else {
      throw DatasetError(
        file: path, reason: .tooLarge(part: "the card", found: mapping.bytes.count, limit: longest))
    }
    guard let text = String(validating: mapping.prefix(longest), as: UTF8.self) else {
      throw DatasetError(
        file: path, reason: .notThisFormat("a dataset card", found: "bytes that are not UTF-8"))
    }
    return try parse(text, file: path)
  }

  /// Parses the text of a card; `file` is for messages.
  package static func parse(_ text: String, file: String) throws(DatasetError) -> DatasetCard {
    let root = try CardNode.parse(text, file: file)
    var card = DatasetCard()
    var modelLayout: Layout?
    let known = ["inputs", "labels", "targets", "metric", "trained-on", "augment", "model-layout", "text"]
    for (key, value) in try root.pairs(known: known) {
      switch key {
      case "inputs":
        for (name, input) in try value.pairs(known: nil) {
          card.inputs.append((name, try array(input, extra: []).array))
        }
        guard !card.inputs.isEmpty else { throw value.error(expected: "at least one input") }
      case "labels": card.labels = try labels(value)
      case "targets": (card.targets, card.targetOutput) = try array(value, extra: ["output"])
      case "metric": card.metric = try value.choice(Metric.self)
      case "trained-on": card.trainedOn = try value.boolean()
      case "augment": card.augmentation = try augmentation(value)
      case "model-layout": modelLayout = try value.choice(Layout.self)
      default: card.text = try textSource(value)
      }
    }
    if let modelLayout {
      for index in card.inputs.indices where card.inputs[index].array.modelLayout == nil {
        card.inputs[index].array.modelLayout = modelLayout
      }
    }
    guard (card.text != nil) != (!card.inputs.isEmpty) else {
      throw DatasetError(
        file: file, place: root.place,
        reason: card.text != nil
          ? .malformed("the card has both `inputs` and `text`")
          : .missing("`inputs` (or `text`)", available: try root.pairs(known: known).map(\.key)))
    }
    if card.text != nil, !card.augmentation.isNone {
      throw DatasetError(
        file: file, place: root.place,
        reason: .unsupported("`augment` of `text`", advice: "It changes images: remove it."))
    }
    if card.metric == .psnr || card.metric == .mse, card.targets == nil {
      throw DatasetError(
        file: file, place: root.place,
        reason: .missing(
          "`targets`, which the metric needs,", available: try root.pairs(known: known).map(\.key)))
    }
    return card
  }

  private static func array(
    _ node: CardNode, extra: [String]
  ) throws(DatasetError) -> (array: Source, output: String?) {
    let known = ["file", "array", "layout", "model-layout", "scale", "mean", "std"] + extra
    var result = Source(file: "")
    var output: String?
    if node.isScalar {
      result.file = try node.string()
    } else {
      for (key, value) in try node.pairs(known: known) {
        switch key {
        case "file": result.file = try value.string()
        case "array": result.array = try value.string()
        case "layout": result.layout = try value.choice(Layout.self)
        case "model-layout": result.modelLayout = try value.choice(Layout.self)
        case "scale": result.scale = try value.number()
        case "mean": result.mean = try value.numbers()
        case "std":
          result.std = try value.numbers()
          guard result.std.allSatisfy({ $0 > 0 }) else { throw value.error(expected: "deviations above 0") }
        default: output = try value.string()
        }
      }
    }
    (result.line, result.column) = (node.line, node.column)
    guard !result.file.isEmpty else {
      throw DatasetError(
        file: node.file, place: node.place,
        reason: .missing("`file` of \"\(node.key)\"", available: try node.pairs(known: known).map(\.key)))
    }
    guard result.mean.count == 1 || result.std.count == 1 || result.mean.count == result.std.count else {
      throw DatasetError(
        file: node.file, place: node.place,
        reason: .wrongValue(
          key: "std", expected: "\(result.mean.count) values, as many as `mean`", found: "\(result.std.count)"
        ))
    }
    return (result, output)
  }

  private static func labels(_ node: CardNode) throws(DatasetError) -> Labels {
    let known = ["file", "array", "output", "offset", "names"]
    var result = Labels(file: "")
    if node.isScalar {
      result.file = try node.string()
    } else {
      for (key, value) in try node.pairs(known: known) {
        switch key {
        case "file": result.file = try value.string()
        case "array": result.array = try value.string()
        case "output": result.output = try value.string()
        case "names": result.names = try value.string()
        default: result.offset = try value.integer(-1_000_000...1_000_000)
        }
      }
    }
    (result.line, result.column) = (node.line, node.column)
    guard !result.file.isEmpty else {
      throw DatasetError(
        file: node.file, place: node.place,
        reason: .missing("`file` of \"labels\"", available: try node.pairs(known: known).map(\.key)))
    }
    return result
  }

  private static func augmentation(_ node: CardNode) throws(DatasetError) -> Augmentation {
    var result = Augmentation.none
    for (key, value) in try node.pairs(known: ["flip", "crop"]) {
      switch key {
      case "flip": result.flip = try value.boolean()
      default: result.crop = try value.integer(0...Augmentation.largestCrop)
      }
    }
    return result
  }

  private static func textSource(_ node: CardNode) throws(DatasetError) -> TextSource {
    if node.isScalar { return TextSource(file: try node.string()) }
    let known = [
      "file", "protocol", "from", "bytes", "split", "strip", "bos", "eos", "prefix-space", "window", "stride",
      "score-from",
    ]
    let most = 1 << 40
    let pairs = try node.pairs(known: known)
    var source = TextSource(file: "")
    for (_, value) in pairs where value.key == "protocol" {
      source = TextSource(file: "", preset: try value.choice(TextSource.Preset.self))
    }
    for (key, value) in pairs {
      switch key {
      case "file": source.file = try value.string()
      case "protocol": break
      case "from": source.from = try value.integer(0...most)
      case "bytes": source.bytes = try value.integer(1...most)
      case "split": source.split = try value.string()
      case "strip": source.strip = try value.boolean()
      case "bos": source.bos = try value.choice(TextSource.Start.self)
      case "eos": source.eos = try value.boolean()
      case "prefix-space": source.prefixSpace = try value.boolean()
      case "window": source.window = try value.integer(2...1 << 24)
      case "stride": source.stride = try value.integer(1...1 << 24)
      default: source.scoreFrom = try scoreFrom(value)
      }
    }
    guard !source.file.isEmpty else {
      throw DatasetError(
        file: node.file, place: node.place,
        reason: .missing("`file` of \"text\"", available: pairs.map(\.key)))
    }
    return source
  }

  private static func scoreFrom(_ node: CardNode) throws(DatasetError) -> TextSource.ScoreFrom {
    if case "half"? = try? node.string() { return .half }
    do { return .position(try node.integer(0...1 << 24)) } catch {
      throw node.error(expected: "a position from 0, or half")
    }
  }
}
