import Workbench
import Workflows

/// What the layers are ordered by.
struct LayerSort: Sendable, Equatable {
  /// Id of a column; `nil` for the order of the graph.
  private(set) var column: String?
  var isDescending = false

  /// Worked out once for each row.
  enum Key: Comparable, Sendable {
    case number(Double)
    case text(String)
  }

  /// How the key of a scope follows from those of the layers in it.
  enum Joining: Sendable {
    case sum, largest, first
  }

  /// Goes to a column, in the direction that shows first what matters; backwards where it is there already.
  mutating func choose(_ id: String?) {
    guard id != column else {
      isDescending.toggle()
      return
    }
    column = id
    isDescending = id.flatMap(LayerColumn.named)?.isLargestFirst ?? false
  }

  private var values: LayerColumn? { column.flatMap(LayerColumn.named) }

  /// Whether the order depends on what was measured.
  var readsFigures: Bool { values?.readsFigures ?? false }

  var title: String { values?.title ?? "order" }

  /// The key of a layer at a place in the order of the graph; what is not known is smallest.
  func key(_ layer: LayerRecord, place: Int) -> Key {
    values?.sort.map { $0(layer) ?? .number(-.infinity) } ?? .number(Double(place))
  }

  func key(of scope: LayerTree.Scope, from keys: [Key]) -> Key {
    switch values?.joining ?? .first {
    case .largest: return keys.max() ?? .number(0)
    case .first: return column == "name" ? .text(scope.label) : keys.min() ?? .number(0)
    case .sum:
      return .number(
        keys.reduce(0) { sum, key in
          if case .number(let value) = key, value.isFinite { return sum + value }
          return sum
        })
    }
  }
}
