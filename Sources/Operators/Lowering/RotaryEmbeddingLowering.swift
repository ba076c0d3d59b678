import CKernels
import Graph
import Tensors

extension RotaryEmbedding: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let cosines = site.input(1), let sines = site.input(2),
      [x, cosines, sines].allSatisfy({ $0.info.type == .float32 }), let shape = x.info.shape,
      let angles = cosines.info.shape, angles == sines.info.shape
    else { return nil }
    let (heads, length, size) = try resolved(shape)
    let turned = rotated == 0 ? size : rotated
    let positions = site.input(3)
    let tokens = shape[0] * length
    if let positions {
      guard positions.info.type == .int64, positions.info.shape == [shape[0], length], angles.count == 2
      else { return nil }
    } else {
      guard angles == [shape[0], length, turned / 2] else { return nil }
    }
    guard turned <= size, turned > 0, turned % 2 == 0, angles.last == turned / 2, angles[0] > 0 else {
      return nil
    }
    var reads = [x, cosines, sines].enumerated().map { KernelCall.Read(.input($0), $1.decoded(.rowMajor)) }
    if positions != nil { reads.append(KernelCall.Read(.input(3), Form())) }
    let neighbours: Int32 = isInterleaved ? 1 : 0
    // Elements between heads of a token, and between tokens.
    let (perHead, perToken) = shape.count == 4 ? (length * size, size) : (size, heads * size)
    let (kernels, known) = (site.kernels, angles[0])
    return KernelCall("rotary", reads: reads, writes: [Form()], inPlace: 0) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      let (cosines, sines) = (memory.reads[1].of(Float.self), memory.reads[2].of(Float.self))
      let picks = positions == nil ? nil : memory.reads[3]
      let checks = picks.map { [Gather.check($0, tokens, wide: true, size: known, memory)] } ?? []
      return checks + [
        Phase.over(tokens, grain: Swift.max(1, rowGrain / (heads * size))) { start, end in
          for token in start..<end {
            let picked = picks.map { Gather.index($0, token, wide: true, size: known) } ?? token
            guard let position = picked else { continue }
            let angle = position * (turned / 2)
            let first = token / length * heads * length * size + token % length * perToken
            for head in 0..<heads {
              let at = first + head * perHead
              kernels.pointee.rotate_f32(
                from + at, size, turned, neighbours, cosines + angle, sines + angle, to + at)
            }
          }
        }
      ]
    }
  }
}
