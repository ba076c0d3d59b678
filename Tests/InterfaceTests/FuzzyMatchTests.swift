import Foundation
import Interface
import Testing

@Suite struct FuzzyMatchTests {
  @Test func lettersAreFoundInOrder() {
    #expect(FuzzyMatch("rst", in: "run-stale")?.places == [0, 4, 5])
    #expect(FuzzyMatch("STALE", in: "run-stale")?.places == [4, 5, 6, 7, 8])
    #expect(FuzzyMatch("tsr", in: "run-stale") == nil)
    #expect(FuzzyMatch("run-stales", in: "run-stale") == nil)
    #expect(FuzzyMatch("", in: "run") == nil && FuzzyMatch("a", in: "") == nil)
  }

  @Test func startsOfWordsAndNeighboursWin() {
    // The m of "mark" and not that of "unmark"; the run of letters and not the scattered ones.
    #expect(FuzzyMatch("ma", in: "unmark mark")?.places == [7, 8])
    #expect(FuzzyMatch("bits", in: "b i t s bits")?.places == [8, 9, 10, 11])
    #expect(FuzzyMatch("rD", in: "reDraw")?.places == [0, 2])
  }

  @Test(arguments: [
    ("run", ["run", "run all", "prune"]), ("undo", ["undo", "un do", "under no"]),
    ("zo", ["zoom", "zoom out", "horizon"]),
  ])
  func theBetterMatchScoresHigher(query: String, texts: [String]) {
    let scores = texts.map { FuzzyMatch(query, in: $0)?.score ?? .min }
    #expect(scores == scores.sorted(by: >) && scores.allSatisfy { $0 > .min }, "\(scores)")
  }

  @Test func sentencesAreFoundFromStartsOfWords() {
    let text = "Make a candidate from a preset."
    #expect(FuzzyMatch("candid", in: text, manner: .fromWordStarts)?.places == [7, 8, 9, 10, 11, 12])
    #expect(FuzzyMatch("cafrom", in: text, manner: .fromWordStarts)?.places == [7, 8, 17, 18, 19, 20])
    #expect(FuzzyMatch("andid", in: text, manner: .fromWordStarts) == nil)
    #expect(FuzzyMatch("andid", in: text) != nil)
  }

  /// By trying every way on short texts.
  @Test func theScoreIsTheBestOfAllWays() {
    func best(_ word: [Character], _ text: [Character], from: Int, last: Int?) -> Int? {
      guard let letter = word.first else { return 0 }
      var most: Int?
      for place in from..<text.count where text[place] == letter {
        let isStart = place == 0 || text[place - 1] == "-"
        var own = 16 + (isStart ? 10 : 0)
        if let last { own += place == last + 1 ? 14 : -(place - last - 1) } else { own -= min(place, 9) }
        if let rest = best(Array(word.dropFirst()), text, from: place + 1, last: place) {
          most = max(most ?? .min, own + rest)
        }
      }
      return most
    }
    let letters: [Character] = ["a", "b", "-"]
    for code in 0..<729 {
      let text = (0..<6).map { letters[code / [1, 3, 9, 27, 81, 243][$0] % 3] }
      for word in ["ab", "aba", "bb"] {
        let expected = best(Array(word), text, from: 0, last: nil)
        #expect(FuzzyMatch(word, in: String(text))?.score == expected, "\(word) in \(String(text))")
      }
    }
  }

  @Test func foundCharactersAreMarked() {
    #expect(FuzzyMatch.highlight("s1.Conv1", [3, 4, 5, 6]) == [Run("s1."), Run("Conv", .match), Run("1")])
    #expect(FuzzyMatch.highlight("abc", []) == [Run("abc")] && FuzzyMatch.highlight("", [1]) == [])
  }
}

@Suite struct MenuTests {
  private func menu(_ query: String = "") -> Menu {
    Menu(
      items: (0..<12).map {
        Menu.Item(id: "id-\($0)", title: "title \($0)", section: $0 < 3 ? "First" : "Second")
      },
      query: query)
  }

  @Test func headingsAreNoItems() {
    var menu = menu()
    #expect(menu.rowCount == 14)
    let area = Rect(x: 0, y: 0, width: 20, height: 6)
    func lines() -> [String] {
      var canvas = Canvas(Size(width: 20, height: 6))
      menu.draw(on: &canvas, in: area)
      return canvas.lines().map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(lines() == ["First", "title 0", "title 1", "title 2", "Second", "title 3"])
    #expect(menu.index(at: Point(x: 1, y: 0), in: area) == nil)
    #expect(menu.index(at: Point(x: 1, y: 5), in: area) == 3)
    menu.move(.last, visible: 6)
    #expect(menu.selected == 11 && lines().last == "title 11")
    menu.move(.first, visible: 6)
    #expect(
      menu.selected == 0 && lines().first == "First", "the heading comes into sight with its first item")
    for _ in 0..<3 { menu.move(.down, visible: 6) }
    #expect(menu.selected == 3)
  }

  @Test func theBestComesFirst() {
    #expect(menu("title 7").selected == 7)
    #expect(menu("id-10").matching.first == 10)
    #expect(menu("11").selected == 11)
  }
}
