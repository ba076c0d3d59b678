import Analysis
import Graph
import Jobs
import Quantization
import Workflows

/// What the user asks a search for.
package struct SearchRequest: Sendable, Hashable, Codable {
  package var goal = SearchGoal.size
  /// Most share of answers that change, 0…1.
  package var maxDrop: Double? = 0.01
  /// Least ratio of float32's bytes of weights to these.
  package var minCompression: Double?
  /// Time over float32's.
  package var maxLatencyRatio: Double?
  /// As `SearchSettings` has them.
  package var modes: [Mode] = []
  package var methods: [Quantization.Method] = []

  package init() {}

  /// Why it cannot be searched for; `nil` where it can.
  package var objection: String? {
    goal == .loss && minCompression == nil && maxLatencyRatio == nil
      ? "The loss is least in float32: bound the size or the time." : nil
  }

  /// The search for a model; what evaluates takes no part, because candidates are measured when they are run.
  package func settings(for model: Model) -> SearchSettings {
    var settings = SearchSettings()
    settings.goal = goal
    settings.modes = modes
    settings.methods = methods
    settings.limit = 0
    settings.bounds = SearchBounds(
      maxDrop: maxDrop, maxBytes: minCompression.map { Int(Double(settings.floatBytes(model)) / $0) },
      maxLatencyRatio: maxLatencyRatio)
    return settings
  }
}

/// The last search of the open model.
package struct SearchState: Sendable {
  /// What was asked last.
  package var request: SearchRequest?
  /// What was found last, while a search goes on too.
  package var front: SearchFront?
  /// It is of an older session whose figures need not hold any more.
  package private(set) var isStale = false
  package var inquiries = Inquiries<SearchRequest>()

  mutating func restore(_ found: Findings.Search, isStale: Bool) {
    request = found.request
    front = found.front
    self.isStale = isStale
  }

  fileprivate mutating func take(_ front: SearchFront) {
    self.front = front
    isStale = false
  }

  /// What the last search came to.
  package func status(among jobs: [JobStatus]) -> Inquiry {
    guard let request else { return .notAsked }
    return inquiries.status(of: request, among: jobs, isAnswered: front != nil) { $0 == request }
  }

  /// The job that searches.
  package func job(among jobs: [JobStatus]) -> JobStatus? {
    request.flatMap { inquiries.job(of: $0, among: jobs) }
  }
}

extension State {
  mutating func updateSearch(_ action: Action) -> [Effect] {
    switch action {
    case .search(let request):
      guard project != nil, search.inquiries.asked.isEmpty, request.objection == nil else { return [] }
      search.request = request
      search.inquiries.ask(request)
      return [.search(request)]
    case .searchStarted(let job, let request):
      search.inquiries.started(job, request)
      // A job that fails at once may have ended before this was told.
      if let status = jobs.last(where: { $0.id == job }), status.state.isOver {
        return searchJobChanged(status)
      }
      return []
    case .searchFound(let request, let front):
      // What was not asked for belongs to a model that is no longer open.
      guard search.inquiries.asked.contains(request) else { return [] }
      search.take(front)
      return []
    default: return []
    }
  }

  /// Notes the end of a job that searched, and keeps what was found.
  mutating func searchJobChanged(_ status: JobStatus) -> [Effect] {
    guard search.inquiries.ended(status) != nil else { return [] }
    noteEnd(status)
    if status.state == .done, let chosen = search.front?.points.first(where: \.isChosen) {
      note("search: \(chosen.layersText), candidate \(chosen.recipe.name); \(keys["search"]) opens it", .good)
    }
    return search.front == nil || search.isStale ? [] : [.keepFindings(findings), .save]
  }
}
