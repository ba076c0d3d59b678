import Foundation
import Workflows

/// Output files: written beside their destination and renamed into place.
enum Files {
  static func replace(_ path: String, with data: Data) throws {
    do {
      try data.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw WorkflowError("\(path): cannot be written: \((error as NSError).localizedDescription)")
    }
  }
}
