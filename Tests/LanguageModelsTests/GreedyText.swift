import Execution
import Foundation
import Graph
import LanguageModels
import Testing

/// Greedy text of the shared model against the plain PyTorch forward pass of the whole text for every token.
///
/// The tokens are those of Tests/Fixtures/greedy.py; the two largest logits are never closer than 0.002.
@Suite struct GreedyText {
  struct Continuation: Sendable {
    var prompt: [Int]
    var tokens: [Int]
  }

  private static let path: String = {
    let shared =
      ProcessInfo.processInfo.environment["LATHE_SHARED"]
      ?? URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("shared").path
    return shared + "/models/llm/tinystories-656K"
  }()

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: path), "the shared models are not here"),
    arguments: continuations, [1, 2])
  func isThatOfPyTorch(_ expected: Continuation, threads: Int) throws {
    let model = try LanguageModel.open(Self.path)
    let generator = try Generator(
      EncodedGraph(graph: model.graph), .init(context: model.positions, threads: threads))
    let found = try generator.generate(expected.prompt, limit: expected.tokens.count)
    #expect(found.tokens == expected.tokens)
    #expect(
      generator.steps.allSatisfy { !$0.kernel.hasPrefix("reference") }, "\(generator.steps.map(\.kernel))")
  }

  static let continuations = [
    Continuation(
      prompt: [1, 80, 147, 201, 282, 215, 286, 598, 629, 10],
      tokens: [
        208, 183, 209, 210, 2, 990, 1726, 1061, 178, 921, 356, 819, 241, 294, 144, 1083, 353, 486, 303, 328,
        552, 319, 1269, 776, 115, 133, 114, 100, 1148, 92, 274, 776, 204, 1578, 1180, 294, 271, 1153, 498,
        452, 417, 303, 204, 50, 233, 305, 276, 1470, 649, 119, 358, 285, 1900, 521, 140, 775, 369, 1762,
        467, 545, 206, 336, 303, 569, 928, 294, 271, 663, 467, 545, 206, 1603, 377, 1387, 307, 791, 1484,
        93, 307, 790, 377, 1387, 307, 791, 1484, 93, 307, 790, 377, 1387, 307, 791, 1484, 93, 307, 831,
        1949, 490, 217, 1435, 307, 790, 377, 1387, 307, 790, 377, 1387, 307, 790, 1669, 93, 307, 790, 1669,
        119, 144, 377, 1387, 307, 790, 1669, 119, 144, 377, 1387, 307, 790, 1669, 119, 144, 377, 1387, 307,
        831, 1949, 490, 217, 1435, 307, 790, 377, 1387, 307, 790, 377, 1387, 307, 790, 1669, 119, 144, 377,
        1387, 307, 790, 1669, 119, 144, 377, 1387, 307, 790, 1669, 119, 144, 377, 1387, 307, 790, 1669, 119,
        144, 377, 1387, 307, 790, 1669, 119, 144, 377, 1387, 307, 790, 1669, 119, 144, 377, 1387, 307, 790,
        1669, 119, 144, 377, 1387, 307, 790, 1669, 119,
      ]),
    Continuation(
      prompt: [1, 80, 247, 401, 1610, 131],
      tokens: [
        267, 604, 94, 1030, 1063, 115, 1550, 734, 1550, 176, 855, 238, 1354, 140, 328, 319, 758, 1657, 1688,
        140, 377, 846, 720, 365, 1030, 94, 369, 266, 498, 452, 417, 1030, 655, 192, 122, 832, 1776, 252, 95,
        953, 587, 1561, 140, 645, 731, 231, 864, 748, 753, 1188, 108, 521, 140, 645, 1188, 108, 521, 748,
        753, 1188, 108, 521, 140, 645, 1188, 108, 521, 748, 753, 1188, 108, 521, 122, 1949, 77, 404, 521,
        295, 829, 1329, 474, 1063, 115, 720, 140, 645, 731, 1184, 108, 521, 748, 753, 1188, 108, 521, 140,
        645, 1188, 108, 521, 748, 753, 1188, 108, 521, 295, 829, 474, 140, 645, 1629, 521, 748, 753, 1188,
        108, 521, 295, 829, 474, 122, 1949, 77, 404, 521, 295, 829, 1329, 474, 1063, 115, 1139, 154, 100,
        753, 1188, 108, 521, 295, 829, 75, 443, 738, 152, 521, 89, 1329, 474, 263, 832, 115, 1381, 1063,
        115, 986, 496, 140, 1797, 1786, 221, 178, 102, 1268, 57, 10, 208, 183, 209, 210, 2, 234, 167, 198,
        1960, 672, 1451, 550, 561, 284, 119, 10, 208, 183, 209, 210, 2, 234, 165, 10, 208, 183, 209, 210, 2,
        234, 266, 245, 716, 970, 298,
      ]),
  ]
}
