import Foundation
import Glibc
import Quantization
import Workflows

/// The files of a session: `session.json` and `findings.json` (replaced as a whole) and `trials.jsonl` (a line per result,
/// appended).
///
/// One program writes at a time: a second one gets a store that only reads. Used from one thread.
package final class SessionStore {
  package let folder: String
  /// Why nothing may be written, or `nil`.
  package private(set) var readOnlyReason: String?
  /// What reading found odd.
  package private(set) var warnings: [String] = []
  private var lock: Int32 = -1
  private let conditions: Conditions

  /// What results depend on beside the recipe: accuracy on the first three, latency on all.
  package struct Conditions: Sendable, Hashable, Codable {
    package var model: String
    package var data: String
    package var numerics: Int
    package var machine: Machine

    package init(model: String, data: String, numerics: Int, machine: Machine) {
      self.model = model
      self.data = data
      self.numerics = numerics
      self.machine = machine
    }

    /// Whether accuracy measured under the others holds.
    fileprivate func keepAccuracy(of other: Conditions) -> Bool {
      model == other.model && data == other.data && numerics == other.numerics
    }
  }

  private struct FindingsFile: Codable {
    var conditions: Conditions
    var findings: Findings
  }

  private struct Line: Codable {
    var recipe: String
    var conditions: Conditions
    var measured: Measured
  }

  /// The folder a model's session lives in: beside the model, or in the user's state folder where that is not
  /// writable.
  package static func folder(forModel path: String, environment: [String: String]) -> String {
    let beside = path + ".lathe"
    let parent = (path as NSString).deletingLastPathComponent
    if access(parent.isEmpty ? "." : parent, W_OK) == 0 { return beside }
    let state =
      environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? (environment["HOME"] ?? "")
      + "/.local/state"
    let absolute = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    let name = absolute.map { $0.isLetter || $0.isNumber || $0 == "." ? String($0) : "-" }.joined()
    return "\(state)/lathe/sessions/\(name)"
  }

  package init(folder: String, conditions: Conditions) {
    self.folder = folder
    self.conditions = conditions
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      readOnlyReason = "\(folder) cannot be made: \(String(cString: strerror(errno)))"
      return
    }
    lock = Glibc.open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    if lock < 0 {
      readOnlyReason = "\(folder): \(String(cString: strerror(errno)))"
    } else if flock(lock, LOCK_EX | LOCK_NB) != 0 {
      readOnlyReason = "another lathe has it open"
    }
  }

  deinit { if lock >= 0 { close(lock) } }

  /// The session as last written, with the results that still hold; `nil` where there is none.
  package func load() -> Session? {
    let path = folder + "/session.json"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    do {
      var session = try JSONDecoder().decode(Session.self, from: data)
      guard session.lathe == 1 else {
        warnings.append("\(path): format \(session.lathe) found, 1 expected; it is left alone.")
        readOnlyReason = "the session was written by a newer lathe"
        return nil
      }
      session.trials = loadTrials()
      session.findings = loadFindings()
      return session
    } catch {
      warnings.append("\(path): cannot be read\(setAside(path)): \(error)")
      return nil
    }
  }

  /// Moves a file that cannot be read out of the way of the next save, and says where to.
  private func setAside(_ path: String) -> String {
    guard readOnlyReason == nil else { return "" }
    var kept = path + ".unreadable"
    var number = 1
    while access(kept, F_OK) == 0 {
      number += 1
      kept = "\(path).unreadable-\(number)"
    }
    guard rename(path, kept) == 0 else {
      readOnlyReason = "\(path) cannot be read or moved: \(String(cString: strerror(errno)))"
      return ""
    }
    return " and is kept as \((kept as NSString).lastPathComponent)"
  }

  private func loadTrials() -> [Recipe: Measured] {
    let path = folder + "/trials.jsonl"
    guard let data = FileManager.default.contents(atPath: path) else { return [:] }
    var trials: [Recipe: Measured] = [:]
    let lines = data.split(separator: UInt8(ascii: "\n"))
    for (index, line) in lines.enumerated() {
      guard let entry = try? JSONDecoder().decode(Line.self, from: line),
        let recipe = try? Recipe(yaml: entry.recipe, file: path)
      else {
        warnings.append("\(path), line \(index + 1): cannot be read and is dropped.")
        continue
      }
      let then = entry.conditions
      guard conditions.keepAccuracy(of: then) else { continue }
      var measured = entry.measured
      measured.latencyIsStale = then.machine != conditions.machine
      trials[recipe.key] = measured
    }
    return trials
  }

  private func loadFindings() -> Findings {
    let path = folder + "/findings.json"
    guard let data = FileManager.default.contents(atPath: path) else { return Findings() }
    do {
      let file = try JSONDecoder().decode(FindingsFile.self, from: data)
      var findings = file.findings
      findings.isStale = !conditions.keepAccuracy(of: file.conditions)
      findings.isTimeStale = file.conditions.machine != conditions.machine
      return findings
    } catch {
      warnings.append("\(path): cannot be read\(setAside(path)): \(error)")
      return Findings()
    }
  }

  /// Replaces what was measured beside trials.
  package func keep(_ findings: Findings) throws {
    guard readOnlyReason == nil else { return }
    try JSONEncoder().encode(FindingsFile(conditions: conditions, findings: findings)).write(
      to: URL(fileURLWithPath: folder + "/findings.json"), options: .atomic)
  }

  /// Replaces the session file.
  package func save(_ session: Session) throws {
    guard readOnlyReason == nil else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try encoder.encode(session).write(to: URL(fileURLWithPath: folder + "/session.json"), options: .atomic)
  }

  /// Appends a result and waits until it is on the disk.
  package func append(_ recipe: Recipe, _ measured: Measured) throws {
    guard readOnlyReason == nil else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var line = try encoder.encode(Line(recipe: recipe.yaml, conditions: conditions, measured: measured))
    line.append(UInt8(ascii: "\n"))
    let path = folder + "/trials.jsonl"
    let file = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw WorkflowError("\(path): \(String(cString: strerror(errno)))") }
    defer { close(file) }
    // A torn last line of a crash must not swallow this one.
    let size = lseek(file, 0, SEEK_END)
    var last: UInt8 = 0
    if size > 0, pread(file, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") {
      line.insert(UInt8(ascii: "\n"), at: 0)
    }
    let written = line.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    guard written == line.count, fsync(file) == 0 else {
      throw WorkflowError("\(path): \(String(cString: strerror(errno)))")
    }
  }
}
