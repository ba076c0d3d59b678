import CKernels
import Graph
import Tensors

extension Gemm: Lowerable {
  package var fusions: Fusions { [.bias, .clamp, .residual] }

  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let a = site.input(0), let b = site.input(1), let aShape = a.info.shape, let bShape = b.info.shape,
      aShape.count == 2, bShape.count == 2, a.info.type == .float32, a.info.constant == nil,
      aShape.elementCount > 0, bShape.elementCount > 0
    else { return nil }
    if transposesA { return outerCall(site, a, b, rows: aShape[0], inputs: aShape[1], outputs: bShape[1]) }
    let n = bShape[transposesB ? 0 : 1]
    let k = aShape[1]
    var bias: [Float]?
    var computedBias: Int?
    if let c = site.input(2) {
      if let constant = c.info.constant {
        guard let spread = Self.spread(constant, n) else { return nil }
        bias = beta == 1 ? spread : spread.map { $0 * beta }
      } else {
        guard beta == 1, c.info.count == n, c.info.shape?.last == n else { return nil }
        computedBias = 2
      }
    }
    guard b.info.constant != nil, computedBias == nil else {
      let isBiased = bias != nil || computedBias != nil
      guard alpha == 1, !isBiased || site.epilogue.bias == nil else { return nil }
      return DynamicProduct(
        site: site, batch: 1, m: aShape[0], n: n, k: k, transposesB: transposesB, aOffsets: [0],
        bOffsets: [0], bias: bias ?? site.epilogue.bias, computedBias: computedBias
      ).lower()
    }
    var shape = ProductShape(
      n: n, k: k, nStride: transposesB ? k : 1, kStride: transposesB ? 1 : n,
      channelAxis: transposesB ? 0 : 1, featureAxis: transposesB ? 1 : 0)
    var layout = Layout.rowMajor
    let hasGroups = if case .group? = b.encoded?.encoding.scheme.granularity { true } else { false }
    if case .flattened(let channels) = a.layout, !hasGroups, channels > 0 {
      // The rows come with channels last: the weights are reordered instead of the rows.
      layout = a.layout
      let pixels = k / channels
      shape.kOrder = (0..<k).map { $0 % channels * pixels + $0 / channels }
    }
    return try Product(
      site: site, rows: ProductRows(images: aShape[0], rows: 1, imageElements: k, stride: k),
      shape: shape, activation: 0, weight: 1, bias: bias, alpha: alpha, inputLayout: layout,
      outputLayout: .rowMajor, label: "gemm"
    ).lower()
  }

  /// AᵀB: the sum over rows of their outer products.
  private func outerCall(
    _ site: LoweringSite, _ a: LoweringSite.Operand, _ b: LoweringSite.Operand, rows: Int, inputs: Int,
    outputs: Int
  ) -> KernelCall? {
    guard !transposesB, alpha == 1, site.input(2) == nil, b.info.type == .float32, site.layer.mode == .float
    else { return nil }
    let block = Swift.max(16, Swift.min(64, (inputs / 8 + 15) / 16 * 16))
    let kernels = site.kernels
    let (x, y) = (a.decoded(.rowMajor), b.decoded(.rowMajor))
    return KernelCall(
      "gemm f32 outer", reads: [KernelCall.Read(.input(0), x), KernelCall.Read(.input(1), y)],
      writes: [Form()]
    ) { memory in
      let (a, b, c) = (
        memory.reads[0].of(Float.self), memory.reads[1].of(Float.self), memory.writes[0].of(Float.self)
      )
      return [
        Phase.over(inputs, grain: block) { from, to in
          (c + from * outputs).update(repeating: 0, count: (to - from) * outputs)
          var o = ck_outer_f32()
          o.rows = ck_rows(a: a, stride: inputs, offsets: nil, taps: 1, k: inputs, padding: nil)
          o.b = b
          o.b_stride = outputs
          o.n = outputs
          o.c = c
          o.c_stride = outputs
          kernels.pointee.outer_f32(&o, 0, 1, from, to, 0, rows)
        }
      ]
    }
  }

  /// C as one element per column, or `nil` where it differs between rows.
  private static func spread(_ c: Tensor, _ n: Int) -> [Float]? {
    guard c.type == .float32 else { return nil }
    if c.count == 1 { return [Float](repeating: c.floats[0], count: n) }
    guard c.count == n, c.shape.last == n else { return nil }
    return c.floats
  }
}

extension MatMul: Lowerable {
  package var fusions: Fusions { [.bias, .clamp, .residual] }

  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let a = site.input(0), let b = site.input(1), let aShape = a.info.shape, let bShape = b.info.shape,
      a.info.type == .float32, b.info.type == .float32, aShape.count >= 2, bShape.count >= 2,
      let result = site.outputs[0].shape, aShape.elementCount > 0, bShape.elementCount > 0,
      a.info.constant == nil || b.info.constant == nil
    else { return nil }
    let (m, k, n) = (aShape[aShape.count - 2], aShape[aShape.count - 1], bShape[bShape.count - 1])
    if b.info.constant != nil, bShape.count == 2 {
      let rows = aShape.dropLast().reduce(1, *)
      let images = aShape[0]
      return try Product(
        site: site,
        rows: ProductRows(images: images, rows: rows / images, imageElements: rows / images * k, stride: k),
        shape: ProductShape(n: n, k: k, nStride: 1, kStride: n, channelAxis: 1, featureAxis: 0),
        activation: 0,
        weight: 1, inputLayout: .rowMajor, outputLayout: .rowMajor, label: "matmul"
      ).lower()
    }
    let batch = Shape(result.dropLast(2))
    return DynamicProduct(
      site: site, batch: batch.elementCount, m: m, n: n, k: k, transposesB: false,
      aOffsets: Self.offsets(Shape(aShape.dropLast(2)), batch, m * k),
      bOffsets: Self.offsets(Shape(bShape.dropLast(2)), batch, k * n), bias: site.epilogue.bias
    ).lower()
  }

  /// Where the matrix of each index of the batch starts, when a smaller stack is repeated.
  private static func offsets(_ own: Shape, _ batch: Shape, _ matrix: Int) -> [Int] {
    let strides = own.broadcastStrides(to: batch)
    return (0..<batch.elementCount).map { index in
      var rest = index
      var offset = 0
      for axis in batch.indices.reversed() {
        offset += rest % batch[axis] * strides[axis]
        rest /= batch[axis]
      }
      return offset * matrix
    }
  }
}

/// A product of two activations: the right one is packed at run time.
struct DynamicProduct {
  var site: LoweringSite
  var batch: Int
  var m: Int
  var n: Int
  var k: Int
  /// Whether B is `[n, k]`.
  var transposesB: Bool
  var aOffsets: [Int]
  var bOffsets: [Int]
  var bias: [Float]?
  /// Index among the node's inputs of a bias that an earlier step computes.
  var computedBias: Int?

  func lower() -> KernelCall? {
    guard let a = site.input(0), let b = site.input(1), site.layer.mode == .float || b.encoded == nil else {
      return nil
    }
    var (lower, upper) = (site.epilogue.lower, site.epilogue.upper)
    var reads = [
      KernelCall.Read(.input(0), a.decoded(.rowMajor)), KernelCall.Read(.input(1), b.decoded(.rowMajor)),
    ]
    if let residual = site.epilogue.residual {
      guard residual.branch == nil, lower == -.infinity, upper == .infinity else { return nil }
      (lower, upper) = (residual.lower, residual.upper)
      reads.append(KernelCall.Read(.residual, residual.operand.decoded(.rowMajor)))
    }
    let residualIndex = site.epilogue.residual == nil ? nil : reads.count - 1
    let biasIndex = computedBias == nil ? nil : reads.count
    if let computedBias { reads.append(KernelCall.Read(.input(computedBias), Form())) }
    let kernels = site.kernels
    let packedBytes = aligned(kernels.pointee.packed_bytes_f32(n, 1, k))
    let turnedBytes = transposesB ? 0 : aligned(n * k * 4)
    // Matrices of B that are used more than once are packed once.
    let matrices = Array(Set(bOffsets)).sorted()
    let slots = Dictionary(uniqueKeysWithValues: matrices.enumerated().map { ($1, $0) })
    let packedOf = bOffsets.map { slots[$0] ?? 0 }
    let rowTile = ((1 << 20) / Swift.max(1, n * k) / 42 + 1) * 42
    let tiles = (m + rowTile - 1) / rowTile
    let bias = bias.map { Pinned($0) }
    let (m, n, k, batch, transposesB, aOffsets) = (m, n, k, batch, transposesB, aOffsets)
    let padding = Pinned(byteCount: k * 4)
    return KernelCall(
      "matmul f32 dynamic", reads: reads, writes: [Form(.plain, .rowMajor)],
      scratchBytes: matrices.count * (packedBytes + turnedBytes)
    ) { [lower, upper] memory in
      let (x, y) = (memory.reads[0].of(Float.self), memory.reads[1].of(Float.self))
      let residual = residualIndex.map { memory.reads[$0].of(Float.self) }
      let biases = biasIndex.map { memory.reads[$0].of(Float.self) } ?? bias?.of(Float.self)
      let c = memory.writes[0].of(Float.self)
      let packed = memory.scratch
      let turned = memory.scratch + matrices.count * packedBytes
      return [
        Phase(chunks: matrices.count) { index in
          var source = y + matrices[index]
          if !transposesB {
            let target = (turned + index * turnedBytes).of(Float.self)
            kernels.pointee.transpose_32(source, k, n, n, target, k)
            source = UnsafePointer(target)
          }
          kernels.pointee.pack_f32(n, 1, k, source, packed + index * packedBytes)
        },
        Phase(chunks: batch * tiles) { chunk in
          let item = chunk / tiles
          let from = chunk % tiles * rowTile
          var g = ck_gemm_f32()
          g.rows = ck_rows(
            a: x + aOffsets[item], stride: k, offsets: nil, taps: 1, k: k, padding: padding.address)
          g.n = n
          g.packed = UnsafeRawPointer(packed + packedOf[item] * packedBytes)
          g.bias = biases
          g.c = c + item * m * n
          g.c_stride = n
          g.residual = residual.map { $0 + item * m * n }
          g.residual_stride = n
          g.lower = lower
          g.upper = upper
          kernels.pointee.gemm_f32(&g, from, Swift.min(m, from + rowTile), 0, n)
        },
      ]
    }
  }
}
