import CKernels
import Foundation
import Tensors

/// What this machine can do at the kernel level in use, measured: arithmetic from registers and reads from each cache.
package struct Peaks: Sendable, Hashable, Codable {
  /// A place data is read from.
  package struct Memory: Sendable, Hashable, Codable {
    /// `L1`, `L2`, `L3` or `memory`.
    package var name: String
    /// What it holds; `nil` for main memory.
    package var bytes: Int?
    /// Read speed of one thread, and of all threads together.
    package var oneThreadGbs: Double
    package var allThreadsGbs: Double

    package init(name: String, bytes: Int?, oneThreadGbs: Double, allThreadsGbs: Double) {
      self.name = name
      self.bytes = bytes
      self.oneThreadGbs = oneThreadGbs
      self.allThreadsGbs = allThreadsGbs
    }
  }

  /// 10⁹ operations per second, a multiply–add counting two, of one thread and of all together.
  package struct Arithmetic: Sendable, Hashable, Codable {
    package var oneThreadGops: Double
    package var allThreadsGops: Double

    package init(oneThreadGops: Double, allThreadsGops: Double) {
      self.oneThreadGops = oneThreadGops
      self.allThreadsGops = allThreadsGops
    }
  }

  package var threads: Int
  package var float32: Arithmetic
  package var int8: Arithmetic
  /// Nearest first; main memory is the last.
  package var memory: [Memory]

  package init(threads: Int, float32: Arithmetic, int8: Arithmetic, memory: [Memory]) {
    self.threads = threads
    self.float32 = float32
    self.int8 = int8
    self.memory = memory
  }
}

extension Peaks {
  /// What the threads in use reach together.
  package func gops(of arithmetic: Arithmetic) -> Double {
    threads > 1 ? arithmetic.allThreadsGops : arithmetic.oneThreadGops
  }

  /// What the threads in use read together.
  package func gbs(of memory: Memory) -> Double {
    threads > 1 ? memory.allThreadsGbs : memory.oneThreadGbs
  }

  /// What the threads in use reach together in a kernel's arithmetic.
  func gops(of kernel: String) -> Double {
    // Kernels whose products are of 8-bit codes.
    let isInteger = ["u8s8", "dynamic", "u8×"].contains { kernel.contains($0) }
    return gops(of: isInteger ? int8 : float32)
  }

  /// Whether a step is faster than the peaks allow: something else ran while they were measured.
  package func areOutrun(by row: Roofline.Row) -> Bool {
    Roofline.share(of: row.kernel) * (row.gops ?? 0) > 1.05 * gops(of: row.kernel)
  }

  /// The higher of two measurements: what disturbs one only lowers it.
  package func raised(to other: Peaks) -> Peaks {
    func higher(_ a: Arithmetic, _ b: Arithmetic) -> Arithmetic {
      Arithmetic(
        oneThreadGops: Swift.max(a.oneThreadGops, b.oneThreadGops),
        allThreadsGops: Swift.max(a.allThreadsGops, b.allThreadsGops))
    }
    var raised = self
    raised.float32 = higher(float32, other.float32)
    raised.int8 = higher(int8, other.int8)
    for index in raised.memory.indices where other.memory.indices.contains(index) {
      let place = other.memory[index]
      raised.memory[index].oneThreadGbs = Swift.max(memory[index].oneThreadGbs, place.oneThreadGbs)
      raised.memory[index].allThreadsGbs = Swift.max(memory[index].allThreadsGbs, place.allThreadsGbs)
    }
    return raised
  }

  /// Measures for about a second; nothing else should be running.
  package static func measure(threads: Int) -> Peaks {
    let kernels = ck_best().pointee
    let caches = Cache.all()
    let last = caches.last?.bytes ?? 32 << 20
    let memory =
      caches.map { cache in
        // Caches before the last belong to one core each.
        let isShared = cache == caches.last && caches.count > 2
        return Memory(
          name: "L\(cache.level)", bytes: cache.bytes,
          oneThreadGbs: readSpeed(kernels, bytes: cache.bytes / 2, threads: 1),
          allThreadsGbs: readSpeed(
            kernels, bytes: cache.bytes / (isShared ? 2 * threads : 2), threads: threads))
      } + [
        Memory(
          name: "memory", bytes: nil, oneThreadGbs: readSpeed(kernels, bytes: 4 * last, threads: 1),
          allThreadsGbs: readSpeed(kernels, bytes: 4 * last / threads, threads: threads))
      ]
    return Peaks(
      threads: threads, float32: arithmetic(kernels.peak_f32, threads: threads),
      int8: arithmetic(kernels.peak_u8s8, threads: threads), memory: memory)
  }

  /// 10⁹ float32 operations per second of all threads, measured in a tenth of a second.
  package static func float32Gflops(threads: Int) -> Double {
    arithmetic(ck_best().pointee.peak_f32, threads: threads).allThreadsGops
  }

  private static func arithmetic(_ peak: (@convention(c) (Int) -> Double)?, threads: Int) -> Arithmetic {
    guard let peak else { return Arithmetic(oneThreadGops: 0, allThreadsGops: 0) }
    let rounds = Swift.max(1, Int(0.01 * 4096 / seconds { _ = peak(4096) }))
    return Arithmetic(
      oneThreadGops: best(threads: 1) { _ in peak(rounds) },
      allThreadsGops: best(threads: threads) { _ in peak(rounds) })
  }

  /// `bytes` of its own for each thread, read again and again.
  private static func readSpeed(_ kernels: ck_table, bytes: Int, threads: Int) -> Double {
    let words = Swift.max(1024, bytes / 8 & ~63)
    let data = Tensor(shape: [words * 8 * threads], type: .uint8) { bytes in
      _ = bytes.initializeMemory(as: UInt8.self, repeating: 1)
    }
    let passes = Swift.max(1, (128 << 20) / (words * 8))
    return data.withBytes { bytes in
      guard let base = bytes.baseAddress, let read = kernels.read_words else { return 0 }
      let start = UInt(bitPattern: base)
      return best(threads: threads) { thread in
        guard let own = UnsafePointer<UInt64>(bitPattern: start + UInt(thread * words * 8)) else { return 0 }
        var any: UInt64 = 0
        for _ in 0..<passes { any |= read(own, words) }
        return any == 0 ? 0 : Double(passes * words * 8)
      }
    }
  }

  /// 10⁹ units per second in the best of several tries, where each thread's share of the work returns its units.
  private static func best(threads: Int, _ work: @escaping @Sendable (Int) -> Double) -> Double {
    var best = 0.0
    for _ in 0..<5 {
      let units = Locked(0.0)
      let time = seconds {
        parallel(threads, grain: 1, threads: threads) { share in
          for thread in share {
            let done = work(thread)
            units.withLock { $0 += done }
          }
        }
      }
      best = Swift.max(best, units.withLock { $0 } / time * 1e-9)
    }
    return best
  }

  private static func seconds(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body)
    return Swift.max(time / .seconds(1), 1e-9)
  }
}

/// A cache that holds data, as the kernel describes it.
struct Cache: Hashable {
  var level: Int
  var bytes: Int

  /// Those of the first processor, nearest first; none where the kernel does not say.
  static func all(folder: String = "/sys/devices/system/cpu/cpu0/cache") -> [Cache] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasPrefix("index") }.compactMap { name -> Cache? in
      func field(_ key: String) -> String? {
        try? String(contentsOfFile: "\(folder)/\(name)/\(key)", encoding: .utf8)
          .trimmingCharacters(in: .whitespacesAndNewlines)
      }
      guard let level = field("level").flatMap({ Int($0) }), let type = field("type"), type != "Instruction",
        let size = field("size"), let number = Int(size.prefix { $0.isNumber }), number > 0, number < 1 << 30
      else { return nil }
      let unit = size.hasSuffix("M") ? 1 << 20 : size.hasSuffix("K") ? 1 << 10 : 1
      return Cache(level: level, bytes: number * unit)
    }.sorted { $0.level < $1.level }
  }
}
