import Foundation
import Graph
import Operators
import Tensors
import Testing

/// Pooling, normalisation and attention by properties that ONNX's cases do not show.
struct LayerTests {
  private var pooling: Attributes {
    [
      "kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "dilations": .ints([1, 2]),
      "pads": .ints([1, 0, 1, 1]), "ceil_mode": .int(1),
    ]
  }

  @Test func largestElementsLieAtTheirIndices() throws {
    var numbers = SeededNumbers(seed: 31)
    let x = numbers.tensor([2, 3, 6, 5])
    for order in 0...1 {
      var attributes = pooling
      attributes["storage_order"] = .int(order)
      let result = try MaxPool(attributes: attributes).outputs([x], count: 2)
      // Column-major indices count the last axis slowest within each plane.
      let flat = (order == 0 ? x : x.permuted([0, 1, 3, 2])).doubles
      #expect(zip(result[0].doubles, result[1].integers).allSatisfy { flat[$1] == $0 })
    }
  }

  /// The divisors that the engine takes are those the reference divides by.
  @Test func averagesAreSumsByTheirDivisors() throws {
    let ones = Tensor([Double](repeating: 1, count: 30), shape: [1, 1, 6, 5])
    for includes in [false, true] {
      var attributes = pooling
      attributes["count_include_pad"] = .int(includes ? 1 : 0)
      let op = try AveragePool(attributes: attributes)
      let g = try op.geometry(x: ones.shape)
      let offsets = g.pixelOffsets(channels: 1)
      let inside = (0..<g.positions).map { position in
        offsets[position * g.taps..<(position + 1) * g.taps].count(where: { $0 >= 0 })
      }
      let divisors = try op.divisors(x: ones.shape)
      let want = zip(inside, divisors).map { Double($0) / Double($1) }
      #expect(distance(try op.output(ones), Tensor(want, shape: [1, 1] + g.output)) < 1e-14)
      #expect(includes ? divisors != inside : divisors == inside)
    }
  }

  @Test func integersPoolAsTheyAre() throws {
    let x = Tensor([Int8(-128), 5, 127, -3], shape: [1, 1, 4])
    let y = try MaxPool(attributes: ["kernel_shape": .ints([2])]).output(x)
    #expect(y.type == .int8 && y.integers == [5, 127, 127])
  }

  @Test func globalPoolsAreRowReductions() throws {
    let x = Tensor([Float(1), -4, 2, 8, 3, 3], shape: [1, 2, 3])
    #expect(try GlobalAveragePool().output(x).floats.map { ($0 * 3).rounded() } == [-1, 14])
    #expect(try GlobalMaxPool().output(x).floats == [2, 8])
    #expect(try GlobalLpPool(attributes: ["p": .int(1)]).output(x).floats == [7, 14])
    #expect(try GlobalLpPool(attributes: [:]).output(x).floats.map { ($0 * $0).rounded() } == [21, 82])
  }

  /// A group per channel is instance normalisation, one group over all is layer normalisation of the image.
  @Test func normalisationsAgree() throws {
    var numbers = SeededNumbers(seed: 32)
    let x = numbers.tensor([2, 4, 3, 5])
    let (scale, bias) = (numbers.tensor([4]), numbers.tensor([4]))
    let group = try GroupNormalization(attributes: ["num_groups": .int(4)]).output(x, scale, bias)
    let instance = try InstanceNormalization(attributes: [:]).output(x, scale, bias)
    #expect(distance(group, instance) < 1e-12)
    let whole = try GroupNormalization(attributes: ["num_groups": .int(1)]).output(x, scale, bias)
    let layer = try LayerNormalization(axis: 1).output(
      x, scale.reshaped([4, 1, 1]), bias.reshaped([4, 1, 1]))
    #expect(distance(whole, layer) < 1e-12)
    // By hand for one row.
    let row = Tensor([1.0, 2, 6], shape: [1, 3])
    let statistics = try LayerNormalization(epsilon: 0).outputs(
      [row, Tensor([1.0, 1, 1], shape: [3])], count: 3)
    let deviation = (14.0 / 3).squareRoot()
    #expect(
      distance(statistics[0], Tensor([-2 / deviation, -1 / deviation, 3 / deviation], shape: [1, 3])) < 1e-7)
    #expect(statistics[1].floats == [3] && abs(statistics[2].doubles[0] - 1 / deviation) < 1e-6)
  }

  /// Inference with the statistics that training measured gives the training result.
  @Test func batchStatistics() throws {
    var numbers = SeededNumbers(seed: 33)
    let x = numbers.tensor([3, 2, 4])
    let p = (0..<4).map { _ in numbers.tensor([2]) }
    let training = BatchNormalization(momentum: 0, isTraining: true)
    let result = try training.outputs([x, p[0], p[1], p[2], p[3]], count: 3)
    let again = try BatchNormalization().output(x, p[0], p[1], result[1], result[2])
    #expect(distance(result[0], again) < 1e-12)
    let (factor, addend) = BatchNormalization().affine(
      scale: p[0].doubles, bias: p[1].doubles, mean: result[1].doubles, variance: result[2].doubles)
    let folded = x.doubles.enumerated().map { $1 * factor[$0 / 4 % 2] + addend[$0 / 4 % 2] }
    #expect(distance(again, Tensor(folded, shape: x.shape)) < 1e-12)
  }

  /// Keys in a cache and keys of the call are the same keys.
  @Test func attentionContinuesItsCache() throws {
    var numbers = SeededNumbers(seed: 34)
    let (q, k, v) = (
      numbers.tensor([2, 4, 5, 6]), numbers.tensor([2, 2, 5, 6]), numbers.tensor([2, 2, 5, 3])
    )
    let op = Attention(isCausal: true)
    let whole = try op.outputs([q, k, v], count: 3)
    func tokens(_ x: Tensor, _ range: Range<Int>) throws -> Tensor {
      func list(_ value: Int) -> Tensor { Tensor(integers: [value], shape: [1]) }
      return try Slice().output(x, list(range.lowerBound), list(range.upperBound), list(2))
    }
    let first = try op.outputs([tokens(q, 0..<2), tokens(k, 0..<2), tokens(v, 0..<2)], count: 3)
    let second = try op.outputs(
      [tokens(q, 2..<5), tokens(k, 2..<5), tokens(v, 2..<5), nil, first[1], first[2]], count: 3)
    #expect(distance(second[0], try tokens(whole[0], 2..<5)) < 1e-12)
    #expect(distance(second[1], k) == 0 && distance(second[2], v) == 0)
    // Folded heads are the same computation in another order of axes.
    func fold(_ x: Tensor) -> Tensor {
      x.permuted([0, 2, 1, 3]).reshaped([x.shape[0], x.shape[2], x.shape[1] * x.shape[3]])
    }
    let folded = try Attention(isCausal: true, heads: 4, kvHeads: 2).output(fold(q), fold(k), fold(v))
    #expect(distance(folded, fold(whole[0])) < 1e-12)
  }

  @Test func attentionHidesWhatTheMaskSays() throws {
    var numbers = SeededNumbers(seed: 35)
    let (q, k, v) = (
      numbers.tensor([1, 1, 2, 4]), numbers.tensor([1, 1, 3, 4]), numbers.tensor([1, 1, 3, 4])
    )
    let mask = Tensor([true, false, true, false, false, false], shape: [2, 3])
    let y = try Attention().output(q, k, v, mask).doubles
    // The first query sees keys 0 and 2, the second none.
    let (qs, ks, vs) = (q.doubles, k.doubles, v.doubles)
    func weight(_ key: Int) -> Double {
      var sum = 0.0
      for i in 0..<4 { sum += qs[i] * ks[key * 4 + i] }
      return exp(sum / 2)
    }
    let (first, third) = (weight(0), weight(2))
    var want = [Double](repeating: 0, count: 8)
    for i in 0..<4 { want[i] = (first * vs[i] + third * vs[8 + i]) / (first + third) }
    #expect(distance(Tensor(y, shape: [8]), Tensor(want, shape: [8])) < 1e-12)
  }

  /// A window is the mask that shows the last keys up to the query's own, with and without a cache.
  @Test func attentionSeesNoFurtherThanItsWindow() throws {
    var numbers = SeededNumbers(seed: 37)
    let (q, k, v) = (
      numbers.tensor([1, 2, 5, 4]), numbers.tensor([1, 1, 5, 4]), numbers.tensor([1, 1, 5, 4])
    )
    let visible = (0..<25).map { (query: $0 / 5, key: $0 % 5) }.map {
      $0.key <= $0.query && $0.key > $0.query - 3
    }
    let op = Attention(isCausal: true, window: 3)
    let whole = try op.output(q, k, v)
    #expect(distance(whole, try Attention().output(q, k, v, Tensor(visible, shape: [5, 5]))) < 1e-12)
    #expect(distance(whole, try Attention(isCausal: true).output(q, k, v)) > 1e-3)
    func part(_ x: Tensor, _ first: Int, _ end: Int) throws -> Tensor {
      try Slice().output(
        x, Tensor(integers: [first], shape: [1]), Tensor(integers: [end], shape: [1]),
        Tensor(integers: [2], shape: [1]))
    }
    let last = try op.output(
      part(q, 4, 5), part(k, 4, 5), part(v, 4, 5), nil, part(k, 0, 4), part(v, 0, 4))
    #expect(distance(last, try part(whole, 4, 5)) < 1e-12)
    #expect(throws: OperatorError.self) { try Attention(attributes: ["window": .int(2)]) }
  }

  /// Turning keeps lengths, and scores depend on the distance of positions alone.
  @Test func rotationKeepsRelativePositions() throws {
    var numbers = SeededNumbers(seed: 36)
    let angles = (0..<8).flatMap { position in [1, 0.1].map { Double(position) * $0 } }
    let cosines = Tensor(angles.map { cos($0) }, shape: [8, 2])
    let sines = Tensor(angles.map { sin($0) }, shape: [8, 2])
    let (a, b) = (numbers.tensor([1, 1, 1, 4]), numbers.tensor([1, 1, 1, 4]))
    for interleaved in [false, true] {
      let op = RotaryEmbedding(isInterleaved: interleaved)
      func turned(_ x: Tensor, _ position: Int) throws -> [Double] {
        try op.output(x, cosines, sines, Tensor(integers: [position], shape: [1, 1])).doubles
      }
      func score(_ i: Int, _ j: Int) throws -> Double {
        zip(try turned(a, i), try turned(b, j)).map(*).reduce(0, +)
      }
      #expect(abs(try score(1, 3) - score(4, 6)) < 1e-12)
      #expect(abs(try score(1, 3) - score(1, 4)) > 1e-3)
      #expect(try turned(a, 0) == a.doubles)
    }
  }
}
