import Jobs
import Quantization
import Workflows

/// One line of the log pane.
package struct LogLine: Sendable, Hashable {
  package enum Level: Sendable, Hashable { case info, good, warning, error }
  /// Seconds since 1970.
  package var time: Double
  package var level: Level
  package var text: String
}

/// The whole workbench as data.
///
/// Changed only by `update`; drawn by panes.
package struct State: Sendable {
  /// What is open; `nil` while a model is being read.
  package var project: Project?
  /// The file being read, for the screen to say so.
  package var opening: String?
  package var candidates: [CandidateEntry] = []
  /// The candidate that edits go to.
  package var current: CandidateID?
  /// What deltas are taken from; `nil` is float32.
  package var baseline: CandidateID?
  /// float32 as last measured.
  package var float32: Trial?
  /// Results by recipe key.
  package var trials: [Recipe: Measured] = [:]
  /// Figures of runs that go on, by candidate.
  package var live: [CandidateID: LiveFigures] = [:]
  /// Trainings of this session; those that ended stay.
  package var trainings: [CandidateID: CandidateTraining] = [:]
  /// Why the last run of a candidate failed.
  package var failures: [CandidateID: String] = [:]
  /// Newest last; ended jobs stay until there are many.
  package var jobs: [JobStatus] = []
  package var owners: [JobID: CandidateID] = [:]
  package var log: [LogLine] = []
  /// Lines ever added to the log since the model was opened; old ones leave it.
  package internal(set) var logged = 0
  /// Names of the marked layers.
  package var marked: Set<String> = []
  /// The layer under the cursor.
  package var layer: String?
  package var detail: LayerDetail?
  package var compare = CompareChoice()
  package var clipping = Clipping()
  /// Candidates that are made to look into, by recipe key.
  package var calibrations = Inquiries<Recipe>()
  package var activations = Activations()
  package var steps = StepTimes()
  package var costs = LayerCosts()
  package var advice = AdviceState()
  package var blame = BlameResults()
  package var continuations = Continuations()
  package var search = SearchState()
  package var predictions = Predictions()
  package var files = Files()
  package var history = History()
  /// Whether something changed since the session was last written.
  package var isUnsaved = false
  /// Why the session may not be written, or `nil`.
  package var readOnly: String?
  /// Seconds since 1970, as the shell last told.
  package var now: Double = 0
  package var nextCandidate = 1
  /// As the screen last told.
  package var keys = KeyLabels()
  let layerMemo = Memo<LayerView.Sources, LayerList>()
  let scopeMemo = Memo<LayerScope.Sources, LayerScope>()
  let figureMemo = Memo<LayerFigures.Sources, LayerFigures>()

  package init() {}

  package func entry(_ id: CandidateID?) -> CandidateEntry? { candidates.first { $0.id == id } }
  package var currentEntry: CandidateEntry? { entry(current) }

  /// Layers that an edit changes: the marked ones, else the one under the cursor.
  package var scope: [String] { layerScope.names }

  /// The layer whose settings stand for the scope and that a change starts from: the one under the cursor where it is
  /// in the scope, else the scope's first.
  package var lead: String? {
    guard !marked.isEmpty else { return scope.first }
    return layer.flatMap { marked.contains($0) ? $0 : nil } ?? scope.first
  }

  /// The job that runs or waits for a candidate.
  package func job(of id: CandidateID) -> JobStatus? {
    jobs.last { owners[$0.id] == id && !$0.state.isOver }
  }

  /// What a candidate's column shows now.
  package func shown(_ entry: CandidateEntry) -> Shown {
    let fresh = trials[entry.recipe.key]
    let older = fresh == nil ? entry.lastMeasured.flatMap { trials[$0] } : nil
    var shown = Shown(
      trial: (fresh ?? older)?.trial, float32: (fresh ?? older)?.float32, answers: (fresh ?? older)?.answers,
      isStale: fresh == nil && older != nil,
      latencyIsStale: (fresh ?? older)?.latencyIsStale ?? false, status: fresh == nil ? .notRun : .done)
    if let job = job(of: entry.id) {
      shown.status = job.state == .queued ? .queued : .running(live[entry.id]?.fraction ?? 0)
      if let training = activeTraining(of: entry.id) {
        shown.status = .training(epoch: training.epoch, of: training.progress.epochs)
      }
      if let live = live[entry.id] {
        shown.trial = live.trial
        shown.float32 = live.float32
        shown.answers = nil
        shown.isStale = false
        shown.isProvisional = live.isProvisional
      }
    } else if let failure = failures[entry.id] {
      shown.status = .failed(failure)
    }
    if fresh == nil, live[entry.id] == nil { shown.prediction = predictions[entry.recipe] }
    return shown
  }

  /// Running and waiting jobs, oldest first.
  package var activeJobs: [JobStatus] { jobs.filter { !$0.state.isOver } }

  package mutating func note(_ text: String, _ level: LogLine.Level = .info) {
    log.append(LogLine(time: now, level: level, text: text))
    logged += 1
    if log.count > 1000 { log.removeFirst(log.count - 1000) }
  }
}
