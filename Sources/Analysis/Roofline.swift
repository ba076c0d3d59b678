import Workflows

/// How near each step comes to what the machine allows: the roofline of Williams, Waterman and Patterson (2009).
///
/// A step can take no less time than its operations at peak, nor than its bytes at the speed of the place they come
/// from: the nearest cache that holds the whole program's weights and activations.
package struct Roofline: Sendable {
  package struct Row: Sendable, Codable {
    package var name: String
    /// The nodes it computes; none for a conversion.
    package var nodes: [String]
    package var kernel: String
    package var ms: Double
    /// 10⁹ operations per second, two for each multiply–add; absent for steps without.
    package var gops: Double?
    /// Bytes read and written, 10⁹ per second.
    package var gbs: Double
    /// Operations per byte moved; absent for steps without operations.
    package var intensity: Double?
    /// The least time the machine allows over the time taken, 0…1.
    package var fraction: Double
    package var verdict: String

    /// Where it lies under the roofs, `nil` for steps that only move data.
    ///
    /// Counted are the operations that its kernel does of those it stands for: per byte moved, and 10⁹ per second.
    package var place: (intensity: Double, gops: Double)? {
      guard let intensity, let gops, ms > 0 else { return nil }
      let share = Roofline.share(of: kernel)
      return (share * intensity, share * gops)
    }
  }

  private let peaks: Peaks
  private let source: Peaks.Memory

  /// - Parameter workingSet: bytes of the program's weights and activations.
  package init(_ peaks: Peaks, workingSet: Int) {
    self.peaks = peaks
    source =
      peaks.memory.first { $0.bytes.map { workingSet <= $0 } ?? true }
      ?? Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 1, allThreadsGbs: 1)
  }

  package func row(_ step: BenchTable.Step) -> Row {
    let peak = peaks.gops(of: step.kernel)
    let bandwidth = peaks.gbs(of: source)
    let ms = Swift.max(step.ms, 1e-6)
    let operations = 2 * Double(step.macs)
    let computing = Self.share(of: step.kernel) * operations / Swift.max(peak, 1e-9) * 1e-6
    let moving = Double(step.bytes) / Swift.max(bandwidth, 1e-9) * 1e-6
    let fraction = Swift.min(1, Swift.max(computing, moving) / ms)
    return Row(
      name: step.name, nodes: step.nodes, kernel: step.kernel, ms: step.ms,
      gops: step.macs > 0 ? operations / ms * 1e-6 : nil,
      gbs: Double(step.bytes) / ms * 1e-6,
      intensity: step.macs > 0 && step.bytes > 0 ? operations / Double(step.bytes) : nil, fraction: fraction,
      verdict: verdict(step, fraction: fraction, isMemoryBound: moving > computing))
  }

  /// The products a kernel does of those its step stands for: Winograd's F(4×4, 3×3) does a quarter.
  static func share(of kernel: String) -> Double { kernel.contains("winograd") ? 0.25 : 1 }

  private func verdict(_ step: BenchTable.Step, fraction: Double, isMemoryBound: Bool) -> String {
    let percent = "\(Int((fraction * 100).rounded())) %"
    if step.kernel.hasPrefix("reference") {
      return "no kernel: the reference computes it"
    }
    if step.macs == 0 {
      return fraction >= 0.5
        ? "moves data at the speed of \(source.name)"
        : "moves data at \(percent) of the speed of \(source.name)"
    }
    if !isMemoryBound, fraction >= 0.7 {
      return "\(percent) of peak: fewer operations or bits help, nothing else does"
    }
    if step.ms < 0.003 { return "\(percent) of the roof: so short that starting it counts" }
    if step.kernel.contains("depthwise"), fraction < 0.5 {
      return "\(percent) of the roof: a depthwise kernel is load-bound"
    }
    if isMemoryBound {
      return fraction >= 0.5
        ? "memory-bound: fewer bits help, faster arithmetic does not"
        : "\(percent) of what \(source.name) could feed: the kernel waits for loads"
    }
    return "\(percent) of peak: the shape leaves part of the vectors idle"
  }
}
