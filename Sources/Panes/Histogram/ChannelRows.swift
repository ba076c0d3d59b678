import Interface
import Quantization

/// The channels of a layer's weights as ranges: from the smallest to the largest, and one deviation around the mean.
struct ChannelRows {
  let errors: WeightErrors
  let range: ClosedRange<Double>

  init(_ errors: WeightErrors) {
    self.errors = errors
    let low = errors.channels.map(\.lowest).min() ?? 0
    let high = errors.channels.map(\.highest).max() ?? 0
    range = Double(low)...Double(Swift.max(high, low))
  }

  /// A row of the scale, then the channels in sight.
  func draw(on canvas: inout Canvas, in area: Rect, _ scroll: Scroll, isFocused: Bool) {
    guard area.height >= 1, area.width >= 1 else { return }
    let digits = String(Swift.max(errors.channels.count - 1, 0)).count
    let figures = area.width >= digits + 34
    let shares = figures && errors.channels.contains { $0.clipped > 0 }
    let left = digits + 2
    let right = (figures ? 9 : 0) + (shares ? 10 : 0)
    let width = Swift.max(area.width - left - right, 0)
    let strip = ChannelStrip(range: range)
    canvas.put(strip.scale(width: width), x: area.x + left, y: area.y, .muted)
    if figures { canvas.put("SQNR dB", x: area.x + left + width + 1, y: area.y, .muted) }
    if shares { canvas.put("% out", x: area.x + left + width + 12, y: area.y, .muted) }
    List(count: errors.channels.count, scroll: scroll, isFocused: isFocused).draw(
      on: &canvas, in: area.inset(top: 1)
    ) { index in
      let channel = errors.channels[index]
      let isWorst = index == errors.worst
      let style: Style = isWorst ? .warn : .info
      let box = (low: channel.mean - channel.deviation, high: channel.mean + channel.deviation)
      let ends = Double(channel.lowest)...Double(channel.highest)
      var runs = [
        Run(Fitting.pad("\(index)", to: digits, align: .right), .muted), Run(isWorst ? "!" : " ", .warn),
        Run(" "),
      ]
      runs += strip.runs(
        ChannelStrip.Row(
          line: ends,
          box: Swift.max(
            box.low, ends.lowerBound)...Swift.max(
              Swift.min(box.high, ends.upperBound), Swift.max(box.low, ends.lowerBound)), style), width: width
      )
      if figures {
        let sqnr = channel.sqnrDb.map { Numbers.fixed($0, 1) } ?? Numbers.none
        runs.append(Run(Fitting.pad(sqnr, to: 9, align: .right), isWorst ? .warn : .text))
      }
      if shares {
        runs.append(
          Run(
            Fitting.pad(Numbers.percent(channel.clipped, 2), to: 10, align: .right),
            channel.clipped > 0.01 ? .warn : .muted))
      }
      return runs
    }
    if canvas.glyphs.plot == .ascii { canvas.plain(area) }
  }
}
