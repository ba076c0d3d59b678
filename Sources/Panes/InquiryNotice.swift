import Interface
import Workbench

/// The line above figures that jobs find: what is under way or wrong, or that they are of an older recipe.
enum InquiryNotice {
  /// - Parameters:
  ///   - doing: what the job does to the candidate: `measuring`.
  ///   - again: the key that does it anew: `r measures again`.
  /// - Returns: `nil` where there is nothing to say.
  static func runs(
    _ status: Inquiry, title: String, doing: String, isStale: Bool, again: String
  ) -> [Run]? {
    switch status {
    case .waiting(let fraction):
      let share = fraction.map { " \(Numbers.percent($0, 0)) %" } ?? ""
      return [Run("\(doing) \(title) …\(share)", .info)]
    case .failed(let message): return [Run(message, .bad)]
    case .notAsked, .done:
      return isStale ? [Run("~ as before the last change; \(again)", .stale)] : nil
    }
  }
}
