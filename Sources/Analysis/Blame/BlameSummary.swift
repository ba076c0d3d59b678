import Foundation
import Graph
import Workflows

/// What `lathe blame` prints.
///
/// Ratios are energies over those of what is right: of the layer's float32 output, or of a channel's or sample's part
/// of it. A figure that does not exist is left out.
package struct BlameSummary: Sendable, Codable {
  package struct Figures: Sendable, Codable {
    package var addedRatio: Double?
    package var weightsRatio: Double?
    package var activationsRatio: Double?
    package var inheritedRatio: Double?
    package var crossRatio: Double?
    package var totalRatio: Double?
    package var totalSqnrDb: Double?
    package var aloneRatio: Double?
    package var aloneSqnrDb: Double?

    init(_ energies: Blame.Energies) {
      addedRatio = energies.ratio(energies.added)
      weightsRatio = energies.ratio(energies.weights)
      activationsRatio = energies.ratio(energies.activations)
      inheritedRatio = energies.ratio(energies.inherited)
      crossRatio = energies.ratio(energies.cross)
      totalRatio = energies.ratio(energies.total)
      totalSqnrDb = energies.sqnrDb(energies.total)
      aloneRatio = energies.ratio(energies.alone)
      aloneSqnrDb = energies.sqnrDb(energies.alone)
    }
  }

  package struct Layer: Sendable, Codable {
    package var name: String
    package var `operator`: String
    package var mode: String
    package var error: Figures
  }

  package struct Channel: Sendable, Codable {
    package var channel: Int
    /// Of the error that the layer itself adds, 0…1.
    package var share: Double
    package var error: Figures
  }

  package struct Sample: Sendable, Codable {
    /// Its number in the data, from 0.
    package var sample: Int
    package var error: Figures
  }

  /// One layer in full.
  package struct Detail: Sendable, Codable {
    package var name: String
    package var channels: [Channel]
    package var worstSamples: [Sample]
  }

  package var model: String
  package var recipe: String
  package var data: String?
  package var roles: String
  package var samples: Int
  package var layers: [Layer]
  package var layer: Detail?
  package var warnings: [String]

  /// - Parameter layer: the layer to show in full.
  /// - Errors: `WorkflowError` where there is no such layer.
  package init(
    _ report: BlameReport, project: Project, recipe: String, sort: Blame.Sort = .added, layer: String? = nil
  ) throws {
    model = project.model.path
    self.recipe = recipe
    data = project.dataPath
    roles = report.roles
    warnings = report.warnings
    samples = report.blame.samples
    layers = report.blame.sorted(by: sort).map {
      Layer(
        name: $0.name, operator: $0.operatorName, mode: $0.mode.rawValue, error: Figures($0.energies))
    }
    guard let layer else { return }
    guard let found = report.blame[layer: layer] else { throw project.model.hasNoLayer(layer) }
    self.layer = Detail(
      name: found.name,
      channels: found.channelsByAdded.map {
        Channel(channel: $0.channel, share: $0.share, error: Figures($0.energies))
      }, worstSamples: found.worst.map { Sample(sample: $0.index, error: Figures($0.energies)) })
  }
}

extension Model {
  package func hasNoLayer(_ name: String) -> WorkflowError {
    WorkflowError("--layer \(name): there is no such layer. Without --layer, blame lists them.")
  }
}

extension BlameSummary {
  /// Channels that the text shows.
  private static let shownChannels = 16

  package var text: String {
    let facts = [
      "\(model) by \(recipe), simulated",
      "\(data ?? "no data"): \(samples) samples, \(roles)",
      "Error energy in % of the layer's float32 output; added = weights + activations.",
    ]
    let table = TextTable.text(
      header: ["layer", "operator", "mode"] + Figures.header,
      rows: layers.map { [$0.name, $0.operator, $0.mode] + $0.error.cells }, leftColumns: 3)
    return (facts + ["", table] + detailText + (warnings.isEmpty ? [] : [""] + warnings))
      .joined(separator: "\n")
  }

  private var detailText: [String] {
    guard let layer else { return [] }
    let channels = layer.channels.prefix(Self.shownChannels)
    let left = layer.channels.count - channels.count
    let ofChannels = TextTable.text(
      header: ["channel", "share %"] + Figures.header,
      rows: channels.map { ["\($0.channel)", String(format: "%.1f", $0.share * 100)] + $0.error.cells },
      leftColumns: 0)
    let ofSamples = TextTable.text(
      header: ["sample"] + Figures.header, rows: layer.worstSamples.map { ["\($0.sample)"] + $0.error.cells },
      leftColumns: 0)
    let rest = left > 0 ? ["and \(left) channels of less, all of them by --json"] : []
    return ["", "\(layer.name), channels by what the layer adds to them:", ofChannels] + rest
      + ["", "\(layer.name), worst samples:"]
      + [layer.worstSamples.isEmpty ? "none: no error, or samples that cannot be told apart" : ofSamples]
  }
}

extension BlameSummary.Figures {
  fileprivate static let header = [
    "added", "weights", "activations", "inherited", "cross", "total", "total dB", "alone", "alone dB",
  ]

  fileprivate var cells: [String] {
    func percent(_ x: Double?) -> String { x.map { String(format: "%.3g", $0 * 100) } ?? "-" }
    func decibels(_ x: Double?) -> String { x.map { String(format: "%.1f", $0) } ?? "-" }
    return [
      percent(addedRatio), percent(weightsRatio), percent(activationsRatio), percent(inheritedRatio),
      percent(crossRatio), percent(totalRatio), decibels(totalSqnrDb), percent(aloneRatio),
      decibels(aloneSqnrDb),
    ]
  }
}
