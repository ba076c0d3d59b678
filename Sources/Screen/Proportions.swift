/// Where the user put the lines between panes; a line that was not moved stays where the layout puts it.
package struct Proportions: Sendable, Hashable, Codable {
  /// A line between panes.
  package enum Split: String, Sendable, Hashable, CaseIterable {
    // Where every pane has a place.
    case columns
    case layersFromConfig = "layers/config"
    case configFromLog = "config/log"
    case compareFromPlots = "compare/plots"
    case plotsFromJobs = "plots/jobs"
    case paretoFromHistogram = "pareto/histogram"
    // In two columns over one place of tabs.
    case upperFromTabs = "upper/tabs"
    case layersBesideConfig = "layers|config"
  }

  /// By the name of the split, the share of what it divides that lies before it.
  private var shares: [String: Double] = [:]

  package init() {}

  package subscript(split: Split) -> Double? {
    get { shares[split.rawValue] }
    set { shares[split.rawValue] = newValue }
  }

  package var isEmpty: Bool { shares.isEmpty }

  /// What is no share of a split is left away.
  package init(from decoder: any Decoder) throws {
    let read = try decoder.singleValueContainer().decode([String: Double].self)
    shares = read.filter { Split(rawValue: $0.key) != nil && (0...1).contains($0.value) }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(shares)
  }
}
