import Analysis
import Datasets
import Exporters
import Formats
import Foundation
import Jobs
import Quantization
import Tensors
import Terminal
import Workbench
import Workflows

/// Carries out what updates ask for: long work as jobs whose results come back through the mailbox.
final class EffectRunner: Sendable {
  let mailbox: Mailbox<Action>
  let work: JobQueue
  /// Short answers to the cursor, apart from the long work; a newer question replaces an older one.
  let answers: JobQueue
  /// Folders, which a slow disk may keep from answering for long.
  let folders: JobQueue
  let candidates = CandidateCache()
  let open = Locked<Project?>(nil)
  private let lastDetail = Locked<JobID?>(nil)
  private let lastPrediction = Locked<JobID?>(nil)
  /// What answers predictions on the open model, once it was prepared.
  private let whatIf = Locked<WhatIf?>(nil)
  /// What the recipe that was looked at last means for the open model.
  private let resolutions = Memo<ResolutionQuestion, Resolution>()
  /// Models that were opened.
  let openings = Locked(0)
  /// What ends the training of a candidate early.
  private let trainings = Locked<[CandidateID: TrainingControl]>([:])
  /// What the machine can do, measured once, and again only where a step outran it.
  private let peaks = Locked<Peaks?>(nil)
  /// Where sessions go: beside the model, in a given folder, or nowhere.
  enum Sessions: Sendable {
    case beside
    case folder(String)
    case none
  }

  let sessions: Sessions
  /// Where models opened before are kept; `nil` for nowhere.
  let recent: RecentModels?
  private let threads: Int
  let store = Locked<SessionStore?>(nil)

  init(threads: Int, sessions: Sessions, recent: RecentModels? = nil, wake: @escaping @Sendable () -> Void) {
    let mailbox = Mailbox<Action>(wake: wake)
    self.mailbox = mailbox
    self.threads = threads
    self.sessions = sessions
    self.recent = recent
    work = JobQueue(workers: 2, prepareThread: CrashGuard.prepareThread) { mailbox.post(.jobChanged($0)) }
    answers = JobQueue(workers: 1, prepareThread: CrashGuard.prepareThread) { _ in }
    folders = JobQueue(workers: 2, prepareThread: CrashGuard.prepareThread) { _ in }
    postFiles()
  }

  /// Whether everything asked for is done and its results were posted.
  var isIdle: Bool { work.isIdle && answers.isIdle && folders.isIdle }

  func stop() {
    work.stop()
    answers.stop()
    folders.stop()
  }

  func perform(_ effect: Effect) {
    switch effect {
    case .open(let request): submitOpen(request)
    case .run(let id, let recipe): submitRun(id, recipe)
    case .cancel(let job): work.cancel(job)
    case .pause(let job, let isPaused): work.setPaused(job, isPaused)
    case .stopTraining(let id): trainings.withLock { $0[id] }?.stop()
    case .timeSteps(let subject, let title): submitSteps(subject, title)
    case .measureCosts: submitCosts()
    case .advise: submitAdvice()
    case .search(let request): submitSearch(request)
    case .blame(let subject, let title): submitBlame(subject, title)
    case .continueText(let subject, let title): submitContinuation(subject, title)
    case .detail(let layer, let recipe): answerDetail(layer, recipe)
    case .calibrate(let recipe, let title): submitCalibration(recipe, title)
    case .activations(let subject): submitActivations(subject)
    case .prepareWhatIf(let recipe): submitWhatIf(recipe)
    case .predict(let recipe, let times): answerPrediction(recipe, times)
    case .export(let request): submitExport(request)
    case .previewExport(let request): answerPreview(request)
    case .writeText(let file): submitText(file)
    case .list(let path): folders.submit("folder") { [mailbox] _ in mailbox.post(.listed(.read(path))) }
    case .openFile(let path):
      folders.submit("file") { [mailbox] _ in mailbox.post(.fileChosen(path: path, FileKind(path: path))) }
    case .importRecipe(let path):
      do {
        mailbox.post(.add(try RecipeOptions.read(path)))
      } catch {
        mailbox.post(.note("\(error)", .error))
      }
    case .keep(let recipe, let measured): append(recipe, measured)
    case .keepFindings(let findings): answers.submit("findings") { [self] _ in keep(findings) }
    case .copy, .save: break  // the main loop's own
    }
  }

  private func submitOpen(_ request: OpenRequest) {
    work.submit("open \((request.model as NSString).lastPathComponent)") { [self] reporter in
      try reporter.report(0)
      do {
        var project = try Project.open(
          model: request.model, data: request.data, trainData: request.trainData, threads: threads)
        let session = openSession(project)
        project.trainingFolder = trainingFolder(project)
        open.withLock { $0 = project }
        whatIf.withLock { $0 = nil }
        candidates.clear()
        openings.withLock {
          $0 += 1
          mailbox.post(.opened(project, session))
        }
        remember(request)
        mailbox.post(.costsFound(project.kurtosisRanking()))
        for note in project.data.notes where !project.data.isSynthetic { mailbox.post(.note(note, .info)) }
        for recipe in request.recipes + (session == nil ? request.otherwise : []) {
          mailbox.post(.add(recipe))
        }
      } catch {
        mailbox.post(.openFailed("\(error)"))
      }
    }
  }

  private func submitRun(_ id: CandidateID, _ recipe: Recipe) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let control = TrainingControl()
    trainings.withLock { $0[id] = control }
    let job = work.submit("\(id.letter) \(recipe.name)") { [self] reporter in
      let plan = project.plan([recipe])
      let trains = recipe.trains(project.model)
      // Training takes nearly all of the time where there is one.
      let prepares = trains ? 0.95 : 0.4
      let prepared = try project.prepare(
        [(recipe.name, recipe)], plan: plan, reporter: reporter.part(0...prepares),
        watch: watch(id, recipe, project, plan, control, reporter))
      candidates.keep(prepared[0].candidate, for: recipe.key)
      if trains { mailbox.post(.trained(id, recipe: recipe)) }
      let measurement = try project.measure(
        prepared, plan: plan, reporter: reporter.part(prepares...1),
        partial: { [mailbox] in mailbox.post(.partial(id, recipe: recipe, $0)) })
      mailbox.post(.measured(id, recipe: recipe, measurement))
      mailbox.post(.clippingFound(recipe.key, prepared[0].candidate.clippedInputs))
    }
    mailbox.post(.started(job, id))
  }

  /// Tells of a training, and measures each epoch that is the best so far on the data that evaluates.
  private func watch(
    _ id: CandidateID, _ recipe: Recipe, _ project: Project, _ plan: EvaluationPlan,
    _ control: TrainingControl,
    _ reporter: Reporter
  ) -> TrainingWatch {
    let mailbox = ofModel()
    let told = Locked<(at: ContinuousClock.Instant, epochs: Int)?>(nil)
    return TrainingWatch(
      control: control,
      progress: { [mailbox] progress in
        let epochs = progress.history.count
        let isDue = told.withLock { last in
          if let last, last.epochs == epochs, last.at + Self.progressInterval > ContinuousClock.now {
            return false
          }
          last = (at: ContinuousClock.now, epochs: epochs)
          return true
        }
        if isDue { mailbox.post(.trainingProgress(id, recipe: recipe, progress)) }
      },
      improved: { [mailbox] candidate in
        var options = MeasureOptions()
        options.measuresLatency = false
        let measurement = try project.measure(
          [PreparedCandidate(name: recipe.name, recipe: recipe, candidate: candidate)], plan: plan,
          options: options,
          reporter: Reporter(report: { try reporter.report(nil, "best epoch so far: \($1)") }))
        mailbox.post(.epochMeasured(id, recipe: recipe, measurement))
      })
  }

  /// Least time between two tellings of a training within an epoch.
  private static let progressInterval = Duration.milliseconds(100)

  private func submitSteps(_ subject: StepSubject, _ title: String) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("\(title) steps") { [self] reporter in
      var timed: [(name: String, candidate: Candidate)] = []
      if case .candidate(_, let recipe) = subject {
        timed.append((title, try made(recipe, title, project, reporter.part(0...0.4))))
      }
      let tables = try project.bench(timed, batch: 1).steps(
        runs: 50, limit: Self.stepSeconds, reporter: reporter.part(0.4...0.9))
      func report(_ peaks: Peaks) -> BenchReport {
        BenchReport(machine: .current(threads: project.threads), peaks: peaks, tables: tables)
      }
      var answer = try report(peaks.withLock { $0 } ?? measurePeaks(reporter))
      if answer.outrunsPeaks { answer = try report(measurePeaks(reporter)) }
      mailbox.post(.stepsTimed(subject, answer))
    }
    mailbox.post(.stepsStarted(job, subject))
  }

  /// First on a few samples, for an order to look at meanwhile.
  private func submitCosts() {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }), let base = Presets["static-int8"]?.recipe else { return }
    let widths = [8, 4].map { Width(weightBits: $0, activationBits: $0) }
    let job = work.submit("costs of layers") { [mailbox] reporter in
      let isShort = project.data.count <= Self.firstSamples
      if !isShort {
        let first = try project.sensitivity(
          base: base, widths: widths, limit: Self.firstSamples, reporter: reporter.part(0...0.1))
        mailbox.post(.costsFound(first))
      }
      let all = try project.sensitivity(
        base: base, widths: widths, reporter: reporter.part(isShort ? 0...1 : 0.1...1))
      mailbox.post(.costsFound(all))
    }
    mailbox.post(.costsStarted(job))
  }

  private static let firstSamples = 64

  private func submitAdvice() {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("advice") { [self] reporter in
      let known = try peaks.withLock { $0 } ?? measurePeaks(reporter.part(0...0.05))
      mailbox.post(.advised(try project.advise(peaks: known, reporter: reporter.part(0.05...1))))
    }
    mailbox.post(.adviceStarted(job))
  }

  /// What is found is told as it comes.
  private func submitSearch(_ request: SearchRequest) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("search") { [mailbox] reporter in
      _ = try project.search(
        base: SearchSettings.base(), settings: request.settings(for: project.model), reporter: reporter,
        tell: { mailbox.post(.searchFound(request, $0)) })
    }
    mailbox.post(.searchStarted(job, request))
  }

  /// A recipe's candidate: the one made before, else a new one.
  private func made(
    _ recipe: Recipe, _ title: String, _ project: Project, _ reporter: Reporter
  ) throws -> Candidate {
    let candidate =
      try candidates.candidate(for: recipe) ?? project.prepare(recipe, name: title, reporter: reporter)
    candidates.keep(candidate, for: recipe)
    return candidate
  }

  private func submitCalibration(_ recipe: Recipe, _ title: String) {
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("\(title) calibration") { [self] reporter in
      _ = try made(recipe, title, project, reporter)
      mailbox.post(.calibrated(recipe))
    }
    mailbox.post(.calibrationStarted(job, recipe))
  }

  private func submitActivations(_ subject: ActivationSubject) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("\(subject.layer) activations") { [self] reporter in
      let candidate = try made(
        subject.recipe, subject.recipe.name, project, reporter.part(0...0.5))
      mailbox.post(
        .activationsSeen(
          subject,
          try LayerActivations(of: subject.layer, candidate, project, reporter: reporter.part(0.5...1))))
    }
    mailbox.post(.activationsStarted(job, subject))
  }

  private func submitBlame(_ subject: BlameSubject, _ title: String) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("\(title) blame") { [self] reporter in
      let candidate = try made(subject.recipe, title, project, reporter.part(0...0.4))
      mailbox.post(.blamed(subject, try project.blame(candidate, reporter: reporter.part(0.4...1))))
    }
    mailbox.post(.blameStarted(job, subject))
  }

  /// Alone, so that the speed is the model's own.
  private func submitContinuation(_ subject: ContinuationSubject, _ title: String) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let job = work.submit("\(title) text") { [self] reporter in
      let candidate = try subject.recipe.map { try made($0, title, project, reporter.part(0...0.5)) }
      let request = GenerationRequest(prompt: subject.prompt, limit: Continuations.length)
      var text = ""
      let written = try reporter.alone {
        try project.text(request, by: candidate, name: title, reporter: reporter) { piece in
          text += piece
          mailbox.post(.continued(subject, Continuation(text: text)))
        }
      }
      // A text that was cancelled is not whole.
      try reporter.report(1)
      mailbox.post(
        .continued(
          subject,
          Continuation(text: written.text, isWhole: true, tokensPerSecond: written.tokensPerSecond)))
    }
    mailbox.post(.continuationStarted(job, subject))
  }

  /// Most seconds that timing steps takes.
  private static let stepSeconds = 10.0

  private func measurePeaks(_ reporter: Reporter) throws -> Peaks {
    try reporter.report(0.9, "what the machine can do")
    let measured = try reporter.alone { Peaks.measure(threads: threads) }
    return peaks.withLock { known in
      let peaks = known?.raised(to: measured) ?? measured
      known = peaks
      return peaks
    }
  }

  private func answerDetail(_ layer: String, _ recipe: Recipe) {
    let mailbox = ofModel()
    guard let project = open.withLock({ $0 }) else { return }
    let known = candidates.candidate(for: recipe.key)
    let question = ResolutionQuestion(opening: openings.withLock { $0 }, recipe: recipe)
    let job = answers.submit("detail") { [mailbox, resolutions] reporter in
      try reporter.report(0)
      let resolution = resolutions.answer(question) {
        recipe.resolve(project.model.graph, infos: project.model.infos)
      }
      mailbox.post(
        .showDetail(
          try LayerDetail(
            layer: layer, recipe: recipe, project: project, candidate: known, resolution: resolution)))
    }
    replace(lastDetail, by: job)
  }

  private struct ResolutionQuestion: Equatable, Sendable {
    var opening: Int
    var recipe: Recipe
  }

  /// Cancels an answer that nobody waits for any more.
  private func replace(_ last: Locked<JobID?>, by job: JobID) {
    let older = last.withLock { last in
      defer { last = job }
      return last
    }
    if let older { answers.cancel(older) }
  }

  private func submitWhatIf(_ recipe: Recipe) {
    guard let project = open.withLock({ $0 }), let base = WhatIf.base(for: recipe) else { return }
    let opening = openings.withLock { $0 }
    let job = work.submit("what-if") { [self] reporter in
      let prepared = try project.whatIf(base: base, reporter: reporter)
      // Another model may have been opened meanwhile.
      guard openings.withLock({ $0 }) == opening else { return }
      whatIf.withLock { $0 = prepared }
      mailbox.post(.whatIfReady)
    }
    mailbox.post(.whatIfStarted(job))
  }

  private func answerPrediction(_ recipe: Recipe, _ times: LayerTimes) {
    guard let whatIf = whatIf.withLock({ $0 }) else { return }
    let job = answers.submit("prediction") { [mailbox] reporter in
      try reporter.report(0)
      do {
        mailbox.post(.predicted(recipe, try whatIf.predict(recipe, times: times)))
      } catch {
        mailbox.post(.note("prediction: \(error)", .error))
      }
    }
    replace(lastPrediction, by: job)
  }
}

/// The candidates made last, so that exporting and looking at one do not make it again.
final class CandidateCache: Sendable {
  private let entries = Locked<[(key: Recipe, candidate: Candidate)]>([])
  private static let most = 6

  func candidate(for key: Recipe) -> Candidate? { entries.withLock { $0.first { $0.key == key }?.candidate } }

  func keep(_ candidate: Candidate, for key: Recipe) {
    entries.withLock { entries in
      entries.removeAll { $0.key == key }
      entries.append((key, candidate))
      if entries.count > Self.most { entries.removeFirst() }
    }
  }

  func clear() { entries.withLock { $0 = [] } }
}
