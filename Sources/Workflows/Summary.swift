import Foundation

extension Trial {
  /// One line: accuracy or perplexity, what it cost, size and speed.
  package var summary: String {
    var parts: [String] = []
    if let perplexity { parts.append(String(format: "perplexity %.3f", perplexity)) }
    if let perplexityDelta { parts.append(String(format: "%+.3f", perplexityDelta)) }
    if perplexity == nil, let top1 { parts.append(String(format: "%.2f %%", top1 * 100)) }
    if perplexity == nil, let top1Delta { parts.append(String(format: "%+.2f", top1Delta * 100)) }
    if top1 == nil, let agreement { parts.append(String(format: "%.2f %% agree", agreement * 100)) }
    if top1 == nil, let sqnrDb { parts.append(String(format: "%.1f dB", sqnrDb)) }
    if let compression { parts.append(String(format: "%.2f× smaller", compression)) }
    if let speedup, execution != .simulated { parts.append(String(format: "%.2f× the speed", speedup)) }
    if execution == .simulated { parts.append("simulated") }
    return parts.joined(separator: "  ")
  }
}
