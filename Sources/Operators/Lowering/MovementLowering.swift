import CKernels
import Graph
import Tensors

/// One copy: a part of an operand to a part of the result.
private struct Piece {
  var read: Int
  var copy: StridedCopy
  /// Elements from the start of the operand and of the result.
  var source: Int
  var target: Int
}

/// How a node that only moves elements reads its input: as codes where input and output stay encoded, and what it then
/// writes.
private struct MovedForm {
  var content: Form.Content
  var written: Form.Content

  init(_ operand: LoweringSite.Operand, _ site: LoweringSite) {
    if let codes = operand.codes, site.outputCodes != nil {
      content = .codes(codes)
      written = .codes(codes)
    } else {
      content = operand.codes.map { .decoded($0) } ?? .plain
      written = .plain
    }
  }

  func elementBytes(_ type: ElementType) -> Int { Form(content).elementBytes(type) }
}

private func copyCall(
  _ label: String, _ site: LoweringSite, reads: [KernelCall.Read], writes: [Form], bytes: Int,
  pieces: [(output: Int, piece: Piece)]
) -> KernelCall {
  let kernels = site.kernels
  return KernelCall(label, reads: reads, writes: writes) { memory in
    pieces.map { output, piece in
      piece.copy.phase(
        memory.reads[piece.read] + piece.source * bytes, memory.writes[output] + piece.target * bytes,
        kernels: kernels)
    }
  }
}

// MARK: views

/// The call of a node that gives the same row-major elements another shape.
private func reshapeCall(_ site: LoweringSite) -> KernelCall? {
  guard let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape,
    from.elementCount == to.elementCount
  else { return nil }
  let form = MovedForm(x, site)
  if x.layout.isRowMajor(for: from) {
    return .alias(0, Form(form.content, x.layout), as: Form(form.written, .rowMajor))
  }
  if from == to { return .alias(0, Form(form.content, x.layout), as: Form(form.written, x.layout)) }
  // An image whose channels come last, flattened.
  if x.layout == .channelsLast, to.count == 2, to[0] == from[0] {
    return .alias(0, Form(form.content, x.layout), as: Form(form.written, .flattened(channels: from[1])))
  }
  // Spatial axes of size 1 come and go, such as [N, C, H, W] to [N, C, H·W].
  if x.layout == .channelsLast, to.count > 2, to[0] == from[0], to[1] == from[1] {
    return .alias(0, Form(form.content, x.layout), as: Form(form.written, .channelsLast))
  }
  return .alias(0, Form(form.content, .rowMajor), as: Form(form.written, .rowMajor))
}

extension Reshape: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? { reshapeCall(site) }
}
extension Flatten: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? { reshapeCall(site) }
}
extension Squeeze: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? { reshapeCall(site) }
}
extension Unsqueeze: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? { reshapeCall(site) }
}
extension Identity: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? { reshapeCall(site) }
}

// MARK: copies

extension Transpose: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape else { return nil }
    let order = permutation ?? Array(from.indices.reversed())
    guard order.count == from.count else { return nil }
    let form = MovedForm(x, site)
    let strides = x.layout.strides(of: from)
    let moved = order.map { strides[$0] }
    // The same bytes under another reading: channels first or last.
    if case .flattened = x.layout {
    } else {
      for layout in [Layout.rowMajor, .channelsLast] where layout == .rowMajor || to.count > 2 {
        let wanted = layout.strides(of: to)
        if to.indices.allSatisfy({ to[$0] == 1 || moved[$0] == wanted[$0] }) {
          return .alias(0, Form(form.content, x.layout), as: Form(form.written, layout))
        }
      }
    }
    let layout: Layout = if case .flattened = x.layout { .rowMajor } else { x.layout }
    let source = layout.strides(of: from)
    let bytes = form.elementBytes(x.info.type)
    let copy = StridedCopy(
      shape: to, source: order.map { source[$0] }, target: to.rowMajorStrides, elementBytes: bytes)
    return copyCall(
      "transpose", site, reads: [KernelCall.Read(.input(0), Form(form.content, layout))],
      writes: [Form(form.written)], bytes: bytes,
      pieces: [(0, Piece(read: 0, copy: copy, source: 0, target: 0))])
  }
}

/// The layout in which a node that moves elements reads and writes: its input's, or row-major.
private func movedLayout(_ operand: LoweringSite.Operand) -> Layout {
  operand.layout == .channelsLast && (operand.info.shape?.count ?? 0) > 2 ? .channelsLast : .rowMajor
}

extension Slice: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape else { return nil }
    let lists = (1..<5).map { site.input($0)?.info.constant?.integers }
    guard let starts = lists[0], let ends = lists[1], site.input(3) == nil || lists[2] != nil,
      site.input(4) == nil || lists[3] != nil
    else { return nil }
    let ranges = try resolved(from, starts: starts, ends: ends, axes: lists[2], steps: lists[3])
    let form = MovedForm(x, site)
    let layout = movedLayout(x)
    let strides = layout.strides(of: from)
    let bytes = form.elementBytes(x.info.type)
    let copy = StridedCopy(
      shape: to, source: ranges.indices.map { ranges[$0].step * strides[$0] }, target: layout.strides(of: to),
      elementBytes: bytes)
    return copyCall(
      "slice", site, reads: [KernelCall.Read(.input(0), Form(form.content, layout))],
      writes: [Form(form.written, layout)], bytes: bytes,
      pieces: [
        (
          0,
          Piece(
            read: 0, copy: copy, source: ranges.indices.reduce(0) { $0 + ranges[$1].start * strides[$1] },
            target: 0)
        )
      ])
  }
}

extension Expand: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape else { return nil }
    if from == to { return reshapeCall(site) }
    let form = MovedForm(x, site)
    let bytes = form.elementBytes(x.info.type)
    let copy = StridedCopy(
      shape: to, source: from.broadcastStrides(to: to), target: to.rowMajorStrides, elementBytes: bytes)
    return copyCall(
      "expand", site, reads: [KernelCall.Read(.input(0), Form(form.content))], writes: [Form(form.written)],
      bytes: bytes, pieces: [(0, Piece(read: 0, copy: copy, source: 0, target: 0))])
  }
}

extension DepthToSpace: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape, from.count == 4
    else { return nil }
    let form = MovedForm(x, site)
    let layout = movedLayout(x)
    let (s, t) = (layout.strides(of: from), layout.strides(of: to))
    let bytes = form.elementBytes(x.info.type)
    // Axes: batch, channel, block row, block column, height, width.
    let channels = to[1]
    let (channelStep, blockStep) = isChannelFirst ? (block * block, 1) : (1, channels)
    let copy = StridedCopy(
      shape: [from[0], channels, block, block, from[2], from[3]],
      source: [s[0], channelStep * s[1], block * blockStep * s[1], blockStep * s[1], s[2], s[3]],
      target: [t[0], t[1], t[2], t[3], block * t[2], block * t[3]], elementBytes: bytes)
    return copyCall(
      "depth to space", site, reads: [KernelCall.Read(.input(0), Form(form.content, layout))],
      writes: [Form(form.written, layout)], bytes: bytes,
      pieces: [(0, Piece(read: 0, copy: copy, source: 0, target: 0))])
  }
}

extension Split: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), x.codes == nil, let from = x.info.shape,
      let along = from.normalizedAxis(axis)
    else { return nil }
    let layout = movedLayout(x)
    let strides = layout.strides(of: from)
    let bytes = x.info.type.bits / 8
    var pieces: [(output: Int, piece: Piece)] = []
    var start = 0
    for (index, output) in site.outputs.enumerated() {
      guard let to = output.shape, to.count == from.count else { return nil }
      let copy = StridedCopy(shape: to, source: strides, target: layout.strides(of: to), elementBytes: bytes)
      pieces.append((index, Piece(read: 0, copy: copy, source: start * strides[along], target: 0)))
      start += to[along]
    }
    return copyCall(
      "split", site, reads: [KernelCall.Read(.input(0), Form(.plain, layout))],
      writes: site.outputs.map { _ in Form(.plain, layout) }, bytes: bytes, pieces: pieces)
  }
}

extension Concat: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let to = site.outputs[0].shape, let along = to.normalizedAxis(axis) else { return nil }
    let operands = site.inputs.compactMap { $0 }
    guard operands.count == site.inputs.count else { return nil }
    let last = operands.contains { $0.layout == .channelsLast && $0.info.constant == nil } && to.count > 2
    let layout: Layout = last ? .channelsLast : .rowMajor
    let target = layout.strides(of: to)
    let output = site.outputCodes
    let isCoded = output != nil && operands.allSatisfy { $0.codes != nil }
    let bytes = isCoded ? 1 : site.outputs[0].type.bits / 8
    var reads: [KernelCall.Read] = []
    var pieces: [Piece] = []
    var tables: [Pinned?] = []
    var start = 0
    for (index, operand) in operands.enumerated() {
      guard let from = operand.info.shape else { return nil }
      let content: Form.Content =
        isCoded ? (operand.codes.map { .codes($0) } ?? .plain) : operand.decoded(layout).content
      reads.append(KernelCall.Read(.input(index), Form(content, layout)))
      let copy = StridedCopy(
        shape: from, source: layout.strides(of: from), target: target, elementBytes: bytes)
      pieces.append(Piece(read: index, copy: copy, source: 0, target: start * target[along]))
      tables.append(
        output.flatMap { output in operand.codes.flatMap { $0 == output ? nil : Pinned($0.table(to: output)) }
        })
      start += from[along]
    }
    let counts = operands.map { $0.info.count ?? 0 }
    // Operands of another scale are recoded in scratch memory first.
    var offsets: [Int] = []
    var scratch = 0
    for (table, count) in zip(tables, counts) {
      offsets.append(scratch)
      if isCoded, table != nil { scratch += aligned(count) }
    }
    let kernels = site.kernels
    return KernelCall(
      isCoded ? "concat u8" : "concat", reads: reads,
      writes: [Form(isCoded ? (output.map { .codes($0) } ?? .plain) : .plain, layout)], scratchBytes: scratch
    ) { memory in
      var phases: [Phase] = []
      for piece in pieces {
        var source = memory.reads[piece.read]
        if isCoded, let table = tables[piece.read] {
          let (x, y) = (source.of(UInt8.self), (memory.scratch + offsets[piece.read]).of(UInt8.self))
          phases.append(
            Phase.over(counts[piece.read], grain: 4 * rowGrain) { from, to in
              kernels.pointee.lookup_u8(x + from, to - from, table.of(UInt8.self), y + from)
            })
          source = UnsafeRawPointer(y)
        }
        phases.append(piece.copy.phase(source, memory.writes[0] + piece.target * bytes, kernels: kernels))
      }
      return phases
    }
  }
}

extension Pad: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard mode == .constant, let x = site.input(0), let from = x.info.shape, let to = site.outputs[0].shape,
      let amounts = site.input(1)?.info.constant?.integers,
      site.input(3) == nil || site.input(3)?.info.constant != nil,
      site.input(2) == nil || site.input(2)?.info.constant != nil
    else { return nil }
    let pads = try resolved(from, pads: amounts, axes: site.input(3)?.info.constant?.integers)
    guard pads.allSatisfy({ $0.begin >= 0 && $0.end >= 0 }), to.elementCount > 0 else { return nil }
    let form = MovedForm(x, site)
    let bytes = form.elementBytes(x.info.type)
    guard bytes == 1 || bytes == 4 || bytes == 8 else { return nil }
    let layout = movedLayout(x)
    let target = layout.strides(of: to)
    let copy = StridedCopy(shape: from, source: layout.strides(of: from), target: target, elementBytes: bytes)
    let start = pads.indices.reduce(0) { $0 + pads[$1].begin * target[$1] }
    var fill = [UInt8](repeating: 0, count: bytes)
    if case .codes(let codes) = form.content {
      fill = [codes.code(site.input(2)?.info.constant?.scalarFloat ?? 0)]
    } else if let constant = site.input(2)?.info.constant, constant.count == 1, constant.type == x.info.type {
      fill = constant.withBytes { Array($0) }
    }
    let (count, kernels, pattern) = (to.elementCount, site.kernels, fill)
    return KernelCall(
      "pad", reads: [KernelCall.Read(.input(0), Form(form.content, layout))],
      writes: [Form(form.written, layout)]
    ) { memory in
      let out = memory.writes[0]
      return [
        Phase.over(count, grain: 1 << 16) { from, to in
          let start = out + from * bytes
          if pattern.allSatisfy({ $0 == pattern[0] }) {
            start.initializeMemory(as: UInt8.self, repeating: pattern[0], count: (to - from) * bytes)
          } else {
            for i in 0..<(to - from) { (start + i * bytes).copyMemory(from: pattern, byteCount: bytes) }
          }
        },
        copy.phase(memory.reads[0], out + start * bytes, kernels: kernels),
      ]
    }
  }
}
