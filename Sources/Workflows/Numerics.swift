/// Raised whenever the same recipe, model and data may give other accuracy figures than before.
package enum Numerics {
  package static let version = 1
}

/// This version of the program.
package enum Version {
  package static let text = "0.1.0"
}
