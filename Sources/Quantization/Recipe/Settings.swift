import Graph
import Tensors

/// What one layer is asked to do: mode, and the schemes of its weights and of the activations it reads.
package struct LayerSettings: Sendable, Hashable {
  package var mode: Mode
  package var weights: WeightSettings
  package var activations: ActivationSettings
  /// Corrections of this layer alone; `nil` takes the recipe's.
  package var corrections: [Correction]?

  package init(
    mode: Mode = .static, weights: WeightSettings = WeightSettings(),
    activations: ActivationSettings = ActivationSettings(), corrections: [Correction]? = nil
  ) {
    self.mode = mode
    self.weights = weights
    self.activations = activations
    self.corrections = corrections
  }
}

/// How a layer's weights become codes.
package struct WeightSettings: Sendable, Hashable {
  /// Where the range of the weights that share a scale comes from; each scale is searched alone.
  package enum Scale: Sendable, Hashable {
    /// All of them: max|w| over the highest code (over the lowest for range `signed`), or from least to greatest.
    case max
    /// The fraction of `max` with the least squared error.
    case mse
    /// 2·max|w| over the distance from lowest to highest code, as PyTorch computes it: max|w| / 127.5 at 8 bits.
    ///
    /// No smaller than 2⁻²³, and codes are rne(w · (1 / scale)), both as there. Affine encodings: as `max`.
    case span
    /// The threshold of the entropy observer; groups, too short for a histogram, share that of the whole weight.
    case entropy
    /// The share of the weights that is kept, in percent.
    case percentile(Double)
    /// The percentile of `sweptPercentiles` with the least squared error.
    case percentileSweep
    /// The fraction of `max` with the least squared error of the layer's output on calibration samples.
    case outputMSE

    /// One of each, with the usual parameter: what menus offer.
    package static let all: [Scale] = [
      .max, .mse, .span, .entropy, .percentile(99.9), .percentileSweep, .outputMSE,
    ]

    package static let sweptPercentiles: [Double] = [100, 99.99, 99.9, 99.5, 99, 98, 97, 95, 90, 80]

    /// The name without the parameter, as recipes write it.
    package var name: String {
      switch self {
      case .max: "max"
      case .mse: "mse"
      case .span: "span"
      case .entropy: "entropy"
      case .percentile: "percentile"
      case .percentileSweep: "percentile-sweep"
      case .outputMSE: "output-mse"
      }
    }

    /// Its parameter, where it has one.
    package var parameter: Double? { if case .percentile(let share) = self { share } else { nil } }

    /// The name with the parameter, for the screen: `percentile 99.9`.
    package var text: String { parameter.map { "\(name) \($0)" } ?? name }
  }

  /// 2…8.
  package var bits: Int
  package var symmetric: Bool
  package var granularity: Scheme.Granularity
  package var range: Scheme.CodeRange
  /// `nil` takes `mse` where the layer is trained (mode `qat`), else `max`.
  package var scale: Scale?
  package var method: Method
  /// A block format by name (`Q4_K`), which fixes bits, symmetry, granularity, range and scale; `nil` for none.
  package var format: String?
  /// Weights with fewer elements than this stay float.
  package var minimumElements: Int

  package init(
    bits: Int = 8, symmetric: Bool = true, granularity: Scheme.Granularity = .channel,
    range: Scheme.CodeRange = .automatic, scale: Scale? = nil, method: Method = .nearest,
    format: String? = nil,
    minimumElements: Int = 0
  ) {
    self.bits = bits
    self.symmetric = symmetric
    self.granularity = granularity
    self.range = range
    self.scale = scale
    self.method = method
    self.format = format
    self.minimumElements = minimumElements
  }

  /// Whether they go by what the layer reads on calibration samples.
  package var readsSamples: Bool { method.readsSamples || scale == .outputMSE }

  /// What recipes write for no format.
  package static let noFormat = "none"

  package var scheme: Scheme {
    if let format = format.flatMap(BlockFormats.named) { return Scheme(format) }
    return Scheme(
      bits: bits, symmetry: symmetric ? .symmetric : .affine, granularity: granularity, range: range)
  }

  /// With all that a block format fixes as it has it.
  func fixed(by format: any BlockFormat) -> WeightSettings {
    let scheme = Scheme(format)
    var result = self
    result.format = format.name
    (result.bits, result.symmetric) = (scheme.bits, scheme.symmetry == .symmetric)
    (result.granularity, result.range, result.scale) = (scheme.granularity, scheme.range, nil)
    return result
  }
}

/// How the activations a layer reads become codes.
package struct ActivationSettings: Sendable, Hashable {
  /// 2…8 or 16.
  package var bits: Int
  /// Symmetric activations have their zero point at the middle code.
  package var symmetric: Bool
  /// Codes are 0…2^(bits−1) − 1: half of the width stays free, so that sums of two products fit 16 bits (PyTorch's
  /// `reduce_range`).
  package var reducedRange: Bool
  package var observer: ObserverChoice
  /// Mode `dynamic`: what shares one range; `nil` is per sample for convolutions and per row for matrix products.
  package var dynamic: LayerEncoding.DynamicActivation?

  package init(
    bits: Int = 8, symmetric: Bool = false, reducedRange: Bool = false, observer: ObserverChoice = .mse,
    dynamic: LayerEncoding.DynamicActivation? = nil
  ) {
    self.bits = bits
    self.symmetric = symmetric
    self.reducedRange = reducedRange
    self.observer = observer
    self.dynamic = dynamic
  }

  /// Bits that codes really use.
  package var width: Int { reducedRange ? max(bits - 1, 2) : bits }
}

/// Encoding of the graph's inputs; what is `nil` follows the layers that read them.
package struct InputSettings: Sendable, Hashable {
  /// `nil`: the widest that a reader asks, but no fewer than 8.
  package var bits: Int?
  package var symmetric: Bool?
  package var observer: ObserverChoice?

  package init(bits: Int? = nil, symmetric: Bool? = nil, observer: ObserverChoice? = nil) {
    self.bits = bits
    self.symmetric = symmetric
    self.observer = observer
  }
}

/// Which observer watches a tensor during calibration.
package enum ObserverChoice: Sendable, Hashable {
  case minMax
  /// Mean of the samples' extremes in which each new sample weighs this much.
  case movingAverage(Double)
  /// Share of the values kept, in percent.
  case percentile(Double)
  case entropy
  case mse
  /// PyTorch's HistogramObserver.
  case histogramL2

  /// One of each, with the usual parameter: what menus offer.
  package static let all: [ObserverChoice] = [
    .minMax, .movingAverage(0.01), .percentile(99.99), .entropy, .mse, .histogramL2,
  ]

  /// The name without the parameter, as recipes write it.
  package var name: String {
    switch self {
    case .minMax: "min-max"
    case .movingAverage: "moving-average"
    case .percentile: "percentile"
    case .entropy: "entropy"
    case .mse: "mse"
    case .histogramL2: "histogram-l2"
    }
  }

  /// Its parameter, where it has one.
  package var parameter: Double? {
    switch self {
    case .movingAverage(let constant): constant
    case .percentile(let share): share
    default: nil
    }
  }

  /// The name with the parameter, for the screen: `percentile 99.99`.
  package var text: String { parameter.map { "\(name) \($0)" } ?? name }
}

/// How weights are rounded.
package enum Method: String, Sendable, Hashable, Codable, CaseIterable {
  case nearest
  case adaRound = "adaround"
  case gptq
  case hqq
  /// Blocks of a format whose encoder weighs errors by the mean square of what they are multiplied with.
  case imatrix

  /// Whether it goes by what layers read on calibration samples.
  package var readsSamples: Bool { self == .adaRound || self == .gptq || self == .imatrix }

  /// As its authors write it.
  package var title: String {
    switch self {
    case .nearest: "nearest"
    case .adaRound: "AdaRound"
    case .gptq: "GPTQ"
    case .hqq: "HQQ"
    case .imatrix: "imatrix"
    }
  }
}

/// What reshapes a network before or after rounding.
package enum Correction: String, Sendable, Hashable, CaseIterable {
  case foldBatchNorm = "fold-batch-norm"
  case crossLayerEqualization = "cross-layer-equalization"
  case biasAbsorption = "bias-absorption"
  case smoothQuant = "smooth-quant"
  case awq
  case biasCorrection = "bias-correction"
  /// As `bias-correction`, from batch-norm statistics instead of samples.
  case analyticBiasCorrection = "analytic-bias-correction"
  case batchNormReEstimation = "batch-norm-re-estimation"

  /// As its authors write it, short.
  package var title: String {
    switch self {
    case .foldBatchNorm: "fold"
    case .crossLayerEqualization: "cross-layer"
    case .biasAbsorption: "absorption"
    case .smoothQuant: "SmoothQuant"
    case .awq: "AWQ"
    case .biasCorrection: "bias corr."
    case .analyticBiasCorrection: "analytic bias corr."
    case .batchNormReEstimation: "re-estimation"
    }
  }
}

/// Which samples calibrate.
package struct CalibrationSettings: Sendable, Hashable {
  package enum Source: String, Sendable, Hashable, CaseIterable {
    case data
    /// Samples made from batch-norm statistics, for a model without data.
    case synthetic
  }

  package var samples: Int
  package var seed: UInt64
  package var source: Source

  package init(samples: Int = 256, seed: UInt64 = 1, source: Source = .data) {
    self.samples = samples
    self.seed = seed
    self.source = source
  }
}
