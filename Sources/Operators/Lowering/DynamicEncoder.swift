import CKernels
import Graph
import Tensors

/// Encodes float32 activations at run time: `ranges` neighbouring runs of `elements`, each with a range of its own.
struct DynamicEncoder {
  var ranges: Int
  var elements: Int
  /// Bytes of padding wanted per range, filled with its zero point.
  var padding: Int
  /// Codes are 0…2^bits − 1.
  var bits: Int
  var kernels: UnsafePointer<ck_table>

  /// Elements of a chunk of a long range.
  private let grain = 1 << 15

  private var pieces: Int { Swift.max(1, (elements + grain - 1) / grain) }

  /// Codes, then scales, zero points, padding, and the extremes of each piece.
  var bytes: Int {
    aligned(ranges * elements) + 2 * aligned(ranges * 4) + aligned(ranges * padding)
      + aligned(ranges * pieces * 8)
  }

  struct Memory {
    var codes: UnsafeMutablePointer<UInt8>
    var scales: UnsafeMutablePointer<Float>
    var zeros: UnsafeMutablePointer<Int32>
    var padding: UnsafeMutablePointer<UInt8>
    var extremes: UnsafeMutablePointer<Float>
  }

  func memory(_ base: UnsafeMutableRawPointer) -> Memory {
    let scales = base + aligned(ranges * elements)
    let zeros = scales + aligned(ranges * 4)
    let padding = zeros + aligned(ranges * 4)
    return Memory(
      codes: base.of(UInt8.self), scales: scales.of(Float.self), zeros: zeros.of(Int32.self),
      padding: padding.of(UInt8.self), extremes: (padding + aligned(ranges * self.padding)).of(Float.self))
  }

  func phases(_ x: UnsafePointer<Float>, _ memory: Memory) -> [Phase] {
    let (elements, pieces, grain, kernels, padding) = (elements, pieces, grain, kernels, padding)
    let bits = bits
    let highestCode = (Int32(1) << bits) - 1
    func finish(_ range: Int, _ lowest: Float, _ highest: Float, writes: Bool) -> AffineRange {
      let chosen = AffineRange(lowest: lowest, highest: highest, bits: bits)
      if writes {
        memory.scales[range] = chosen.scale
        memory.zeros[range] = chosen.zeroPoint
        for i in 0..<padding { memory.padding[range * padding + i] = UInt8(chosen.zeroPoint) }
      }
      return chosen
    }
    func encode(_ from: Int, _ count: Int, _ chosen: AffineRange) {
      kernels.pointee.quantize_f32_u8(
        x + from, count, chosen.scale, chosen.zeroPoint, 0, highestCode, memory.codes + from)
    }
    if pieces == 1 {
      let perChunk = Swift.max(1, grain / Swift.max(1, elements))
      return [
        Phase.over(ranges, grain: perChunk) { from, to in
          for range in from..<to {
            var lowest = Float.infinity
            var highest = -Float.infinity
            kernels.pointee.minmax_f32(x + range * elements, elements, &lowest, &highest)
            encode(range * elements, elements, finish(range, lowest, highest, writes: true))
          }
        }
      ]
    }
    return [
      Phase(chunks: ranges * pieces) { chunk in
        let start = chunk % pieces * grain
        let count = Swift.min(grain, elements - start)
        let extremes = memory.extremes + 2 * chunk
        kernels.pointee.minmax_f32(x + (chunk / pieces * elements + start), count, extremes, extremes + 1)
      },
      Phase(chunks: ranges * pieces) { chunk in
        let range = chunk / pieces
        var lowest = Float.infinity
        var highest = -Float.infinity
        for piece in range * pieces..<(range + 1) * pieces {
          lowest = Swift.min(lowest, memory.extremes[2 * piece])
          highest = Swift.max(highest, memory.extremes[2 * piece + 1])
        }
        let chosen = finish(range, lowest, highest, writes: chunk % pieces == 0)
        let start = chunk % pieces * grain
        encode(range * elements + start, Swift.min(grain, elements - start), chosen)
      },
    ]
  }
}
