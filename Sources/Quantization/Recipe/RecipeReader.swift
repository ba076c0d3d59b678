import Graph
import Tensors
import Yams

extension Recipe {
  /// Reads a recipe; `file` is its name for messages.
  ///
  /// - Errors: `RecipeError` with line and column for what YAML, a key, a word or a number has wrong, and for what
  ///   this version does not have.
  package init(yaml: String, file: String) throws {
    let document: Yams.Node
    do {
      guard let node = try Yams.compose(yaml: yaml) else {
        throw RecipeError(
          file: file, place: SourcePlace(), message: "the recipe is empty, expected `lathe: 1`.")
      }
      document = node
    } catch let error as YamlError {
      throw RecipeError(file: file, yaml: error)
    }
    self = try RecipeReader(file: file).recipe(document)
  }
}

extension RecipeError {
  init(file: String, yaml error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(
        file: file, place: SourcePlace(line: mark.line, column: mark.column), message: "not YAML: \(problem)."
      )
    case .duplicatedKeysInMapping(let duplicates, _):
      let keys = duplicates.map { String(describing: $0) }.joined(separator: ", ")
      self.init(file: file, place: SourcePlace(), message: "a key is given twice: \(keys).")
    case .reader(let problem, let offset, _, let yaml):
      let before = yaml.utf8.prefix(offset ?? 0)
      let line = before.count { $0 == UInt8(ascii: "\n") } + 1
      let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count + 1
      self.init(
        file: file, place: SourcePlace(line: line, column: column), message: "not YAML: \(problem).")
    default: self.init(file: file, place: SourcePlace(), message: "not YAML.")
    }
  }
}

/// Turns composed YAML into a recipe.
struct RecipeReader {
  let file: String

  func recipe(_ node: Yams.Node) throws -> Recipe {
    var fields = try Fields(node, file: file, what: "the recipe")
    guard let version = fields.take("lathe") else {
      throw RecipeError(
        file: file, place: fields.place, message: "not a recipe: the key `lathe: 1` is missing.")
    }
    let number = try fields.text(version, "lathe")
    guard number == "1" else {
      throw fields.error(version, "lathe is \(number), expected 1, the format this version reads.")
    }
    var recipe = Recipe(name: try fields.string("name") ?? "")
    if let node = fields.take("defaults") {
      recipe.defaults = recipe.defaults.applying(try change(node, what: "defaults"))
    }
    if let node = fields.take("inputs") { recipe.inputs = try inputs(node) }
    if let node = fields.take("rules") {
      guard case .sequence(let rules) = node else {
        throw fields.error(node, "rules is \(node.kind), expected a list.")
      }
      recipe.rules = try rules.map(rule)
    }
    if let node = fields.take("calibration") { recipe.calibration = try calibration(node) }
    if let node = fields.take("corrections") { recipe.corrections = try corrections(node, fields) }
    recipe.smoothing = try fields.number("smoothing", "0…1", where: { (0...1).contains($0) }).map {
      Float($0)
    }
    if let node = fields.take("training") { recipe.training = try training(node) }
    recipe.choices = try (fields.words("choose") ?? []).map { text, node in
      try fields.choice(node, "choose", Choice.self)
    }
    try fields.finish()
    return recipe
  }

  private func rule(_ node: Yams.Node) throws -> Rule {
    var fields = try Fields(node, file: file, what: "a rule")
    guard let condition = fields.take("match") else {
      throw RecipeError(
        file: file, place: fields.place,
        message: "a rule has no `match`, expected {name: …}, {role: …} or {operator: …}.")
    }
    let match = try match(condition)
    let change = try change(&fields, prefix: "")
    try fields.finish()
    if change.isEmpty {
      throw RecipeError(
        file: file, place: fields.place,
        message: "a rule changes nothing, expected mode, weights or activations.")
    }
    return Rule(match: match, change: change, place: node.place)
  }

  private func match(_ node: Yams.Node) throws -> Match {
    var fields = try Fields(node, file: file, what: "match")
    var match = Match()
    func patterns(_ key: String) throws -> [String] {
      try (fields.words(key) ?? []).map { text, node in
        if let reason = NamePattern.problem(in: text) {
          throw fields.error(node, "match.\(key) \"\(text)\" is not an expression: \(reason)")
        }
        return text
      }
    }
    match.names = try patterns("name")
    match.roles = try patterns("role")
    match.operators = (try fields.words("operator") ?? []).map(\.text)
    try fields.finish()
    if match == Match() {
      throw RecipeError(
        file: file, place: fields.place, message: "match is empty, expected name, role or operator.")
    }
    return match
  }

  private func change(_ node: Yams.Node, what: String) throws -> SettingsChange {
    var fields = try Fields(node, file: file, what: what)
    let change = try change(&fields, prefix: "\(what).")
    try fields.finish()
    return change
  }

  private func change(_ fields: inout Fields, prefix: String) throws -> SettingsChange {
    var change = SettingsChange()
    change.mode = try fields.choice("mode", Mode.self)
    if let node = fields.take("weights") { change.weights = try weights(node, what: prefix + "weights") }
    if let node = fields.take("activations") {
      change.activations = try activations(node, what: prefix + "activations")
    }
    if let node = fields.take("corrections") { change.corrections = try corrections(node, fields) }
    return change
  }

  private func weights(_ node: Yams.Node, what: String) throws -> SettingsChange.WeightChange {
    var fields = try Fields(node, file: file, what: what)
    var weights = SettingsChange.WeightChange()
    weights.bits = try fields.integer("bits", in: 2...8)
    weights.symmetric = try fields.bool("symmetric")
    if let node = fields.take("granularity") { weights.granularity = try granularity(node, fields) }
    weights.range = try fields.choice("range", Scheme.CodeRange.self)
    if let node = fields.take("scale") { weights.scale = try scale(node, fields) }
    weights.method = try fields.choice("method", Method.self)
    if let node = fields.take("format") {
      throw fields.error(
        node,
        "\(what).format \(try fields.text(node, "format")) is not in this version. Use bits and granularity {group: n}."
      )
    }
    weights.minimumElements = try fields.integer("minimum-elements", in: 0...Int.max)
    try fields.finish()
    return weights
  }

  private func scale(_ node: Yams.Node, _ fields: Fields) throws -> WeightSettings.Scale {
    if case .scalar(let scalar) = node {
      let all = WeightSettings.Scale.all
      if let scale = all.first(where: { $0.name == scalar.string }) { return scale }
      let names = all.map(\.name).joined(separator: ", ")
      throw fields.error(node, "\(fields.what).scale is \(scalar.string), expected \(names).")
    }
    var inner = try Fields(node, file: file, what: "\(fields.what).scale")
    let percentile = try percentile(&inner)
    try inner.finish()
    guard let percentile else { throw fields.error(node, "\(fields.what).scale needs percentile.") }
    return .percentile(percentile)
  }

  private func percentile(_ fields: inout Fields) throws -> Double? {
    try fields.number("percentile", "a share over 50 up to 100, in percent") { $0 > 50 && $0 <= 100 }
  }

  private func granularity(_ node: Yams.Node, _ fields: Fields) throws -> Scheme.Granularity {
    if case .scalar(let scalar) = node {
      switch scalar.string {
      case "tensor": return .tensor
      case "channel": return .channel
      case let other:
        throw fields.error(
          node, "\(fields.what).granularity is \(other), expected tensor, channel or {group: n}.")
      }
    }
    var group = try Fields(node, file: file, what: "\(fields.what).granularity")
    guard let size = try group.integer("group", in: 1...Int.max) else {
      try group.finish()
      throw fields.error(node, "\(fields.what).granularity is empty, expected tensor, channel or {group: n}.")
    }
    try group.finish()
    return .group(size)
  }

  private func activations(_ node: Yams.Node, what: String) throws -> SettingsChange.ActivationChange {
    var fields = try Fields(node, file: file, what: what)
    var activations = SettingsChange.ActivationChange()
    activations.bits = try fields.integer("bits", in: 2...8, besides: [16])
    activations.symmetric = try fields.bool("symmetric")
    activations.reducedRange = try fields.bool("reduced-range")
    if let node = fields.take("observer") { activations.observer = try observer(node, fields) }
    activations.dynamic = try fields.choice("dynamic", LayerEncoding.DynamicActivation.self)
    try fields.finish()
    return activations
  }

  private func observer(_ node: Yams.Node, _ fields: Fields) throws -> ObserverChoice {
    if case .scalar(let scalar) = node {
      if let choice = ObserverChoice.all.first(where: { $0.name == scalar.string }) { return choice }
      let names = ObserverChoice.all.map(\.name).joined(separator: ", ")
      throw fields.error(node, "\(fields.what).observer is \(scalar.string), expected \(names).")
    }
    var inner = try Fields(node, file: file, what: "\(fields.what).observer")
    let percentile = try percentile(&inner)
    let constant = try inner.number("moving-average", "a weight over 0 up to 1") { $0 > 0 && $0 <= 1 }
    try inner.finish()
    switch (percentile, constant) {
    case (let share?, nil): return .percentile(share)
    case (nil, let constant?): return .movingAverage(constant)
    default: throw fields.error(node, "\(fields.what).observer needs one of percentile and moving-average.")
    }
  }

  private func inputs(_ node: Yams.Node) throws -> InputSettings {
    var fields = try Fields(node, file: file, what: "inputs")
    var inputs = InputSettings()
    inputs.bits = try fields.integer("bits", in: 2...8, besides: [16])
    inputs.symmetric = try fields.bool("symmetric")
    if let node = fields.take("observer") { inputs.observer = try observer(node, fields) }
    try fields.finish()
    return inputs
  }

  private func calibration(_ node: Yams.Node) throws -> CalibrationSettings {
    if case .scalar(let scalar) = node, scalar.string == "synthetic" {
      return CalibrationSettings(source: .synthetic)
    }
    var fields = try Fields(node, file: file, what: "calibration")
    var calibration = CalibrationSettings()
    if let samples = try fields.integer("samples", in: 1...Int.max) { calibration.samples = samples }
    if let seed = try fields.integer("seed", in: 0...Int.max) { calibration.seed = UInt64(seed) }
    if let source = try fields.choice("source", CalibrationSettings.Source.self) {
      calibration.source = source
    }
    try fields.finish()
    return calibration
  }

  private func corrections(_ node: Yams.Node, _ fields: Fields) throws -> [Correction] {
    guard case .sequence(let list) = node else {
      throw fields.error(node, "\(fields.name(of: "corrections")) is \(node.kind), expected a list.")
    }
    return try list.map { node in
      try fields.choice(node, "corrections", Correction.self)
    }
  }
}
