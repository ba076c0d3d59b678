import Analysis
import Interface
import Workbench
import Workflows

/// The column of costs: what quantizing each alone costs, once something is known of it.
struct LayerCostColumn {
  private let report: SensitivityReport?
  private let figures: LayerFigures
  private let isStale: Bool

  init(_ state: State) {
    report = state.costs.report
    figures = state.layerFigures
    isStale = state.costs.isStale
  }

  /// None while nothing is known; the title says what the figures are, `≈` that they are a guess, and `~` that they need
  /// not hold any more.
  static func column(_ state: State) -> Column? {
    guard let report = state.costs.report else { return nil }
    let width = report.layers.first?.narrowest?.width.text ?? ""
    let title =
      switch report.metric {
      case .kurtosis: "≈kurtosis"
      case .kl: "KL \(width)"
      case .sqnr: "dB \(width)"
      case .accuracy: "Δ \(width)"
      }
    return Column(state.costs.isStale ? "~\(title)" : title, align: .right, minimum: 9, dropOrder: 6)
  }

  func cell(_ layer: String) -> [Run] {
    guard let report, let cost = figures.ranking[layer], let own = figures.sensitivity[layer] else {
      return [Run("-", .muted)]
    }
    let text: String? =
      switch report.metric {
      case .kurtosis: own.weightKurtosis.map { Numbers.fixed($0, 1) }
      case .kl: own.narrowest?.kl.map { Numbers.significant($0, 2) }
      case .sqnr: own.narrowest?.sqnrDb.map { Numbers.fixed($0, 1) }
      case .accuracy: own.narrowest?.top1Delta.map { Numbers.points($0) }
      }
    if isStale { return [Run("~\(text ?? "-")", .stale)] }
    let range = figures.rankingRange
    let width = range.upperBound - range.lowerBound
    let share = width > 0 ? (cost - range.lowerBound) / width : 0
    return [Run(text ?? "-", report.isEstimate ? .muted : .gradient(.sensitivity, share))]
  }
}
