import Jobs
import Quantization
import Workflows

extension State {
  /// What became of the request to make the current candidate.
  package var calibration: Inquiry {
    guard let recipe = currentEntry?.recipe.key else { return .notAsked }
    return calibrations.status(
      of: recipe, among: jobs, isAnswered: detail?.isCalibrated ?? false, covers: { $0 == recipe })
  }

  /// Why the current candidate cannot be made just to look into it, or `nil`.
  package var whyNoCalibration: String? {
    guard let entry = currentEntry else { return keys.noCandidate }
    if entry.trains { return "Training gives this candidate its ranges: \(keys["run"]) runs it." }
    if detail?.isCalibrated ?? false { return "What calibration saw is shown." }
    if case .waiting = calibration { return "It is being calibrated." }
    return job(of: entry.id) == nil ? nil : "It is being measured, and calibrated before that."
  }

  mutating func updateCalibrations(_ action: Action) -> [Effect] {
    switch action {
    case .calibrate:
      guard whyNoCalibration == nil, let entry = currentEntry else { return [] }
      calibrations.ask(entry.recipe.key)
      return [.calibrate(entry.recipe.key, title: entry.title)]
    case .calibrationStarted(let job, let recipe):
      calibrations.started(job, recipe)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }) { calibrationJobChanged(status) }
      return []
    case .calibrated(let recipe):
      guard recipe == currentEntry?.recipe.key else { return [] }
      detail = nil
      return detailEffect()
    default: return []
    }
  }

  /// Notes the end of a job that made a candidate to look into.
  mutating func calibrationJobChanged(_ status: JobStatus) {
    if calibrations.ended(status) != nil { noteEnd(status) }
  }
}
