import Graph
import Jobs
import Quantization
import Workflows

/// A layer under a recipe, whose activations are looked at.
package struct ActivationSubject: Sendable, Hashable {
  package var layer: String
  package var recipe: Recipe

  package init(layer: String, recipe: Recipe) {
    self.layer = layer
    self.recipe = recipe
  }
}

/// What a layer's input and output are in a few samples, with their codes; `nil` where a value has none.
package struct LayerActivations: Sendable, Hashable {
  package var input: ActivationErrors?
  package var output: ActivationErrors?
  /// Samples that were run.
  package var samples: Int

  package init(input: ActivationErrors?, output: ActivationErrors?, samples: Int) {
    self.input = input
    self.output = output
    self.samples = samples
  }
}

/// The activations looked at last, and those that are being looked at.
package struct Activations: Sendable {
  fileprivate var last: (subject: ActivationSubject, found: LayerActivations)?
  fileprivate var inquiries = Inquiries<ActivationSubject>()
}

extension State {
  private var activationSubject: ActivationSubject? {
    layer.flatMap { layer in currentEntry.map { ActivationSubject(layer: layer, recipe: $0.recipe.key) } }
  }

  /// The activations of the layer under the cursor in the current candidate, once they were looked at.
  package var shownActivations: LayerActivations? {
    activations.last.flatMap { $0.subject == activationSubject ? $0.found : nil }
  }

  /// What became of the request to look at them.
  package var activationInquiry: Inquiry {
    guard let subject = activationSubject else { return .notAsked }
    return activations.inquiries.status(
      of: subject, among: jobs, isAnswered: shownActivations != nil, covers: { $0 == subject })
  }

  /// Why they cannot be looked at now, or `nil`.
  package var whyNoActivations: String? {
    guard currentEntry != nil else { return keys.noCandidate }
    guard let detail, detail.layer == layer, detail.isCalibrated else {
      return "The candidate is not made; \(keys["histogram.calibrate"]) makes it."
    }
    if detail.input == nil, detail.output == nil {
      return "This layer does not take its codes from calibration."
    }
    if case .waiting = activationInquiry { return "They are being looked at." }
    return nil
  }

  mutating func updateActivations(_ action: Action) -> [Effect] {
    switch action {
    case .lookAtActivations:
      guard whyNoActivations == nil, let subject = activationSubject else { return [] }
      activations.inquiries.ask(subject)
      return [.activations(subject)]
    case .activationsStarted(let job, let subject):
      activations.inquiries.started(job, subject)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }) { activationJobChanged(status) }
      return []
    case .activationsSeen(let subject, let found):
      guard subject == activationSubject else { return [] }
      activations.last = (subject, found)
      return []
    default: return []
    }
  }

  /// Notes the end of a job that looked at activations.
  mutating func activationJobChanged(_ status: JobStatus) {
    if activations.inquiries.ended(status) != nil { noteEnd(status) }
  }
}

extension LayerActivations {
  /// Runs a few of the samples that evaluate, and compares a layer's input and output with their codes.
  package init(of layer: String, _ candidate: Candidate, _ project: Project, reporter: Reporter) throws {
    guard let node = candidate.encoded.graph.nodes.first(where: { $0.name == layer }) else {
      throw WorkflowError("\(layer) is not in the candidate's network.")
    }
    let (input, output) = (candidate.encodedInput(of: node), candidate.encodedOutput(of: node))
    let found = try project.activationErrors(
      of: Set([input, output].compactMap { $0 }).sorted(), around: node, candidate, reporter: reporter)
    self.init(
      input: input.flatMap { found.errors[$0] }, output: output.flatMap { found.errors[$0] },
      samples: found.samples)
  }
}
