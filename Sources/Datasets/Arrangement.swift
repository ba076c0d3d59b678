import Tensors

/// How one sample of an array lies in the sample a model wants: as it is, or with its channels moved.
struct Arrangement: Equatable {
  enum Move: Equatable { case none, channelsToFront, channelsToBack }

  /// Order of an image's axes in a sample.
  enum ImageAxes: Equatable {
    /// Channels, height, width.
    case channelsFirst
    /// Height, width, channels.
    case channelsLast
  }

  var move: Move
  /// Shape of one sample as the model sees it.
  var shape: Shape
  /// Number of channels; 1 where the array has no channel axis.
  var channels: Int
  /// Whether channels vary fastest in the array.
  var channelsLast: Bool
  /// Where the channels of an image lie as the model sees it; `nil` for what is no image, or not known to be one.
  var image: ImageAxes?
  /// What the person should know about a choice that was made.
  var note: String?

  /// Fits an array to what a model declares.
  ///
  /// - Parameters:
  ///   - sample: shape of one sample of the array.
  ///   - declared: sizes the model declares, with the batch; `nil` where unknown.
  /// - Errors: the reason, for the caller to say where.
  static func fit(
    sample: Shape, layout: Layout?, modelLayout: Layout?, declared: [Int?]?, needsChannels: Bool
  ) throws(Failure) -> Arrangement {
    let wanted = declared.map { Array($0.dropFirst()) }
    if let declared, declared.isEmpty {
      throw shapeFailure(sample, declared, "The model's input has no axis for samples.")
    }
    guard let layout else {
      if needsChannels {
        throw Failure(
          reason: .missing("`layout`, which several values of mean or std need,", available: []))
      }
      return try asItIs(sample, wanted: wanted, declared: declared)
    }
    guard layout.rank == sample.count + 1 else {
      throw Failure(
        reason: .shape(
          found: "\(sample.count + 1) axes", expected: "\(layout.rank) for layout \(layout.rawValue)",
          advice: "Correct `layout`."))
    }
    guard let axis = layout.channelAxis else {
      return try withoutChannels(sample, wanted: wanted, modelLayout: modelLayout, declared: declared)
    }
    let channels = sample[axis - 1]
    var spatial = sample
    spatial.remove(at: axis - 1)
    let front = [channels] + spatial
    let back = spatial + [channels]
    let isLast = layout.channelsLast
    func arrangement(channelsLast target: Bool, note: String? = nil) -> Arrangement {
      Arrangement(
        move: isLast == target ? .none : target ? .channelsToBack : .channelsToFront,
        shape: target ? back : front,
        channels: channels, channelsLast: isLast,
        image: spatial.count == 2 ? target ? .channelsLast : .channelsFirst : nil, note: note)
    }
    if layout == .nc {
      guard fits(sample, wanted) else { throw shapeFailure(sample, declared, "Check the array.") }
      return arrangement(channelsLast: true)
    }
    let fitsFront = fits(front, wanted)
    let fitsBack = fits(back, wanted)
    if let modelLayout {
      let target = modelLayout.channelsLast
      guard target ? fitsBack : fitsFront else {
        throw shapeFailure(target ? back : front, declared, "Correct `model-layout` or the array.")
      }
      return arrangement(channelsLast: target)
    }
    switch (fitsFront, fitsBack) {
    case (true, false): return arrangement(channelsLast: false)
    case (false, true): return arrangement(channelsLast: true)
    case (false, false):
      throw shapeFailure(
        sample, declared, "Its samples fit neither as \(front.shapeText) nor as \(back.shapeText).")
    case (true, true):
      let matters = channels > 1 && spatial.elementCount > 1
      return arrangement(
        channelsLast: false,
        note: matters
          ? "both channels-first and channels-last fit; taken as channels-first (`model-layout`)" : nil)
    }
  }

  struct Failure: Error { var reason: DatasetError.Reason }

  private static func asItIs(_ sample: Shape, wanted: [Int?]?, declared: [Int?]?) throws(Failure)
    -> Arrangement
  {
    func plain(_ shape: Shape) -> Arrangement {
      Arrangement(move: .none, shape: shape, channels: 1, channelsLast: true)
    }
    guard let wanted, !fits(sample, wanted) else { return plain(sample) }
    // Axes of size 1 may come or go, so that 28x28 feeds 1x28x28.
    let core = sample.filter { $0 != 1 }
    let wantedCore = wanted.filter { $0 != 1 }
    if core.count == wantedCore.count, fits(core, wantedCore) {
      var sizes = core.makeIterator()
      return plain(wanted.map { $0 == 1 ? 1 : sizes.next() ?? 1 })
    }
    var advice = "Save it in the model's shape."
    if sample.count == 3, fits([sample[2], sample[0], sample[1]], wanted) {
      advice = "If its channels come last, say `layout: nhwc` in a dataset card."
    } else if sample.count == 3, fits([sample[1], sample[2], sample[0]], wanted) {
      advice = "If its channels come first, say `layout: nchw` in a dataset card."
    }
    throw shapeFailure(sample, declared, advice)
  }

  private static func withoutChannels(
    _ sample: Shape, wanted: [Int?]?, modelLayout: Layout?, declared: [Int?]?
  ) throws(Failure) -> Arrangement {
    let choices: [(shape: Shape, image: ImageAxes?)] = [
      (sample, nil), ([1] + sample, .channelsFirst), (sample + [1], .channelsLast),
    ]
    for choice in choices where fits(choice.shape, wanted) {
      return Arrangement(
        move: .none, shape: choice.shape, channels: 1, channelsLast: true, image: choice.image)
    }
    throw shapeFailure(sample, declared, "It has no channel axis, so the model's must be 1.")
  }

  private static func fits(_ shape: Shape, _ wanted: [Int?]?) -> Bool {
    guard let wanted else { return true }
    return shape.count == wanted.count && zip(shape, wanted).allSatisfy { $1 == nil || $0 == $1 }
  }

  private static func shapeFailure(_ sample: Shape, _ declared: [Int?]?, _ advice: String) -> Failure {
    let found = dimensionText([nil] + sample.map { $0 })
    return Failure(reason: .shape(found: found, expected: dimensionText(declared ?? []), advice: advice))
  }
}
