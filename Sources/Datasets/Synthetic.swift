import Glibc
import Tensors

/// Made-up samples for a model without data.
///
/// Floating-point inputs: independent standard normal values, which is what a network sees whose images were
/// normalised to mean 0 and deviation 1. Integer inputs: equally likely numbers in `0..<vocabulary`, so they are valid
/// token ids; inputs whose name contains `mask` are all ones and those whose name contains `type` or `segment` all
/// zeros, as a text without padding or second part has them. Booleans are all true. A sample depends on the seed and
/// its own number only, not on the batch it comes in.
struct Synthetic: Sendable {
  var inputs: [(spec: InputSpec, shape: Shape)]
  var seed: UInt64
  var vocabulary: Int

  func batch(_ indices: [Int]) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (number, input) in inputs.enumerated() {
      let elements = input.shape.elementCount
      let width = input.spec.type.byteCount(elements)
      result[input.spec.name] = Tensor(shape: [indices.count] + input.shape, type: input.spec.type) { out in
        for (position, index) in indices.enumerated() {
          var random = SplitMix64(seed: seed &+ UInt64(number) << 40, stream: UInt64(index))
          let part = UnsafeMutableRawBufferPointer(rebasing: out[position * width..<(position + 1) * width])
          fill(part, elements, input.spec, &random)
        }
      }
    }
    return result
  }

  private func fill(
    _ out: UnsafeMutableRawBufferPointer, _ count: Int, _ spec: InputSpec, _ random: inout SplitMix64
  ) {
    switch spec.type {
    case .float32: normals(out, count, &random) { Float($0) }
    case .float64: normals(out, count, &random) { $0 }
    case .float16: normals(out, count, &random) { Float16($0) }
    case .bfloat16: normals(out, count, &random) { UInt16(truncatingIfNeeded: Float($0).bitPattern >> 16) }
    case .bool: for i in 0..<count { out[i] = 1 }
    case .uint8: tokens(out, count, spec, &random, as: UInt8.self)
    case .int8: tokens(out, count, spec, &random, as: Int8.self)
    case .uint16: tokens(out, count, spec, &random, as: UInt16.self)
    case .int16: tokens(out, count, spec, &random, as: Int16.self)
    case .uint32: tokens(out, count, spec, &random, as: UInt32.self)
    case .int32: tokens(out, count, spec, &random, as: Int32.self)
    case .uint64: tokens(out, count, spec, &random, as: UInt64.self)
    default: tokens(out, count, spec, &random, as: Int64.self)
    }
  }

  /// Standard normal values in pairs (Marsaglia's polar method).
  private func normals<T: BitwiseCopyable>(
    _ out: UnsafeMutableRawBufferPointer, _ count: Int, _ random: inout SplitMix64, _ cast: (Double) -> T
  ) {
    let values = out.bindMemory(to: T.self)
    var i = 0
    while i < count {
      let x = 2 * random.unit() - 1
      let y = 2 * random.unit() - 1
      let s = x * x + y * y
      guard s > 0, s < 1 else { continue }
      let factor = (-2 * log(s) / s).squareRoot()
      values[i] = cast(x * factor)
      if i + 1 < count { values[i + 1] = cast(y * factor) }
      i += 2
    }
  }

  private func tokens<T: FixedWidthInteger & BitwiseCopyable>(
    _ out: UnsafeMutableRawBufferPointer, _ count: Int, _ spec: InputSpec, _ random: inout SplitMix64,
    as: T.Type
  ) {
    let values = out.bindMemory(to: T.self)
    let name = spec.name.lowercased()
    if name.contains("mask") {
      for i in 0..<count { values[i] = 1 }
    } else if name.contains("type") || name.contains("segment") {
      for i in 0..<count { values[i] = 0 }
    } else {
      let bound = Swift.max(1, T(exactly: vocabulary) == nil ? Int(T.max) + 1 : vocabulary)
      for i in 0..<count { values[i] = T(random.below(bound)) }
    }
  }
}

extension BoundDataset {
  /// `count` made-up samples for a model's inputs (see `Synthetic`).
  ///
  /// - Parameter vocabulary: integer inputs stay below it.
  /// - Errors: an input of unknown rank, or with a free size other than the batch.
  package static func synthetic(
    for specs: [InputSpec], count: Int, seed: UInt64, vocabulary: Int = 1000
  ) throws(DatasetError) -> BoundDataset {
    var inputs: [(spec: InputSpec, shape: Shape)] = []
    for spec in specs {
      guard let dimensions = spec.dimensions, !dimensions.isEmpty else {
        throw syntheticFailure(spec, "of unknown rank")
      }
      var shape: Shape = []
      for size in dimensions.dropFirst() {
        guard let size, size >= 0 else { throw syntheticFailure(spec, dimensionText(dimensions)) }
        shape.append(size)
      }
      guard let elements = shape.checkedElementCount, elements <= 1 << 32, Conversion.canServe(spec.type)
      else {
        throw syntheticFailure(spec, "\(dimensionText(dimensions)) of \(spec.type.name)")
      }
      inputs.append((spec, shape))
    }
    return BoundDataset(
      path: "synthetic data", inputs: specs,
      sampleShapes: Dictionary(inputs.map { ($0.spec.name, $0.shape) }) { first, _ in first }, count: count,
      feed: .synthetic(Synthetic(inputs: inputs, seed: seed, vocabulary: vocabulary)),
      notes: ["no data was given: the inputs are made up"])
  }

  /// Made-up samples like this dataset's, but of these elements.
  ///
  /// - Parameter tensors: by input, the samples stacked along the first axis.
  package func made(of tensors: [String: Tensor]) -> BoundDataset {
    let count = tensors.values.first?.shape.first ?? 0
    precondition(
      inputs.allSatisfy { tensors[$0.name]?.shape == [count] + (sampleShapes[$0.name] ?? []) },
      "as many samples of every input")
    return BoundDataset(
      path: path, inputs: inputs, sampleShapes: sampleShapes, count: count, feed: .made(tensors), notes: notes
    )
  }

  private static func syntheticFailure(_ spec: InputSpec, _ found: String) -> DatasetError {
    DatasetError(
      file: "synthetic data", place: .array(spec.name),
      reason: .shape(
        found: found, expected: "sizes that are known, but for the batch",
        advice: "Give the sizes with --input-shape, or give data."))
  }
}

extension Tensor {
  /// Those with these numbers along the first axis, in this order.
  func rows(_ numbers: [Int]) -> Tensor {
    let width = type.byteCount(shape.dropFirst().reduce(1, *))
    return Tensor(shape: [numbers.count] + shape.dropFirst(), type: type) { out in
      withBytes { bytes in
        for (place, number) in numbers.enumerated() where width > 0 {
          UnsafeMutableRawBufferPointer(rebasing: out[place * width..<(place + 1) * width]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[number * width..<(number + 1) * width]))
        }
      }
    }
  }
}
