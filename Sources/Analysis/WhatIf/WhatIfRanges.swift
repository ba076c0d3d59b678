import Datasets
import Graph
import Quantization
import Tensors
import Workflows

/// What observers saw of all that layers read: of each kind of observer when it is first asked for.
final class WhatIfRanges: Sendable {
  private let project: Project
  private let base: Recipe
  private let source: BoundDataset
  private let seen = Locked<[ObserverChoice: Observations]>([:])

  /// - Parameters:
  ///   - base: in which every layer is static.
  ///   - source: the samples that calibrate.
  init(_ project: Project, base: Recipe, source: BoundDataset) {
    self.project = project
    self.base = base
    self.source = source
  }

  /// What one kind of observer saw; runs the samples where it was not asked for before.
  func observations(
    by observer: ObserverChoice, report: (Double, String) throws -> Void = { _, _ in }
  ) throws -> Observations {
    // Whoever asks meanwhile waits instead of running the samples too.
    try seen.withLock { seen in
      if let known = seen[observer] { return known }
      var base = base
      base.defaults.activations.observer = observer
      base.calibration.samples = source.count
      let (graph, infos) = (project.model.graph, project.model.infos)
      // A value that moves through operators on codes has its range from before them, elsewhere its own.
      let width = Width(weightBits: nil, activationBits: 8)
      let alone = SensitivitySweep(project, base: base, widths: [width]).recipes
      let observations = try Observations(
        graph, infos: infos, recipes: [base] + alone, source: source, threads: project.threads,
        report: report)
      seen[observer] = observations
      return observations
    }
  }

  /// The range of what a layer reads; `nil` for one that needs none.
  func observations(for planned: PlannedLayer) throws -> Observations? {
    guard let root = planned.root, let input = planned.input else { return nil }
    return try observations(by: planned.settings.activations.observer).of(root, as: input)
  }
}
