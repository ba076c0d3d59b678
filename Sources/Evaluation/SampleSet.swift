/// Places of samples in their data, as runs of neighbours: a few numbers however many samples there are.
package struct SampleSet: Sendable, Hashable, Codable {
  /// In order, apart from each other and none of them empty.
  package private(set) var runs: [Range<Int>] = []

  /// - Parameter places: in any order; what is there twice counts once.
  package init(_ places: some Sequence<Int>) {
    for place in places.sorted() {
      if let last = runs.last, place <= last.upperBound {
        runs[runs.count - 1] = last.lowerBound..<Swift.max(place + 1, last.upperBound)
      } else {
        runs.append(place..<place + 1)
      }
    }
  }

  package var count: Int { runs.reduce(0) { $0 + $1.count } }

  package func contains(_ place: Int) -> Bool {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].upperBound <= place { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].contains(place)
  }

  /// The number of places that are in both.
  package func common(_ other: SampleSet) -> Int {
    var (mine, theirs, count) = (0, 0, 0)
    while mine < runs.count, theirs < other.runs.count {
      let (a, b) = (runs[mine], other.runs[theirs])
      count += Swift.max(Swift.min(a.upperBound, b.upperBound) - Swift.max(a.lowerBound, b.lowerBound), 0)
      if a.upperBound < b.upperBound { mine += 1 } else { theirs += 1 }
    }
    return count
  }

  /// Written as `[[first, count], …]`.
  package func encode(to encoder: any Encoder) throws {
    try runs.map { [$0.lowerBound, $0.count] }.encode(to: encoder)
  }

  /// - Errors: `DecodingError` for runs that are no two numbers, out of order or out of range.
  package init(from decoder: any Decoder) throws {
    let most = 1 << 40
    for run in try [[Int]](from: decoder) {
      guard run.count == 2, (runs.last?.upperBound ?? 0)...most ~= run[0], 1...most ~= run[1] else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "\(run) is not the next run of samples"))
      }
      runs.append(run[0]..<run[0] + run[1])
    }
  }
}
