import Synchronization

/// The last answer to a question, kept until another is asked.
///
/// A state or pane that holds one stays a value: copies share what one of them worked out, and a question that differs
/// in anything is worked out anew. Arrays of the question that did not change compare in no time, by their storage.
package final class Memo<Question: Equatable & Sendable, Answer: Sendable>: Sendable {
  private struct Known: Sendable {
    var question: Question
    var answer: Answer
  }

  private let known = Mutex<(last: Known?, answers: Int)>((nil, 0))

  package init() {}

  /// How many answers were worked out.
  package var answers: Int { known.withLock { $0.answers } }

  package func answer(_ question: Question, by work: () -> Answer) -> Answer {
    if let last = known.withLock({ $0.last }), last.question == question { return last.answer }
    let answer = work()
    known.withLock { $0 = (Known(question: question, answer: answer), $0.answers + 1) }
    return answer
  }
}
