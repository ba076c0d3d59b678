import Foundation
import Glibc

/// Joules that the processor packages used, by the counters the kernel exposes (RAPL, of Intel and AMD alike).
///
/// A package is counted whole, with everything else the machine does meanwhile. Where there are no counters, or they
/// cannot be read, there is no figure.
package struct EnergyCounter: Sendable {
  package static let systemFolder = "/sys/class/powercap"

  private struct Package: Sendable {
    /// Microjoules since some moment, as text.
    var counter: String
    /// The largest value of the counter, after which it begins at 0 again.
    var range: UInt64
  }

  private let packages: [Package]
  /// Why the counters that exist cannot be read; `nil` where they can, and where there are none.
  package let unreadable: String?

  package init(folder: String = systemFolder) {
    do {
      packages = try Self.packages(folder)
      unreadable = nil
    } catch {
      packages = []
      unreadable = "\(error)"
    }
  }

  /// Joules of one run of each variant, or `nil` where the counters do not tell.
  ///
  /// The variants take turns of `seconds` each, long against the millisecond or so between two updates of a counter.
  ///
  /// - Parameter betweenTurns: called after each turn; throws to stop.
  package func joulesPerRun(
    of variants: [() throws -> Void], seconds: Double = 0.25, betweenTurns: () throws -> Void
  ) throws -> [Double]? {
    guard !packages.isEmpty else { return nil }
    var joules = [Double](repeating: 0, count: variants.count)
    var runs = [Double](repeating: 0, count: variants.count)
    for _ in 0..<Self.turns {
      for (index, run) in variants.enumerated() {
        guard let before = reading() else { return nil }
        let start = ContinuousClock.now
        repeat {
          try run()
          runs[index] += 1
        } while ContinuousClock.now - start < .seconds(seconds)
        guard let after = reading() else { return nil }
        joules[index] += used(from: before, to: after)
        try betweenTurns()
      }
    }
    // A counter that stands still, as some virtual machines show, measures nothing.
    guard joules.allSatisfy({ $0 > 0 }) else { return nil }
    return zip(joules, runs).map { $0 / $1 }
  }

  private static let turns = 3

  /// Microjoules of each package; `nil` when one cannot be read.
  private func reading() -> [UInt64]? {
    let values = packages.compactMap { try? Self.number($0.counter) }
    return values.count == packages.count ? values : nil
  }

  /// Joules between two readings.
  private func used(from before: [UInt64], to after: [UInt64]) -> Double {
    packages.indices.reduce(0) { sum, index in
      let (then, now) = (before[index], after[index])
      let microjoules =
        now >= then ? now - then : packages[index].range - Swift.min(then, packages[index].range) + now
      return sum + Double(microjoules) * 1e-6
    }
  }

  // MARK: The folder

  /// Domains `intel-rapl:N` whose name says that they are packages.
  ///
  /// Their parts (`intel-rapl:N:M`), the platform (`psys`) and the same packages by another way (`intel-rapl-mmio:N`)
  /// would count the same energy twice.
  private static func packages(_ folder: String) throws -> [Package] {
    guard access(folder, F_OK) == 0 else { return [] }
    guard access(folder, R_OK | X_OK) == 0 else {
      throw WorkflowError("\(folder) cannot be read: \(String(cString: strerror(errno)))")
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    return try names.sorted().compactMap { name in
      let parts = name.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == "intel-rapl", Int(parts[1]) != nil else { return nil }
      let domain = "\(folder)/\(name)"
      guard try text("\(domain)/name").hasPrefix("package") else { return nil }
      let package = Package(
        counter: "\(domain)/energy_uj", range: try number("\(domain)/max_energy_range_uj"))
      _ = try number(package.counter)
      return package
    }
  }

  private static func number(_ path: String) throws -> UInt64 {
    let text = try text(path)
    guard let number = UInt64(text) else {
      throw WorkflowError("\(path) holds \"\(text.prefix(20))\", expected a number")
    }
    return number
  }

  private static func text(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else {
      throw WorkflowError("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
  }
}
