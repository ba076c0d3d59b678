import CKernels
import Glibc
import Graph
import Tensors

extension Gather: Lowerable {
  /// Rows copied, or decoded where the table is held as codes; indices are checked first.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let data = site.input(0), let indices = site.input(1), let from = data.info.shape,
      let count = indices.info.count, let along = from.normalizedAxis(axis), from[along] > 0,
      indices.info.type == .int64 || indices.info.type == .int32
    else { return nil }
    let wide = indices.info.type == .int64
    let size = from[along]
    let row = from[(along + 1)...].reduce(1, *)
    let outer = from[..<along].reduce(1, *)
    if let encoded = data.encoded, site.layer.mode != .float {
      guard along == 0, from.count == 2 else { return nil }
      return codesCall(site, encoded, rows: size, columns: row, count: count, wide: wide)
    }
    let bytes = row * data.info.type.bits / 8
    return KernelCall(
      "gather",
      reads: [KernelCall.Read(.input(0), data.decoded(.rowMajor)), KernelCall.Read(.input(1), Form())],
      writes: [Form()]
    ) { memory in
      let (table, picks, out) = (memory.reads[0], memory.reads[1], memory.writes[0])
      return [
        Self.check(picks, count, wide: wide, size: size, memory),
        Phase.over(outer * count, grain: Swift.max(1, (1 << 16) / Swift.max(1, bytes))) { start, end in
          for item in start..<end {
            guard let index = Self.index(picks, item % count, wide: wide, size: size) else { continue }
            memcpy(out + item * bytes, table + (item / count * size + index) * bytes, bytes)
          }
        },
      ]
    }
  }

  static func check(
    _ picks: UnsafeRawPointer, _ count: Int, wide: Bool, size: Int, _ memory: KernelMemory
  ) -> Phase {
    Phase(chunks: 1) { _ in
      for item in 0..<count where index(picks, item, wide: wide, size: size) == nil {
        memory.fault.pointee = .indexOutside
      }
    }
  }

  /// An index counted from the front, or `nil` outside the axis.
  static func index(_ picks: UnsafeRawPointer, _ at: Int, wide: Bool, size: Int) -> Int? {
    var index = wide ? Int(picks.of(Int64.self)[at]) : Int(picks.of(Int32.self)[at])
    if index < 0 { index &+= size }
    return index >= 0 && index < size ? index : nil
  }

  /// Rows of a table of codes: signed bytes, one scale per row, per tensor or per group of columns; `nil` where there are
  /// no even codes.
  private func codesCall(
    _ site: LoweringSite, _ encoded: EncodedTensor, rows: Int, columns: Int, count: Int, wide: Bool
  ) -> KernelCall? {
    guard encoded.hasEvenCodes else { return nil }
    let signed = SignedCodes(encoded)
    let encoding = encoded.encoding
    let scaleShape = EncodedTensor.scaleShape(of: [rows, columns], encoding: encoding)
    let group: Int = if case .group(let size) = encoding.scheme.granularity { size } else { columns }
    guard scaleShape[1] == (group >= columns ? 1 : (columns + group - 1) / group), group > 0 else {
      return nil
    }
    let pieces = scaleShape[1]
    let rowStep = scaleShape[0] == 1 ? 0 : pieces
    // The kernel takes unsigned codes.
    let bytes = Pinned(signed.codes.map { UInt8(truncatingIfNeeded: Int32($0) + 128) })
    let (scales, zeros) = (Pinned(encoding.scales), Pinned(signed.zeros.map { $0 + 128 }))
    let minimums = encoding.minimums.map { Pinned($0) }
    let kernels = site.kernels
    return KernelCall(
      "gather w\(encoding.scheme.bits)", reads: [KernelCall.Read(.input(1), Form())], writes: [Form()],
      packedBytes: bytes.byteCount + scales.byteCount + (minimums?.byteCount ?? 0)
    ) { memory in
      let (picks, out) = (memory.reads[0], memory.writes[0].of(Float.self))
      return [
        Self.check(picks, count, wide: wide, size: rows, memory),
        Phase.over(count, grain: Swift.max(1, rowGrain / Swift.max(1, columns))) { start, end in
          for item in start..<end {
            let target = out + item * columns
            guard let index = Self.index(picks, item, wide: wide, size: rows) else { continue }
            for piece in 0..<pieces {
              let first = piece * group
              let scale = index * rowStep + piece
              kernels.pointee.dequantize_u8_f32(
                bytes.of(UInt8.self) + (index * columns + first), Swift.min(group, columns - first),
                scales.of(Float.self)[scale], zeros.of(Int32.self)[scale], target + first)
              if let minimums {
                kernels.pointee.add_scalar_f32(
                  target + first, minimums.of(Float.self)[scale], Swift.min(group, columns - first),
                  target + first)
              }
            }
          }
        },
      ]
    }
  }
}
