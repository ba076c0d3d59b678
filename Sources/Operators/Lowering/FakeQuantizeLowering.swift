import CKernels
import Graph
import Tensors

extension FakeQuantize: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let call = try FakeQuantizeCall(site, points) else { return nil }
    return call.forward()
  }
}

extension FakeQuantizeGradient: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let call = try FakeQuantizeCall(site, points) else { return nil }
    return call.backward()
  }
}

/// Fake quantization of one tensor, forward or backward.
private struct FakeQuantizeCall {
  let site: LoweringSite
  let points: QuantizationPoints
  let x: LoweringSite.Operand
  let cells: ScaleCells
  let count: Int
  let hasZero: Bool
  /// One scale for all leaves the order of the elements free.
  let layout: Layout

  init?(_ site: LoweringSite, _ points: QuantizationPoints) throws {
    guard let x = site.input(0), let shape = x.info.shape, x.codes == nil, shape.elementCount > 0 else {
      return nil
    }
    self.site = site
    self.points = points
    self.x = x
    cells = try points.cells(of: shape)
    count = shape.elementCount
    hasZero = site.input(2) != nil
    layout = points.granularity == .tensor ? x.layout : .rowMajor
  }

  private var reads: [KernelCall.Read] {
    [KernelCall.Read(.input(0), x.decoded(layout)), KernelCall.Read(.input(1), Form())]
      + (hasZero ? [KernelCall.Read(.input(2), Form())] : [])
  }

  func forward() -> KernelCall {
    let (points, cells, count, kernels, hasZero) = (points, cells, count, site.kernels, hasZero)
    let isTensor = points.granularity == .tensor
    var call = KernelCall(
      "fake quantize", reads: reads, writes: [Form(.plain, layout)],
      scratchBytes: isTensor ? 0 : 8 * cells.count,
      inPlace: 0
    ) { memory in
      let numbers = CellNumbers(memory, points, hasZero: hasZero)
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      if isTensor {
        return [
          Phase.over(count, grain: elementGrain) { start, end in
            let (scale, lowest, highest) = numbers[0]
            kernels.pointee.fake_quantize_f32(from + start, end - start, scale, lowest, highest, to + start)
          }
        ]
      }
      let (lowest, highest) = (memory.scratch.of(Float.self), memory.scratch.of(Float.self) + cells.count)
      return [
        numbers.bounds(cells.count, lowest, highest),
        Phase.over(cells.pieces, grain: grain(cells, count)) { first, end in
          for piece in first..<end {
            cells.forEachBlock(of: piece) { block in
              if block.hasColumns {
                kernels.pointee.fake_quantize_columns_f32(
                  from + block.start, block.rows, block.columns, numbers.scales + block.cell,
                  lowest + block.cell, highest + block.cell, to + block.start)
              } else {
                kernels.pointee.fake_quantize_f32(
                  from + block.start, block.columns, numbers.scales[block.cell], lowest[block.cell],
                  highest[block.cell], to + block.start)
              }
            }
          }
        },
      ]
    }
    if isTensor { call.elements = count }
    return call
  }

  func backward() -> KernelCall? {
    let isTensor = points.granularity == .tensor
    guard let upstream = site.input(3), isTensor || !points.clipsOnly else { return nil }
    let (points, cells, count, kernels, hasZero) = (points, cells, count, site.kernels, hasZero)
    let wantsZero = site.outputs.count > 2
    let factor = points.gradientFactor(elements: count / cells.count)
    // One scale: sums of chunks, added in order. Several: bounds, then each piece sums over its own.
    let grain = isTensor ? 1 << 15 : grain(cells, count)
    let chunks = isTensor ? (count + grain - 1) / grain : 0
    let upstreamIndex = reads.count
    return KernelCall(
      "fake quantize gradient", reads: reads + [KernelCall.Read(.input(3), upstream.decoded(layout))],
      writes: [Form(.plain, layout)] + [Form](repeating: Form(), count: site.outputs.count - 1),
      scratchBytes: isTensor ? chunks * 16 : 12 * cells.count, inPlace: upstreamIndex
    ) { memory in
      let numbers = CellNumbers(memory, points, hasZero: hasZero)
      let x = memory.reads[0].of(Float.self)
      let g = memory.reads[upstreamIndex].of(Float.self)
      let ofX = memory.writes[0].of(Float.self)
      let ofScale = memory.writes[1].of(Float.self)
      let ofZero = wantsZero ? memory.writes[2].of(Float.self) : nil
      let scratch = memory.scratch.of(Float.self)
      if isTensor {
        return [
          Phase(chunks: chunks) { chunk in
            let start = chunk * grain
            let (scale, lowest, highest) = numbers[0]
            let sums = scratch + 4 * chunk
            sums.update(repeating: 0, count: 4)
            let elements = Swift.min(grain, count - start)
            var source = g + start
            if points.clipsOnly {
              // What is clipped above alone moves the scale: its sum is that of a range without a lower end.
              kernels.pointee.fake_quantize_gradient_f32(
                x + start, source, elements, scale, -.infinity, highest, ofX + start, sums + 2)
              source = UnsafePointer(ofX + start)
            }
            kernels.pointee.fake_quantize_gradient_f32(
              x + start, source, elements, scale, lowest, highest, ofX + start, sums)
          },
          Phase(chunks: 1) { _ in
            var (inside, outside, above) = (0.0, 0.0, 0.0)
            for chunk in 0..<chunks {
              inside += Double(scratch[4 * chunk])
              outside += Double(scratch[4 * chunk + 1])
              above += Double(scratch[4 * chunk + 3])
            }
            let sum = points.clipsOnly ? Float(above) * Float(points.codes.upperBound) : Float(inside)
            ofScale[0] = sum * factor
            ofZero?[0] = -Float(outside + above) * factor * numbers.scales[0]
          },
        ]
      }
      let (lowest, highest, outside) = (scratch, scratch + cells.count, scratch + 2 * cells.count)
      return [
        numbers.bounds(cells.count, lowest, highest),
        Phase.over(cells.pieces, grain: grain) { first, end in
          for piece in first..<end {
            var isFirst = true
            cells.forEachBlock(of: piece) { block in
              let width = block.hasColumns ? block.columns : 1
              if isFirst {
                (ofScale + block.cell).update(repeating: 0, count: width)
                (outside + block.cell).update(repeating: 0, count: width)
                isFirst = false
              }
              if block.hasColumns {
                kernels.pointee.fake_quantize_columns_gradient_f32(
                  x + block.start, g + block.start, block.rows, block.columns, numbers.scales + block.cell,
                  lowest + block.cell, highest + block.cell, ofX + block.start, ofScale + block.cell,
                  outside + block.cell)
              } else {
                var sums: (Float, Float) = (0, 0)
                withUnsafeMutablePointer(to: &sums) {
                  $0.withMemoryRebound(to: Float.self, capacity: 2) { sums in
                    kernels.pointee.fake_quantize_gradient_f32(
                      x + block.start, g + block.start, block.columns, numbers.scales[block.cell],
                      lowest[block.cell], highest[block.cell], ofX + block.start, sums)
                  }
                }
                ofScale[block.cell] += sums.0
                outside[block.cell] += sums.1
              }
            }
          }
        },
        Phase(chunks: 1) { _ in
          for cell in 0..<cells.count {
            ofScale[cell] *= factor
            ofZero?[cell] = -outside[cell] * factor * numbers.scales[cell]
          }
        },
      ]
    }
  }
}

/// Pieces of one chunk of work.
private func grain(_ cells: ScaleCells, _ count: Int) -> Int {
  Swift.max(1, elementGrain / Swift.max(1, count / cells.pieces))
}

/// Scales and zero points in memory.
private struct CellNumbers: @unchecked Sendable {
  let scales: UnsafePointer<Float>
  let zeros: UnsafePointer<Float>?
  let lower: Float
  let upper: Float

  init(_ memory: KernelMemory, _ points: QuantizationPoints, hasZero: Bool) {
    scales = memory.reads[1].of(Float.self)
    zeros = hasZero ? memory.reads[2].of(Float.self) : nil
    lower = Float(points.codes.lowerBound)
    upper = Float(points.codes.upperBound)
  }

  /// Scale, and bounds of rne(x / scale).
  subscript(cell: Int) -> (scale: Float, lowest: Float, highest: Float) {
    let zero = zeros.map { $0[cell].rounded(.toNearestOrEven) } ?? 0
    return (scales[cell], lower - zero, upper - zero)
  }

  /// Writes the bounds of every cell.
  func bounds(
    _ count: Int, _ lowest: UnsafeMutablePointer<Float>, _ highest: UnsafeMutablePointer<Float>
  ) -> Phase {
    Phase(chunks: 1) { _ in
      for cell in 0..<count { (_, lowest[cell], highest[cell]) = self[cell] }
    }
  }
}
