import Graph
import Interface
import Quantization
import Tensors
import Workbench
import Workflows

/// The settings of the marked layers, or of the one under the cursor.
package struct ConfigPane: CommandedPane {
  package static let kind = PaneKind.config
  private var cursor = 0

  package init() {}

  package enum Step: Sendable {
    case move(Int)
    case change(Int)
  }

  package static let commands = CommandTable<PaneContext<ConfigPane>, Step>([
    Command(
      "config.down", keys: [.character("j"), .down], title: "down", explanation: "Go to the next setting.",
      group: "Config", action: .move(1)),
    Command(
      "config.up", keys: [.character("k"), .up], title: "up", explanation: "Go to the setting before.",
      group: "Config", action: .move(-1)),
    Command(
      "config.next", keys: [.right, .character("l"), .enter, .space], title: "change",
      explanation: "Take the next choice of the setting.", group: "Config", hint: 10, action: .change(1),
      availability: canChange),
    Command(
      "config.previous", keys: [.left, .character("h")], title: "back",
      explanation: "Take the choice before.", group: "Config", hint: 11, action: .change(-1),
      availability: canChange),
  ])

  private static let canChange: @Sendable (PaneContext<ConfigPane>) -> Availability = {
    .when(
      $0.state.currentEntry != nil && !$0.state.scope.isEmpty,
      else: "There is no candidate or layer to change; \($0.state.keys["new"]) makes a candidate.")
  }

  /// One setting: how it reads, and what changes when it is turned.
  private struct Setting: Sendable {
    var title: String
    var text: @Sendable (LayerSettings) -> String
    /// The change that takes the next (+1) or previous (−1) choice, and what to call it.
    var turn: @Sendable (LayerSettings, Int) -> (SettingsChange, String)?
    /// Whether it matters in the present mode.
    var applies: @Sendable (LayerSettings) -> Bool = { $0.mode != .float }
  }

  /// The choice after (or before) one in a list, ending at its ends.
  private static func next<T: Equatable>(_ value: T, in all: [T], by step: Int) -> T? {
    let place = all.firstIndex(of: value) ?? 0
    let next = place + step
    return all.indices.contains(next) ? all[next] : nil
  }

  /// Modes in the order that `m` goes through them.
  package static let modes: [Mode] = [.float, .static, .dynamic, .qat, .weightOnly]
  package static let weightBits = Array(2...8)
  package static let activationBits = Array(2...8) + [16]
  private static let granularities: [Scheme.Granularity] = [
    .tensor, .channel, .group(128), .group(64), .group(32), .group(16),
  ]

  private static let settings: [Setting] = [
    Setting(
      title: "Mode", text: { Words.mode($0.mode) },
      turn: { settings, step in
        let all = modes
        let place = (all.firstIndex(of: settings.mode) ?? 0) + step
        let mode = all[(place + all.count) % all.count]
        return (SettingsChange(mode: mode), "mode \(Words.mode(mode))")
      }, applies: { _ in true }),
    Setting(
      title: "Weight bits", text: { "\($0.weights.bits)" },
      turn: { settings, step in
        next(settings.weights.bits, in: weightBits, by: step).map {
          (SettingsChange(weightBits: $0), "\($0)-bit weights")
        }
      }),
    Setting(
      title: "Weights", text: { Words.symmetry($0.weights.symmetric) },
      turn: { settings, _ in
        var change = SettingsChange()
        change.weights.symmetric = !settings.weights.symmetric
        return (change, "\(Words.symmetry(!settings.weights.symmetric)) weights")
      }),
    Setting(
      title: "Granularity", text: { Words.granularity($0.weights.granularity) },
      turn: { settings, step in
        next(settings.weights.granularity, in: granularities, by: step).map {
          (SettingsChange(granularity: $0), Words.granularity($0))
        }
      }),
    Setting(
      title: "Input bits", text: { $0.mode == .dynamic ? "8, at run time" : "\($0.activations.bits)" },
      turn: { settings, step in
        next(settings.activations.bits, in: activationBits, by: step).map {
          (SettingsChange(activationBits: $0), "\($0)-bit activations")
        }
      }, applies: { $0.mode.isStatic }),
    Setting(
      title: "Inputs", text: { Words.symmetry($0.activations.symmetric) },
      turn: { settings, _ in
        var change = SettingsChange()
        change.activations.symmetric = !settings.activations.symmetric
        return (change, "\(Words.symmetry(!settings.activations.symmetric)) activations")
      }, applies: { $0.mode.isStatic }),
    Setting(
      title: "Observer", text: { $0.activations.observer.text },
      turn: { settings, step in
        let all = ObserverChoice.all
        let place = all.firstIndex { $0.name == settings.activations.observer.name } ?? 0
        let observer = all[(place + step + all.count) % all.count]
        return (SettingsChange(observer: observer), "observer \(observer.text)")
      }, applies: { $0.mode.isStatic }),
    Setting(
      title: "Rounding", text: { $0.weights.method.rawValue },
      turn: { settings, step in
        let all = Quantization.Method.allCases
        let place = (all.firstIndex(of: settings.weights.method) ?? 0) + step
        var change = SettingsChange()
        change.weights.method = all[(place + all.count) % all.count]
        return (change, "rounding by \(all[(place + all.count) % all.count].rawValue)")
      }),
    Setting(
      title: "Weight range", text: { weightScale($0).text },
      turn: { settings, step in
        let all = WeightSettings.Scale.all
        let place = (all.firstIndex { $0.name == weightScale(settings).name } ?? 0) + step
        var change = SettingsChange()
        let scale = all[(place + all.count) % all.count]
        change.weights.scale = scale
        return (change, "weight range \(scale.text)")
      }),
    Setting(
      title: "Bias corr.", text: { biasCorrections[biasCorrection($0)].word },
      turn: { settings, step in
        let place = (biasCorrection(settings) + step + biasCorrections.count) % biasCorrections.count
        let (correction, _, title) = biasCorrections[place]
        return (settings.exchanging(biasCorrections.compactMap(\.correction), for: correction), title)
      }),
    Setting(
      title: "Batch norm", text: { reEstimates($0) ? "re-estimated" : "as folded" },
      turn: { settings, _ in
        let correction: Correction? = reEstimates(settings) ? nil : .batchNormReEstimation
        return (
          settings.exchanging([.batchNormReEstimation], for: correction),
          correction == nil ? "batch norm as folded" : "batch norm re-estimated"
        )
      }),
    Setting(
      title: "Reshaping", text: { reshaping($0.corrections ?? []) },
      turn: { settings, step in
        let all = [nil] + Correction.allCases.filter(\.reshapesGraph)
        let list = settings.corrections ?? []
        let place = all.firstIndex(of: list.first(where: \.reshapesGraph)) ?? 0
        let wanted = all[(place + step + all.count) % all.count]
        return (
          settings.exchanging(Correction.allCases.filter(\.reshapesGraph), for: wanted),
          wanted?.rawValue ?? "no reshaping"
        )
      }),
  ]

  /// What of a list reshapes the network before rounding.
  private static func reshaping(_ corrections: [Correction]) -> String {
    let names = corrections.filter(\.reshapesGraph).map(\.title)
    return names.isEmpty ? "none" : names.joined(separator: ", ")
  }

  private static let biasCorrections: [(correction: Correction?, word: String, title: String)] = [
    (nil, "no", "no bias correction"), (.biasCorrection, "yes", "bias correction"),
    (.analyticBiasCorrection, "analytic", "analytic bias correction"),
  ]

  private static func biasCorrection(_ settings: LayerSettings) -> Int {
    biasCorrections.firstIndex { $0.correction.map { settings.corrections?.contains($0) ?? false } ?? false }
      ?? 0
  }

  private static func reEstimates(_ settings: LayerSettings) -> Bool {
    settings.corrections?.contains(.batchNormReEstimation) ?? false
  }

  private static func weightScale(_ settings: LayerSettings) -> WeightSettings.Scale {
    settings.weights.scale ?? (settings.mode == .qat ? .mse : .max)
  }

  private static let samples = [16, 32, 64, 128, 256, 512, 1024, 2048]

  /// Place of the candidate's number of samples, after the settings of layers; those of training follow it.
  private static let samplesRow = settings.count

  private func rowCount(_ state: State) -> Int {
    Self.samplesRow + 1 + (lead(state)?.requested.mode == .qat ? TrainingRow.all.count : 0)
  }

  /// The row the keys change: it may have gone with the mode.
  private func row(_ state: State) -> Int { Swift.min(cursor, rowCount(state) - 1) }

  /// Rows that are seen at once, of a pane so high: size and error stay below them.
  private func visibleRows(_ state: State, height: Int) -> Int {
    let count = rowCount(state)
    return count <= height ? count : Swift.max(height - (height >= 8 ? 2 : 0), 0)
  }

  /// The first row that is seen.
  private func firstRow(_ state: State, height: Int) -> Int {
    let visible = visibleRows(state, height: height)
    return Swift.min(Swift.max(row(state) - visible / 2, 0), rowCount(state) - visible)
  }

  /// The layer whose settings are shown, with the recipe's corrections where it has none of its own.
  private func lead(_ state: State) -> ResolvedLayer? {
    guard let entry = state.currentEntry,
      var layer = state.lead.flatMap({ state.layerList[$0]?.resolved })
    else { return nil }
    layer.requested.corrections = layer.requested.corrections ?? entry.recipe.corrections
    return layer
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .move(let by):
      cursor = Swift.min(Swift.max(row(state) + by, 0), rowCount(state) - 1)
      return []
    case .change(let by):
      let row = row(state)
      if row > Self.samplesRow {
        return changeTraining(TrainingRow.all[row - Self.samplesRow - 1], by, state)
      }
      if row == Self.samplesRow {
        let now = state.currentEntry?.recipe.calibration.samples ?? 256
        let larger = by > 0 ? Self.samples.first { $0 > now } : Self.samples.last { $0 < now }
        return larger.map { [.act(.setSamples($0))] } ?? []
      }
      guard let layer = lead(state) else {
        return [.toast(Toast(.warn, "No recipe applies to this layer."))]
      }
      let setting = Self.settings[row]
      guard setting.applies(layer.requested) else {
        return [
          .toast(Toast(.info, "\(setting.title) has no meaning in mode \(Words.mode(layer.requested.mode))."))
        ]
      }
      guard let (change, title) = setting.turn(layer.requested, by) else { return [] }
      return [.act(.edit(layers: state.scope, change: change, title: Self.title(title, state.scope.count)))]
    }
  }

  private func changeTraining(_ row: TrainingRow, _ by: Int, _ state: State) -> [PaneOutput] {
    let settings = Self.training(state)
    guard row.applies(settings) else {
      return [.toast(Toast(.info, "\(row.title) has no meaning without distillation."))]
    }
    return row.turn(settings, by).map { [.act(.setTraining($0.0, title: $0.1))] } ?? []
  }

  /// How the current candidate is trained.
  private static func training(_ state: State) -> TrainingSettings {
    state.currentEntry?.recipe.training ?? TrainingSettings()
  }

  /// What undo calls an edit.
  package static func title(_ what: String, _ count: Int) -> String {
    "\(what) for \(Words.plural(count, "layer"))"
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    switch mouse.kind {
    case .press(.left):
      let seen = mouse.at.y - area.y
      guard (0..<visibleRows(state, height: area.height)).contains(seen) else { return [] }
      let pressed = seen + firstRow(state, height: area.height)
      if pressed == row(state) { return update(.change(1), state, size: area.size) }
      cursor = pressed
      return []
    case .wheelUp: return update(.move(-1), state, size: area.size)
    case .wheelDown: return update(.move(1), state, size: area.size)
    default: return []
    }
  }

  package func note(_ state: State) -> [Run] {
    let scope = state.scope
    guard let first = state.lead else { return [] }
    let others = scope.count > 1 ? " +\(scope.count - 1)" : ""
    return [Run(Fitting.cutMiddle(first, to: 20) + others, .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    guard lead(state)?.requested.mode == .qat else { return [] }
    return [Run("\(row(state) + 1)/\(rowCount(state))", .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    guard let entry = state.currentEntry else {
      canvas.put(
        "No candidate: \(state.keys["new"]) makes one.", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    guard let layer = lead(state) else {
      canvas.put("Select a layer that can be quantized.", x: area.x, y: area.y, width: area.width, .muted)
      return
    }
    let titleWidth = Swift.min(13, area.width / 2)
    let (cursor, first) = (self.row(state), firstRow(state, height: area.height))
    let visible = visibleRows(state, height: area.height)
    func row(_ place: Int, _ title: String, _ value: String, applies: Bool) {
      let index = place - first
      guard (0..<visible).contains(index) else { return }
      let y = area.y + index
      canvas.put(title, x: area.x, y: y, width: titleWidth, applies ? .text : .muted)
      canvas.put(
        applies ? [Run("‹ ", .key), Run(value), Run(" ›", .key)] : [Run("  \(value)", .muted)],
        x: area.x + titleWidth, y: y, width: area.width - titleWidth)
      if place == cursor { canvas.restyle(area.row(index)) { isFocused ? $0.selected : $0.selectedIdle } }
    }
    for (index, setting) in Self.settings.enumerated() {
      row(index, setting.title, setting.text(layer.requested), applies: setting.applies(layer.requested))
    }
    row(
      Self.samplesRow, "Samples", "\(entry.recipe.calibration.samples)",
      applies: entry.recipe.mayCalibrate)
    if layer.requested.mode == .qat {
      let settings = Self.training(state)
      for (index, setting) in TrainingRow.all.enumerated() {
        row(
          Self.samplesRow + 1 + index, setting.title, setting.text(settings),
          applies: setting.applies(settings))
      }
    }
    var y = visible
    for line in facts(state, layer, width: area.width) where y < area.height {
      canvas.put(line, x: area.x, y: area.y + y, width: area.width)
      y += 1
    }
  }

  /// Size and error under these settings, the rule that won, and why the effective settings differ.
  private func facts(_ state: State, _ layer: ResolvedLayer, width: Int) -> [[Run]] {
    var lines: [[Run]] = []
    let (before, after) = (state.layerScope.bytesBefore, state.layerScope.bytesAfter)
    if before > 0 {
      let ratio = Numbers.ratio(Double(before) / Double(Swift.max(after, 1)))
      lines.append([
        Run("size ", .muted), Run("\(Numbers.bytes(before)) → \(Numbers.bytes(after))"),
        Run("  \(ratio)", .good),
      ])
    }
    if let grid = state.detail?.weightGrid, state.detail?.layer == layer.node {
      var runs = [Run("SQNR ", .muted), Run(grid.sqnrDb.map { "\(Numbers.fixed($0, 1)) dB" } ?? "exact")]
      runs += [
        Run("  clip ", .muted), Run("±\(Numbers.significant(Double(Swift.max(-grid.lower, grid.upper)), 2))"),
      ]
      lines.append(runs)
    }
    lines += PredictedLayer.lines(layer.node, state, width: width)
    if let rule = layer.rule { lines.append([Run("rule \(rule + 1) of the recipe", .muted)]) }
    for reason in layer.reasons {
      lines += Fitting.wrap(reason, to: Swift.max(width, 1)).map { [Run($0, .warn)] }
    }
    return lines
  }
}

extension LayerSettings {
  /// The change that takes some corrections out and puts another in.
  fileprivate func exchanging(_ old: [Correction], for new: Correction?) -> SettingsChange {
    var change = SettingsChange()
    change.corrections = (corrections ?? []).filter { !old.contains($0) } + (new.map { [$0] } ?? [])
    return change
  }
}
