/// What was chosen to be seen of the comparison.
package struct CompareChoice: Sendable, Hashable, Codable {
  /// The row that orders the candidates.
  package struct Order: Sendable, Hashable, Codable {
    package var row: String
    /// Smallest first.
    package var isReversed = false

    package init(row: String) { self.row = row }
  }

  /// Titles of the rows that are hidden.
  package var hidden: [String] = []
  /// `nil` is the candidates' own order.
  package var order: Order?

  package init() {}

  package var isEmpty: Bool { hidden.isEmpty && order == nil }
}
