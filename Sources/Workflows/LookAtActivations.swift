import Datasets
import Graph
import Jobs
import Quantization

extension Project {
  /// Samples that activations are looked at in, where there are as many.
  private static let lookedAt = 16

  /// Runs a few of the samples that evaluate through the float network, and compares values with their codes.
  ///
  /// - Parameter node: which reads or makes the values.
  package func activationErrors(
    of values: [ValueName], around node: Node, _ candidate: Candidate, reporter: Reporter
  ) throws -> (errors: [ValueName: ActivationErrors], samples: Int) {
    let chosen = plan([candidate.recipe], limit: Self.lookedAt).folds.flatMap(\.evaluation).sorted()
    let source = data.selecting(Array(chosen.prefix(Self.lookedAt)))
    let errors = try candidate.activationErrors(
      of: values, around: node, infos: model.infos, source: source, samples: source.count, threads: threads,
      report: { try reporter.report($0, $1) })
    return (errors, source.count)
  }
}
