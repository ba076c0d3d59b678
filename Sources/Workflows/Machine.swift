import CKernels
import Foundation

/// The processor figures were measured on.
package struct Machine: Sendable, Hashable, Codable {
  package var cpu: String
  /// Kernel levels this machine can run, best last; the one in use is the last unless `LATHE_CPU` forces another.
  package var features: [String]
  package var threads: Int

  package init(cpu: String, features: [String], threads: Int) {
    self.cpu = cpu
    self.features = features
    self.threads = threads
  }

  /// This machine, with the number of threads a run uses.
  package static func current(threads: Int) -> Machine {
    let levels = (0..<CK_LEVELS).map { ck_level(UInt32($0)) }.filter {
      ck_supported($0) != 0 && $0.rawValue <= ck_best().pointee.level.rawValue
    }
    return Machine(
      cpu: cpuName, features: levels.filter { $0 != CK_SCALAR }.map { String(cString: ck_level_name($0)) },
      threads: threads)
  }

  /// Name of the kernel level in use.
  package static var level: String { String(cString: ck_level_name(ck_best().pointee.level)) }

  /// CPUs that affinity and cgroup allow this process: what `--threads` is when not given.
  package static var allowedThreads: Int {
    let affinity = ProcessInfo.processInfo.activeProcessorCount
    guard let text = try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8) else {
      return affinity
    }
    let fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0 else {
      return affinity
    }
    return Swift.max(1, Swift.min(affinity, Int((quota / period).rounded(.up))))
  }

  private static let cpuName: String = {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("model name") || line.hasPrefix("Model") {
      if let name = line.split(separator: ":").last { return name.trimmingCharacters(in: .whitespaces) }
    }
    return "unknown"
  }()
}
