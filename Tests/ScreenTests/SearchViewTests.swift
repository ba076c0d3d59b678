import Analysis
import Foundation
import Interface
import Jobs
import Quantization
import Screen
import Testing
import Workbench

/// A made-up front over the fixture's sizes: costs fall by half from point to point, `measured` of them measured.
func fixtureFront(measured: Int, overTime: Bool = false, isDone: Bool = false) -> SearchFront {
  var front = SearchFront(goal: overTime ? .latency : .size, overTime: overTime, floatBytes: 31_000)
  for index in 0..<12 {
    var point = SearchFront.Point(
      picks: [index], recipe: Recipe(name: "mixed-\(index)"),
      layers: ["W4": 12 - index, "W8": index].filter { $0.value > 0 }, bytes: 4_300 + 450 * index,
      latencyRatio: overTime ? 0.4 + 0.04 * Double(index) : nil, predicted: 0.2 * pow(0.5, Double(index)))
    if index % 3 == 1, index / 3 < measured {
      point.distance = point.predicted * 1.25
      point.measured = try? JSONDecoder().decode(
        SearchReport.Distance.self,
        from: Data("{\"kl\": \(point.predicted * 1.25), \"agreement\": 0.98\(index)}".utf8))
      point.isTimed = overTime
    }
    point.isChosen = isDone && index == 7
    front.put(point)
  }
  return front
}

private let job = JobID(9)

/// A search as it goes on, its dialog open.
func fixtureSearchView(
  _ size: Size, _ glyphs: Glyphs = .unicode, front: SearchFront?, isDone: Bool = false
) throws -> (Screen, State) {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen(glyphs)
  let requests = play("S enter", &screen, &state, size)
  let request = try #require(state.search.request)
  #expect(requests == [.effect(.search(request))])
  _ = screen.apply(.searchStarted(job, request), &state)
  let running = JobStatus(
    id: job, title: "search", state: .running, fraction: 0.47, note: "front: point 2 of 10", seconds: 8)
  _ = screen.apply(.jobChanged(running), &state)
  if let front { _ = screen.apply(.searchFound(request, front), &state) }
  if isDone {
    _ = screen.apply(.jobChanged(JobStatus(id: job, title: "search", state: .done, seconds: 9)), &state)
  }
  return (screen, state)
}

@Test(arguments: [
  ("search-form-80x24", 80, 24, "S right right"),
  ("search-form-120x36", 120, 36, "S j j right"),
])
func searchForms(name: String, width: Int, height: Int, keys: String) throws {
  let size = Size(width: width, height: height)
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test(arguments: [
  ("search-80x24", 80, 24, "left left left left", 4),
  ("search-live-120x36", 120, 36, "g", 1),
])
func searchFrames(name: String, width: Int, height: Int, keys: String, measured: Int) throws {
  let size = Size(width: width, height: height)
  let isDone = measured == 4
  var (screen, state) = try fixtureSearchView(
    size, front: fixtureFront(measured: measured, isDone: isDone), isDone: isDone)
  _ = play(keys, &screen, &state, size)
  try expectGolden(name, screen.draw(state, size: size).text())
}

@Test(arguments: [(60, 16), (80, 24), (120, 36)])
func theSearchHasAnASCIIForm(width: Int, height: Int) throws {
  let size = Size(width: width, height: height)
  var (screen, state) = try fixtureSearchView(
    size, .ascii, front: fixtureFront(measured: 4, overTime: true, isDone: true), isDone: true)
  let text = screen.draw(state, size: size).text()
  #expect(text.allSatisfy { $0.isASCII })
  try expectGolden("search-ascii-\(width)x\(height)", text)
  _ = play("tab", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().allSatisfy { $0.isASCII })
}

/// The budget picks points at once, predictions marked, and one becomes a candidate.
@Test func theBudgetSelectsWithoutMeasuring() throws {
  let size = Size(width: 80, height: 24)
  var (screen, state) = try fixtureSearchView(
    size, front: fixtureFront(measured: 4, isDone: true), isDone: true)
  func text() -> String { screen.draw(state, size: size).text() }
  #expect(text().contains("★ 5×W4 7×W8: 7.3 KiB") && text().contains("agrees on 98.70 %"))
  #expect(!text().contains("~"))
  #expect(play("left", &screen, &state, size).isEmpty, "nothing is asked of the world")
  #expect(text().contains("~ 6×W4 6×W8: 6.8 KiB") && text().contains("KL ~0.0039, predicted"))
  _ = play("g", &screen, &state, size)
  #expect(text().contains("~ 12×W4: 4.2 KiB"))
  _ = play("left l l", &screen, &state, size)
  let before = state.candidates.count
  _ = play("G enter", &screen, &state, size)
  #expect(state.candidates.count == before + 1 && state.currentEntry?.recipe.name == "mixed-11")
  #expect(!text().contains("budget"))
  // It is still there.
  _ = play("S", &screen, &state, size)
  #expect(text().contains("budget") && text().contains("4 networks measured, 8 predicted"))
}

@Test func theDialogSaysWhatGoesOnAndCancelsIt() throws {
  let size = Size(width: 80, height: 24)
  var (screen, state) = try fixtureSearchView(size, front: nil)
  func text() -> String { screen.draw(state, size: size).text() }
  #expect(text().contains("searching … 47 %  front: point 2 of 10"))
  #expect(play("left enter", &screen, &state, size).isEmpty, "there is nothing to open yet")
  #expect(play("tab enter", &screen, &state, size).isEmpty, "one at a time")
  #expect(text().contains("A search goes on; x cancels it."))
  #expect(play("tab x", &screen, &state, size) == [.effect(.cancel(job))])
  let request = try #require(state.search.request)
  _ = screen.apply(.searchFound(request, fixtureFront(measured: 2)), &state)
  _ = play("esc", &screen, &state, size)
  _ = screen.apply(.jobChanged(JobStatus(id: job, title: "search", state: .cancelled)), &state)
  _ = play("S", &screen, &state, size)
  #expect(text().contains("cancelled. tab goes to the settings.") && text().contains("budget"))
  // Settings are kept, and what cannot be searched for says why.
  _ = play("tab right right", &screen, &state, size)
  #expect(text().contains("accuracy loss") && text().contains("bound the size or the time"))
  #expect(play("enter", &screen, &state, size).isEmpty)
  _ = play("down down right", &screen, &state, size)
  #expect(play("enter", &screen, &state, size).count == 1 && state.search.request?.minCompression == 2)
}

@Test func theSearchDrawsAtEverySmallSize() throws {
  for front in [nil, fixtureFront(measured: 0), fixtureFront(measured: 4, isDone: true)] {
    let (screen, state) = try fixtureSearchView(Size(width: 60, height: 16), front: front)
    for width in stride(from: 60, through: 70, by: 2) {
      #expect(screen.draw(state, size: Size(width: width, height: 16)).lines().count == 16)
    }
  }
}

/// What was found under other conditions carries a mark on every figure.
@Test func whatNeedNotHoldIsMarked() throws {
  let size = Size(width: 80, height: 24)
  var (screen, state) = try fixtureSearchView(
    size, front: fixtureFront(measured: 4, isDone: true), isDone: true)
  var session = state.session
  session.findings.search = Findings.Search(
    request: try #require(state.search.request), front: try #require(state.search.front))
  session.findings.isStale = true
  let project = try #require(state.project)
  _ = play("esc", &screen, &state, size)
  _ = screen.apply(.opened(project, session), &state)
  _ = play("S", &screen, &state, size)
  let text = screen.draw(state, size: size).text()
  #expect(text.contains("~ other model, data, version or CPU; tab enter searches"))
  #expect(text.contains("~ 5×W4 7×W8: 7.3 KiB") && text.contains("KL ~0.0020"))
  #expect(text.contains("agrees on ~98.70 %"))
}
