import Execution
import Graph
import Operators
import Tensors

/// Rounds weights one input feature after another, each time moving the weights not yet rounded so that the layer's
/// output on the calibration samples changes least.
///
/// With H = Σ x · xᵀ over the inputs of an output element (convolutions: the patches of each group), damped by 1 % of
/// its mean diagonal, features are taken by falling diagonal. Scales are those of rounding to nearest, set before; those
/// of groups of a matrix are set where the group begins, from its weights as moved by then, and features are taken in
/// their own order. Layers go in order, each on what the network gives it with the layers before it rounded.
/// - Source: Frantar et al., *GPTQ: accurate post-training quantization for generative pre-trained transformers*, 2023;
///   the order by diagonal and the factor of the inverse as its authors' program has them.
extension Quantizer {
  /// Rounds the weights of one layer.
  ///
  /// - Parameter moments: of what the layer reads.
  func roundByGPTQ(
    _ layer: LayerMatrix, _ settings: WeightSettings, _ encoded: inout EncodedGraph, _ moments: [Double]
  ) {
    if case .group(let size) = settings.granularity, layer.isMatrix, settings.scale != .outputMSE {
      layer.roundGroups(of: size, settings, &encoded, moments, threads: threads)
    } else {
      layer.round(&encoded, moments, threads: threads)
    }
  }

  /// Σ x · xᵀ over what a layer multiplies its weights with, `[groups, features, features]`.
  ///
  /// - Parameters:
  ///   - graph: the simulated network.
  ///   - stream: the network computed up to the layer.
  /// - Errors: `QuantizationError` where its inputs are not finite.
  func moments(
    _ layer: LayerMatrix, _ graph: Graph, _ stream: SampleStream, _ report: (Double) throws -> Void
  ) throws -> [Double] {
    guard let node = graph.nodes.first(where: { $0.name == layer.node }),
      let input = layer.role.activation.flatMap({ node.inputs[$0] })
    else { throw QuantizationError("layer \"\(layer.node)\" is not in its simulation") }
    var writer = NodeWriter(for: graph)
    let name = layer.moments(of: input, node.op, &writer)
    var sums = [Double](repeating: 0, count: layer.groups * layer.features * layer.features)
    var graph = graph
    graph.constants.merge(writer.constants) { $1 }
    try stream.forEachBatch(graph, writer.nodes, outputs: [name]) { batch, values in
      values[name]?.withElements(of: Float.self) { elements in
        for (place, element) in elements.enumerated() { sums[place] += Double(element) }
      }
      try report(Double(batch + 1) / Double(stream.batches.count))
    }
    guard sums.allSatisfy(\.isFinite) else {
      throw QuantizationError("layer \"\(layer.node)\": its inputs hold NaN or infinity")
    }
    return sums
  }
}

extension LayerMatrix {
  /// Σ x · xᵀ of one batch.
  fileprivate func moments(
    of input: ValueName, _ op: any Operator, _ writer: inout NodeWriter
  ) -> ValueName {
    let x = patches(of: input, op, &writer)
    guard op is Conv else {
      return writer.add(MatMul(), [writer.add(Transpose([1, 0]), [x], x), x], "\(weight).moments")
    }
    let columns = writer.reshape(
      writer.add(Transpose([1, 2, 0, 3]), [x], "\(weight).columns"), to: [groups, features, -1])
    return writer.add(
      MatMul(), [columns, writer.add(Transpose([0, 2, 1]), [columns], "\(weight).columns")],
      "\(weight).moments")
  }

  /// Encodes the layer's weights again.
  fileprivate func round(_ encoded: inout EncodedGraph, _ moments: [Double], threads: Int) {
    guard let old = encoded.weights[weight], let tensor = encoded.graph.constants[weight] else { return }
    let encoder = WeightEncoder(old.encoding, shape: shape)
    let cells = encoder.layout.cellOfElement
    let factors = (0..<groups).map { group in
      let size = features * features
      return InverseFactor(moments[group * size..<(group + 1) * size], size: features)
    }
    let encoding = old.encoding
    let (lower, upper) = (Double(encoding.codes.lowerBound), Double(encoding.codes.upperBound))
    var values = tensor.array(of: Float.self)
    values.withUnsafeMutableBufferPointer { buffer in
      // Each row has elements of its own.
      nonisolated(unsafe) let values = buffer
      parallel(rows, grain: 1, threads: threads) { indices in
        var row = [Double](repeating: 0, count: features)
        for index in indices {
          let factor = factors[index / groupRows]
          for (place, feature) in factor.order.enumerated() {
            row[place] = Double(values[element(row: index, feature: feature)])
          }
          for (place, feature) in factor.order.enumerated() {
            let element = element(row: index, feature: feature)
            let cell = cells[element]
            let (scale, zero) = (Double(encoding.scales[cell]), Double(encoding.zeroPoints[cell]))
            let code = min(max((row[place] / scale).rounded(.toNearestOrEven) + zero, lower), upper)
            let rounded = (code - zero) * scale
            factor.move(&row, from: place, by: row[place] - rounded)
            values[element] = Float(rounded)
          }
        }
      }
    }
    encoded.weights[weight] = values.withUnsafeBufferPointer {
      encoder.encode($0, WeightScales(of: old.encoding))
    }
  }
}

extension LayerMatrix {
  /// Rows that share the search for the scales of a group.
  private static let rowsTogether = 16

  /// Encodes the weights of a matrix again, the scales of each group chosen where it begins.
  fileprivate func roundGroups(
    of size: Int, _ settings: WeightSettings, _ encoded: inout EncodedGraph, _ moments: [Double], threads: Int
  ) {
    guard let old = encoded.weights[weight], let tensor = encoded.graph.constants[weight] else { return }
    let encoder = WeightEncoder(old.encoding, shape: shape)
    let cells = encoder.layout.cellOfElement
    let factor = InverseFactor(moments[...], size: features, byDiagonal: false)
    var values = tensor.array(of: Float.self)
    var numbers = WeightScales(of: old.encoding)
    var ofRows = settings
    ofRows.granularity = .channel
    let rowSettings = ofRows
    let (lower, upper) = (Double(old.encoding.codes.lowerBound), Double(old.encoding.codes.upperBound))
    values.withUnsafeMutableBufferPointer { buffer in
      numbers.scales.withUnsafeMutableBufferPointer { scaleBuffer in
        numbers.zeroPoints.withUnsafeMutableBufferPointer { zeroBuffer in
          // Each row has elements and cells of its own.
          nonisolated(unsafe) let (values, scales, zeros) = (buffer, scaleBuffer, zeroBuffer)
          parallel(rows, grain: Self.rowsTogether, threads: threads) { indices in
            var moved = indices.map { row in
              (0..<features).map { Double(values[element(row: row, feature: $0)]) }
            }
            for start in stride(from: 0, to: features, by: size) {
              let places = start..<Swift.min(start + size, features)
              let part = moved.flatMap { row in row[places].map { Float($0) } }
              let search = WeightEncoder(
                settings: rowSettings, shape: [indices.count, places.count], channelAxis: 0, groupAxis: 1)
              let found = part.withUnsafeBufferPointer { search.scales($0) }
              for (index, row) in indices.enumerated() {
                let cell = cells[element(row: row, feature: start)]
                if let found { (scales[cell], zeros[cell]) = (found.scales[index], found.zeroPoints[index]) }
                let (scale, zero) = (Double(scales[cell]), Double(zeros[cell]))
                for place in places {
                  let x = moved[index][place]
                  let code = Swift.min(Swift.max((x / scale).rounded(.toNearestOrEven) + zero, lower), upper)
                  let rounded = (code - zero) * scale
                  factor.move(&moved[index], from: place, by: x - rounded)
                  values[element(row: row, feature: place)] = Float(rounded)
                }
              }
            }
          }
        }
      }
    }
    encoded.weights[weight] = values.withUnsafeBufferPointer { encoder.encode($0, numbers) }
  }
}

/// The upper triangular factor U of H⁻¹ = Uᵀ · U, with the features by falling diagonal of H or in their own order.
private struct InverseFactor: Sendable {
  /// Features in the order they are rounded.
  let order: [Int]
  private var factor: [Double]
  private let size: Int

  /// Share of the mean diagonal that damps H.
  private static let damping = 0.01

  /// - Parameter moments: H, `[size, size]`.
  init(_ moments: ArraySlice<Double>, size: Int, byDiagonal: Bool = true) {
    let diagonal = (0..<size).map { moments[moments.startIndex + $0 * size + $0] }
    order = byDiagonal ? (0..<size).sorted { (-diagonal[$0], $0) < (-diagonal[$1], $1) } : Array(0..<size)
    self.size = size
    factor = [Double](repeating: 0, count: size * size)
    var damp = Self.damping * diagonal.reduce(0, +) / Double(size)
    if damp <= 0 { damp = 1 }
    repeat {
      for (row, i) in order.enumerated() {
        for (column, j) in order.enumerated() {
          factor[row * size + column] = moments[moments.startIndex + i * size + j]
        }
        factor[row * size + row] += damp
      }
      damp *= 10
    } while !Self.factorInverse(&factor, size)
  }

  /// Spreads the error of a rounded weight over those after it.
  func move(_ row: inout [Double], from place: Int, by error: Double) {
    guard error != 0 else { return }
    let step = error / factor[place * size + place]
    factor.withUnsafeBufferPointer { factor in
      row.withUnsafeMutableBufferPointer { row in
        for next in place + 1..<size { row[next] -= step * factor[place * size + next] }
      }
    }
  }

  /// Puts U = R⁻¹ in place of H = R · Rᵀ, R upper triangular; `false` where H is not positive definite.
  private static func factorInverse(_ h: inout [Double], _ size: Int) -> Bool {
    h.withUnsafeMutableBufferPointer { r in
      for j in (0..<size).reversed() {
        for i in (0...j).reversed() {
          let sum = r[i * size + j] - dot(r, i * size, j * size, over: j + 1..<size)
          if i == j {
            guard sum > 0, sum.isFinite else { return false }
            r[j * size + j] = sum.squareRoot()
          } else {
            r[i * size + j] = sum / r[j * size + j]
          }
        }
      }
      // Row i of R gives way to row i of U, whose rows below are done.
      var row = [Double](repeating: 0, count: size)
      for i in (0..<size).reversed() {
        let inverse = 1 / r[i * size + i]
        for k in 0..<size {
          row[k] = k > i ? r[i * size + k] * inverse : 0
          r[i * size + k] = 0
        }
        for k in i + 1..<size {
          let factor = row[k]
          guard factor != 0 else { continue }
          for j in k..<size { r[i * size + j] -= factor * r[k * size + j] }
        }
        r[i * size + i] = inverse
      }
      return true
    }
  }

  /// Σ values[a + k] · values[b + k].
  private static func dot(
    _ values: UnsafeMutableBufferPointer<Double>, _ a: Int, _ b: Int, over places: Range<Int>
  ) -> Double {
    typealias Lanes = SIMD8<Double>
    let bytes = UnsafeRawBufferPointer(values)
    func lanes(_ place: Int) -> Lanes {
      bytes.loadUnaligned(fromByteOffset: place * MemoryLayout<Double>.stride, as: Lanes.self)
    }
    var sums = Lanes.zero
    var place = places.lowerBound
    while place + Lanes.scalarCount <= places.upperBound {
      sums += lanes(a + place) * lanes(b + place)
      place += Lanes.scalarCount
    }
    return (place..<places.upperBound).reduce(sums.sum()) { $0 + values[a + $1] * values[b + $1] }
  }
}
