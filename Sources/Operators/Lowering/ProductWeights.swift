import CKernels
import Tensors

/// Where the weights of a matrix product lie in their tensor: `groups` matrices of n outputs, each a sum over
/// `taps` pieces of k inputs.
struct ProductShape {
  var groups = 1
  var n: Int
  var taps = 1
  var k: Int
  /// Element of the weight tensor that comes first.
  var first = 0
  /// Elements of the weight tensor between neighbours along each.
  var groupStride = 0
  var nStride: Int
  var tapStride = 0
  var kStride: Int
  /// The order in which the rows hold the k inputs, where it is not the tensor's own.
  var kOrder: [Int]?
  var channelAxis: Int
  var featureAxis: Int
  /// Whether each group has output channels (and so scales) of its own.
  var groupsHaveOwnChannels = true

  /// Writes the weights of a group as `[n, taps, k]`.
  func gather<T>(_ source: UnsafePointer<T>, _ group: Int, into dense: UnsafeMutablePointer<T>) {
    var target = dense
    for o in 0..<n {
      for t in 0..<taps {
        let base = source + (first + group * groupStride + o * nStride + t * tapStride)
        if let order = kOrder {
          for i in 0..<k { target[i] = base[order[i] &* kStride] }
        } else {
          for i in 0..<k { target[i] = base[i &* kStride] }
        }
        target += k
      }
    }
  }

  var macsPerRow: Int { groups * n * taps * k }
}

/// Constant weights packed for kernels, one matrix per group of the convolution.
struct ProductWeights {
  enum Kind {
    /// Codes with one scale per output: u8 × s8.
    case codes(sums: Pinned, scales: [Float], zeros: Pinned?)
    /// Codes with scales of their own along k.
    case grouped(bits: Int, group: Int)
  }

  var shape: ProductShape
  var kind: Kind
  var packed: [Pinned]
  /// Set where the codes are packed for 3×3 windows transformed.
  var window: WindowGeometry?

  var packedBytes: Int { packed.reduce(0) { $0 + $1.byteCount } }

  /// Codes for u8 × s8 products: `nil` unless there is one scale per tensor or per output.
  static func codes(_ weights: EncodedTensor, _ product: Product) -> ProductWeights? {
    let (shape, kernels) = (product.shape, product.kernels)
    guard weights.hasEvenCodes, weights.encoding.minimums == nil else { return nil }
    guard let scales = channelScales(weights.encoding, shape) else { return nil }
    let signed = SignedCodes(weights)
    let values = channelValues(signed.zeros, weights.encoding, shape) ?? []
    let zeros = values.contains { $0 != 0 } ? Pinned(values) : nil
    let window = zeros == nil ? product.codesWindow : nil
    var dense = [Int8](repeating: 0, count: shape.n * shape.taps * shape.k)
    var packed: [Pinned] = []
    var sums: [Int32] = []
    for g in 0..<shape.groups {
      gather(signed.codes, shape, g, into: &dense)
      let row = shape.taps * shape.k
      for o in 0..<shape.n {
        sums.append(dense[o * row..<(o + 1) * row].reduce(Int32(0)) { $0 &+ Int32($1) })
      }
      let bytes =
        window == nil
        ? kernels.pointee.packed_bytes_s8(shape.n, shape.taps, shape.k)
        : kernels.pointee.packed_bytes_3x3_u8s8(shape.n, shape.k)
      let matrix = Pinned(byteCount: bytes)
      if window == nil {
        kernels.pointee.pack_s8(shape.n, shape.taps, shape.k, dense, matrix.address)
      } else {
        kernels.pointee.pack_3x3_u8s8(shape.n, shape.k, dense, matrix.address)
      }
      packed.append(matrix)
    }
    return ProductWeights(
      shape: shape, kind: .codes(sums: Pinned(sums), scales: scales, zeros: zeros), packed: packed,
      window: window)
  }

  /// Codes with scales along k (or one per output, spread over it): for float rows, or uint8 rows with group scales.
  ///
  /// `nil` where the groups do not run along k in its own order, where there are no even codes, and for uint8 rows where
  /// there are minimums: those take whole zero points.
  static func grouped(
    _ weights: EncodedTensor, _ shape: ProductShape, _ kernels: UnsafePointer<ck_table>, forBytes: Bool
  ) -> ProductWeights? {
    let encoding = weights.encoding
    guard weights.hasEvenCodes, !forBytes || encoding.minimums == nil else { return nil }
    let signed = SignedCodes(weights)
    let bits = [2, 4].first { encoding.scheme.bits <= $0 && signed.fits(bits: $0) } ?? 8
    let group: Int
    switch encoding.scheme.granularity {
    case .group(let size):
      guard encoding.groupAxis == shape.featureAxis, shape.kOrder == nil, size > 0,
        shape.groups == 1 || shape.groupsHaveOwnChannels
      else { return nil }
      group = Swift.min(size, shape.k)
    case .tensor, .channel:
      guard channelScales(encoding, shape) != nil else { return nil }
      group = shape.k
    }
    let scaleIndex = ScaleIndex(encoding, shape, of: weights.codes.shape)
    let pieces = (shape.k + group - 1) / group
    var dense = [Int8](repeating: 0, count: shape.n * shape.taps * shape.k)
    var scales = [Float](repeating: 0, count: shape.n * shape.taps * pieces)
    var zeros = scales
    var packed: [Pinned] = []
    for g in 0..<shape.groups {
      gather(signed.codes, shape, g, into: &dense)
      var i = 0
      for o in 0..<shape.n {
        for t in 0..<shape.taps {
          for piece in 0..<pieces {
            let index = scaleIndex(g, o, t, piece)
            scales[i] = encoding.scales[index]
            zeros[i] = Float(signed.zeros[index])
            if let minimum = encoding.minimums?[index], minimum != 0 {
              let shift = minimum / scales[i]
              if abs(shift) < largestShift {
                zeros[i] -= shift
              } else {
                // The minimum alone, as codes move it by less than its rounding.
                (scales[i], zeros[i]) = (minimum, -1)
                let start = (o * shape.taps + t) * shape.k
                for at in start + piece * group..<start + Swift.min((piece + 1) * group, shape.k) {
                  dense[at] = 0
                }
              }
            }
            i += 1
          }
        }
      }
      packed.append(
        pack(shape, kernels, bits: bits, group: group, dense, scales, zeros, forBytes: forBytes))
    }
    return ProductWeights(shape: shape, kind: .grouped(bits: bits, group: group), packed: packed)
  }

  /// −minimum / scale beyond which a float no longer tells two codes apart.
  private static let largestShift: Float = 4_194_304

  /// - Parameter zeros: in codes.
  private static func pack(
    _ shape: ProductShape, _ kernels: UnsafePointer<ck_table>, bits: Int, group: Int, _ codes: [Int8],
    _ scales: [Float], _ zeros: [Float], forBytes: Bool
  ) -> Pinned {
    codes.withUnsafeBufferPointer { codes in
      scales.withUnsafeBufferPointer { scales in
        zeros.withUnsafeBufferPointer { zeros in
          var source = ck_wq()
          (source.n, source.taps, source.k) = (shape.n, shape.taps, shape.k)
          (source.bits, source.group) = (bits, group)
          (source.codes, source.scales) = (codes.baseAddress, scales.baseAddress)
          source.zeros = zeros.contains { $0 != 0 } ? zeros.baseAddress : nil
          source.for_bytes = forBytes ? 1 : 0
          let matrix = Pinned(byteCount: kernels.pointee.packed_bytes_wq(&source))
          kernels.pointee.pack_wq(&source, matrix.address)
          return matrix
        }
      }
    }
  }

  /// The scale of each output channel of all groups, or `nil` where scales lie differently.
  static func channelScales(_ encoding: Encoding, _ shape: ProductShape) -> [Float]? {
    channelValues(encoding.scales, encoding, shape)
  }

  private static func channelValues<T>(_ values: [T], _ encoding: Encoding, _ shape: ProductShape) -> [T]? {
    let channels = shape.groups * shape.n
    switch encoding.scheme.granularity {
    case .tensor: return [T](repeating: values[0], count: channels)
    case .channel:
      guard encoding.channelAxis == shape.channelAxis else { return nil }
      let perGroup = shape.groupsHaveOwnChannels ? 1 : shape.groups
      guard values.count * perGroup == channels else { return nil }
      return shape.groupsHaveOwnChannels ? values : (0..<channels).map { values[$0 % shape.n] }
    case .group: return nil
    }
  }

  private static func gather<T>(_ source: [T], _ shape: ProductShape, _ g: Int, into dense: inout [T]) {
    source.withUnsafeBufferPointer { source in
      dense.withUnsafeMutableBufferPointer { dense in
        guard let source = source.baseAddress, let dense = dense.baseAddress else { return }
        shape.gather(source, g, into: dense)
      }
    }
  }
}

/// Weight codes as int8, affine ones moved so that they fit; zero points moved with them.
struct SignedCodes {
  var codes: [Int8]
  var zeros: [Int32]

  init(_ weights: EncodedTensor) {
    if weights.codes.type == .int8 {
      codes = weights.codes.array(of: Int8.self)
      zeros = weights.encoding.zeroPoints
    } else {
      let shift = Int32(1) << Int32(weights.encoding.scheme.bits - 1)
      codes = weights.codes.withElements(of: UInt8.self) {
        $0.map { Int8(truncatingIfNeeded: Int32($0) - shift) }
      }
      zeros = weights.encoding.zeroPoints.map { $0 - shift }
    }
  }

  func fits(bits: Int) -> Bool {
    let half = Int8(1) << (bits - 1)
    return codes.allSatisfy { $0 >= -half && $0 < half }
  }
}

/// Index into an encoding's scales for output o of group g, tap t and piece of k.
struct ScaleIndex {
  private var g = 0
  private var o = 0
  private var t = 0
  private var piece = 0

  init(_ encoding: Encoding, _ shape: ProductShape, of tensor: Shape) {
    switch encoding.scheme.granularity {
    case .tensor: break
    case .channel:
      o = 1
      g = shape.groupsHaveOwnChannels ? shape.n : 0
    case .group:
      let scales = EncodedTensor.scaleShape(of: tensor, encoding: encoding)
      let strides = scales.rowMajorStrides
      o = strides[shape.channelAxis]
      piece = strides[shape.featureAxis]
      t = shape.taps > 1 ? (strides.last ?? 0) : 0
      g = shape.n * o
    }
  }

  func callAsFunction(_ g: Int, _ o: Int, _ t: Int, _ piece: Int) -> Int {
    g * self.g + o * self.o + t * self.t + piece * self.piece
  }
}
