import Foundation
import Workflows

/// What `lathe bench` prints: the machine's peaks, and the steps of each variant beside them.
package struct BenchReport: Sendable, Codable {
  package struct Variant: Sendable, Codable {
    package var name: String
    /// Median of one inference.
    package var latencyMs: Double
    /// Of one inference, the whole processor package counted; absent where the machine does not tell.
    package var energyJoules: Double?
    package var steps: [Roofline.Row]
  }

  package var machine: Machine
  package var peaks: Peaks
  /// Single kernels, where they were asked for.
  package var kernels: [KernelBench.Row]?
  package var variants: [Variant]

  package init(machine: Machine, peaks: Peaks, tables: [BenchTable] = []) {
    self.machine = machine
    self.peaks = peaks
    variants = tables.map { table in
      let roofline = Roofline(peaks, workingSet: table.workingSet)
      return Variant(
        name: table.name, latencyMs: table.latencyMs, energyJoules: table.energyJoules,
        steps: table.steps.map(roofline.row))
    }
  }

  /// Whether the peaks have to be measured again.
  package var outrunsPeaks: Bool {
    variants.contains { variant in variant.steps.contains { peaks.areOutrun(by: $0) } }
  }

  package var text: String {
    ([peaksText] + (kernels.map { [KernelBench.text($0)] } ?? []) + variants.map(Self.text)).joined(
      separator: "\n\n")
  }

  private var peaksText: String {
    let single = peaks.threads == 1
    let header = [machine.cpu, "1 thread"] + (single ? [] : ["\(peaks.threads) threads"])
    func row(_ name: String, _ one: Double, _ all: Double, _ unit: String) -> [String] {
      ([name] + ([one] + (single ? [] : [all])).map { String(format: "%.1f %@", $0, unit) })
    }
    let rows =
      [
        row("float32 multiply–add", peaks.float32.oneThreadGops, peaks.float32.allThreadsGops, "GFLOP/s"),
        row("int8 multiply–add", peaks.int8.oneThreadGops, peaks.int8.allThreadsGops, "GOP/s"),
      ]
      + peaks.memory.map { memory in
        let size = memory.bytes.map { " (\($0 >> 10) KiB)" } ?? ""
        return row("read \(memory.name)\(size)", memory.oneThreadGbs, memory.allThreadsGbs, "GB/s")
      }
    return TextTable.text(header: header, rows: rows, leftColumns: 1)
  }

  private static func text(_ variant: Variant) -> String {
    let rows = variant.steps.map { step in
      [
        step.name, step.kernel, String(format: "%.4f", step.ms),
        step.gops.map { String(format: "%.1f", $0) } ?? "-", String(format: "%.1f", step.gbs),
        step.intensity.map { String(format: "%.1f", $0) } ?? "-",
        String(format: "%.0f", step.fraction * 100), step.verdict,
      ]
    }
    let header = ["step", "kernel", "ms", "GOP/s", "GB/s", "op/byte", "% roof", "verdict"]
    let energy = variant.energyJoules.map { String(format: ", %.3g mJ", $0 * 1000) } ?? ""
    return String(format: "%@: %.3f ms%@\n", variant.name, variant.latencyMs, energy)
      + TextTable.text(header: header, rows: rows, leftColumns: 2, endsInText: true)
  }
}
