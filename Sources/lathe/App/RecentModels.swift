import Foundation
import Workbench

/// The models opened last, with their data, in a file of their own.
struct RecentModels: Sendable {
  let path: String
  private static let most = 20

  private struct Entry: Codable {
    var model: String
    var data: String?
    var trainData: String?
  }

  /// The last one first; what cannot be read is as good as none.
  func load() -> [OpenRequest] {
    guard let data = FileManager.default.contents(atPath: path),
      let entries = try? JSONDecoder().decode([Entry].self, from: data)
    else { return [] }
    return entries.map { OpenRequest(model: $0.model, data: $0.data, trainData: $0.trainData) }
  }

  /// Puts a model on top, in place of what was kept of it before.
  func add(_ request: OpenRequest) throws {
    func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
    let new = Entry(
      model: absolute(request.model), data: request.data.map(absolute),
      trainData: request.trainData.map(absolute))
    let old = load().filter { $0.model != new.model }.map {
      Entry(model: $0.model, data: $0.data, trainData: $0.trainData)
    }
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try encoder.encode(Array(([new] + old).prefix(Self.most))).write(
      to: URL(fileURLWithPath: path), options: .atomic)
  }
}
