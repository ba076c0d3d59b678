import Foundation
import Jobs
import Quantization
import Synchronization
import Tensors
import Workbench
import Workflows

extension EffectRunner {
  /// The folder of a project's session; `nil` where sessions are not kept.
  private func sessionFolder(_ project: Project) -> String? {
    switch sessions {
    case .none: nil
    case .folder(let path): path
    case .beside:
      SessionStore.folder(forModel: project.model.path, environment: ProcessInfo.processInfo.environment)
    }
  }

  /// Where trainings of an open project keep their checkpoints; `nil` where nothing may be written.
  func trainingFolder(_ project: Project) -> String? {
    guard store.withLock({ $0 != nil && $0?.readOnlyReason == nil }) else { return nil }
    return sessionFolder(project).map { $0 + "/training" }
  }

  /// Opens the session that belongs to a project and returns what it held.
  func openSession(_ project: Project) -> Session? {
    guard let folder = sessionFolder(project) else { return nil }
    let conditions = SessionStore.Conditions(
      model: project.model.files.map(fingerprint).joined(separator: " "),
      data: [project.dataPath, project.trainDataPath].map { $0.map(fingerprint) ?? "-" }.joined(
        separator: " "),
      numerics: Numerics.version, machine: .current(threads: project.threads))
    return store.withLock { open in
      let store = SessionStore(folder: folder, conditions: conditions)
      let session = store.load()
      for warning in store.warnings { mailbox.post(.note(warning, .warning)) }
      if let reason = store.readOnlyReason { mailbox.post(.sessionIsReadOnly(reason)) }
      open = store
      return session
    }
  }

  /// Name, size and time of a file: enough to notice that it is another one.
  private func fingerprint(_ path: String) -> String {
    let facts = try? FileManager.default.attributesOfItem(atPath: path)
    let size = facts?[.size] as? Int ?? 0
    let time = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
    return "\((path as NSString).lastPathComponent) \(size) \(Int(time))"
  }

  func append(_ recipe: Recipe, _ measured: Measured) {
    store.withLock { open in
      do {
        try open?.append(recipe, measured)
      } catch {
        mailbox.post(.saveFailed("\(error)"))
      }
    }
  }

  /// Writes what was measured beside trials; a search's points take some milliseconds, so not in the main loop.
  func keep(_ findings: Findings) {
    store.withLock { open in
      do {
        try open?.keep(findings)
      } catch {
        mailbox.post(.saveFailed("\(error)"))
      }
    }
  }

  /// Writes the session; called from the main loop, a few kilobytes.
  func save(_ session: Session) {
    store.withLock { open in
      guard let store = open else { return mailbox.post(.saved) }
      guard store.readOnlyReason == nil else { return }
      do {
        try store.save(session)
        mailbox.post(.saved)
      } catch {
        mailbox.post(.saveFailed("\(error)"))
      }
    }
  }
}
