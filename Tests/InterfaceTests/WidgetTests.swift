import Foundation
import Interface
import Testing

/// Each widget at several sizes against a picture, and at every tiny size for not trapping.
@Suite struct WidgetTests {
  // MARK: frames

  @Test func panel() throws {
    func draw(_ canvas: inout Canvas, _ area: Rect) {
      let parts = area.columns([.share(1), .share(1)])
      let inside = Panel(number: 1, title: "Layers", note: "sort:order  11", foot: "7/11", isFocused: true)
        .draw(on: &canvas, in: parts[0])
      canvas.put("inside", x: inside.x, y: inside.y, width: inside.width)
      Panel(number: 3, title: "Vergleich 日本", note: [Run("4 Pareto", .key), Run("  5 Hist")]).draw(
        on: &canvas, in: parts[1])
    }
    try expectGolden("panel", drawings([(72, 4), (40, 3), (20, 3), (13, 3), (3, 2)], draw))
    drawEverywhere(draw)
  }

  @Test func panelInside() {
    var canvas = Canvas(width: 10, height: 5)
    #expect(Panel(title: "x").draw(on: &canvas, in: canvas.bounds) == Rect(x: 1, y: 1, width: 8, height: 3))
    #expect(Panel(title: "x").draw(on: &canvas, in: Rect(x: 9, y: 4, width: 1, height: 1)).isEmpty)
  }

  @Test func dialog() throws {
    func draw(_ canvas: inout Canvas, _ area: Rect) {
      canvas.fill(area, with: "·")
      let inside = Dialog(
        title: "Export", hints: [Run("enter", .key), Run(" write  esc back")],
        size: Size(width: 34, height: 5)
      )
      .draw(on: &canvas, in: area)
      canvas.put("File resnet8.int8.onnx", x: inside.x, y: inside.y, width: inside.width)
    }
    try expectGolden("dialog", drawings([(44, 9), (30, 4)], draw))
    drawEverywhere(draw)
  }

  // MARK: lists

  static let layers = ["conv1", "s1.conv1", "s1.conv2", "s2.conv1", "s2.down 日本", "s3.conv1", "pool", "fc"]

  static let columns = [
    Column("name", minimum: 8, maximum: 20), Column("mode", minimum: 4),
    Column("W/A", minimum: 5, dropOrder: 1),
    Column("sens", minimum: 6, maximum: 12, growth: 2, dropOrder: 3),
    Column("KiB", align: .right, minimum: 6, dropOrder: 2),
  ]

  static func cell(_ row: Int, _ column: Int) -> [Run] {
    switch column {
    case 0: [Run(layers[row])]
    case 1: [Run(row == 6 ? Numbers.none : "PTQ")]
    case 2: [Run("8", .good), Run("/8")]
    case 3: [Run(Bars.horizontal(Double(row) / 7, width: 6), .gradient(.sensitivity, Double(row) / 7))]
    default: [Run(Numbers.fixed(Double(row * row) * 3.7, 1))]
    }
  }

  @Test func table() throws {
    func draw(_ canvas: inout Canvas, _ area: Rect) {
      Table(
        columns: Self.columns, rowCount: 8, scroll: Scroll(cursor: 5), showsGutter: true, sortColumn: 3,
        sortsDescending: true
      )
      .draw(on: &canvas, in: area, isMarked: { $0 % 2 == 1 }, cell: Self.cell)
    }
    try expectGolden("table", drawings([(60, 9), (42, 9), (34, 4), (28, 3), (20, 2), (12, 2)], draw))
    drawEverywhere(draw)
  }

  @Test func tableStyles() {
    var canvas = Canvas(width: 22, height: 3)
    Table(
      columns: [Column("a", minimum: 5), Column("b", minimum: 5)], rowCount: 2, scroll: Scroll(cursor: 1),
      showsGutter: true
    )
    .draw(on: &canvas, in: Rect(x: 0, y: 0, width: 14, height: 3), isMarked: { $0 == 1 }) { _, column in
      [Run("x", column == 0 ? .good : .text)]
    }
    #expect(
      canvas.styledText()
        == """
          a     b
          x     x
        ▸✱x     x
        ---- styles
        ..a.....a.............
        ..b...................
        cdefffffffffff........
        . text
        a header
        b good
        c key selected
        d mark selected
        e good selected
        f text selected
        """)
  }

  @Test func sidewaysTable() throws {
    let columns =
      [Column("", minimum: 10)]
      + ["float32", "A int8", "B dyn8", "C mixed4"].map {
        Column($0, align: .right, minimum: 9, maximum: 14)
      }
    func table(_ first: Int) -> Table {
      Table(
        columns: columns, rowCount: 3, showsCursor: false, scrollsSideways: true, fixedColumns: 2,
        firstColumn: first, cursorColumn: 2)
    }
    func draw(_ first: Int) -> (inout Canvas, Rect) -> Void {
      { canvas, area in
        table(first).draw(on: &canvas, in: area) { row, column in
          [
            Run(
              column == 0
                ? ["accuracy %", "size KiB", "p50 ms"][row] : Numbers.fixed(Double(row * 7 + column), 2))
          ]
        }
      }
    }
    try expectGolden(
      "sideways",
      drawings([(70, 4), (45, 4), (22, 4)], draw(0))
        + drawings([(45, 4)], draw(1)).map { ("second " + $0.title, $0.text) })
    #expect(table(0).firstColumn(showing: 4, width: 45) == 1)
    #expect(table(1).firstColumn(showing: 2, width: 45) == 0)
    #expect(table(1).firstColumn(showing: 1, width: 45) == 1)
    drawEverywhere(draw(0))
    drawEverywhere(draw(99))
    drawEverywhere(draw(-5))
  }

  @Test func pointerOnTable() {
    let table = Table(columns: Self.columns, rowCount: 8, scroll: Scroll(cursor: 7), showsGutter: true)
    let area = Rect(x: 2, y: 1, width: 60, height: 4)
    #expect(table.row(at: Point(x: 5, y: 1), in: area) == nil && table.isHeader(Point(x: 5, y: 1), in: area))
    #expect(table.row(at: Point(x: 5, y: 2), in: area) == 5)
    #expect(table.row(at: Point(x: 5, y: 4), in: area) == 7)
    #expect(table.row(at: Point(x: 5, y: 5), in: area) == nil)
    #expect(
      table.column(at: Point(x: 4, y: 3), in: area) == 0
        && table.column(at: Point(x: 2, y: 3), in: area) == nil)
  }

  @Test func columnsUseTheRoomTheyMay() {
    for width in 0...80 {
      let table = Table(columns: Self.columns, rowCount: 1, showsGutter: true)
      let slots = table.slots(width: width)
      for (left, right) in zip(slots, slots.dropFirst()) { #expect(left.x + left.width < right.x) }
      if let last = slots.last, width >= 15 { #expect(last.x + last.width <= width) }
      for slot in slots { #expect(slot.width <= Self.columns[slot.column].maximum) }
    }
  }

  @Test func scrolling() {
    // Exhaustive: the cursor is always in sight, and no row is wasted.
    for count in 0...7 {
      for visible in 0...5 {
        var scroll = Scroll(cursor: 3, offset: 9)
        for motion in [
          Scroll.Motion.down, .pageDown, .last, .up, .halfUp, .first, .halfDown, .pageUp, .by(-2), .to(99),
        ] {
          scroll.move(motion, count: count, visible: visible)
          #expect(scroll.cursor >= 0 && scroll.cursor < max(1, count))
          #expect(scroll.offset <= scroll.cursor && scroll.cursor < scroll.offset + max(1, visible))
          #expect(scroll.offset == 0 || scroll.offset + max(1, visible) <= count)
        }
      }
    }
    #expect(Scroll.motion(for: .character("G")) == .last && Scroll.motion(for: .enter) == nil)
  }

  @Test func tree() throws {
    let children = [
      "model": ["stem", "layer1", "head"], "layer1": ["block0", "block1"], "block0": ["conv1", "conv2"],
      "block1": ["conv1"],
    ]
    let rows = Tree.rows(
      ["model", "extra"], children: { children[$0] ?? [] }, isExpanded: { $0 != "block1" })
    func draw(_ canvas: inout Canvas, _ area: Rect) {
      List(count: rows.count, scroll: Scroll(cursor: 2), isFocused: false).draw(on: &canvas, in: area) {
        [Run(rows[$0].prefix, .border), Run(rows[$0].node)]
      }
    }
    try expectGolden("tree", drawings([(30, 9), (12, 4)], draw))
    drawEverywhere(draw)
  }

  @Test func menu() throws {
    let items = [
      Menu.Item(label: "space", title: "mark", detail: "Mark or unmark the layer.", group: "Layers"),
      Menu.Item(
        label: "r F5", title: "run", detail: "Run the candidate.", reason: "it is running already",
        group: "Run"),
      Menu.Item(
        label: "m", title: "next mode", detail: "The next quantization mode for the marked layers.",
        group: "Layers"),
    ]
    func draw(_ query: String) -> (inout Canvas, Rect) -> Void {
      { canvas, area in Menu(items: items, query: query).draw(on: &canvas, in: area) }
    }
    try expectGolden(
      "menu",
      drawings([(60, 4), (30, 2)], draw(""))
        + drawings([(60, 3)], draw("MAR lay")).map { ("query " + $0.title, $0.text) }
        + drawings([(30, 2)], draw("zzz")).map { ("none " + $0.title, $0.text) })
    #expect(Menu(items: items, query: "layers").matching == [0, 2])
    #expect(Menu(items: items, scroll: Scroll(cursor: 1), query: "layers").selected == 2)
    #expect(Menu(items: items, scroll: Scroll(cursor: 1), query: "zzz").selected == nil)
    drawEverywhere(draw("m"))
    drawEverywhere(draw("zzz"))
  }

  @Test func highlighting() {
    #expect(Filter.highlight("s1.Conv1", query: "conv") == [Run("s1."), Run("Conv", .match), Run("1")])
    #expect(Filter.highlight("abc", query: "") == [Run("abc")])
    #expect(Filter.highlight("", query: "a") == [])
    #expect(Filter.matches("layer conv", "Conv of layer 1") && !Filter.matches("x", "abc"))
  }

  // MARK: graphs

  @Test func chart() throws {
    let curve = Chart.Curve([.init(46.8, 86.31), .init(77.4, 87.24), .init(302.2, 87.42)])
    let marks: [Chart.Mark] = [
      .init(at: .init(302.2, 87.42), symbol: "◆", label: "F", .series(0)),
      .init(at: .init(77.4, 87.19), symbol: "●", label: "A", .series(1)),
      .init(at: .init(90, 87.24), symbol: "○", label: "B", .series(2)),
      .init(at: .init(46.8, 86.31), symbol: "●", label: "C", .series(3)),
    ]
    let chart = Chart(x: .init(.log), curves: [curve], marks: marks)
    let loss = Chart(
      x: .init(range: 0...12),
      curves: [.init((0...12).map { .init(Double($0), exp(-Double($0) / 4)) }, .series(0))])
    func draw(_ chart: Chart, _ plot: Glyphs.Plot? = nil) -> (inout Canvas, Rect) -> Void {
      { canvas, area in
        if let plot { canvas.glyphs.plot = plot }
        chart.draw(on: &canvas, in: area)
      }
    }
    try expectGolden(
      "chart",
      drawings([(46, 14), (30, 8), (13, 4)], draw(chart))
        + drawings([(46, 10)], draw(chart, .block)).prefix(1).map { ("block " + $0.title, $0.text) }
        + drawings([(40, 8)], draw(loss)).map { ("loss " + $0.title, $0.text) })
    for odd in [
      chart, loss, Chart(), Chart(marks: [.init(at: .init(.nan, 1)), .init(at: .init(1, .infinity))]),
      Chart(
        x: .init(.log), y: .init(.log), marks: [.init(at: .init(-1, 0)), .init(at: .init(1e-300, 1e300))]),
      Chart(marks: [.init(at: .init(5, 5), label: "日本")]),
      Chart(x: .init(range: 3...3), marks: [.init(at: .init(3, 3))]),
    ] {
      drawEverywhere(draw(odd))
      drawEverywhere(draw(odd, .block))
    }
  }

  @Test func curvesAndWhiskersEndAtTheEdge() {
    let area = Rect(x: 0, y: 0, width: 30, height: 12)
    func text(_ chart: Chart, _ form: Glyphs.Plot = .block) -> String {
      var canvas = Canvas(area.size, glyphs: Glyphs(.unicode, plot: form))
      chart.draw(on: &canvas, in: area)
      return canvas.text()
    }
    let axes = (x: Chart.Axis(range: 0...10), y: Chart.Axis(range: 0...10))
    // From outside on the left to outside on the right, through the middle.
    let through = Chart(x: axes.x, y: axes.y, curves: [Chart.Curve([.init(-20, 5), .init(30, 5)])])
    let plot = through.frame(in: area).plot
    #expect(text(through, .ascii).count { $0 == "." } == plot.width)
    let past = Chart(x: axes.x, y: axes.y, curves: [Chart.Curve([.init(-20, 5), .init(5, 40)])])
    #expect(!text(past, .ascii).contains("."))
    let whole = Chart(x: axes.x, y: axes.y, whiskers: [.init(at: .init(5, 5), y: 2...8)])
    #expect(
      text(whole).contains("┬") && text(whole).count { $0 == "┴" } == 1 + text(through).count { $0 == "┴" })
    let open = Chart(x: axes.x, y: axes.y, whiskers: [.init(at: .init(5, 5), y: 2...80)])
    #expect(!text(open).contains("┬"), "the end is out of sight")
    let rule = Chart(x: axes.x, y: axes.y, rules: [.init(y: 5), .init(y: 50)])
    #expect(text(rule).count { $0 == "╌" } == plot.width)
    let frame = whole.frame(in: area)
    for x in 0...10 {
      for y in 0...10 {
        guard let cell = frame.cell(of: .init(Double(x), Double(y))) else {
          Issue.record("inside")
          continue
        }
        #expect(frame.cell(of: frame.position(of: cell)) == cell)
      }
    }
    #expect(frame.cell(of: .init(11, 5)) == nil)
  }

  @Test func reachesStayInsideTheWhole() {
    for scale in [Chart.Scale.linear, .log] {
      let whole = Chart.Reach(Chart.Axis(scale, range: 1...1000), over: [])
      var seen = whole
      for step in 0..<50 {
        seen = seen.scaled(by: 0.7, around: 40, inside: whole).moved(
          by: step % 3 == 0 ? 0.3 : -0.2, inside: whole)
        #expect(seen.range.lowerBound >= 1 - 1e-9 && seen.range.upperBound <= 1000 + 1e-6)
        #expect(seen.magnification(in: whole) <= 1000.001)
        #expect(seen.showing(700, inside: whole).place(700) != nil)
      }
      let back = seen.scaled(by: 1e9, around: 3, inside: whole)
      #expect(abs(back.magnification(in: whole) - 1) < 1e-9)
    }
  }

  @Test func ticks() {
    #expect(
      Ticks.linear(86.3...87.5, count: 4).values.map { Numbers.fixed($0, 1) } == ["86.5", "87.0", "87.5"])
    #expect(Ticks.linear(0...1, count: 5).step == 0.2)
    #expect(Ticks.linear(-3...3, count: 3).values == [-2, 0, 2])
    #expect(Ticks.logarithmic(40...320, count: 4) == [50, 100, 200])
    #expect(Ticks.logarithmic(1...10000, count: 5) == [1, 10, 100, 1000, 10000])
    for count in 1...8 {
      for range in [0.0...1e-9, -1e9...1e9, 5...5.0001, 0...0] {
        #expect(Ticks.linear(range, count: count).values.count <= count + 2)
      }
    }
  }

  @Test func histogram() throws {
    let counts = (0..<256).map { 1000 * exp(-pow((Double($0) - 128) / 40, 2)) }
    let chart = HistogramChart(
      counts: counts, range: -0.41...0.39, grid: (-7...7).map { Double($0) * 0.047 }, clip: -0.33...0.33)
    func draw(_ chart: HistogramChart) -> (inout Canvas, Rect) -> Void {
      { canvas, area in chart.draw(on: &canvas, in: area) }
    }
    try expectGolden("histogram", drawings([(60, 10), (32, 8), (20, 3), (10, 1)], draw(chart)))
    drawEverywhere(draw(chart))
    drawEverywhere(draw(HistogramChart(counts: [], range: 0...0)))
    drawEverywhere(
      draw(
        HistogramChart(
          counts: [0, .nan, 1, .infinity, -3], range: 0...1, grid: [2, .nan], clip: -5...0.5,
          scale: .log)))
  }

  @Test func resampling() {
    for parts in 1...9 {
      let counts = [3.0, 0, 5, 1]
      #expect(abs(HistogramChart.resample(counts, to: parts).reduce(0, +) - 9) < 1e-9)
    }
    #expect(HistogramChart.resample([1, 3], to: 4) == [0.5, 0.5, 1.5, 1.5])
    #expect(HistogramChart.resample([1, 3, 5, 7], to: 2) == [4, 12])
  }

  @Test func bars() {
    #expect(
      (0...8).map { Bars.horizontal(Double($0) / 8, width: 1) } == [
        "", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█",
      ])
    #expect(Bars.horizontal(0.92, width: 8) == "███████▍")
    #expect(
      Bars.horizontal(1e-9, width: 8) == "▏" && Bars.horizontal(2, width: 3) == "███"
        && Bars.horizontal(.nan, width: 3) == "")
    #expect(Bars.horizontal(1, width: -1) == "")
    #expect(Bars.sparkline([0, 1, 2, .nan, 7], width: 4) == "▁▂ █")
    #expect(Bars.sparkline([2, 2], width: 4) == "▄▄" && Bars.sparkline([], width: 3) == "")
    #expect(Gauge.runs(0.61, width: 16) == [Run("█████████▊", .gauge), Run("░░░░░░", .muted)])
    #expect(
      Gauge.runs(1, width: 4) == [Run("████", .gauge)] && Gauge.runs(0, width: 2) == [Run("░░", .muted)])
    #expect(Gauge.runs(nil, width: 3) == [Run("···", .muted)] && Gauge.runs(0.5, width: 0) == [])
  }

  // MARK: text

  @Test func typing() {
    var field = TextField("ab")
    /// Types a key; whether it was taken, and the text then.
    func type(_ key: Key) -> String? { field.handle(key) ? field.text : nil }
    for key in [Key.left, .character("X"), .home, .character("é"), .end] { #expect(type(key) != nil) }
    #expect(type(.backspace) == "éaX" && field.cursor == 3)
    field.insert("日\n\u{1b}本")
    #expect(field.text == "éaX日 本" && field.cursor == 6)
    #expect(type(.control("w")) == "éaX日 ")
    #expect(type(.controlLeft) != nil && field.cursor == 0)
    #expect(type(.controlRight) != nil && field.cursor == 4)
    #expect(type(.control("k")) == "éaX日")
    #expect(type(.control("u")) == "" && type(.backspace) == "" && type(.delete) == "")
    #expect(type(.enter) == nil && type(.escape) == nil && type(.up) == nil)
    // A mark typed alone joins the character before it.
    field.insert("e")
    field.insert("\u{301}")
    #expect(field.text == "é" && field.cursor == 1)
  }

  @Test func fieldScrollsWithItsCursor() {
    func draw(_ field: TextField, _ width: Int) -> (String, Int?) {
      var canvas = Canvas(width: width, height: 1)
      field.draw(on: &canvas, in: canvas.bounds, placeholder: "name")
      return (canvas.text(), canvas.cursor?.x)
    }
    #expect(draw(TextField("abc"), 8) == ("abc", 3))
    #expect(draw(TextField("abcdefghij"), 6) == ("fghij", 5))
    #expect(draw(TextField("日本語"), 5) == ("本語", 4))
    #expect(draw(TextField(), 6) == ("name", 0))
    var field = TextField("abcdefghij")
    _ = field.handle(.home)
    #expect(draw(field, 6) == ("abcdef", 0))
    drawEverywhere { canvas, area in
      for text in ["", "abcdefghijklmnop", "日本語日本語日本語"] {
        TextField(text).draw(on: &canvas, in: area, placeholder: "placeholder")
        #expect(canvas.cursor.map(canvas.bounds.contains) ?? true)
      }
    }
  }

  @Test func footer() throws {
    let hints = [
      ("?", "help"), (":", "command"), ("/", "filter"), ("space", "mark"), ("m", "mode"), ("q", "quit"),
    ]
    let footer = Footer(hints.map { .init(key: $0.0, title: $0.1) })
    func draw(_ canvas: inout Canvas, _ area: Rect) { footer.draw(on: &canvas, in: area) }
    try expectGolden("footer", drawings([(60, 1), (40, 1), (16, 1), (7, 1), (3, 1)], draw))
    #expect(footer.hint(at: Point(x: 10, y: 0), in: Rect(x: 0, y: 0, width: 60, height: 1)) == 1)
    #expect(footer.hint(at: Point(x: 7, y: 0), in: Rect(x: 0, y: 0, width: 60, height: 1)) == nil)
    for width in 1...60 { #expect(picture(width, 1, .unicode, draw).contains("?"), "\(width)") }
    drawEverywhere(draw)
  }

  @Test func toast() throws {
    func draw(_ canvas: inout Canvas, _ area: Rect) {
      Toast(.good, "copied 3 rows").draw(on: &canvas, in: area)
    }
    try expectGolden("toast", drawings([(30, 2), (10, 1)], draw))
    drawEverywhere(draw)
    for kind in [Toast.Kind.info, .warn, .bad] { drawEverywhere { Toast(kind, "日本").draw(on: &$0, in: $1) } }
  }

  // MARK: speed

  @Test func aFullScreenIsDrawnFast() {
    func draw() -> Int {
      var canvas = Canvas(width: 120, height: 36)
      for (index, area) in canvas.bounds.columns([.share(1), .share(1)]).enumerated() {
        let inside = Panel(number: index, title: "Layers", note: "sort:order", isFocused: index == 0).draw(
          on: &canvas, in: area)
        Table(columns: Self.columns, rowCount: 8, showsGutter: true).draw(
          on: &canvas, in: inside, cell: Self.cell)
        for row in 9..<inside.height {
          canvas.put("the quick brown fox jumps over ─── the lazy dog", x: inside.x, y: inside.y + row)
        }
      }
      return canvas.cells.count
    }
    let clock = ContinuousClock()
    let times = (0..<50).map { _ in clock.measure { #expect(draw() == 4320) } }.sorted()
    #expect(times[25] < .milliseconds(5), "median \(times[25])")
  }
}
