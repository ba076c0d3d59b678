import Evaluation
import Foundation
import Tensors
import Testing

@Suite struct SampleSetTests {
  /// Every set of places 0…5 against every other, as `Set` has it.
  @Test func setsCountAndMeetAsSetsDo() throws {
    let all = (0..<64).map { bits in Set((0..<6).filter { bits >> $0 & 1 == 1 }) }
    for a in all {
      let runs = SampleSet(a)
      #expect(runs.count == a.count && (-1...6).allSatisfy { runs.contains($0) == a.contains($0) })
      #expect(try JSONDecoder().decode(SampleSet.self, from: JSONEncoder().encode(runs)) == runs)
      for b in all { #expect(runs.common(SampleSet(b)) == a.intersection(b).count) }
    }
    #expect(SampleSet([4, 3, 3, 9]) == SampleSet([9, 4, 3]))
    #expect(
      String(decoding: try JSONEncoder().encode(SampleSet([4, 3, 9])), as: UTF8.self) == "[[3,2],[9,1]]")
  }

  @Test(arguments: [
    "3", "[3]", "[[3]]", "[[3,0]]", "[[3,-1]]", "[[-1,2]]", "[[3,2],[4,1]]", "[[9223372036854775807,1]]",
    "[[0,9223372036854775807]]", "[[1,2,3]]",
  ])
  func damagedRunsAreErrors(_ text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(SampleSet.self, from: Data(text.utf8))
    }
  }
}

@Suite struct AnswersTests {
  private static let classes = 4

  /// Scores of a network that answers `answers` to samples of `labels`, each by a margin drawn at random.
  private func scores(_ answers: [Int], labels: [Int], _ random: inout SplitMix64) -> Scores {
    var scores = Scores()
    for (index, answer) in answers.enumerated() {
      let row = Tensor(
        (0..<Self.classes).map { Float(random.unit()) + ($0 == answer ? 2 : 0) }, shape: [1, Self.classes])
      scores.add(
        [row], reference: [row], classes: 0, labels: labels.isEmpty ? [] : [labels[index]], count: 1)
    }
    return scores
  }

  private func draw(_ count: Int, near: [Int]? = nil, _ random: inout SplitMix64) -> [Int] {
    (0..<count).map { index in
      if let near, random.unit() < 0.6 { return near[index] }
      return Int(random.next() % UInt64(Self.classes))
    }
  }

  /// Two candidates evaluated on samples that only partly are the same, counted sample by sample.
  @Test(arguments: 0..<20) func candidatesArePairedOnTheSamplesBothHave(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let count = 60
    let labels = draw(count, &random)
    let float32 = draw(count, near: labels, &random)
    let answers = [draw(count, near: float32, &random), draw(count, near: float32, &random)]
    let places = (0..<2).map { _ in (0..<count).filter { _ in random.unit() < 0.7 }.reversed() as [Int] }
    let made = (0..<2).map { which in
      func part(_ all: [Int]) -> [Int] { places[which].map { all[$0] } }
      return Answers(
        scores(part(answers[which]), labels: part(labels), &random),
        reference: scores(part(float32), labels: part(labels), &random), places: places[which])
    }
    var expected = PairedDifference(samples: 0, lost: 0, gained: 0)
    for place in Set(places[0]).intersection(places[1]) {
      let right = answers.map { $0[place] == labels[place] }
      expected.samples += 1
      expected.lost += right[0] && !right[1] ? 1 : 0
      expected.gained += right[1] && !right[0] ? 1 : 0
    }
    #expect(made[1].difference(from: made[0]) == expected)
    for (which, answer) in made.enumerated() {
      let moved = places[which].sorted().filter { float32[$0] != answers[which][$0] }
      #expect(answer.moves.map(\.sample) == moved && answer.classCount == Self.classes)
      #expect(answer.moves.allSatisfy { $0.label == labels[$0.sample] && $0.candidateMargin > 0 })
      #expect(answer.count(.lost) == moved.count { float32[$0] == labels[$0] })
      #expect(answer.count(.gained) == moved.count { answers[which][$0] == labels[$0] })
      #expect(answer.classes.reduce(0) { $0 + $1.samples } == places[which].count)
      let lost = answer.classes.reduce(0.0) { $0 + $1.top1Delta * Double($1.samples) }
      #expect(abs(lost - Double(answer.count(.gained) - answer.count(.lost))) < 1e-9)
      #expect(try JSONDecoder().decode(Answers.self, from: JSONEncoder().encode(answer)) == answer)
    }
  }

  @Test func movesAreCountedPairByPair() {
    func move(_ sample: Int, _ label: Int?, _ float32: Int, _ candidate: Int) -> Move {
      Move(
        sample: sample, label: label, float32: float32, candidate: candidate, float32Margin: 0.5,
        candidateMargin: 0.1)
    }
    let answers = Answers(
      classCount: 4, evaluated: SampleSet(0..<9), classes: [],
      moves: [move(0, 2, 1, 2), move(1, 1, 1, 2), move(2, 3, 1, 2), move(4, 0, 3, 0), move(5, nil, 3, 1)])
    #expect(
      answers.confusion == [
        Confusion(float32: 1, candidate: 2, count: 3, lost: 1, gained: 1),
        Confusion(float32: 3, candidate: 0, count: 1, lost: 0, gained: 1),
        Confusion(float32: 3, candidate: 1, count: 1, lost: 0, gained: 0),
      ])
    #expect(answers.confusion[0].otherWrong == 1)
    #expect(answers.difference(from: answers) == nil, "nothing is right or wrong without labels")
  }

  /// 0.5 − 0.25 of a row that is a distribution, and (e² − 1) / (e² + 3) of one that is not.
  @Test func theMarginIsADifferenceOfProbabilities() {
    var scores = Scores()
    let rows = Tensor([0.25, 0.5, 0.125, 0.125, 2, 0, 0, 0] as [Float], shape: [2, 4])
    scores.add([rows], reference: [rows], classes: 0, labels: [], count: 2)
    let softmax = (exp(2.0) - 1) / (exp(2.0) + 3)
    #expect(abs(scores.margins[0] - 0.25) < 1e-6 && abs(Double(scores.margins[1]) - softmax) < 1e-6)
    #expect(scores.classCount == 4)
  }

  @Test func appendingKeepsLabels() {
    var random = SplitMix64(seed: 1)
    let labels = draw(30, &random)
    let answers = draw(30, near: labels, &random)
    var again = SplitMix64(seed: 2)
    let whole = scores(answers, labels: labels, &again)
    again = SplitMix64(seed: 2)
    var parts = scores(Array(answers[..<11]), labels: Array(labels[..<11]), &again)
    parts.append(scores(Array(answers[11...]), labels: Array(labels[11...]), &again))
    #expect(
      parts.labels == whole.labels && parts.margins == whole.margins && parts.predicted == whole.predicted)
    #expect(parts.classChanges(from: whole) == whole.classChanges(from: whole))
  }
}
