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
  /// Pairs of lowest and highest value that are known of each range before; `nil` where they must be found.
  var known: Int?

  /// How many pairs the step before leaves for each range, one per image or one for all; `nil` where it leaves none.
  static func known(_ operand: LoweringSite.Operand?, images: Int, whole: Bool) -> Int? {
    guard let operand, let pairs = operand.extremes, operand.info.shape?.first == images else { return nil }
    return whole ? pairs * images : pairs
  }

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

  /// - Parameter extremes: the known pairs of all ranges.
  func phases(_ x: UnsafePointer<Float>, _ memory: Memory, extremes given: UnsafePointer<Float>? = nil)
    -> [Phase]
  {
    let (elements, pieces, grain, kernels, padding) = (elements, pieces, grain, kernels, padding)
    let pairs = known ?? pieces
    let extremes = given ?? UnsafePointer(memory.extremes)
    func merged(_ range: Int) -> (Float, Float) {
      var (lowest, highest) = (Float.infinity, -Float.infinity)
      for pair in range * pairs..<(range + 1) * pairs {
        lowest = Swift.min(lowest, extremes[2 * pair])
        highest = Swift.max(highest, extremes[2 * pair + 1])
      }
      return (lowest, highest)
    }
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
            var (lowest, highest) = (Float.infinity, -Float.infinity)
            if given != nil {
              (lowest, highest) = merged(range)
            } else {
              kernels.pointee.minmax_f32(x + range * elements, elements, &lowest, &highest)
            }
            encode(range * elements, elements, finish(range, lowest, highest, writes: true))
          }
        }
      ]
    }
    let find = Phase(chunks: ranges * pieces) { chunk in
      let start = chunk % pieces * grain
      let count = Swift.min(grain, elements - start)
      let extremes = memory.extremes + 2 * chunk
      kernels.pointee.minmax_f32(x + (chunk / pieces * elements + start), count, extremes, extremes + 1)
    }
    return (given == nil ? [find] : []) + [
      Phase(chunks: ranges * pieces) { chunk in
        let range = chunk / pieces
        let (lowest, highest) = merged(range)
        let chosen = finish(range, lowest, highest, writes: chunk % pieces == 0)
        let start = chunk % pieces * grain
        encode(range * elements + start, Swift.min(grain, elements - start), chosen)
      }
    ]
  }
}
