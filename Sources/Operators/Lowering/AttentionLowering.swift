import CKernels
import Glibc
import Graph
import Tensors

extension Attention: Lowerable {
  /// In tiles of queries and keys, so that no scores of all pairs are held; with a cache, the keys and values of the
  /// call go behind those it holds, and queries see all of them.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let call = try AttentionCall(self, site) else {
      guard site.cache == nil else {
        throw OperatorError(
          "attention with a mask, a past or more outputs than one cannot keep keys in a cache (expected causal "
            + "attention of q, k and v of one sequence in float32).")
      }
      return nil
    }
    return call.lowered()
  }
}

/// Attention as calls of its kernel: one for each head of keys and tile of the rows that share them.
private struct AttentionCall {
  private let op: Attention
  private let s: Attention.Sizes
  private let reads: [KernelCall.Read]
  private let kernels: UnsafePointer<ck_table>
  private let maskStrides: [Int]?
  private let cache: (counts: KeyValueCache, entry: KeyValueCache.Entry)?

  /// Rows of a call: few enough to share among threads, enough to read keys seldom.
  private static let rowTile = 64

  init?(_ op: Attention, _ site: LoweringSite) throws {
    guard let q = site.input(0), let k = site.input(1), let v = site.input(2), site.outputs.count == 1,
      let qShape = q.info.shape, let kShape = k.info.shape, let vShape = v.info.shape,
      [q, k, v].allSatisfy({ $0.info.type == .float32 }), (4..<7).allSatisfy({ site.input($0) == nil }),
      op.softmaxType == nil || op.softmaxType == .float32
    else { return nil }
    let sizes = try op.sizes(q: qShape, k: kShape, v: vShape, past: nil)
    guard sizes.size > 0, sizes.output.elementCount > 0, sizes.added > 0 else { return nil }
    self.op = op
    s = sizes
    kernels = site.kernels
    var reads = [q, k, v].enumerated().map { KernelCall.Read(.input($0), $1.decoded(.rowMajor)) }
    if let mask = site.input(3) {
      let all = [sizes.batch, sizes.heads, sizes.length, sizes.total]
      guard mask.info.type == .float32, let shape = mask.info.shape, broadcastShape(shape, all) == all,
        site.cache == nil
      else { return nil }
      maskStrides = shape.broadcastStrides(to: all)
      reads.append(KernelCall.Read(.input(3), mask.decoded(.rowMajor)))
    } else {
      maskStrides = nil
    }
    self.reads = reads
    if let cache = site.cache {
      guard sizes.batch == 1, op.isCausal, sizes.added == sizes.length else { return nil }
      self.cache = (
        cache,
        try cache.entry(site.name, heads: sizes.kvHeads, size: sizes.size, valueSize: sizes.valueSize)
      )
    } else {
      cache = nil
    }
  }

  func lowered() -> KernelCall {
    let perThread = aligned(kernels.pointee.attention_scratch_bytes(s.size, s.valueSize))
    let label = cache.map { $0.counts.precision == .int8 ? "attention cached s8" : "attention cached" }
    return KernelCall(
      label ?? "attention", reads: reads, writes: [Form()], scratchBytesPerThread: perThread
    ) { memory in appending(memory) + [attending(memory, perThread)] }
  }

  /// Elements between neighbouring queries and heads of an operand of `heads` heads.
  private func steps(_ heads: Int, _ length: Int, _ size: Int) -> (query: Int, head: Int) {
    s.isFolded ? (heads * size, size) : (size, length * size)
  }

  private func attending(_ memory: KernelMemory, _ perThread: Int) -> Phase {
    let group = s.heads / s.kvHeads
    let rows = group * s.length
    let tiles = (rows + Self.rowTile - 1) / Self.rowTile
    let (q, k, v) = (
      memory.reads[0].of(Float.self), memory.reads[1].of(Float.self), memory.reads[2].of(Float.self)
    )
    let mask = memory.reads.count > 3 ? memory.reads[3].of(Float.self) : nil
    let y = memory.writes[0].of(Float.self)
    let (queries, results) = (steps(s.heads, s.length, s.size), steps(s.heads, s.length, s.valueSize))
    let (keys, values) = (steps(s.kvHeads, s.added, s.size), steps(s.kvHeads, s.added, s.valueSize))
    var shared = ck_attention_f32()
    (shared.q_query, shared.q_head) = (queries.query, queries.head)
    (shared.y_query, shared.y_head) = (results.query, results.head)
    (shared.heads, shared.size, shared.value_size) = (group, s.size, s.valueSize)
    (shared.k_stride, shared.v_stride) = cache == nil ? (keys.query, values.query) : (s.size, s.valueSize)
    shared.keys = s.added
    shared.causal = op.isCausal ? 1 : 0
    shared.window = op.window
    shared.scale = op.scale ?? 1 / Float(s.size).squareRoot()
    shared.softcap = op.softcap
    if let maskStrides {
      (shared.mask_query, shared.mask_head, shared.mask_key) = (
        maskStrides[2], maskStrides[1], maskStrides[3]
      )
    }
    return Phase(
      chunks: s.batch * s.kvHeads * tiles,
      onThread: { [s, cache, maskStrides, shared, kernels] chunk, thread in
        let (first, head) = (chunk % tiles * Self.rowTile, chunk / tiles % s.kvHeads)
        let batch = chunk / tiles / s.kvHeads
        var a = shared
        a.q = q + (batch * s.heads * s.length * s.size + head * group * queries.head)
        a.y = y + (batch * s.heads * s.length * s.valueSize + head * group * results.head)
        if let maskStrides {
          a.mask = mask.map { $0 + (batch * maskStrides[0] + head * group * maskStrides[1]) }
        }
        if let (counts, entry) = cache {
          a.first = counts.counts[0]
          let incoming = counts.counts[1] < 0 ? s.added : counts.counts[1]
          a.keys = Swift.min(a.first + incoming, counts.capacity)
          Self.point(&a, at: entry, head * counts.capacity)
        } else {
          a.k = k + (batch * s.kvHeads * s.added * s.size + head * keys.head)
          a.v = v + (batch * s.kvHeads * s.added * s.valueSize + head * values.head)
        }
        a.scratch = memory.scratch + thread * perThread
        kernels.pointee.attention_f32(&a, first, Swift.min(rows, first + Self.rowTile))
      })
  }

  /// The keys and values from `position` of all heads on.
  private static func point(_ a: inout ck_attention_f32, at entry: KeyValueCache.Entry, _ position: Int) {
    if let keyScales = entry.keyScales, let valueScales = entry.valueScales {
      a.k_codes = UnsafePointer(entry.keys.of(UInt8.self)) + position * entry.size
      a.v_codes = UnsafePointer(entry.values.of(UInt8.self)) + position * entry.valueSize
      a.k_scales = UnsafePointer(keyScales) + position
      a.v_scales = UnsafePointer(valueScales) + position
    } else {
      a.k = UnsafePointer(entry.keys.of(Float.self)) + position * entry.size
      a.v = UnsafePointer(entry.values.of(Float.self)) + position * entry.valueSize
    }
  }

  /// The phases that put the call's keys and values into the cache.
  private func appending(_ memory: KernelMemory) -> [Phase] {
    guard let (counts, entry) = cache else { return [] }
    let (keys, values) = (steps(s.kvHeads, s.added, s.size), steps(s.kvHeads, s.added, s.valueSize))
    let (k, v) = (memory.reads[1].of(Float.self), memory.reads[2].of(Float.self))
    let (s, kernels) = (s, kernels)
    func append(_ head: Int) {
      let start = counts.counts[0]
      let incoming = counts.counts[1] < 0 ? s.added : Swift.min(s.added, counts.counts[1])
      for i in 0..<Swift.max(0, Swift.min(incoming, counts.capacity - start)) {
        let position = head * counts.capacity + start + i
        Self.keep(
          k + (head * keys.head + i * keys.query), s.size, entry.keys, entry.keyScales, position, kernels)
        Self.keep(
          v + (head * values.head + i * values.query), s.valueSize, entry.values, entry.valueScales, position,
          kernels)
      }
    }
    let fault = memory.fault
    func check() {
      let incoming = counts.counts[1] < 0 ? s.added : counts.counts[1]
      if counts.counts[0] + incoming > counts.capacity { fault.pointee = .cacheFull }
    }
    // Few tokens are not worth waking threads.
    guard s.added > 8 else {
      return [
        Phase(chunks: 1) { _ in
          check()
          for head in 0..<s.kvHeads { append(head) }
        }
      ]
    }
    return [Phase(chunks: 1) { _ in check() }, Phase(chunks: s.kvHeads, append)]
  }

  /// Keeps n numbers at a position, as they are or as codes with scale max|x| / 127.
  private static func keep(
    _ x: UnsafePointer<Float>, _ n: Int, _ memory: UnsafeMutableRawPointer,
    _ scales: UnsafeMutablePointer<Float>?, _ position: Int, _ kernels: UnsafePointer<ck_table>
  ) {
    guard let scales else {
      memcpy(memory.of(Float.self) + position * n, x, n * 4)
      return
    }
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    kernels.pointee.minmax_f32(x, n, &lowest, &highest)
    let largest = Swift.max(-lowest, highest)
    let scale = largest > 0 && largest.isFinite ? largest / 127 : 1
    scales[position] = scale
    kernels.pointee.quantize_f32_u8(x, n, scale, 128, 1, 255, memory.of(UInt8.self) + position * n)
  }
}
