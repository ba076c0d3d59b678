import Analysis
import Jobs
import Quantization
import Workflows

/// Everything that can happen to the workbench.
package enum Action: Sendable {
  // The project.
  case open(OpenRequest)
  case opened(Project, Session?)
  case openFailed(String)
  // Layers.
  case selectLayer(String?)
  /// Hide rows of the comparison, or order its candidates.
  case setCompare(CompareChoice)
  case setMarks(Set<String>)
  case showDetail(LayerDetail)
  /// Shares of the layers' inputs that codes cannot express, by a recipe's key.
  case clippingFound(Recipe, [String: Double])
  /// Make the current candidate, so that what calibration sees of its layers can be shown.
  case calibrate
  case calibrationStarted(JobID, Recipe)
  case calibrated(Recipe)
  // The current candidate's recipe.
  case edit(layers: [String], change: SettingsChange, title: String)
  case editDefaults(SettingsChange, title: String)
  case setSamples(Int)
  case setTraining(TrainingSettings, title: String)
  case undo
  case redo
  /// Take changes back, or do them again, until this many are done.
  case travel(to: Int)
  // Candidates.
  case add(Recipe)
  case duplicate(CandidateID)
  case delete(CandidateID)
  case rename(CandidateID, String)
  /// An empty one takes the note away.
  case setNote(CandidateID, String)
  case select(CandidateID)
  case setBaseline(CandidateID?)
  // Work.
  case run(CandidateID)
  case runStale
  case cancel(JobID)
  /// Let a job stand still, or go on where it does.
  case pause(JobID)
  case started(JobID, CandidateID)
  case jobChanged(JobStatus)
  case partial(CandidateID, recipe: Recipe, Measurement)
  case measured(CandidateID, recipe: Recipe, Measurement)
  // Training.
  case trainingProgress(CandidateID, recipe: Recipe, TrainingProgress)
  /// What the best epoch so far would come to, of the evaluation data.
  case epochMeasured(CandidateID, recipe: Recipe, Measurement)
  /// End the training and keep its best epoch.
  case stopTraining(CandidateID)
  /// The training has ended; its candidate is measured now.
  case trained(CandidateID, recipe: Recipe)
  // Activations.
  /// Look at the layer's input and output in a few samples.
  case lookAtActivations
  case activationsStarted(JobID, ActivationSubject)
  case activationsSeen(ActivationSubject, LayerActivations)
  // Steps.
  /// Opens the Roofline view or, with `nil`, closes it.
  case showSteps(StepTimes.View?)
  /// Time what a view is about, again where it was.
  case timeSteps(StepTimes.View)
  case stepsStarted(JobID, StepSubject)
  /// float32 and then the subject, where that is another.
  case stepsTimed(StepSubject, BenchReport)
  // Costs of layers.
  /// Measure what quantizing each layer alone costs.
  case measureCosts
  case costsStarted(JobID)
  /// A guess from the weights, what a few samples say, or what all of them do.
  case costsFound(SensitivityReport)
  // The advisor.
  case advise
  case adviceStarted(JobID)
  case advised(Advice)
  // Search.
  /// Search an option for every layer, unless a search goes on.
  case search(SearchRequest)
  case searchStarted(JobID, SearchRequest)
  /// What is found so far.
  case searchFound(SearchRequest, SearchFront)
  // Blame.
  /// Opens or closes the Blame view.
  case showBlame(Bool)
  /// Find out what the Blame view shows, again where it was.
  case findBlame
  case blameStarted(JobID, BlameSubject)
  case blamed(BlameSubject, BlameReport)
  // Text of language models.
  /// Let float32 and every candidate continue a text: this one, or `nil` for the last, where they have not.
  case continueText(prompt: String?)
  case continuationStarted(JobID, ContinuationSubject)
  /// What is written so far.
  case continued(ContinuationSubject, Continuation)
  // Predictions.
  case whatIfStarted(JobID)
  /// Recipes can be answered from now on.
  case whatIfReady
  case predicted(Recipe, Prediction)
  // Files.
  case export(ExportRequest)
  case exported(path: String, losses: [String])
  /// The file is there already; the user decides.
  case exportExists(ExportRequest)
  case exportFailed(path: String, String)
  /// Find out what an export would write.
  case previewExport(ExportRequest)
  case exportPreviewed(ExportPreview)
  case importRecipe(path: String)
  case writeText(TextFile)
  case textWritten(TextFile)
  /// The file is there already; the user decides.
  case textExists(TextFile)
  case filesKnown(working: String, home: String, recent: [OpenRequest])
  /// Read a folder, again where it was read.
  case list(String)
  case listed(FolderListing)
  /// Find out what a file is, and open it as that.
  case openFile(String)
  /// A file to open, and what it is.
  case fileChosen(path: String, FileKind)
  case copy(String, what: String)
  case saved
  case saveFailed(String)
  case sessionIsReadOnly(String)
  // The shell.
  case note(String, LogLine.Level)
  case clock(Double)
}

/// A model to open, with what goes with it.
package struct OpenRequest: Sendable, Hashable {
  package var model: String
  package var data: String?
  package var trainData: String?
  package var recipes: [Recipe] = []
  /// Candidates to make where no session brings its own.
  package var otherwise: [Recipe] = []

  package init(model: String, data: String? = nil, trainData: String? = nil, recipes: [Recipe] = []) {
    self.model = model
    self.data = data
    self.trainData = trainData
    self.recipes = recipes
  }
}

/// Something to write.
package struct ExportRequest: Sendable, Hashable {
  /// Name of an exporter or of a model format.
  package var format: String
  package var path: String
  package var recipe: Recipe
  /// On the candidate, for a comment in the file.
  package var note: String
  package var overwrite: Bool

  package init(format: String, path: String, recipe: Recipe, note: String = "", overwrite: Bool = false) {
    self.format = format
    self.path = path
    self.recipe = recipe
    self.note = note
    self.overwrite = overwrite
  }
}

/// Work that an update asks the outside world to do, as a value that a test can compare.
package enum Effect: Sendable, Hashable {
  case open(OpenRequest)
  /// Quantize, train where layers are, and measure.
  ///
  /// Answered by `started`, `trainingProgress`es and `epochMeasured`s, `trained`, `partial`s and `measured`.
  case run(CandidateID, Recipe)
  case cancel(JobID)
  case pause(JobID, Bool)
  case stopTraining(CandidateID)
  /// Time every step; answered by `stepsStarted` and `stepsTimed`.
  case timeSteps(StepSubject, title: String)
  /// Measure each layer alone; answered by `costsStarted` and `costsFound`s.
  case measureCosts
  /// Measure what an advice on the open model needs; answered by `adviceStarted` and `advised`.
  case advise
  /// Search an option for every layer; answered by `searchStarted` and `searchFound`s.
  case search(SearchRequest)
  /// Find what causes a candidate's error; answered by `blameStarted` and `blamed`.
  case blame(BlameSubject, title: String)
  /// Continue a text; answered by `continuationStarted` and `continued`s.
  case continueText(ContinuationSubject, title: String)
  /// Measure what predictions rest on, with the samples of this recipe; answered by `whatIfStarted` and `whatIfReady`.
  case prepareWhatIf(Recipe)
  /// Tell what a recipe would come to, by these times of layers; answered by `predicted`, or not at all when a newer
  /// question comes.
  case predict(Recipe, LayerTimes)
  /// Compute what the histogram shows of a layer under a recipe.
  case detail(layer: String, Recipe)
  /// Make the candidate of a recipe; answered by `calibrationStarted` and `calibrated`.
  case calibrate(Recipe, title: String)
  /// Look at a layer's activations in samples; answered by `activationsStarted` and `activationsSeen`.
  case activations(ActivationSubject)
  case export(ExportRequest)
  /// Answered by `exportPreviewed`.
  case previewExport(ExportRequest)
  case importRecipe(path: String)
  /// Answered by `textWritten`, `textExists` or `exportFailed`.
  case writeText(TextFile)
  /// Answered by `listed`.
  case list(String)
  /// Answered by `fileChosen`.
  case openFile(String)
  case copy(String)
  /// Write the session file; the shell waits a moment and joins several.
  case save
  /// Write what was measured beside trials.
  case keepFindings(Findings)
  /// Add a result to the session's list.
  case keep(Recipe, Measured)
}
