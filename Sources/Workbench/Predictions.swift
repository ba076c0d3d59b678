import Analysis
import Jobs
import Quantization
import Workflows

/// What recipes of the open model would come to, and whether that can be told.
package struct Predictions: Sendable {
  /// Whether recipes can be answered at once.
  package private(set) var isReady = false
  /// Being prepared, or given up, which is not tried again.
  private var isAsked = false
  private var job: JobID?
  /// By recipe key.
  private var answers: [Recipe: Prediction] = [:]

  /// Answers that are kept when there are more than candidates.
  private static let most = 64

  package init() {}

  package subscript(recipe: Recipe) -> Prediction? { answers[recipe.key] }

  fileprivate mutating func ask() -> Bool {
    guard !isAsked else { return false }
    isAsked = true
    return true
  }

  fileprivate mutating func started(_ job: JobID) { self.job = job }

  fileprivate mutating func becomeReady() -> Bool {
    if isAsked { isReady = true }
    return isReady
  }

  fileprivate mutating func take(_ prediction: Prediction, of recipe: Recipe, candidates: [Recipe]) {
    answers[recipe] = prediction
    guard answers.count > Self.most else { return }
    let kept = Set(candidates)
    answers = answers.filter { kept.contains($0.key) }
  }

  /// What was answered no longer holds.
  fileprivate mutating func forget() { answers = [:] }

  fileprivate func isOwn(_ job: JobID) -> Bool { job == self.job }
}

extension State {
  mutating func updatePredictions(_ action: Action) -> [Effect] {
    switch action {
    case .whatIfStarted(let job):
      predictions.started(job)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver { predictionJobChanged(status) }
      return []
    case .whatIfReady:
      // What was not asked for belongs to a model that is no longer open.
      return predictions.becomeReady() ? predictionEffect() : []
    case .predicted(let recipe, let prediction):
      // Late where no candidate has the recipe any more.
      let keys = candidates.map(\.recipe.key)
      guard predictions.isReady, keys.contains(recipe) else { return [] }
      predictions.take(prediction, of: recipe, candidates: keys)
      return []
    default: return []
    }
  }

  /// Asks what the current recipe would come to, where that is neither measured nor known.
  ///
  /// - Parameter prepares: whether to ask for what answers it, where there is nothing yet.
  mutating func predictionEffect(prepares: Bool = false) -> [Effect] {
    guard project != nil, let recipe = currentEntry?.recipe.key, trials[recipe] == nil,
      predictions[recipe] == nil
    else { return [] }
    if predictions.isReady { return [.predict(recipe, layerTimes)] }
    return prepares && predictions.ask() ? [.prepareWhatIf(recipe)] : []
  }

  /// Asks again once there are times to predict by.
  mutating func predictionsWithNewTimes() -> [Effect] {
    predictions.forget()
    return predictionEffect()
  }

  /// What the steps timed in this session say of layers.
  private var layerTimes: LayerTimes {
    var times = LayerTimes()
    guard let model = project?.model, let float32 = steps.float32 else { return times }
    times.add(float32, layers: nil, of: model)
    for (recipe, variant) in steps.recipes {
      times.add(variant, layers: recipe.resolve(model.graph, infos: model.infos).layers, of: model)
    }
    return times
  }

  /// Notes the end of the job that prepared for predictions.
  mutating func predictionJobChanged(_ status: JobStatus) {
    guard status.state.isOver, predictions.isOwn(status.id) else { return }
    noteEnd(status)
  }
}
