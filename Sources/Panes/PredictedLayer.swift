import Analysis
import Interface
import Workbench

/// What quantizing a layer alone is predicted to do, while the candidate is not measured.
enum PredictedLayer {
  /// The error at the layer's own output, and its share of what all layers cost; none where nothing is predicted.
  static func lines(_ layer: String, _ state: State, width: Int) -> [[Run]] {
    guard let prediction = state.currentEntry.flatMap({ state.shown($0).prediction }),
      let own = prediction[layer: layer]
    else { return [] }
    let all = prediction.layers.reduce(0) { $0 + $1.cost }
    let share = all > 0 ? own.cost / all : 0
    let text =
      "≈ output \(own.sqnrDb.map { "\(Numbers.fixed($0, 1)) dB" } ?? "exact"), "
      + "\(Numbers.percent(share, 0)) % of loss\(own.isOfNearest == true ? " by nearest" : "")"
    return Fitting.wrap(text, to: Swift.max(width, 1)).map { [Run($0, .info)] }
  }
}
