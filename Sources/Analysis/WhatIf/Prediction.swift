import Quantization

/// What a recipe would come to, from layers looked at one at a time: nothing of it but sizes is certain.
///
/// Fractions are 0…1, units are in the names; a figure that does not exist is `nil` and is left out of JSON.
package struct Prediction: Sendable, Hashable, Codable {
  package struct Layer: Sendable, Hashable, Codable {
    package var name: String
    /// Of the layer's own output, quantized alone, on the samples kept; `nil` where there is no error.
    package var sqnrDb: Double?
    /// Its part of the network's: KL in nats, or noise over signal where there are no classes.
    package var cost: Double
    /// Whether rounding takes longer than an answer may, and the figures are of rounding to nearest.
    package var isOfNearest: Bool?

    package init(name: String, sqnrDb: Double?, cost: Double, isOfNearest: Bool? = nil) {
      self.name = name
      self.sqnrDb = sqnrDb
      self.cost = cost
      self.isOfNearest = isOfNearest
    }
  }

  /// Layers that are not float, in the order of the network.
  package var layers: [Layer]
  /// What the layers' come to together.
  package var cost: Double
  /// The same, where there are class scores.
  package var kl: Double?
  /// Of the outputs, where there are none.
  package var sqnrDb: Double?
  /// Of top-1; negative for a loss.
  package var top1Delta: Double?
  /// Where there are no labels: share of the answers that are float32's.
  package var agreement: Double?
  /// Exact.
  package var weightBytes: Int
  package var packedBytes: Int
  package var compression: Double
  package var bitsPerWeight: Double?
  /// From steps that were timed.
  package var latencyMs: Double?
  package var speedup: Double?
  /// What the prediction does not know of.
  package var notes: [String]

  package init(
    layers: [Layer], cost: Double, kl: Double? = nil, sqnrDb: Double? = nil, top1Delta: Double? = nil,
    agreement: Double? = nil, weightBytes: Int, packedBytes: Int, compression: Double,
    bitsPerWeight: Double? = nil,
    latencyMs: Double? = nil, speedup: Double? = nil, notes: [String] = []
  ) {
    self.layers = layers
    self.cost = cost
    self.kl = kl
    self.sqnrDb = sqnrDb
    self.top1Delta = top1Delta
    self.agreement = agreement
    self.weightBytes = weightBytes
    self.packedBytes = packedBytes
    self.compression = compression
    self.bitsPerWeight = bitsPerWeight
    self.latencyMs = latencyMs
    self.speedup = speedup
    self.notes = notes
  }

  package subscript(layer name: String) -> Layer? { layers.first { $0.name == name } }
}
