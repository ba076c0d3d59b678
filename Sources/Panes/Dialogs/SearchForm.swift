import Analysis
import Graph
import Interface
import Quantization
import Workbench

/// What a search is asked for, as rows to turn.
struct SearchForm: Sendable {
  var request: SearchRequest
  private(set) var cursor = 0

  init(_ request: SearchRequest) { self.request = request }

  private struct Row: Sendable {
    var title: String
    var text: @Sendable (SearchRequest) -> String
    /// Takes the next (+1) or previous (−1) choice.
    var turn: @Sendable (inout SearchRequest, Int) -> Void
  }

  /// A row of a field that takes one of some values.
  private static func row<Value: Equatable & Sendable>(
    _ title: String, _ path: any WritableKeyPath<SearchRequest, Value> & Sendable, _ values: [Value],
    _ text: @escaping @Sendable (Value) -> String
  ) -> Row {
    Row(
      title: title, text: { text($0[keyPath: path]) },
      turn: { request, step in
        let place = values.firstIndex(of: request[keyPath: path]) ?? 0
        request[keyPath: path] = values[(place + step + values.count) % values.count]
      })
  }

  private static let rows: [Row] = [
    row("Minimize", \.goal, SearchGoal.allCases) { Words.goal($0) },
    row("Loss", \.maxDrop, [nil, 0.002, 0.005, 0.01, 0.02, 0.05]) {
      $0.map { "at most \(Numbers.fixed($0 * 100, 1)) % of answers change" } ?? "not bounded"
    },
    row("Size", \.minCompression, [nil, 2, 3, 3.5, 4, 5, 6, 7, 8]) {
      $0.map { "at least \(Numbers.ratio($0)) smaller" } ?? "not bounded"
    },
    row("Time", \.maxLatencyRatio, [nil, 1, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]) {
      $0.map { "at most \(Numbers.fixed($0, 1)) of float32's" } ?? "not bounded"
    },
    row(
      "Modes", \.modes,
      [
        [], [.static, .weightOnly, .float], [.static, .dynamic, .weightOnly, .float],
        [.dynamic, .weightOnly, .float], [.weightOnly, .float],
      ]
    ) { Words.choice($0.isEmpty ? [Words.mode(.static), Words.mode(.float)] : $0.map(Words.mode)) },
    row("Rounding", \.methods, [[], [.nearest], [.nearest, .gptq]]) {
      $0.isEmpty ? "GPTQ, nearest at 8 bits" : Words.choice($0.map(\.title))
    },
  ]

  static var height: Int { rows.count }

  mutating func move(_ by: Int) { cursor = Swift.min(Swift.max(cursor + by, 0), Self.rows.count - 1) }
  mutating func turn(_ by: Int) { Self.rows[cursor].turn(&request, by) }

  func draw(on canvas: inout Canvas, in area: Rect) {
    let titles = (Self.rows.map(\.title.count).max() ?? 0) + 2
    List(count: Self.rows.count, scroll: Scroll(cursor: cursor)).draw(on: &canvas, in: area) { index in
      let row = Self.rows[index]
      return [
        Run(Fitting.pad(row.title, to: titles)), Run("‹ ", .muted), Run(row.text(request), .key),
        Run(" ›", .muted),
      ]
    }
  }
}
