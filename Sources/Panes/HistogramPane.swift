import Interface
import Workbench
import Workflows

/// The values of the selected layer with the codes' grid and the range they can express.
package struct HistogramPane: CommandedPane {
  package static let kind = PaneKind.histogram
  private var showsActivations = false
  private var isSquareRoot = false

  package init() {}

  package enum Step: Sendable {
    case tensor
    case scale
  }

  package static let commands = CommandTable<PaneContext<HistogramPane>, Step>([
    Command(
      "histogram.tensor", keys: [.character("w"), .left, .right], title: "weights/input",
      explanation: "Switch between the layer's weights and its calibrated input.", group: "Histogram",
      hint: 10,
      action: .tensor,
      availability: {
        .when(
          $0.state.detail?.activations != nil || $0.pane.showsActivations,
          else: "Inputs are known once a static candidate ran.")
      }),
    Command(
      "histogram.scale", keys: [.character("o")], title: "scale",
      explanation: "Linear bars, or the square root of the counts so that rare values show.",
      group: "Histogram",
      hint: 11, action: .scale),
  ])

  package mutating func update(_ step: Step, _ state: State, size: Size) -> [PaneOutput] {
    switch step {
    case .tensor: showsActivations.toggle()
    case .scale: isSquareRoot.toggle()
    }
    return []
  }

  package func note(_ state: State) -> [Run] {
    guard let layer = state.layer else { return [] }
    return [Run("\(Fitting.cutMiddle(layer, to: 20)) \(showsActivations ? "input" : "W")", .muted)]
  }

  package func draw(on canvas: inout Canvas, in area: Rect, _ state: State, isFocused: Bool) {
    func say(_ text: String) {
      for (row, line) in Fitting.wrap(text, to: area.width).enumerated() where row < area.height {
        canvas.put(line, x: area.x, y: area.y + row, width: area.width, .muted)
      }
    }
    guard let layer = state.layer else { return say("No layer is selected.") }
    guard let detail = state.detail, detail.layer == layer else { return say("…") }
    let histogram = showsActivations ? detail.activations : detail.weights
    let grid = showsActivations ? detail.activationGrid : detail.weightGrid
    guard let histogram, histogram.upper > histogram.lower else {
      return say(
        showsActivations
          ? "The input is known once a static candidate ran: r runs it." : "This layer has no weights.")
    }
    let lines = Self.facts(grid) + PredictedLayer.lines(layer, state, width: area.width)
    let facts = Swift.min(lines.count, Swift.max(area.height - 4, 0))
    HistogramChart(
      counts: histogram.bins.map(Double.init),
      range: Double(histogram.lower)...Double(histogram.upper), grid: Self.marks(grid, histogram),
      clip: grid.map { Double($0.lower)...Double(Swift.max($0.upper, $0.lower)) },
      scale: isSquareRoot ? .squareRoot : .linear
    ).draw(on: &canvas, in: area.inset(bottom: facts))
    for index in 0..<facts {
      canvas.put(lines[index], x: area.x, y: area.maxY - facts + index, width: area.width)
    }
  }

  /// The reals that codes stand for, where they are few enough to draw.
  private static func marks(_ grid: LayerDetail.Grid?, _ histogram: LayerDetail.Histogram) -> [Double] {
    guard let grid, grid.levels <= 64, grid.step > 0 else { return [] }
    return (0..<grid.levels).map { Double(grid.lower) + Double($0) * Double(grid.step) }
      .filter { (Double(histogram.lower)...Double(histogram.upper)).contains($0) }
  }

  private static func facts(_ grid: LayerDetail.Grid?) -> [[Run]] {
    guard let grid else { return [[Run("float32: not quantized", .muted)]] }
    let range =
      "\(Numbers.significant(Double(grid.lower), 2)) … \(Numbers.significant(Double(grid.upper), 2))"
    var second = [Run("\(grid.levels) levels", .text)]
    if let sqnr = grid.sqnrDb { second = [Run("SQNR \(Numbers.fixed(sqnr, 1)) dB  ", .text)] + second }
    return [
      [
        Run("clip ", .muted), Run(range),
        Run("  \(Numbers.percent(grid.clipped, 2)) % out", grid.clipped > 0.01 ? .warn : .muted),
      ],
      second,
    ]
  }
}
