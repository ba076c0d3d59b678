import Tensors

/// What `lathe diff --json` prints: two models side by side.
///
/// A is the reference of every error. Figures that do not exist are left out; units are in the names.
package struct DiffReport: Sendable, Encodable {
  /// One of the two files.
  package struct Side: Sendable, Encodable {
    package var path: String
    package var format: String
    package var producer: String?
    package var opsets: [String: Int]
    package var sizeBytes: Int
    /// All constants as the file stores them.
    package var constantBytes: Int
    package var weights: Int
    package var quantizedWeights: Int
    package var weightElements: Int
    /// Weights as the file stores them: codes, scales and zero points, or floats of their type.
    package var weightBytes: Int
    /// 8 · weightBytes / weightElements: true bits per weight.
    package var bitsPerWeight: Double?
    package var encodedActivations: Int
    package var dynamicActivations: Int
    package var nodes: Int
  }

  /// How one file stores one constant.
  package struct Stored: Sendable, Encodable {
    package var name: String
    package var type: String
    package var isQuantized: Bool
    package var bits: Int
    /// `tensor`, `channel` or `block 32`.
    package var granularity: String?
    package var scales: Int?
    package var scaleMin: Float?
    package var scaleMax: Float?
    /// Lowest and highest code in use.
    package var codeRange: [Int]?
    package var bytes: Int
    package var bitsPerElement: Double?
    /// All scales, and zero points from the lowest code of the type: for comparing, not for printing.
    var numbers: (scales: [Float], zeroPoints: [Int])?

    private enum CodingKeys: CodingKey {
      case name, type, isQuantized, bits, granularity, scales, scaleMin, scaleMax, codeRange, bytes
      case bitsPerElement
    }

    /// `int4 block 32`, or the type alone.
    package var text: String { granularity.map { "\(type) \($0)" } ?? type }
  }

  /// A weight or bias that both have.
  package struct Pair: Sendable, Encodable {
    /// Its layer's name in A, and in B where that differs.
    package var layer: String
    package var layerInB: String?
    package var operatorName: String
    /// `weight` or `bias`.
    package var role: String
    package var shape: [Int]
    /// `layer` or `weight` name, or `position`: the next one of the same operator, role and shape.
    package var matchedBy: String
    package var a: Stored
    package var b: Stored
    /// Of B against A; absent where nothing differs.
    package var sqnrDb: Double?
    package var maxAbsError: Float?
    package var isEqual: Bool
    /// Largest |scale B / scale A − 1|, where both have as many scales.
    package var scaleMaxRelativeDifference: Double?
    /// Largest distance of zero points, in codes.
    package var zeroPointMaxDifferenceCodes: Int?
  }

  /// How one file encodes an activation.
  package struct Activation: Sendable, Encodable {
    package var type: String
    package var bits: Int
    package var scale: Float
    package var zeroPoint: Int
    /// Smallest and largest number the codes can stand for.
    package var range: [Float]

    init(_ stored: StoredActivation) {
      type = stored.type.name
      bits = stored.type.bits
      scale = stored.scale
      zeroPoint = stored.zeroPoint
      range = [stored.range.lowerBound, stored.range.upperBound]
    }
  }

  package struct ActivationPair: Sendable, Encodable {
    package var value: String
    package var a: Activation
    package var b: Activation
    /// |scale B / scale A − 1|.
    package var scaleRelativeDifference: Double
    /// In codes; only where both have the same type.
    package var zeroPointDifferenceCodes: Int?
  }

  /// What only one of the two has.
  package struct Rest: Sendable, Encodable {
    package struct Named: Sendable, Encodable {
      package var name: String
      package var operatorName: String
      /// `weight` or `bias`; absent for a node.
      package var role: String?
    }
    package var nodes: [Named] = []
    /// Weights and biases, by layer.
    package var constants: [Named] = []
    package var activations: [String] = []
  }

  package var a: Side
  package var b: Side
  package var tensors: [Pair]
  package var activations: [ActivationPair]
  package var onlyInA: Rest
  package var onlyInB: Rest
  /// What to know when reading the figures.
  package var notes: [String]
}
