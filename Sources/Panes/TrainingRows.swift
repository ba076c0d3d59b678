import Interface
import Quantization

/// One setting of a recipe's training as a row of the Config pane.
struct TrainingRow: Sendable {
  var title: String
  var text: @Sendable (TrainingSettings) -> String
  /// The settings with the next (+1) or previous (−1) choice, and what to call that; `nil` at the end of the choices.
  var turn: @Sendable (TrainingSettings, Int) -> (TrainingSettings, String)?
  /// Whether it matters beside the other settings.
  var applies: @Sendable (TrainingSettings) -> Bool = { _ in true }

  static let all: [TrainingRow] = [
    TrainingRow(
      title: "Epochs", text: { "\($0.epochs)" },
      turn: { settings, step in
        next(settings.epochs, in: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100, 200], by: step).map {
          changed(settings, \.epochs, $0, Words.plural($0, "epoch"))
        }
      }),
    TrainingRow(
      title: "Learn. rate", text: { "\($0.learningRate)" },
      turn: { settings, step in
        next(settings.learningRate, in: [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1], by: step).map {
          changed(settings, \.learningRate, $0, "learning rate \($0)")
        }
      }),
    TrainingRow(
      title: "Batch", text: { "\($0.batch)" },
      turn: { settings, step in
        next(settings.batch, in: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], by: step).map {
          changed(settings, \.batch, $0, "training batch \($0)")
        }
      }),
    TrainingRow(
      title: "Optimizer", text: { $0.optimizer.rawValue },
      turn: { settings, step in
        let choice = around(settings.optimizer, by: step)
        return changed(settings, \.optimizer, choice, "optimizer \(choice.rawValue)")
      }),
    TrainingRow(
      title: "Schedule", text: { $0.schedule.rawValue },
      turn: { settings, step in
        let choice = around(settings.schedule, by: step)
        return changed(settings, \.schedule, choice, "schedule \(choice.rawValue)")
      }),
    TrainingRow(
      title: "Scales", text: { $0.scales.rawValue },
      turn: { settings, step in
        let choice = around(settings.scales, by: step)
        return changed(settings, \.scales, choice, "scales \(choice.rawValue)")
      }),
    TrainingRow(
      title: "Batch norm",
      text: { settings in
        let frozen = settings.milestones.freezeBatchNorm.map { ", frozen from epoch \($0 + 1)" } ?? ""
        return settings.batchNorm.rawValue + (settings.batchNorm == .train ? frozen : "")
      },
      turn: { settings, step in
        let choice = around(settings.batchNorm, by: step)
        var settings = settings
        // Statistics that stand still before the end let the other numbers settle on them.
        settings.milestones.freezeBatchNorm = choice == .train ? settings.epochs * 3 / 4 : nil
        return changed(settings, \.batchNorm, choice, "batch norm \(choice.rawValue)")
      }),
    TrainingRow(
      title: "Distill at T", text: { $0.distill.map { "\($0.temperature)" } ?? "no, labels only" },
      turn: { settings, step in
        let temperatures = [1.0, 1.5, 2, 3, 4, 6, 8]
        guard var distill = settings.distill else {
          guard step > 0 else { return nil }
          return changed(settings, \.distill, TrainingSettings.Distillation(), "distillation")
        }
        guard let temperature = next(distill.temperature, in: temperatures, by: step) else {
          return step < 0 ? changed(settings, \.distill, nil, "no distillation") : nil
        }
        distill.temperature = temperature
        return changed(settings, \.distill, distill, "distillation at T \(temperature)")
      }),
    TrainingRow(
      title: "Distill part",
      text: { $0.distill.map { "\(Numbers.percent($0.weight, 0)) % of the loss" } ?? "-" },
      turn: { settings, step in
        guard var distill = settings.distill,
          let weight = next(distill.weight, in: [0.1, 0.25, 0.5, 0.75, 0.9, 1], by: step)
        else { return nil }
        distill.weight = weight
        return changed(
          settings, \.distill, distill, "distillation \(Numbers.percent(weight, 0)) % of the loss")
      }, applies: { $0.distill != nil }),
    TrainingRow(
      title: "Feature maps", text: { $0.features == 0 ? "not compared" : "weight \($0.features)" },
      turn: { settings, step in
        next(settings.features, in: [0, 0.1, 0.3, 1, 3, 10], by: step).map {
          changed(settings, \.features, $0, "feature maps weigh \($0)")
        }
      }),
    TrainingRow(
      title: "Held back", text: { "\(Numbers.percent($0.holdOut, 0)) % of the data" },
      turn: { settings, step in
        next(settings.holdOut, in: [0, 0.05, 0.1, 0.15, 0.2, 0.3], by: step).map {
          changed(settings, \.holdOut, $0, "\(Numbers.percent($0, 0)) % held back")
        }
      }),
    TrainingRow(
      title: "Augment", text: { words($0.augment) },
      turn: { settings, step in
        let place = (augmentations.firstIndex(of: settings.augment) ?? 0) + step
        let choice = augmentations[(place + augmentations.count) % augmentations.count]
        return changed(settings, \.augment, choice, "augment \(words(choice))")
      }),
  ]

  private static let augmentations: [TrainingSettings.Augmentation?] = [
    nil, TrainingSettings.Augmentation(), TrainingSettings.Augmentation(flip: true),
    TrainingSettings.Augmentation(crop: 2), TrainingSettings.Augmentation(flip: true, crop: 2),
    TrainingSettings.Augmentation(crop: 4), TrainingSettings.Augmentation(flip: true, crop: 4),
  ]

  private static func words(_ augmentation: TrainingSettings.Augmentation?) -> String {
    guard let augmentation else { return "as the card says" }
    var parts: [String] = []
    if augmentation.flip { parts.append("flip") }
    if augmentation.crop > 0 { parts.append("crop \(augmentation.crop)") }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  /// The nearest choice above (or below) a value, which need not be one of them.
  private static func next<T: Comparable>(_ value: T, in all: [T], by step: Int) -> T? {
    step > 0 ? all.first { $0 > value } : all.last { $0 < value }
  }

  /// The choice after (or before) one, and round from the last to the first.
  private static func around<T: CaseIterable & Equatable>(_ value: T, by step: Int) -> T {
    let all = Array(T.allCases)
    let place = (all.firstIndex(of: value) ?? 0) + step
    return all[(place + all.count) % all.count]
  }

  private static func changed<T>(
    _ settings: TrainingSettings, _ path: WritableKeyPath<TrainingSettings, T>, _ value: T, _ title: String
  ) -> (TrainingSettings, String) {
    var settings = settings
    settings[keyPath: path] = value
    return (settings, title)
  }
}
