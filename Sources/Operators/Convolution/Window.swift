import Graph
import Tensors

/// How a window slides over the spatial axes of a convolution or a pooling, as a node's attributes say it.
package struct WindowAttributes: Sendable, Hashable {
  /// How padding is chosen when it is not written out.
  package enum AutoPad: String, Sendable, Hashable, CaseIterable {
    case explicit = "NOTSET"
    case sameUpper = "SAME_UPPER"
    case sameLower = "SAME_LOWER"
    case valid = "VALID"
  }

  /// Sizes of the window; `nil` when they follow from the weight.
  package var kernel: [Int]?
  package var strides: [Int]?
  package var dilations: [Int]?
  /// Begin of every axis, then end of every axis; negative pads crop.
  package var pads: [Int]?
  package var autoPad: AutoPad

  package init(
    kernel: [Int]? = nil, strides: [Int]? = nil, dilations: [Int]? = nil, pads: [Int]? = nil,
    autoPad: AutoPad = .explicit
  ) {
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.pads = pads
    self.autoPad = autoPad
  }

  package init(attributes: Attributes, needsKernel: Bool = false) throws {
    kernel = try attributes.integersIfPresent("kernel_shape")
    strides = try attributes.integersIfPresent("strides")
    dilations = try attributes.integersIfPresent("dilations")
    pads = try attributes.integersIfPresent("pads")
    let choice = try attributes.text("auto_pad", among: AutoPad.allCases.map(\.rawValue))
    autoPad = AutoPad(rawValue: choice) ?? .explicit
    if needsKernel, kernel == nil { throw OperatorError("attribute \"kernel_shape\" is missing.") }
    for (name, list) in [("kernel_shape", kernel), ("strides", strides), ("dilations", dilations)] {
      if let bad = list?.first(where: { $0 < 1 || $0 > 1 << 30 }) {
        throw OperatorError("attribute \"\(name)\" holds \(bad) (expected positive sizes).")
      }
    }
    if let bad = pads?.first(where: { $0 > 1 << 30 || $0 < -1 << 30 }) {
      throw OperatorError("attribute \"pads\" holds \(bad), which is impossibly large.")
    }
  }

  /// The same window with its pads written out.
  func explicit(_ geometry: WindowGeometry) -> WindowAttributes {
    WindowAttributes(
      kernel: geometry.kernel, strides: geometry.strides, dilations: geometry.dilations,
      pads: geometry.padsBegin + geometry.padsEnd)
  }

  func write(to writer: inout AttributeWriter) {
    writer.addIfPresent("kernel_shape", kernel)
    writer.addIfPresent("strides", strides)
    writer.addIfPresent("dilations", dilations)
    if autoPad == .explicit { writer.addIfPresent("pads", pads) }
    writer.add("auto_pad", autoPad.rawValue, unless: AutoPad.explicit.rawValue)
  }

  func list(_ values: [Int]?, _ name: String, rank: Int, default value: Int) throws -> [Int] {
    guard let values else { return [Int](repeating: value, count: rank) }
    guard values.count == rank else {
      throw OperatorError("attribute \"\(name)\" has \(values.count) values (expected \(rank)).")
    }
    return values
  }

  /// The window over an input of `spatial` sizes.
  ///
  /// - Parameter roundUp: pooling's `ceil_mode`: the last window may reach beyond the padding, but starts inside it.
  package func geometry(input spatial: [Int], kernel: [Int], roundUp: Bool = false) throws -> WindowGeometry {
    let rank = spatial.count
    if let own = self.kernel, own != kernel {
      throw OperatorError("attribute \"kernel_shape\" is \(own) (expected \(kernel), the weight's).")
    }
    guard kernel.count == rank else {
      throw OperatorError("the window has \(kernel.count) axes (expected \(rank), the input's spatial axes).")
    }
    let strides = try list(self.strides, "strides", rank: rank, default: 1)
    let dilations = try list(self.dilations, "dilations", rank: rank, default: 1)
    let pads = try list(self.pads, "pads", rank: 2 * rank, default: 0)
    var result = WindowGeometry(
      input: spatial, output: [], kernel: kernel, strides: strides, dilations: dilations,
      padsBegin: [Int](repeating: 0, count: rank), padsEnd: [Int](repeating: 0, count: rank))
    for axis in 0..<rank {
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      let stride = strides[axis]
      var output: Int
      switch autoPad {
      case .sameUpper, .sameLower:
        output = (spatial[axis] + stride - 1) / stride
        let total = Swift.max(0, (output - 1) * stride + reach - spatial[axis])
        let small = total / 2
        result.padsBegin[axis] = autoPad == .sameUpper ? small : total - small
        result.padsEnd[axis] = total - result.padsBegin[axis]
      case .valid, .explicit:
        if autoPad == .explicit {
          result.padsBegin[axis] = pads[axis]
          result.padsEnd[axis] = pads[rank + axis]
        }
        let room = spatial[axis] + result.padsBegin[axis] + result.padsEnd[axis] - reach
        guard room >= 0 else {
          throw OperatorError(
            "the window reaches over \(reach) elements of spatial axis \(axis), which has "
              + "\(spatial[axis] + result.padsBegin[axis] + result.padsEnd[axis]) with padding.")
        }
        output = room / stride + 1
        if roundUp, room % stride != 0, output * stride < spatial[axis] + result.padsBegin[axis] {
          output += 1
        }
      }
      result.output.append(output)
    }
    return result
  }
}

/// A window resolved for one input size: what reference loops and the engine's offset tables are made from.
///
/// Output o and tap t of an axis read input o · stride + t · dilation − padsBegin, padding where that is outside.
package struct WindowGeometry: Sendable, Hashable {
  /// Spatial sizes of the input.
  package var input: [Int]
  /// Spatial sizes of the output.
  package var output: [Int]
  package var kernel: [Int]
  package var strides: [Int]
  package var dilations: [Int]
  package var padsBegin: [Int]
  package var padsEnd: [Int]

  package init(
    input: [Int], output: [Int], kernel: [Int], strides: [Int], dilations: [Int], padsBegin: [Int],
    padsEnd: [Int]
  ) {
    self.input = input
    self.output = output
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padsBegin = padsBegin
    self.padsEnd = padsEnd
  }

  /// Number of spatial axes.
  package var rank: Int { input.count }
  /// Positions of the window.
  package var positions: Int { output.elementCount }
  /// Elements of the window.
  package var taps: Int { kernel.elementCount }
  /// Whether some window touches padding.
  package var touchesPadding: Bool {
    (0..<rank).contains { axis in
      let last = index(axis: axis, position: output[axis] - 1, tap: kernel[axis] - 1)
      return padsBegin[axis] > 0 || last >= input[axis]
    }
  }
  /// Whether output and input positions are the same: a window of one element, no stride, no padding.
  package var isPointwise: Bool {
    taps == 1 && strides.allSatisfy { $0 == 1 } && input == output && padsBegin.allSatisfy { $0 == 0 }
  }

  /// Input index that tap `tap` of output `position` reads along an axis; outside 0..<input it is padding.
  package func index(axis: Int, position: Int, tap: Int) -> Int {
    position * strides[axis] + tap * dilations[axis] - padsBegin[axis]
  }

  /// Output positions along an axis whose tap `tap` lies inside the input.
  package func validPositions(axis: Int, tap: Int) -> Range<Int> {
    let shift = tap * dilations[axis] - padsBegin[axis]
    let stride = strides[axis]
    let first = shift >= 0 ? 0 : (-shift + stride - 1) / stride
    let room = input[axis] - 1 - shift
    let last = room < 0 ? -1 : Swift.min(output[axis] - 1, room / stride)
    return first <= last ? first..<last + 1 : 0..<0
  }

  /// The same window over exactly three spatial axes; missing ones in front have size 1.
  ///
  /// The rank must be at most 3.
  package var threeDimensional: WindowGeometry {
    func padded(_ values: [Int], _ value: Int) -> [Int] {
      [Int](repeating: value, count: 3 - values.count) + values
    }
    return WindowGeometry(
      input: padded(input, 1), output: padded(output, 1), kernel: padded(kernel, 1),
      strides: padded(strides, 1), dilations: padded(dilations, 1), padsBegin: padded(padsBegin, 0),
      padsEnd: padded(padsEnd, 0))
  }

  /// For each output position and tap, the offset in elements of the input pixel in a channels-last image.
  ///
  /// Offsets count from the start of an image with `channels` per pixel, −1 stands for padding: what the indirect
  /// kernels take. Row-major `[positions, taps]`; the rank must be at most 3.
  package func pixelOffsets(channels: Int) -> [Int32] {
    let g = threeDimensional
    var offsets: [Int32] = []
    offsets.reserveCapacity(g.positions * g.taps)
    for d in 0..<g.output[0] {
      for h in 0..<g.output[1] {
        for w in 0..<g.output[2] {
          for kd in 0..<g.kernel[0] {
            let z = g.index(axis: 0, position: d, tap: kd)
            for kh in 0..<g.kernel[1] {
              let y = g.index(axis: 1, position: h, tap: kh)
              for kw in 0..<g.kernel[2] {
                let x = g.index(axis: 2, position: w, tap: kw)
                let isInside =
                  z >= 0 && z < g.input[0] && y >= 0 && y < g.input[1] && x >= 0 && x < g.input[2]
                offsets.append(
                  isInside
                    ? Int32(truncatingIfNeeded: ((z * g.input[1] + y) * g.input[2] + x) * channels) : -1)
              }
            }
          }
        }
      }
    }
    return offsets
  }
}

/// Batch, channels and spatial sizes of an operand laid out `[batch, channels, spatial…]`.
struct ImageShape {
  var batch: Int
  var channels: Int
  var spatial: [Int]

  /// - Parameter label: what the operator calls the operand.
  init(_ shape: Shape, _ label: String) throws {
    guard shape.count >= 3, shape.count <= 5 else {
      throw OperatorError(
        "\(label) has shape \(shape.shapeText) (expected batch, channels and one to three spatial axes).")
    }
    batch = shape[0]
    channels = shape[1]
    spatial = Array(shape[2...])
  }
}
