import Graph
import Tensors

extension ErrorEnergy: Lowerable {
  /// A sample is one chunk, so that its sums have one order.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let a = site.input(0), let shape = a.info.shape, shape.elementCount > 0 else { return nil }
    var extent = try extent(of: shape)
    // Images may stay as convolutions leave them: then channels are neighbours.
    var layout = Layout.rowMajor
    if channelAxis == 1, shape.count > 2, a.layout == .channelsLast {
      layout = .channelsLast
      (extent.outer, extent.inner) = (extent.outer * extent.inner, 1)
    }
    let b = site.input(1)
    let reads =
      [KernelCall.Read(.input(0), a.decoded(layout))]
      + (b.map { [KernelCall.Read(.input(1), $0.decoded(layout))] } ?? [])
    let stride = (extent.channels * 8 + 63) & ~63
    return KernelCall("error energy", reads: reads, writes: [Form()], scratchBytes: extent.samples * stride) {
      [extent] memory in
      let from = memory.reads[0].of(Float.self)
      let other = memory.reads.count > 1 ? memory.reads[1].of(Float.self) : nil
      let to = memory.writes[0].of(Float.self)
      let scratch = memory.scratch
      return [
        Phase(chunks: extent.samples) { sample in
          extent.sum(from, other, sample: sample, (scratch + sample * stride).of(Double.self), to)
        }
      ]
    }
  }
}
