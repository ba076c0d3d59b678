import Foundation
import Jobs
import Quantization
import Synchronization
import Tensors
import Workbench
import Workflows

extension EffectRunner {
  /// Opens the session that belongs to a project and returns what it held.
  func openSession(_ project: Project) -> Session? {
    let folder: String
    switch sessions {
    case .none: return nil
    case .folder(let path): folder = path
    case .beside:
      folder = SessionStore.folder(
        forModel: project.model.path, environment: ProcessInfo.processInfo.environment)
    }
    let conditions = SessionStore.Conditions(
      model: fingerprint(project.model.path),
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

  /// Writes the session; called from the main loop, a few kilobytes.
  func save(_ session: Session) {
    store.withLock { open in
      guard let store = open else { return mailbox.post(.saved) }
      do {
        try store.save(session)
        mailbox.post(.saved)
      } catch {
        mailbox.post(.saveFailed("\(error)"))
      }
    }
  }
}
