import Exporters
import Foundation
import Jobs
import Quantization
import Tensors
import Workbench
import Workflows

/// The mailbox as long as one model is open: what is found out of it later is dropped.
struct ModelMailbox: Sendable {
  fileprivate let mailbox: Mailbox<Action>
  fileprivate let openings: Locked<Int>
  fileprivate let opening: Int

  func post(_ action: Action) {
    // Within the lock, so that nothing comes between the question and the answer.
    openings.withLock { if $0 == opening { mailbox.post(action) } }
  }
}

extension EffectRunner {
  func ofModel() -> ModelMailbox {
    ModelMailbox(mailbox: mailbox, openings: openings, opening: openings.withLock { $0 })
  }

  /// Tells where relative paths start, and which models were opened before.
  func postFiles() {
    mailbox.post(
      .filesKnown(
        working: FileManager.default.currentDirectoryPath, home: NSHomeDirectory(),
        recent: recent?.load() ?? []))
  }

  /// Puts an opened model on top of the recent ones.
  func remember(_ request: OpenRequest) {
    guard let recent else { return }
    do {
      try recent.add(request)
      postFiles()
    } catch {
      mailbox.post(
        .note("\(recent.path): cannot be written: \((error as NSError).localizedDescription)", .warning))
    }
  }

  func submitExport(_ request: ExportRequest) {
    guard let project = open.withLock({ $0 }) else { return }
    work.submit("export \((request.path as NSString).lastPathComponent)") { [self] reporter in
      try reporter.report(0)
      if !request.overwrite, FileManager.default.fileExists(atPath: request.path) {
        return mailbox.post(.exportExists(request))
      }
      do {
        mailbox.post(.exported(path: request.path, losses: try write(request, project, reporter)))
      } catch let error as JobCancelled {
        throw error
      } catch {
        mailbox.post(.exportFailed(path: request.path, "\(error)"))
        throw error
      }
    }
  }

  func submitText(_ file: TextFile) {
    folders.submit("text") { [mailbox] _ in
      if !file.overwrite, FileManager.default.fileExists(atPath: file.path) {
        return mailbox.post(.textExists(file))
      }
      do {
        try Files.replace(file.path, with: Data(file.text.utf8))
        mailbox.post(.textWritten(file))
      } catch {
        mailbox.post(.exportFailed(path: file.path, "\(error)"))
      }
    }
  }

  /// Writes an export and returns what the target cannot express.
  private func write(_ request: ExportRequest, _ project: Project, _ reporter: Reporter) throws -> [String] {
    let known = candidates.candidate(for: request.recipe.key)
    if let exporter = Exporter[request.format] {
      let exported = try project.export(
        request.recipe, name: request.recipe.name, by: exporter, note: request.note, candidate: known,
        reporter: reporter)
      try Files.replace(request.path, with: Data(exported.text.utf8))
      return exported.losses
    }
    let candidate =
      try known ?? project.prepare(request.recipe, name: request.recipe.name, reporter: reporter)
    return try project.model.write(candidate.encoded, to: request.path)
  }

  /// Lines of a preview.
  private static let previewLines = 40

  /// Tells what an export would write, as far as that needs no calibration.
  func answerPreview(_ request: ExportRequest) {
    guard let project = open.withLock({ $0 }) else { return }
    let mailbox = ofModel()
    answers.submit("preview") { [candidates] reporter in
      try reporter.report(0)
      var preview = ExportPreview(request: request)
      do {
        if let exporter = Exporter[request.format] {
          guard !exporter.needsCandidate else {
            preview.note = "Its ranges come from calibration, which runs when it is written."
            return mailbox.post(.exportPreviewed(preview))
          }
          let exported = try project.export(
            request.recipe, name: request.recipe.name, by: exporter, note: request.note, reporter: reporter)
          let lines = exported.text.split(separator: "\n", omittingEmptySubsequences: false)
          preview.lines = lines.prefix(Self.previewLines).map(String.init)
          preview.lineCount = lines.count - (lines.last?.isEmpty ?? false ? 1 : 0)
          preview.bytes = exported.text.utf8.count
          preview.losses = exported.losses
        } else if let known = candidates.candidate(for: request.recipe.key) {
          (preview.bytes, preview.losses) = try Self.written(known, project)
        } else {
          preview.note = "Not quantized as it is: what the file cannot say is told when it is written."
        }
      } catch {
        preview.note = "\(error)"
      }
      mailbox.post(.exportPreviewed(preview))
    }
  }

  /// Bytes and losses of a candidate's model file, by writing it aside.
  private static func written(_ candidate: Candidate, _ project: Project) throws -> (Int, [String]) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lathe-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let losses = try project.model.write(
      candidate.encoded, to: folder.appendingPathComponent("model.onnx").path)
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: [.fileSizeKey])
    return (
      try files.reduce(0) { try $0 + ($1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }, losses
    )
  }
}
