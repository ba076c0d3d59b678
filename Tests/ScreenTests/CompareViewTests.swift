import Evaluation
import Graph
import Interface
import Jobs
import Panes
import Quantization
import Screen
import Tensors
import Testing
import Workbench
import Workflows

private let small = Size(width: 80, height: 24)
private let large = Size(width: 120, height: 36)

/// Made-up answers to 2000 samples of ten classes: every `step`th sample moves.
private func fixtureAnswers(_ step: Int, labelled: Bool = true) -> Answers {
  var moves: [Move] = []
  for (index, sample) in stride(from: step, to: 2000, by: step).enumerated() {
    let (from, to) = (index % 3 + 2, index % 4 + 5)
    guard from != to else { continue }
    moves.append(
      Move(
        sample: sample, label: labelled ? index % 5 == 4 ? to : index % 7 == 6 ? 0 : from : nil,
        float32: from, candidate: to, float32Margin: Float(index % 9 + 1) / 20,
        candidateMargin: Float(index % 11 + 1) / 24))
  }
  let classes = (0..<10).map { label in
    let change = PairedDifference(
      samples: 200, lost: moves.count { $0.label == label && $0.wasRight },
      gained: moves.count { $0.label == label && $0.isRight })
    return ClassChange(
      label: label, samples: 200, float32Top1: 0.94, top1Delta: change.delta,
      top1DeltaCi95: [change.interval95.lowerBound, change.interval95.upperBound])
  }
  return Answers(
    classCount: 10, evaluated: SampleSet(0..<2000), classes: labelled ? classes : [], moves: moves)
}

/// The workbench in the middle of work, A and B measured with their answers, A the current one.
func fixtureAnsweredView(_ glyphs: Glyphs = .unicode, labelled: Bool = true) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  let float32 = try #require(state.float32)
  for (number, step, bytes) in [(1, 90, 8_300), (2, 25, 5_100)] {
    let id = CandidateID(number)
    let answers = fixtureAnswers(step, labelled: labelled)
    let change = PairedDifference(
      samples: 2000, lost: answers.count(.lost), gained: answers.count(.gained))
    var trial = fixtureTrial(
      number == 1 ? "static-int8" : "weight-int4", execution: number == 1 ? .integer : .simulated,
      top1: 0.942 + change.delta, delta: change.delta, bytes: bytes, ms: 0.14)
    trial.top1DeltaCi95 = [change.interval95.lowerBound, change.interval95.upperBound]
    trial.speedupCi95 = [2.14, 2.29]
    if !labelled { (trial.top1, trial.top1Delta, trial.top1DeltaCi95) = (nil, nil, nil) }
    _ = state.update(
      .measured(
        id, recipe: try #require(state.entry(id)).recipe,
        Measurement(float32: float32, candidates: [trial], roles: "", fraction: 1, answers: [answers])))
  }
  _ = state.update(.select(CandidateID(1)))
  var screen = fixtureScreen(glyphs)
  _ = play("3", &screen, &state, small)
  return (screen, state)
}

@Test(arguments: [
  ("compare-figures-80x24", 80, 24, "j j"), ("compare-figures-120x36", 120, 36, "o"),
  ("compare-layers-80x24", 80, 24, "l v"), ("compare-layers-zoomed-120x36", 120, 36, "l v + + j"),
  ("compare-classes-zoomed-120x36", 120, 36, "v v + + j"),
  ("compare-samples-zoomed-120x36", 120, 36, "v v v v + + j j"),
  ("compare-note-80x24", 80, 24, "N text:keeps enter"),
])
func compareFrames(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try fixtureAnsweredView()
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

/// The cell of a column in a row of the figures, from the copied text.
private func cell(_ row: String, _ column: String, _ screen: inout Screen, _ state: inout State) throws
  -> String
{
  let requests = play("y", &screen, &state, large)
  let text = try #require(
    requests.lazy.compactMap { request -> String? in
      if case .effect(.copy(let text)) = request { text } else { nil }
    }.first)
  let lines = text.split(separator: "\n").map(String.init)
  func fields(_ line: String) -> [String] {
    line.replacing("  ", with: "\t").split(separator: "\t").map { $0.trimmingPrefix { $0 == " " } }.map(
      String.init)
  }
  let heading = fields(lines[0])
  let found = try #require(lines.first { fields($0).first == row }, "\(row)")
  let place = try #require(heading.firstIndex { $0.hasPrefix(column) }, "\(column)")
  return fields(found)[place + 1]
}

@Suite struct CompareFigureTests {
  /// Every difference of accuracy has its sign, its paired interval and the samples it is of.
  @Test func differencesHaveIntervalAndCount() throws {
    var (screen, state) = try fixtureAnsweredView()
    let answers = fixtureAnswers(90)
    let change = PairedDifference(samples: 2000, lost: answers.count(.lost), gained: answers.count(.gained))
    let interval = change.interval95
    #expect(try cell("Δ points", "A", &screen, &state) == Numbers.points(change.delta))
    #expect(
      try cell("95 %", "A", &screen, &state)
        == "\(Numbers.points(interval.lowerBound))…\(Numbers.points(interval.upperBound))")
    #expect(try cell("n", "A", &screen, &state) == "2000")
    #expect(try cell("Δ points", "float32", &screen, &state) == "ref")
  }

  @Test func theBaselineIsWhatTheyAreTakenFrom() throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = play("*", &screen, &state, large)
    #expect(state.baseline == CandidateID(1))
    let change = try #require(fixtureAnswers(25).difference(from: fixtureAnswers(90)))
    #expect(try cell("Δ points", "A", &screen, &state) == "ref")
    #expect(try cell("Δ points", "B", &screen, &state) == Numbers.points(change.delta))
    #expect(try cell("n", "B", &screen, &state) == "2000")
    let own = try #require(state.entry(CandidateID(1)).map { state.shown($0) }?.trial?.top1Delta)
    #expect(try cell("Δ points", "float32", &screen, &state) == Numbers.points(-own))
    #expect(screen.draw(state, size: large).text().contains("from A · n 2000"))
    #expect(try cell("Δ points", "D", &screen, &state) == "-")
    // Once the baseline is edited, what is taken from it is of an older recipe.
    _ = play("A m", &screen, &state, large)
    #expect(try cell("Δ points", "B", &screen, &state) == "~" + Numbers.points(change.delta))
    #expect(try cell("95 %", "float32", &screen, &state).hasPrefix("~"))
  }

  /// The badge says how it ran, and what is simulated has no speed.
  @Test func simulatedCandidatesHaveNoSpeed() throws {
    var (screen, state) = try fixtureAnsweredView()
    #expect(try cell("speed-up", "A", &screen, &state) == "2.2×")
    #expect(try cell("speed 95 %", "A", &screen, &state) == "2.14…2.29×")
    #expect(try cell("status", "A", &screen, &state) == "int ✓ done")
    for row in ["p50 ms", "speed-up"] { #expect(try cell(row, "B", &screen, &state) == "sim") }
    #expect(try cell("speed 95 %", "B", &screen, &state) == "-")
    #expect(try cell("status", "B", &screen, &state).hasPrefix("sim "))
  }

  /// Of B the stem alone was put back into float32.
  @Test func theShareOfMultiplyAccumulatesFollowsTheRecipe() throws {
    var (screen, state) = try fixtureAnsweredView()
    let model = try #require(state.project).model
    let stem = try #require(model.layers.first { $0.name == "stem/conv" })
    let share = 1 - Double(stem.macs) / Double(model.macs)
    #expect(try cell("MAC quant %", "A", &screen, &state) == "100.0")
    #expect(try cell("MAC quant %", "B", &screen, &state) == Numbers.percent(share, 1))
    #expect(try cell("MAC quant %", "D", &screen, &state) == "0.0")
    #expect(try cell("MAC quant %", "float32", &screen, &state) == "0.0")
  }

  @Test func rowsAreHiddenAndComeBack() throws {
    var (screen, state) = try fixtureAnsweredView()
    func shows(_ title: String) -> Bool { screen.draw(state, size: large).text().contains(title) }
    _ = play("j D", &screen, &state, large)
    #expect(!shows("Δ points") && shows("accuracy %") && shows("1 hidden"))
    _ = play("D", &screen, &state, large)
    #expect(shows("▸weights KiB") && shows("2 hidden"))
    _ = play("a", &screen, &state, large)
    #expect(shows("Δ points") && !shows("hidden"))
    _ = play("+ +", &screen, &state, large)
    for _ in 0..<60 { _ = play("g D", &screen, &state, large) }
    #expect(shows("hidden"), "the last row stays")
  }

  /// By weights: D is not measured and comes last either way.
  @Test func aRowOrdersTheCandidates() throws {
    var (screen, state) = try fixtureAnsweredView()
    func titles() -> [Character] {
      let line = screen.draw(state, size: Size(width: 160, height: 40)).lines()[2]
      return line.split(separator: " ").compactMap { $0.count == 1 ? $0.first : nil }.filter {
        "ABCD".contains($0)
      }
    }
    _ = play("+ +", &screen, &state, large)
    #expect(titles() == ["A", "B", "C", "D"])
    _ = play("j j j o O", &screen, &state, large)
    #expect(titles() == ["B", "A", "C", "D"], "the smallest first")
    #expect(screen.draw(state, size: large).text().contains("weights KiB▴"))
    _ = play("h", &screen, &state, large)
    #expect(state.current == CandidateID(2), "the one on its left")
    _ = play("O", &screen, &state, large)
    #expect(titles() == ["A", "B", "C", "D"])
    _ = play("O a", &screen, &state, large)
    #expect(titles() == ["A", "B", "C", "D"])
    for _ in 0..<4 { _ = play("j", &screen, &state, large) }
    _ = play("o", &screen, &state, large)
    #expect(screen.draw(state, size: large).text().contains("status has no numbers to order by."))
  }

  /// Of thirty candidates the current one is always seen, with float32 beside it, and signs where there are more.
  @Test func anyNumberOfCandidatesScrollsBesideFloat32() throws {
    var (screen, state) = try fixtureAnsweredView()
    for _ in 0..<26 { _ = screen.apply(.duplicate(CandidateID(1)), &state) }
    _ = screen.apply(.select(CandidateID(1)), &state)
    func heading() -> String { screen.draw(state, size: small).lines()[14] }
    for number in 1...30 {
      #expect(state.current == CandidateID(number))
      #expect(heading().contains("float32") && heading().contains(" \(CandidateID(number).letter) "))
      #expect(heading().contains("›") || number > 20)
      _ = play("l", &screen, &state, small)
    }
    #expect(heading().contains("‹") && !heading().contains("›"))
    for number in stride(from: 29, through: 1, by: -1) {
      _ = play("h", &screen, &state, small)
      #expect(heading().contains(" \(CandidateID(number).letter) "))
    }
    #expect(!heading().contains("‹"))
  }

  @Test func aNoteIsWrittenAndTakenAway() throws {
    var (screen, state) = try fixtureAnsweredView()
    #expect(play("N text:keeps enter", &screen, &state, large).contains(.effect(.save)))
    #expect(try cell("note", "A", &screen, &state) == "keeps")
    #expect(screen.draw(state, size: large).text().contains(" keeps ━┛"))
    _ = play("N C-u enter", &screen, &state, large)
    #expect(state.currentEntry?.note == "" && !screen.draw(state, size: large).text().contains("keeps"))
  }
}

@Suite struct CompareViewTests {
  private func text(_ screen: Screen, _ state: State) -> String { screen.draw(state, size: large).text() }

  @Test func viewsFollowEachOtherAndEscapeGoesBack() throws {
    var (screen, state) = try fixtureAnsweredView()
    for word in ["layers", "classes", "confusion", "samples"] {
      _ = play("v", &screen, &state, large)
      #expect(text(screen, state).contains(" \(word) ━┓"))
    }
    _ = play("v", &screen, &state, large)
    #expect(text(screen, state).contains("accuracy %"))
    _ = play("v v esc", &screen, &state, large)
    #expect(text(screen, state).contains("accuracy %"))
  }

  @Test func theLayerUnderTheCursorIsFoundInLayers() throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = play("l v", &screen, &state, large)
    // B has weights alone, of 4 bits, and the stem in float32.
    let frame = text(screen, state)
    #expect(frame.contains("A static-int8 → B weight-int4: "))
    #expect(frame.contains("stem/conv: mode static → float"))
    _ = play("G", &screen, &state, large)
    #expect(text(screen, state).contains("weight bits 8 → 4"))
    _ = play("L", &screen, &state, large)
    #expect(screen.focus == .layers && state.layer == "dense")
    _ = play("3 g enter", &screen, &state, large)
    #expect(screen.focus == .layers && state.layer == "stem/conv")
  }

  @Test func equalLayersAreSaidToBe() throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = play("c v + +", &screen, &state, large)
    #expect(state.currentEntry?.recipe.name == "static-int8")
    // The copy is held against the candidate before it, D, which is float32.
    #expect(text(screen, state).contains("mode float → static"))
    _ = screen.apply(.setBaseline(CandidateID(1)), &state)
    #expect(text(screen, state).contains("have every layer alike."))
    _ = screen.apply(.setSamples(31), &state)
    #expect(text(screen, state).contains("Their recipes differ in calibration."))
    #expect(play("L", &screen, &state, large).isEmpty && screen.focus == .compare)
  }

  /// Every setting that counts in a layer's mode is told, and no other makes layers differ.
  @Test(arguments: Self.edits)
  func whatALayerHasOtherwiseIsTold(_ mode: Mode, _ change: SettingsChange, _ words: String?) throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = screen.apply(.setMarks([]), &state)
    _ = screen.apply(.editDefaults(SettingsChange(mode: mode), title: "mode"), &state)
    _ = screen.apply(.duplicate(CandidateID(1)), &state)
    _ = screen.apply(.setBaseline(CandidateID(1)), &state)
    _ = screen.apply(.edit(layers: ["dense"], change: change, title: "an edit"), &state)
    _ = play("v + + G", &screen, &state, large)
    let frame = text(screen, state)
    #expect(frame.contains(words.map { "dense: \($0)" } ?? "have every layer alike."), "\(frame)")
    // A float layer takes the codes of what only it reads with it: those of pool and flatten, and of the sum before.
    let count = change.mode == .float ? 4 : 1
    #expect(words == nil || frame.contains("\(count) of 7 layers differ"))
  }

  private static func edit(_ make: (inout SettingsChange) -> Void) -> SettingsChange {
    var change = SettingsChange()
    make(&change)
    return change
  }

  static let edits: [(Mode, SettingsChange, String?)] = [
    (.static, SettingsChange(weightBits: 4), "weight bits 8 → 4"),
    (.static, edit { $0.weights.symmetric = false }, "weights symmetric → affine"),
    (.static, edit { $0.weights.granularity = .tensor }, "granularity per channel → per tensor"),
    (.static, edit { $0.weights.method = .gptq }, "rounding nearest → gptq"),
    (.static, edit { $0.weights.scale = .percentile(99.9) }, "weight range max → percentile 99.9"),
    (.static, edit { $0.weights.range = .full }, "codes automatic → full"),
    (.static, edit { $0.corrections = [.biasCorrection] }, "corrections fold → bias corr."),
    (.static, edit { $0.activations.bits = 6 }, "input bits 8 → 6"),
    (.static, edit { $0.activations.reducedRange = true }, "input bits 8 → 8 less one"),
    (.static, edit { $0.activations.symmetric = true }, "inputs affine → symmetric"),
    (.static, edit { $0.activations.observer = .entropy }, "observer mse → entropy"),
    (.dynamic, edit { $0.activations.dynamic = .tensor }, "ranges - → per tensor"),
    (.static, SettingsChange(mode: .float), "mode static → float"),
    (.static, edit { $0.weights.scale = .max }, nil),
    (.static, edit { $0.activations.dynamic = .tensor }, nil),
    (.weightOnly, edit { $0.activations.observer = .entropy }, nil),
    (.weightOnly, edit { $0.activations.bits = 4 }, nil),
    (.float, SettingsChange(weightBits: 3), nil),
  ]

  @Test func theClassThatLosesMostIsFirst() throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = play("l v v + +", &screen, &state, large)
    let worst = try #require(
      fixtureAnswers(25).classes.min { ($0.top1Delta, $0.label) < ($1.top1Delta, $1.label) })
    let line = try #require(text(screen, state).split(separator: "\n").first { $0.contains("▸") })
    let fields = line.split(separator: " ").map(String.init)
    #expect(fields[1] == "\(worst.label)" && fields[2] == "200" && fields[3] == "94.0")
    #expect(fields[5] == Numbers.points(worst.top1Delta, 1))
    #expect(fields[6].hasPrefix(Numbers.points(worst.top1DeltaCi95[0], 1) + "…"))
  }

  @Test func samplesAreThoseThatAreLost() throws {
    var (screen, state) = try fixtureAnsweredView()
    _ = play("v v v v + +", &screen, &state, large)
    let lost = fixtureAnswers(90).moves.filter { $0.kind == .lost }
    let surest = try #require(
      lost.max { ($0.candidateMargin, $1.sample) < ($1.candidateMargin, $0.sample) })
    let frame = text(screen, state)
    #expect(frame.contains("\(lost.count) that float32 gets right and A static-int8 wrong"))
    #expect(frame.contains("sample \(surest.sample) (class \(surest.float32)): float32 says"))
    for move in lost { #expect(frame.contains(" \(move.sample) ")) }
  }

  /// Sessions of before answers were kept, candidates that were never measured, and those that are being measured.
  @Test func withoutAnswersTheViewsSayWhatToDo() throws {
    var state = try fixtureState(fixtureModel())
    _ = state.update(.select(CandidateID(1)))
    var screen = fixtureScreen()
    _ = play("3 v v + +", &screen, &state, large)
    for _ in 0..<3 {
      #expect(
        text(screen, state).contains(
          "A static-int8 was measured before its answers were kept: r measures it."))
      _ = play("v", &screen, &state, large)
    }
    _ = play("v v v", &screen, &state, large)
    let recipe = try #require(state.currentEntry).recipe
    #expect(play("r", &screen, &state, large).contains(.effect(.run(CandidateID(1), recipe))))
    _ = screen.apply(.select(CandidateID(4)), &state)
    #expect(text(screen, state).contains("D float is not measured: r measures it."))
    _ = screen.apply(.select(CandidateID(3)), &state)
    #expect(text(screen, state).contains("Measuring C dynamic-int8 …"))
  }

  @Test func withoutLabelsNothingIsRightOrWrong() throws {
    var (screen, state) = try fixtureAnsweredView(labelled: false)
    _ = play("v v + +", &screen, &state, large)
    #expect(text(screen, state).contains("The data has no labels"))
    _ = play("v", &screen, &state, large)
    #expect(
      text(screen, state).contains("of 2000 samples otherwise")
        && !text(screen, state).contains("right→wrong"))
    _ = play("v", &screen, &state, large)
    #expect(
      text(screen, state).contains("float32 says")
        && text(screen, state).contains("of 2000 samples otherwise"))
  }

  @Test(arguments: ["v", "v v", "v v v", "v v v v"])
  func whatIsSeenIsCopied(_ keys: String) throws {
    var (screen, state) = try fixtureAnsweredView()
    let requests = play("l \(keys) y", &screen, &state, small)
    let copied = requests.contains { request in
      guard case .effect(.copy(let text)) = request else { return false }
      return text.split(separator: "\n").count > 3 && text.contains("B weight-int4") && !text.contains("▸")
    }
    #expect(copied)
  }

  @Test func viewsHaveOnlyAsciiWhereNothingElseIsPossible() throws {
    var (screen, state) = try fixtureAnsweredView(.ascii)
    for _ in 0..<5 {
      #expect(text(screen, state).allSatisfy { $0.isASCII })
      _ = play("v", &screen, &state, large)
    }
  }

  @Test func viewsDrawAtEverySmallSize() throws {
    for keys in ["", "v", "v v", "v v v", "v v v v"] {
      var (screen, state) = try fixtureAnsweredView()
      _ = play("l \(keys) + +", &screen, &state, large)
      for width in 60...64 {
        for height in 16...20 {
          let size = Size(width: width, height: height)
          _ = screen.handle(.resize(size), &state)
          #expect(screen.draw(state, size: size).lines().count == height)
        }
      }
    }
  }
}
