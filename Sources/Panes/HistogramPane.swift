import Interface
import Quantization
import Workbench
import Workflows

/// The values of the selected layer with the codes' grid and the range they can express.
package struct HistogramPane: CommandedPane {
  package static let kind = PaneKind.histogram

  /// What is counted.
  package enum Subject: String, Sendable, CaseIterable {
    case weights = "W"
    case input
    case output
    /// Weights less what their codes stand for.
    case error = "W error"
    case inputError = "input error"
    case outputError = "output error"

    /// Whether it is of an activation.
    fileprivate var isActivation: Bool { self != .weights && self != .error }

    /// Of a layer's activations, the one it is of.
    fileprivate func of(_ activations: LayerActivations) -> ActivationErrors? {
      switch self {
      case .weights, .error: nil
      case .input, .inputError: activations.input
      case .output, .outputError: activations.output
      }
    }
  }

  private var subject = Subject.weights
  private var isLogarithmic = false
  private var showsChannels = false
  private var scroll = Scroll()
  /// The layer last seen; another one is looked at from its first channel.
  private var layer: String?

  package init() {}

  package enum Step: Sendable {
    case subject(Int)
    case scale
    case channels
    case channel(Scroll.Motion)
    case worst
    case calibrate
    case look
  }

  package static let commands = CommandTable<PaneContext<HistogramPane>, Step>(
    [
      Command(
        "histogram.next", keys: [.character("w"), .character("l"), .right], title: "next view",
        explanation: "Weights, the layer's input, its output, or the error of the codes of each.",
        group: "Histogram", hint: 10, action: .subject(1)),
      Command(
        "histogram.previous", keys: [.character("h"), .left], title: "view before",
        explanation: "The view before.", group: "Histogram", action: .subject(-1)),
      Command(
        "histogram.scale", keys: [.character("o")], title: "linear/log",
        explanation: "Linear counts, or logarithmic ones so that rare values show.", group: "Histogram",
        hint: 11, action: .scale),
      Command(
        "histogram.channels", keys: [.character("v")], title: "channels",
        explanation:
          "Each channel of the weights or of the activation with its range, or all of them together.",
        group: "Histogram", hint: 11, action: .channels,
        availability: {
          .when(
            !$0.pane.channels($0.state).isEmpty,
            else: $0.pane.subject.isActivation
              ? "\($0.state.keys["histogram.look"]) looks at the channels in a few samples."
              : "This layer has no weights, so no channels.")
        }),
      Command(
        "histogram.worst", keys: [.character("!")], title: "worst channel",
        explanation: "Go to the channel that its codes fit worst.", group: "Histogram", hint: 16,
        action: .worst,
        availability: {
          .when(
            $0.pane.errors($0.state)?.worst != nil, else: "No channel differs from its codes.")
        }),
      Command(
        "histogram.calibrate", keys: [.character("s")], title: "calibrate",
        explanation: "Make the candidate, without measuring it, to see its codes and what calibration saw.",
        group: "Histogram", hint: 17, action: .calibrate,
        availability: {
          let reason = $0.state.whyNoCalibration
          return .when(reason == nil, else: reason ?? "")
        }),
      Command(
        "histogram.look", keys: [.character("a")], title: "activations",
        explanation:
          "Run a few samples to see the layer's input and output by channel, and their codes' errors.",
        group: "Histogram", hint: 18, action: .look,
        availability: {
          let reason = $0.state.whyNoActivations
          return .when(reason == nil, else: reason ?? "")
        }),
    ]
      + Motions.commands("histogram") { .channel($0) }.map {
        (motion: Command<PaneContext<HistogramPane>, Step>) in
        Command(
          motion.id, keys: motion.keys, title: motion.title, explanation: motion.explanation,
          group: motion.group, action: motion.action,
          availability: {
            .when(
              $0.pane.showsChannels,
              else: "\($0.state.keys["histogram.channels"]) shows the channels, which can be scrolled.")
          })
      })

  // MARK: what is shown

  /// What is known of the layer under the cursor.
  private func detail(_ state: State) -> LayerDetail? {
    state.detail.flatMap { $0.layer == state.layer ? $0 : nil }
  }

  /// The errors of what is counted, channel by channel.
  private func errors(_ state: State) -> WeightErrors? {
    subject.isActivation
      ? state.shownActivations.flatMap(subject.of)?.errors : detail(state)?.errors
  }

  private func channels(_ state: State) -> [WeightErrors.Channel] { errors(state)?.channels ?? [] }

  package mutating func follow(_ state: State) {
    guard state.layer != layer else { return }
    layer = state.layer
    scroll = Scroll()
  }

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    let channels = channels(state)
    let area = Rect(x: 0, y: 0, width: size.width, height: size.height)
    let visible = Swift.max(parts(area, state, facts: 0).channels?.height ?? 2, 2) - 1
    switch step {
    case .subject(let by):
      let all = Subject.allCases
      let place = (all.firstIndex(of: subject) ?? 0) + by
      subject = all[(place + all.count) % all.count]
    case .scale: isLogarithmic.toggle()
    case .channels: showsChannels.toggle()
    case .channel(let motion): scroll.move(motion, count: channels.count, visible: visible)
    case .worst:
      guard let worst = errors(state)?.worst else { return [] }
      showsChannels = true
      scroll.move(.to(worst), count: channels.count, visible: visible)
    case .calibrate: return [.act(.calibrate)]
    case .look: return [.act(.lookAtActivations)]
    }
    return []
  }

  package mutating func handle(_ mouse: Mouse, _ state: State, in area: Rect) -> [PaneOutput] {
    let count = channels(state).count
    let strip = parts(area, state, facts: 0).channels
    switch mouse.kind {
    case .wheelUp where showsChannels: return update(.channel(.by(-3)), state, size: area.size)
    case .wheelDown where showsChannels: return update(.channel(.by(3)), state, size: area.size)
    case .press(.left):
      guard let strip,
        let row = List(count: count, scroll: scroll).index(at: mouse.at, in: strip.inset(top: 1))
      else { return [] }
      scroll.move(.to(row), count: count, visible: Swift.max(strip.height - 1, 1))
      return []
    default: return []
    }
  }

  package func note(_ state: State) -> [Run] {
    guard let layer = state.layer else { return [] }
    let scale = isLogarithmic ? " log" : ""
    return [Run("\(Fitting.cutMiddle(layer, to: 20)) \(subject.rawValue)\(scale)", .muted)]
  }

  package func foot(_ state: State) -> [Run] {
    let count = channels(state).count
    guard showsChannels, count > 0 else { return [] }
    let cursor = scroll.settled(count: count, visible: 1).cursor
    return [Run("channel \(cursor) of \(count)", .muted)]
  }

  // MARK: drawing

  /// Where the bars and the channels are, above as many rows of words.
  private func parts(_ area: Rect, _ state: State, facts: Int) -> (bars: Rect?, channels: Rect?) {
    let room = area.inset(bottom: facts)
    guard showsChannels, !channels(state).isEmpty else { return (room, nil) }
    guard room.height >= 20 else { return (nil, room) }
    let halves = room.rows([.share(1), .share(1)], gap: 1)
    return (halves[0], halves[1])
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    func say(_ text: String, from y: Int = 0) {
      for (row, line) in Fitting.wrap(text, to: area.width).enumerated() where y + row < area.height {
        canvas.put(line, x: area.x, y: area.y + y + row, width: area.width, .muted)
      }
    }
    guard let layer = state.layer else { return say("No layer is selected.") }
    guard let detail = detail(state) else { return say("…") }
    let shown = Picture(subject, detail, state)
    let lines = shown.facts + PredictedLayer.lines(layer, state, width: area.width)
    let words = Array(Fitting.flow(lines, to: area.width).prefix(Swift.max(area.height - 5, 0)))
    // The channels have words of their own.
    let (bars, strip) = parts(area, state, facts: words.count)
    for (index, line) in words.enumerated() {
      canvas.put(line, x: area.x, y: area.maxY - words.count + index, width: area.width)
    }
    if let strip, let errors = errors(state) {
      ChannelRows(errors).draw(on: &canvas, in: strip, scroll, isFocused: isFocused)
    }
    guard let bars else { return }
    guard let histogram = shown.histogram, histogram.upper > histogram.lower else {
      return say(missing(detail, state))
    }
    HistogramChart(
      counts: histogram.bins.map(Double.init),
      range: Double(histogram.lower)...Double(histogram.upper), grid: shown.marks,
      clip: shown.grid.map { Double($0.lower)...Double(Swift.max($0.upper, $0.lower)) },
      scale: isLogarithmic ? .log : .linear
    ).draw(on: &canvas, in: bars)
    if histogram.bins.isEmpty { say("Only the ends are known: the observer keeps no counts.") }
  }

  /// Why there is nothing to draw, and what to press.
  private func missing(_ detail: LayerDetail, _ state: State) -> String {
    switch subject {
    case .weights: return "This layer has no weights."
    case .error where detail.weights == nil: return "This layer has no weights."
    case .error: return "The weights are as they were: no code differs from its weight."
    case .inputError where detail.input != nil, .outputError where detail.output != nil:
      return missingActivations(state)
    case .input, .output, .inputError, .outputError:
      let value = subject == .input || subject == .inputError ? "input" : "output"
      if detail.isCalibrated {
        return
          "The \(value) has no calibrated range: this layer does not take its codes from calibration."
      }
      switch state.calibration {
      case .waiting(let fraction):
        return "Calibrating …\(fraction.map { " \(Numbers.percent($0, 0)) %" } ?? "")"
      case .failed(let message): return message
      case .notAsked, .done:
        return
          "The \(value) is known once the candidate was calibrated: \(state.keys["histogram.calibrate"]) does that, \(state.keys["run"]) measures too."
      }
    }
  }

  /// Why the error of an activation is not there.
  private func missingActivations(_ state: State) -> String {
    switch state.activationInquiry {
    case .waiting(let fraction):
      return "Running samples …\(fraction.map { " \(Numbers.percent($0, 0)) %" } ?? "")"
    case .failed(let message): return "\(message) \(state.keys["histogram.look"]) tries again."
    case .done: return "Every value seen is one that a code stands for."
    case .notAsked:
      return
        "How far its codes are from it is seen in a few samples: \(state.keys["histogram.look"]) runs them."
    }
  }

  /// One subject's counts with what is said of it.
  private struct Picture {
    var histogram: LayerDetail.Histogram?
    var grid: LayerDetail.Grid?
    var facts: [[Run]] = []
    /// The reals that codes stand for, where they are few enough to draw.
    var marks: [Double] = []

    init(_ subject: Subject, _ detail: LayerDetail, _ state: State) {
      let seen = state.shownActivations.flatMap(subject.of)
      switch subject {
      case .weights: (histogram, grid) = (detail.weights, detail.weightGrid)
      case .input: (histogram, grid) = (detail.input?.histogram, detail.input?.grid)
      case .output: (histogram, grid) = (detail.output?.histogram, detail.output?.grid)
      case .error: histogram = detail.errors.flatMap(Self.errors)
      case .inputError, .outputError: histogram = (seen?.errors).flatMap(Self.errors)
      }
      guard let histogram else { return }
      func range(_ lower: Float, _ upper: Float) -> String {
        "\(Numbers.significant(Double(lower), 2)) … \(Numbers.significant(Double(upper), 2))"
      }
      if let grid {
        facts.append([Run("clip ", .muted), Run(range(grid.lower, grid.upper))])
        if let clipped = grid.clipped {
          facts.append([Run("\(Numbers.percent(clipped, 2)) % out", clipped > 0.01 ? .warn : .muted)])
        }
        if let sqnr = grid.sqnrDb { facts.append([Run("SQNR \(Numbers.fixed(sqnr, 1)) dB")]) }
        facts.append([Run("\(grid.levels) levels", .muted)])
        if grid.levels <= 64, grid.step > 0 {
          marks = (0..<grid.levels).map { Double(grid.lower) + Double($0) * Double(grid.step) }
            .filter { (Double(histogram.lower)...Double(histogram.upper)).contains($0) }
        }
      } else if subject == .weights {
        facts.append([Run("float32: not quantized", .muted)])
      }
      switch subject {
      case .weights: break
      case .error:
        facts.append([Run("w − q ", .muted), Run(range(histogram.lower, histogram.upper))])
        if let sqnr = detail.weightGrid?.sqnrDb {
          facts.append([Run("SQNR \(Numbers.fixed(sqnr, 1)) dB")])
        }
      case .inputError, .outputError:
        facts.append([Run("x − q ", .muted), Run(range(histogram.lower, histogram.upper))])
        if let sqnr = seen?.sqnrDb { facts.append([Run("SQNR \(Numbers.fixed(sqnr, 1)) dB")]) }
        facts.append([
          Run(Words.plural(state.shownActivations?.samples ?? 0, "sample") + ", ", .muted),
          Run("\(Numbers.count(seen?.count ?? 0)) values", .muted),
        ])
      case .input, .output:
        guard let seen = subject == .input ? detail.input : detail.output else { break }
        facts.append([Run("\(Numbers.count(seen.count)) values", .muted)])
        facts.append([Run("seen ", .muted), Run(range(histogram.lower, histogram.upper))])
      }
      if detail.isPreview, subject == .weights || subject == .error {
        let key = state.keys["histogram.calibrate"]
        facts.append([Run("≈ by nearest, before corrections: \(key) makes it", .info)])
      }
    }

    private static func errors(_ errors: WeightErrors) -> LayerDetail.Histogram? {
      errors.errors.map {
        LayerDetail.Histogram(lower: $0.lowerBound, upper: $0.upperBound, bins: errors.bins)
      }
    }
  }
}
