import Evaluation
import Interface
import Workbench
import Workflows

/// What views of a candidate's answers have in common: whose they are, and what stands there without them.
struct CompareAnswers {
  /// `nil` without a candidate.
  let title: String?
  let answers: Answers?
  private let shown: Shown?
  private let names: [String]
  private let keys: KeyLabels

  init(_ state: State) {
    let entry = state.currentEntry
    title = entry?.title
    shown = entry.map { state.shown($0) }
    answers = shown?.answers
    names = state.project?.classNames ?? []
    keys = state.keys
  }

  /// Number and name of a class.
  func name(_ label: Int) -> String {
    names.indices.contains(label) ? "\(label) \(names[label])" : "\(label)"
  }

  private var inquiry: Inquiry {
    switch shown?.status {
    case .queued: .waiting(nil)
    case .running(let fraction): .waiting(fraction)
    case .training: .waiting(nil)
    case .failed(let message): .failed(message)
    case .done: .done
    case .notRun, nil: .notAsked
    }
  }

  /// What is under way or wrong, or that the answers are of an older recipe.
  var notice: [Run]? {
    title.flatMap {
      InquiryNotice.runs(
        inquiry, title: $0, doing: "measuring", isStale: shown?.isStale ?? false,
        again: "\(keys["run"]) measures again")
    }
  }

  /// Why there is nothing to see; `nil` where there are answers of class scores.
  var emptiness: String? {
    guard let title else { return keys.noCandidate }
    switch inquiry {
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return "Measuring \(title) …\(share) Its answers appear when it is done."
    case .failed(let message) where answers == nil: return "\(title): \(message). \(keys["run"]) tries again."
    default: break
    }
    guard let answers else {
      return shown?.trial == nil
        ? "\(title) is not measured: \(keys["run"]) measures it."
        : "\(title) was measured before its answers were kept: \(keys["run"]) measures it."
    }
    return answers.classCount == 0 ? "The model's output is not a row of class scores." : nil
  }

  static let noLabels = "The data has no labels, so that no answer is right or wrong."

  static func points(_ delta: Double) -> Run {
    Run(Numbers.points(delta, 1), delta < 0 ? .bad : delta > 0 ? .good : .muted)
  }

  /// How many samples are answered otherwise, and what that did.
  func moved(width: Int) -> String {
    guard let answers, let title else { return "" }
    let all = "\(answers.moves.count) of \(answers.evaluated.count) samples"
    guard answers.isLabelled else { return "\(title) answers \(all) otherwise" }
    let (lost, gained) = (answers.count(.lost), answers.count(.gained))
    let forms = [
      "\(title) answers \(all) otherwise: \(lost) right→wrong, \(gained) wrong→right, \(answers.count(.otherWrong)) wrong→other",
      "\(all) answered otherwise: \(lost) lost, \(gained) gained", "\(all): \(lost) lost, \(gained) gained",
    ]
    return forms.first { CharacterWidth.of($0) <= width } ?? forms[2]
  }
}
