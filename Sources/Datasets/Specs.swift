import Tensors

/// An input of a model as a dataset must serve it.
package struct InputSpec: Sendable, Hashable {
  package var name: String
  package var type: ElementType
  /// Sizes with the batch first, `nil` where a size is free; `nil` where not even the rank is known.
  package var dimensions: [Int?]?

  package init(name: String, type: ElementType, dimensions: [Int?]?) {
    self.name = name
    self.type = type
    self.dimensions = dimensions
  }
}

/// An output of a model that labels or targets may be for.
package struct OutputSpec: Sendable, Hashable {
  package var name: String
  /// As in `InputSpec`.
  package var dimensions: [Int?]?

  package init(name: String, dimensions: [Int?]?) {
    self.name = name
    self.dimensions = dimensions
  }

  /// Number of classes, where the last axis is known.
  package var classes: Int? {
    guard let dimensions, dimensions.count >= 2, let last = dimensions.last else { return nil }
    return last
  }
}

/// Sizes as people write them, `?` for a free one.
func dimensionText(_ dimensions: [Int?]) -> String {
  dimensions.isEmpty ? "scalar" : dimensions.map { $0.map(String.init) ?? "?" }.joined(separator: "x")
}
