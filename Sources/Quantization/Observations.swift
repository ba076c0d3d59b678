import Execution
import Graph
import Tensors

/// What observers saw of every value that some recipes read as codes.
///
/// Candidates of these recipes are made of it without running the network again: a sweep over hundreds calibrates once.
package struct Observations: Sendable {
  private var observers: [ValueName: (choice: ObserverChoice, sighting: Sighting)] = [:]

  /// Runs the calibration samples once.
  ///
  /// - Parameters:
  ///   - recipes: those whose candidates will be wanted; the first says how many samples are used.
  ///   - source: samples in the order they are to be used; may be `nil` where no recipe is static.
  /// - Errors: `QuantizationError` where recipes want different observers for one value, or samples are missing or not
  ///   finite; what running the float graph throws.
  package init(
    _ graph: Graph, infos: [ValueName: OperandInfo], recipes: [Recipe], source: (any CalibrationSource)?,
    threads: Int, report: (Double, String) throws -> Void
  ) throws {
    var choices: [ValueName: ObserverChoice] = [:]
    for recipe in recipes {
      for (value, request) in recipe.resolveAndPlace(graph, infos: infos).placement.requests {
        if let known = choices[value], known != request.observer {
          throw QuantizationError(
            "recipes that share a calibration watch \"\(value)\" by \(known.text) and by \(request.observer.text). Use one observer."
          )
        }
        choices[value] = request.observer
      }
    }
    guard let first = recipes.first, !choices.isEmpty else { return }
    guard let source else { throw QuantizationError.missingSamples }
    let seen = try Calibrator(graph: graph, infos: infos, threads: threads).observe(
      choices, source: source, samples: first.calibration.samples, report: report)
    for (value, sighting) in seen { observers[value] = choices[value].map { ($0, sighting) } }
  }

  /// What was seen of one value, as seen of another that takes its elements from it.
  package func of(_ value: ValueName, as other: ValueName) -> Observations {
    var result = self
    result.observers = [:]
    result.observers[other] = observers[value]
    return result
  }

  /// What was seen of those of these values that were watched so.
  func sightings(for requests: [ValueName: Placement.Request]) -> [ValueName: Sighting] {
    var found: [ValueName: Sighting] = [:]
    for (value, request) in requests {
      if let known = observers[value], known.choice == request.observer { found[value] = known.sighting }
    }
    return found
  }
}

extension QuantizationError {
  static let missingSamples = QuantizationError(
    "static layers need samples to calibrate with (found none). Give data, or use mode dynamic.")
}
