import Analysis
import Jobs
import Workflows

/// What is known of how much each layer costs to quantize: a guess from the weights, until it is measured.
package struct LayerCosts: Sendable {
  package private(set) var report: SensitivityReport?
  /// It is of an older session whose figures need not hold any more.
  package private(set) var isStale = false
  /// Asked for, and neither measured nor given up yet.
  package private(set) var isAsked = false
  private var job: JobID?

  /// By layer name: larger is worse.
  package var values: [String: Double] {
    guard let report else { return [:] }
    return Dictionary(
      report.layers.compactMap { layer in report.cost(of: layer).map { (layer.name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  fileprivate mutating func ask() -> Bool {
    guard !isAsked else { return false }
    isAsked = true
    return true
  }

  fileprivate mutating func started(_ job: JobID) { self.job = job }

  /// A guess does not take the place of figures.
  fileprivate mutating func take(_ report: SensitivityReport) {
    if report.isEstimate, self.report != nil { return }
    self.report = report
    isStale = false
  }

  mutating func restore(_ report: SensitivityReport, isStale: Bool) {
    self.report = report
    self.isStale = isStale
  }

  /// Whether the job that ended was the one that measures.
  fileprivate mutating func ended(_ job: JobID) -> Bool {
    guard job == self.job else { return false }
    self.job = nil
    isAsked = false
    return true
  }
}

extension State {
  mutating func updateCosts(_ action: Action) -> [Effect] {
    switch action {
    case .measureCosts: return project != nil && costs.ask() ? [.measureCosts] : []
    case .costsStarted(let job):
      costs.started(job)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver {
        costsJobChanged(status)
      }
      return []
    case .costsFound(let report):
      // What was not asked for belongs to a model that is no longer open.
      guard let project, report.model.path == project.model.path, report.isEstimate || costs.isAsked
      else {
        return []
      }
      costs.take(report)
      return report.isEstimate ? [] : [.keepFindings(findings), .save]
    default: return []
    }
  }

  /// Notes the end of the job that measures.
  mutating func costsJobChanged(_ status: JobStatus) {
    guard status.state.isOver, costs.ended(status.id) else { return }
    switch status.state {
    case .failed(let message): note("\(status.title): \(message)", .error)
    case .cancelled: note("\(status.title) cancelled", .warning)
    default:
      if let data = costs.report?.data, let costliest = costs.report?.layers.first {
        note("each layer alone on \(data.samples) samples: \(costliest.name) costs most", .good)
      }
    }
  }
}
