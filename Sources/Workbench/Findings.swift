import Analysis

/// What was measured of a model beside trials, kept in its session: costs of layers and the last search.
package struct Findings: Sendable, Hashable, Codable {
  package struct Search: Sendable, Hashable, Codable {
    package var request: SearchRequest
    package var front: SearchFront

    package init(request: SearchRequest, front: SearchFront) {
      self.request = request
      self.front = front
    }
  }

  package var costs: SensitivityReport?
  package var search: Search?
  /// Measured of another model, with other data or by an older version; not part of the file.
  package var isStale = false
  /// Timed on another machine or with other threads; not part of the file.
  package var isTimeStale = false

  private enum CodingKeys: String, CodingKey {
    case costs, search
  }

  package init(costs: SensitivityReport? = nil, search: Search? = nil) {
    self.costs = costs
    self.search = search
  }
}

extension State {
  /// What would be kept now: nothing that is a guess, or that would lose its mark of being stale.
  var findings: Findings {
    var findings = Findings()
    if let report = costs.report, !report.isEstimate, !costs.isStale { findings.costs = report }
    if let request = search.request, let front = search.front, !search.isStale {
      findings.search = Findings.Search(request: request, front: front)
    }
    return findings
  }

  mutating func restore(_ findings: Findings) {
    if let report = findings.costs { costs.restore(report, isStale: findings.isStale) }
    if let found = findings.search {
      let isTimed = found.front.points.contains { $0.latencyRatio != nil }
      search.restore(found, isStale: findings.isStale || findings.isTimeStale && isTimed)
    }
  }
}
