import Graph
import Tensors

/// The largest element of each window.
///
/// - Input: x `[batch, channels, spatial…]`, one to three spatial axes; int8 and uint8 too.
/// - Outputs: y `[batch, channels, spatial′…]`, and int64 indices of the same shape into the flattened x; padding is
///   never chosen. With `columnMajor` the indices count the spatial axes with the first one fastest.
/// - Source: ONNX MaxPool-22.
package struct MaxPool: ActivationOperator {
  package static let name = OperatorName("MaxPool", since: 22)

  package var window: WindowAttributes
  /// The last window may reach beyond the padding.
  package var roundUp: Bool
  package var columnMajor: Bool

  package init(window: WindowAttributes, roundUp: Bool = false, columnMajor: Bool = false) {
    self.window = window
    self.roundUp = roundUp
    self.columnMajor = columnMajor
  }

  package init(attributes: Attributes) throws {
    window = try WindowAttributes(attributes: attributes, needsKernel: true)
    roundUp = try attributes.isSet("ceil_mode")
    columnMajor = try attributes.isSet("storage_order")
  }

  package var attributes: Attributes {
    var writer = AttributeWriter()
    window.write(to: &writer)
    writer.add("ceil_mode", roundUp)
    writer.add("storage_order", columnMajor)
    return writer.attributes
  }

  package func geometry(x: Shape) throws -> WindowGeometry {
    try PoolingSizes(x, window, roundUp: roundUp).window
  }

  package func infer(_ inputs: [OperandInfo?], outputs: Int) throws -> [OperandInfo] {
    let y = try inferPooling(inputs, types: realTypes.union([.int8, .uint8])) {
      try PoolingSizes($0, window, roundUp: roundUp).shape
    }
    return outputs > 1 ? [y, OperandInfo(type: .int64, shape: y.shape)] : [y]
  }

  package func evaluate(_ inputs: [Tensor?], outputs: Int, context: EvaluationContext) throws -> [Tensor] {
    let x = try inputs.required(0, "x")
    let sizes = try PoolingSizes(x.shape, window, roundUp: roundUp)
    guard sizes.window.output.elementCount == 0 || !sizes.counts(includesPadding: false).contains(0) else {
      throw OperatorError("a window of the pooling lies in the padding alone and has no largest element.")
    }
    return try x.type.dispatchReal(
      Run(x: x, sizes: sizes, columnMajor: columnMajor, wantsIndices: outputs > 1))
  }

  package func encodingRule(_ inputs: [OperandInfo?]) -> EncodingRule? { .keepsInput(0) }

  private struct Run: RealVisitor {
    let x: Tensor
    let sizes: PoolingSizes
    let columnMajor: Bool
    let wantsIndices: Bool

    func visit<T: RealElement>(_ type: T.Type) throws -> [Tensor] {
      let wide = x.converted(to: T.elementType)
      let y = wide.withElements(of: T.self) { x in
        Tensor(of: T.self, shape: sizes.shape) { y in
          y.update(repeating: -.infinity)
          sizes.combine(x, into: y) { $1 > $0 || $1.isNaN ? $1 : $0 }
        }
      }
      guard wantsIndices else { return [y.converted(to: x.type)] }
      return [y.converted(to: x.type), wide.withElements(of: T.self) { indices($0) }]
    }

    /// Where the first largest element of each window lies in the flattened input.
    private func indices<T: RealElement>(_ x: UnsafeBufferPointer<T>) -> Tensor {
      let g = sizes.window.threeDimensional
      let plane = g.input.elementCount
      let outPlane = g.output.elementCount
      // With one channel a pixel's offset is its index in the plane.
      let offsets = sizes.window.pixelOffsets(channels: 1)
      return Tensor(of: Int64.self, shape: sizes.shape) { out in
        for p in 0..<sizes.planes {
          for position in 0..<outPlane {
            var best = -1
            for tap in 0..<g.taps {
              let offset = Int(offsets[position * g.taps + tap])
              if offset >= 0, best < 0 || x[p * plane + offset] > x[p * plane + best] { best = offset }
            }
            out[p * outPlane + position] = Int64(p * plane + (columnMajor ? transposed(best, g.input) : best))
          }
        }
      }
    }

    /// A row-major index of a plane counted with its first axis fastest.
    private func transposed(_ index: Int, _ size: [Int]) -> Int {
      let (d, rest) = index.quotientAndRemainder(dividingBy: size[1] * size[2])
      let (h, w) = rest.quotientAndRemainder(dividingBy: size[2])
      return d + size[0] * (h + size[1] * w)
    }
  }
}

extension MaxPool: DifferentiableOperator {
  package func gradient(_ site: GradientSite, _ builder: inout GraphBuilder) throws -> [ValueName?] {
    [try builder.add(MaxPoolGradient(self), site.input(0), site.upstreamOfFirst())]
  }
}
