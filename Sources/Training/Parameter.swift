import Tensors

/// Numbers that training changes.
package struct Parameter: Sendable {
  package enum Role: String, Sendable, Hashable, Codable {
    case weight
    case bias
    /// Real per code, of weights or activations.
    case scale
    /// Zero points as real numbers.
    case offset
    /// γ of a batch norm that training takes out of the layer it was folded into.
    case gain
    /// β of it.
    case shift
    /// Its running mean and variance, which batches move and gradients do not.
    case mean
    case variance
  }

  /// The constant of the network; for scales and offsets the value they encode, for a batch norm the weight it goes into.
  package var value: String
  package var role: Role
  /// The input of the training graph that holds it.
  package var input: String
  package var start: Tensor

  /// What a checkpoint calls it.
  package var key: String { "\(role.rawValue) \(value)" }
  /// Only weights shrink by weight decay.
  var decays: Bool { role == .weight }
  var isEncoding: Bool { role == .scale || role == .offset }
  var isStatistic: Bool { role == .mean || role == .variance }
}
