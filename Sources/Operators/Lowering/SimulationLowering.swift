import CKernels
import Graph
import Tensors

extension QuantizeDequantize: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard encoding.scales.count == 1, site.input(0)?.codes == nil else { return nil }
    let scale = encoding.scales[0]
    let zero = Float(encoding.zeroPoints[0])
    let (lowest, highest) = (Float(encoding.codes.lowerBound) - zero, Float(encoding.codes.upperBound) - zero)
    return elementwiseCall(site, label: "quantize-dequantize", function: { $0 }) {
      quantizeDequantize($0, $2, count: $1, scale: scale, lowest: lowest, highest: highest)
    }
  }
}

extension DynamicQuantizeDequantize: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), x.info.type == .float32, let shape = x.info.shape, let count = x.info.count,
      count > 0
    else {
      return nil
    }
    // Runs that share a range lie together in any layout, but for tokens, which are rows.
    let layout: Layout = sharing == .token ? .rowMajor : x.layout
    let size =
      switch sharing {
      case .tensor: count
      case .sample: count / Swift.max(1, shape.first ?? 1)
      case .token: shape.last ?? 1
      }
    let kernels = site.kernels
    let codes = Float((1 << bits) - 1)
    let bits = bits
    return KernelCall(
      "dynamic quantize-dequantize", reads: [KernelCall.Read(.input(0), x.decoded(layout))],
      writes: [Form(.plain, layout)], inPlace: 0
    ) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      return [
        Phase.over(count / size, grain: Swift.max(1, rowGrain / size)) { start, end in
          for run in start..<end {
            var lowest = Float.infinity
            var highest = -Float.infinity
            kernels.pointee.minmax_f32(from + run * size, size, &lowest, &highest)
            let range = AffineRange(lowest: lowest, highest: highest, bits: bits)
            let zero = Float(range.zeroPoint)
            quantizeDequantize(
              from + run * size, to + run * size, count: size, scale: range.scale, lowest: -zero,
              highest: codes - zero)
          }
        }
      ]
    }
  }
}
