/// Raised whenever the same recipe, model and data may give other accuracy figures than before.
package enum Numerics {
  package static let version = 1
}
