import Foundation
import Interface
import Panes
import Screen
import Testing
import Workbench

private let sizes = [(60, 16), (80, 24), (100, 30), (110, 30), (120, 36), (200, 60)]

/// The least a pane may have of the screen, frame included.
private func isLargeEnough(_ place: Layout.Place) -> Bool {
  place.area.width >= 20 && place.area.height >= 4
}

/// Every line at its ends and in the middle, each alone and all together: nothing overlaps, nothing is lost, no pane
/// gets too small.
@Test(arguments: sizes)
func linesBetweenPanesCanBeAnywhereInBounds(width: Int, height: Int) {
  var settings = [Proportions()]
  for share in [0.0, 0.02, 0.3, 0.5, 0.77, 1] {
    for split in Proportions.Split.allCases {
      var one = Proportions()
      one[split] = share
      settings.append(one)
    }
    var all = Proportions()
    var mixed = Proportions()
    for (index, split) in Proportions.Split.allCases.enumerated() {
      all[split] = share
      mixed[split] = index.isMultiple(of: 2) ? share : 1 - share
    }
    settings += [all, mixed]
  }
  for proportions in settings {
    for focus in PaneKind.allCases {
      for zoom in [Layout.Zoom.normal, .half, .full] {
        let layout = Layout(
          size: Size(width: width, height: height), focus: focus, tab: .compare, zoom: zoom,
          proportions: proportions)
        #expect(layout.place(of: focus) != nil)
        var covered = 0
        for (index, place) in layout.places.enumerated() {
          covered += place.area.width * place.area.height
          #expect(isLargeEnough(place), "\(place) of \(proportions)")
          for other in layout.places[(index + 1)...] { #expect(place.area.intersection(other.area).isEmpty) }
        }
        #expect(covered == width * (height - 3))
        if zoom != .normal { #expect(layout.dividers.isEmpty) }
        // A line put where it is stays there.
        for divider in layout.dividers {
          var same = proportions
          same[divider.split] = divider.share(at: divider.position)
          let again = Layout(
            size: Size(width: width, height: height), focus: focus, tab: .compare, zoom: zoom,
            proportions: same)
          #expect(again.dividers.first { $0.split == divider.split }?.position == divider.position)
        }
      }
    }
  }
}

@Test func everyPaneOfTheFullScreenCanBeMadeWiderAndHigher() {
  let size = Size(width: 120, height: 36)
  for kind in PaneKind.allCases {
    for isVertical in [true, false] {
      let layout = Layout(
        size: size, focus: kind, tab: kind, plot: kind == .training ? .training : .histogram, zoom: .normal)
      guard let before = layout.place(of: kind)?.area,
        let (divider, way) = layout.divider(of: kind, isVertical: isVertical)
      else {
        Issue.record("\(kind) has no line")
        continue
      }
      var proportions = Proportions()
      proportions[divider.split] = divider.share(at: divider.position + 2 * way)
      let after = Layout(size: size, focus: kind, tab: kind, zoom: .normal, proportions: proportions)
        .place(of: kind)?.area
      #expect((isVertical ? after?.width : after?.height) == (isVertical ? before.width : before.height) + 2)
    }
  }
}

@Test func keysMoveTheLinesUpToTheirEndsAndPutThemBack() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: 120, height: 36)
  _ = play("", &screen, &state, size)
  let before = screen.draw(state, size: size).text()
  func kept(_ requests: [Request]) -> Int {
    requests.count { request in
      if case .keep = request { true } else { false }
    }
  }
  #expect(kept(play("> > }", &screen, &state, size)) == 3)
  let wide = screen.draw(state, size: size)
  #expect(wide[53, 1].text == "┓" && wide.lines()[14].hasPrefix("┗"))
  let further = [String](repeating: ">", count: 40).joined(separator: " ")
  #expect((1..<40).contains(kept(play(further, &screen, &state, size))))
  #expect(screen.draw(state, size: size).text().contains("No pane gets smaller than that."))
  // The size of another screen: the same shares.
  #expect(screen.draw(state, size: Size(width: 200, height: 60)).lines().count == 60)
  #expect(play("=", &screen, &state, size).contains(.keep(Proportions())))
  _ = play("1", &screen, &state, size)
  #expect(screen.draw(state, size: size).text() == before)
  _ = play("+ >", &screen, &state, size)
  #expect(screen.draw(state, size: size).text().contains("The pane is zoomed"))
}

@Test func theMouseDragsALine() throws {
  var state = try fixtureState(fixtureModel())
  var screen = fixtureScreen()
  let size = Size(width: 120, height: 36)
  _ = play("", &screen, &state, size)
  for (focus, divider) in try [
    (PaneKind.layers, true), (.compare, true), (.pareto, true), (.config, false), (.jobs, false),
  ]
  .map({ ($0.0, try #require(screen.layout.divider(of: $0.0, isVertical: $0.1)).divider) }) {
    // Each of the two lines of frames that meet can be held.
    for side in 0...1 {
      _ = play("= \(focus.rawValue)", &screen, &state, size)
      let grip = divider.grip
      let from =
        divider.isVertical
        ? Point(x: grip.x + side, y: grip.y + grip.height / 2)
        : Point(x: grip.x + 3, y: grip.y + side)
      let to = divider.isVertical ? Point(x: from.x - 2, y: from.y) : Point(x: from.x, y: from.y - 2)
      #expect(screen.handle(.mouse(Mouse(at: from, .press(.left))), &state).isEmpty)
      #expect(screen.handle(.mouse(Mouse(at: to, .drag(.left))), &state).isEmpty)
      let moved = try #require(screen.layout.dividers.first { $0.split == divider.split })
      #expect(moved.position == divider.position - 2, "\(divider.split)")
      let released = screen.handle(.mouse(Mouse(at: to, .release(.left))), &state)
      #expect(released == [.keep(screen.proportions)])
      _ = screen.handle(.mouse(Mouse(at: from, .drag(.left))), &state)
      #expect(screen.layout.dividers.first { $0.split == divider.split }?.position == moved.position)
    }
  }
}

@Test func whatWasKeptIsReadAgainAndRubbishIsNot() throws {
  var proportions = Proportions()
  proportions[.columns] = 0.375
  proportions[.plotsFromJobs] = 1
  let data = try JSONEncoder().encode(proportions)
  #expect(try JSONDecoder().decode(Proportions.self, from: data) == proportions)
  let odd = Data(#"{"columns": 7, "elsewhere": 0.5, "plots/jobs": -1, "layers/config": 0.25}"#.utf8)
  var rest = Proportions()
  rest[.layersFromConfig] = 0.25
  #expect(try JSONDecoder().decode(Proportions.self, from: odd) == rest)
  #expect(throws: (any Error).self) { try JSONDecoder().decode(Proportions.self, from: Data("[1]".utf8)) }
}
