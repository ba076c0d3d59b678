import Graph
import Operators
import Tensors
import Testing

/// One layer with seeded weights `w` and bias `b`, from `x` to `y`, and its quantized forms.
struct SmallLayer: Sendable, CustomTestStringConvertible {
  var type: String
  var inputShape: Shape
  var weightShape: Shape
  var channelAxis: Int
  var groupAxis: Int
  var hasBias = true
  var attributes: Attributes = [:]

  var testDescription: String { "\(type) \(weightShape.shapeText)" }

  static let matMul = SmallLayer(
    type: "MatMul", inputShape: [2, 48], weightShape: [48, 5], channelAxis: 1, groupAxis: 0, hasBias: false)
  static let gemm = SmallLayer(
    type: "Gemm", inputShape: [2, 48], weightShape: [48, 5], channelAxis: 1, groupAxis: 0)
  static let gemmTransposed = SmallLayer(
    type: "Gemm", inputShape: [2, 40], weightShape: [5, 40], channelAxis: 0, groupAxis: 1,
    attributes: ["transB": .int(1)])
  static let scaledGemm = SmallLayer(
    type: "Gemm", inputShape: [2, 40], weightShape: [5, 40], channelAxis: 0, groupAxis: 1,
    attributes: ["transB": .int(1), "alpha": .float(0.5), "beta": .float(2)])
  static let convolution = SmallLayer(
    type: "Conv", inputShape: [1, 40, 6, 5], weightShape: [4, 40, 3, 3], channelAxis: 0, groupAxis: 1,
    attributes: ["pads": .ints([1, 1, 1, 1]), "kernel_shape": .ints([3, 3])])

  func input(seed: UInt64) -> Tensor { random(inputShape, seed: seed, scale: 2) }

  private func random(_ shape: Shape, seed: UInt64, scale: Float) -> Tensor {
    var random = SplitMix(state: seed)
    return Tensor(
      (0..<shape.elementCount).map { _ in Float.random(in: -scale...scale, using: &random) }, shape: shape)
  }

  var weight: Tensor { random(weightShape, seed: 1, scale: 0.5) }

  var channels: Int { weightShape[channelAxis] }

  /// The float graph, with the weight (and bias) that the codes stand for where they are given.
  func graph(dequantized encoded: EncodedGraph?) throws -> Graph {
    var constants = ["w": encoded?.weights["w"].map { dequantize($0) } ?? weight]
    if hasBias { constants["b"] = random([channels], seed: 2, scale: 1) }
    let declaration = try #require(Catalog.find(domain: "", type: type))
    let node = Node(
      name: "layer", op: try declaration.init(attributes: attributes),
      inputs: ["x", "w"] + (hasBias ? ["b"] : []),
      outputs: ["y"])
    return Graph(
      name: "layer",
      inputs: [ValueInfo(name: "x", type: .float32, dimensions: inputShape.map { .fixed($0) })],
      outputs: [ValueInfo(name: "y", type: .float32, dimensions: nil)], constants: constants, nodes: [node],
      opsets: ["": 13])
  }

  func encoded(_ scheme: Scheme, mode: Mode) throws -> EncodedGraph {
    let graph = try graph(dequantized: nil)
    return EncodedGraph(
      graph: graph, weights: ["w": encode(weight, scheme)], layers: ["layer": LayerEncoding(mode: mode)])
  }

  /// Min-max encoding: plain, since only its meaning is tested here.
  func encode(_ tensor: Tensor, _ scheme: Scheme) -> EncodedTensor {
    var encoding = Encoding(
      scheme: scheme, channelAxis: scheme.granularity == .tensor ? nil : channelAxis, scales: [1],
      zeroPoints: [0])
    if case .group = scheme.granularity { encoding.groupAxis = groupAxis }
    let places = scalePlaces(tensor.shape, encoding)
    let values = tensor.floats
    let count = EncodedTensor.scaleShape(of: tensor.shape, encoding: encoding).elementCount
    var low = [Float](repeating: 0, count: count)
    var high = low
    for (value, place) in zip(values, places) {
      low[place] = min(low[place], value)
      high[place] = max(high[place], value)
    }
    let codes = scheme.codes
    if scheme.symmetry == .affine {
      encoding.scales = zip(low, high).map { ($1 - $0) / Float(codes.upperBound) }
      encoding.zeroPoints = zip(low, encoding.scales).map { Int32((-$0 / $1).rounded(.toNearestOrEven)) }
    } else {
      encoding.scales = zip(low, high).map { max(-$0, $1) / Float(codes.upperBound) }
      encoding.zeroPoints = [Int32](repeating: 0, count: count)
    }
    let result = zip(values, places).map { encoding.code($0, at: $1) }
    let stored =
      scheme.symmetry == .affine
      ? Tensor(result.map { UInt8($0) }, shape: tensor.shape)
      : Tensor(result.map { Int8($0) }, shape: tensor.shape)
    return EncodedTensor(codes: stored, encoding: encoding)
  }
}

/// For each element in row-major order, the index of its scale.
func scalePlaces(_ shape: Shape, _ encoding: Encoding) -> [Int] {
  let scales = EncodedTensor.scaleShape(of: shape, encoding: encoding)
  let strides = scales.rowMajorStrides
  var size = 1
  if case .group(let length) = encoding.scheme.granularity { size = length }
  return (0..<shape.elementCount).map { flat in
    var rest = flat
    var place = 0
    for axis in shape.indices.reversed() {
      let index = rest % shape[axis]
      rest /= shape[axis]
      let group = axis == encoding.groupAxis ? index / size : index
      place += (scales[axis] == 1 ? 0 : group) * strides[axis]
    }
    return place
  }
}

func dequantize(_ tensor: EncodedTensor) -> Tensor {
  let places = scalePlaces(tensor.codes.shape, tensor.encoding)
  let reals = zip(tensor.codes.integers, places).map { tensor.encoding.real(Int32($0), at: $1) }
  return Tensor(reals, shape: tensor.codes.shape)
}

func quantizeDequantize(_ tensor: Tensor, _ encoding: Encoding) -> Tensor {
  Tensor(tensor.floats.map { encoding.real(encoding.code($0)) }, shape: tensor.shape)
}

/// max |a − b| / max(1, max |b|); infinite where shapes differ.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  guard a.shape == b.shape else { return .infinity }
  let scale = max(1, b.floats.map(abs).max() ?? 1)
  return (zip(a.floats, b.floats).map { abs($0 - $1) }.max() ?? 0) / scale
}
