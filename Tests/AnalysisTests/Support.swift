import Foundation
import Workflows

private let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent()

/// The sample model with its data.
func sampleProject(threads: Int = 2) throws -> Project {
  let samples = root.appendingPathComponent("samples").path
  return try Project.open(
    model: samples + "/shapes.onnx", data: samples + "/test.yaml", trainData: samples + "/train.yaml",
    threads: threads)
}

/// The shared files: `LATHE_SHARED`, else `../shared`; `nil` where they are not.
let shared: String? = {
  let path =
    ProcessInfo.processInfo.environment["LATHE_SHARED"]
    ?? root.deletingLastPathComponent().appendingPathComponent("shared").path
  return FileManager.default.fileExists(atPath: path + "/models") ? path : nil
}()
