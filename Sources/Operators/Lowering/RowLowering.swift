import CKernels
import Graph
import Tensors

/// Rows of `count` neighbouring elements of the first input.
///
/// - Parameter features: inputs that hold one number for each element of a row; `run` gets them in this order.
private func rowsCall(
  _ site: LoweringSite, label: String, count: Int, layout: Layout, features: [Int] = [],
  _ run:
    @escaping (
      _ x: UnsafePointer<Float>, _ rows: Int, _ y: UnsafeMutablePointer<Float>,
      _ features: [UnsafePointer<Float>]
    ) -> Void
) -> KernelCall? {
  guard let x = site.input(0), x.info.type == .float32, let elements = x.info.count, count > 0, elements > 0
  else { return nil }
  var reads = [KernelCall.Read(.input(0), x.decoded(layout))]
  for index in features {
    guard let operand = site.input(index), operand.info.type == .float32, operand.info.count == count else {
      return nil
    }
    reads.append(KernelCall.Read(.input(index), operand.decoded(.rowMajor)))
  }
  let rows = elements / count
  return KernelCall(label, reads: reads, writes: [Form(.plain, layout)], inPlace: 0) { memory in
    let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
    let numbers = memory.reads.dropFirst().map { $0.of(Float.self) }
    return [
      Phase.over(rows, grain: Swift.max(1, rowGrain / count)) { start, end in
        run(from + start * count, end - start, to + start * count, numbers)
      }
    ]
  }
}

extension Softmax: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let (count, layout) = rows(site, along: axis) else { return nil }
    let kernels = site.kernels
    return rowsCall(site, label: "softmax", count: count, layout: layout) { x, rows, y, _ in
      kernels.pointee.softmax_f32(x, rows, count, y)
    }
  }
}

extension LogSoftmax: Lowerable {
  /// With p the largest share of a row, of its element x: log Σ eˣ = x − log p.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let (count, layout) = rows(site, along: axis) else { return nil }
    let kernels = site.kernels
    var call = rowsCall(site, label: "log-softmax", count: count, layout: layout) { x, rows, y, _ in
      kernels.pointee.softmax_f32(x, rows, count, y)
      for row in 0..<rows {
        let (from, to) = (x + row * count, y + row * count)
        var best = 0
        for i in 1..<Swift.max(count, 1) where to[i] > to[best] { best = i }
        kernels.pointee.add_scalar_f32(from, Float.log(to[best]) - from[best], count, to)
      }
    }
    // The inputs are read again behind the powers.
    call?.inPlace = nil
    return call
  }
}

/// The elements of a row along an axis, and the order in which they are neighbours; `nil` where none has them so.
private func rows(_ site: LoweringSite, along axis: Int) -> (count: Int, layout: Layout)? {
  guard let shape = site.input(0)?.info.shape, let along = shape.normalizedAxis(axis) else { return nil }
  if along == 1, shape.count > 2 { return (shape[along], .channelsLast) }
  return along == shape.count - 1 ? (shape[along], .rowMajor) : nil
}

extension LayerNormalization: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard site.outputs.count == 1, let shape = site.input(0)?.info.shape,
      let first = shape.normalizedAxis(axis)
    else { return nil }
    let count = shape[first...].reduce(1, *)
    let (kernels, epsilon, hasBias) = (site.kernels, epsilon, site.input(2) != nil)
    return rowsCall(
      site, label: "layer norm", count: count, layout: .rowMajor, features: hasBias ? [1, 2] : [1]
    ) { x, rows, y, features in
      kernels.pointee.layernorm_f32(
        x, rows, count, epsilon, features[0], hasBias ? features[1] : nil, y)
    }
  }
}

extension RMSNormalization: Lowerable {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard site.outputs.count == 1, let shape = site.input(0)?.info.shape,
      let first = shape.normalizedAxis(axis)
    else { return nil }
    let count = shape[first...].reduce(1, *)
    let (kernels, epsilon) = (site.kernels, epsilon)
    return rowsCall(site, label: "rms norm", count: count, layout: .rowMajor, features: [1]) {
      x, rows, y, features in
      kernels.pointee.rmsnorm_f32(x, rows, count, epsilon, features[0], y)
    }
  }
}

extension ReductionFunction {
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), x.info.type == .float32, let shape = x.info.shape, x.info.count ?? 0 > 0,
      site.input(1) == nil || site.input(1)?.info.constant != nil
    else { return nil }
    let axes = try options.axes(site.input(1)?.info.constant?.integers, of: shape)
    if self is ReduceMean, let call = spatialMeanCall(site, axes: axes) { return call }
    guard let first = axes.first, axes == Array(first..<first + axes.count) else { return nil }
    let outer = shape[..<first].reduce(1, *)
    let size = axes.map { shape[$0] }.elementCount
    let inner = shape[(first + axes.count)...].reduce(1, *)
    let kernels = site.kernels
    guard let kind = RowReduction(self) else { return nil }
    // Columns of an inner block are reduced side by side.
    let block = Swift.min(inner, 1024)
    let blocks = (inner + block - 1) / Swift.max(1, block)
    return KernelCall(
      Self.name.type, reads: [KernelCall.Read(.input(0), x.decoded(.rowMajor))],
      writes: [Form(.plain, .rowMajor)]
    ) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      if inner == 1 {
        return [
          Phase.over(outer, grain: Swift.max(1, rowGrain / size)) { start, end in
            for row in start..<end { to[row] = kind.row(from + row * size, size, kernels) }
          }
        ]
      }
      return [
        Phase(chunks: outer * blocks) { chunk in
          let (item, start) = (chunk / blocks, chunk % blocks * block)
          kind.columns(
            from + (item * size * inner + start), rows: size, stride: inner,
            count: Swift.min(block, inner - start),
            to + (item * inner + start), kernels)
        }
      ]
    }
  }
}

/// The reductions that have a loop of their own.
private enum RowReduction {
  case sum, mean, largest, smallest, norm

  init?(_ function: any ReductionFunction) {
    switch function {
    case is ReduceSum: self = .sum
    case is ReduceMean: self = .mean
    case is ReduceMax: self = .largest
    case is ReduceMin: self = .smallest
    case is ReduceL2: self = .norm
    default: return nil
    }
  }

  func row(_ x: UnsafePointer<Float>, _ n: Int, _ kernels: UnsafePointer<ck_table>) -> Float {
    switch self {
    case .sum: return kernels.pointee.sum_f32(x, n)
    case .mean: return kernels.pointee.sum_f32(x, n) / Float(n)
    case .largest, .smallest:
      var lowest = Float.infinity
      var highest = -Float.infinity
      kernels.pointee.minmax_f32(x, n, &lowest, &highest)
      return self == .largest ? highest : lowest
    case .norm:
      var sum = 0.0
      for i in 0..<n { sum += Double(x[i]) * Double(x[i]) }
      return Float(sum.squareRoot())
    }
  }

  func columns(
    _ x: UnsafePointer<Float>, rows: Int, stride: Int, count: Int, _ y: UnsafeMutablePointer<Float>,
    _ kernels: UnsafePointer<ck_table>
  ) {
    switch self {
    case .sum, .mean:
      for i in 0..<count { y[i] = x[i] }
      for row in 1..<Swift.max(1, rows) { kernels.pointee.add_f32(y, x + row * stride, count, y) }
      if self == .mean { kernels.pointee.mul_scalar_f32(y, 1 / Float(rows), count, y) }
    case .largest, .smallest:
      for i in 0..<count { y[i] = x[i] }
      for row in 1..<Swift.max(1, rows) {
        let next = x + row * stride
        if self == .largest {
          for i in 0..<count { y[i] = y[i] > next[i] ? y[i] : next[i] }
        } else {
          for i in 0..<count { y[i] = y[i] < next[i] ? y[i] : next[i] }
        }
      }
    case .norm:
      for i in 0..<count { y[i] = x[i] * x[i] }
      for row in 1..<Swift.max(1, rows) {
        let next = x + row * stride
        for i in 0..<count { y[i] += next[i] * next[i] }
      }
      kernels.pointee.sqrt_f32(y, count, y)
    }
  }
}
