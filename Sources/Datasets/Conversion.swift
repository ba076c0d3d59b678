import Tensors

/// Turns samples of a raw array into values of a model's input: value = (raw · scale − mean) / std in float32, then
/// cast to the input's type.
struct Conversion: Sendable {
  let raw: Tensor
  let type: ElementType
  let shape: Shape
  /// As in `Arrangement`.
  let image: Arrangement.ImageAxes?
  private let channels: Int
  private let positions: Int
  /// Steps between neighbouring positions and channels, in the raw sample and in the converted one.
  private let rawStep: (position: Int, channel: Int)
  private let newStep: (position: Int, channel: Int)
  private let moves: Bool
  private let scale: Float
  private let mean: [Float]
  private let std: [Float]
  private let isIdentity: Bool
  /// For 8-bit arrays: the value of each of 256 codes, channel after channel.
  private let table: [Float]

  init(raw: Tensor, source: DatasetCard.Source, arrangement: Arrangement, type: ElementType) {
    self.raw = raw
    self.type = type
    shape = arrangement.shape
    image = arrangement.image
    let channels = arrangement.channels
    let positions = channels == 0 ? 0 : arrangement.shape.elementCount / channels
    self.channels = channels
    self.positions = positions
    let interleaved = (position: channels, channel: 1)
    let planar = (position: 1, channel: positions)
    rawStep = arrangement.channelsLast ? interleaved : planar
    newStep =
      switch arrangement.move {
      case .none: rawStep
      case .channelsToBack: interleaved
      case .channelsToFront: planar
      }
    moves = arrangement.move != .none && channels > 1 && positions > 1
    scale = source.scale
    mean = source.mean.count == 1 ? [Float](repeating: source.mean[0], count: channels) : source.mean
    std = source.std.count == 1 ? [Float](repeating: source.std[0], count: channels) : source.std
    isIdentity = source.scale == 1 && source.mean.allSatisfy { $0 == 0 } && source.std.allSatisfy { $0 == 1 }
    var table: [Float] = []
    if raw.type.bits == 8, type == .float32 {
      for channel in 0..<channels {
        for code in 0..<256 {
          let value = raw.type == .int8 ? Float(Int8(truncatingIfNeeded: code)) : Float(code)
          table.append((value * scale - mean[channel]) / std[channel])
        }
      }
    }
    self.table = table
  }

  /// The samples at `indices`, which must exist, as one tensor `[indices.count] + shape`.
  ///
  /// - Parameter change: what is done to every image, or `nil`; only for an `image`.
  func samples(_ indices: [Int], change: ImageChange? = nil) throws(ValueFailure) -> Tensor {
    let elements = positions * channels
    let rawBytes = raw.type.byteCount(elements)
    let newBytes = type.byteCount(elements)
    return try makeTensor(shape: [indices.count] + shape, type: type) { out throws(ValueFailure) in
      guard elements > 0, let target = out.baseAddress else { return }
      var failure: ValueFailure?
      raw.withBytes { bytes in
        guard let source = bytes.baseAddress else { return }
        var scratch = Scratch()
        for (position, index) in indices.enumerated() {
          let from = scratch.aligned(
            UnsafeRawBufferPointer(start: source + index * rawBytes, count: rawBytes), type: raw.type)
          do throws(Misfit) {
            let place = target + position * newBytes
            guard let change else {
              try convert(from, to: place, scratch: &scratch)
              continue
            }
            let image = scratch.image(newBytes)
            try convert(from, to: image, scratch: &scratch)
            change.apply(to: image, into: place, sample: index)
          } catch {
            failure = ValueFailure(sample: index, value: error.value)
            return
          }
        }
      }
      if let failure { throw failure }
    }
  }

  /// A value that the model's type cannot hold.
  struct ValueFailure: Error {
    var sample: Int
    var value: String
  }

  private struct Misfit: Error { var value: String }

  /// Converts one sample.
  ///
  /// `from` is aligned for the raw type.
  private func convert(
    _ from: UnsafeRawPointer, to target: UnsafeMutableRawPointer, scratch: inout Scratch
  ) throws(Misfit) {
    let count = positions * channels
    if isIdentity, raw.type == type, !moves {
      target.copyMemory(from: from, byteCount: type.byteCount(count))
    } else if type == .float32 {
      floats(from, to: target.assumingMemoryBound(to: Float.self))
    } else if isIdentity, raw.type.isInteger || raw.type == .bool, !type.isFloatingPoint {
      let values = scratch.integers(count)
      integers(from, to: values)
      try store(values, count, to: target)
    } else {
      let values = scratch.floats(count)
      floats(from, to: values)
      try store(values, count, to: target)
    }
  }

  private func floats(_ from: UnsafeRawPointer, to out: UnsafeMutablePointer<Float>) {
    switch raw.type {
    case .uint8, .int8, .bool: lookUp(from.assumingMemoryBound(to: UInt8.self), out)
    case .uint16: scaled(from.assumingMemoryBound(to: UInt16.self), out) { Float($0) }
    case .int16: scaled(from.assumingMemoryBound(to: Int16.self), out) { Float($0) }
    case .uint32: scaled(from.assumingMemoryBound(to: UInt32.self), out) { Float($0) }
    case .int32: scaled(from.assumingMemoryBound(to: Int32.self), out) { Float($0) }
    case .uint64: scaled(from.assumingMemoryBound(to: UInt64.self), out) { Float($0) }
    case .int64: scaled(from.assumingMemoryBound(to: Int64.self), out) { Float($0) }
    case .float16: scaled(from.assumingMemoryBound(to: Float16.self), out) { Float($0) }
    case .float64: scaled(from.assumingMemoryBound(to: Double.self), out) { Float($0) }
    default: scaled(from.assumingMemoryBound(to: Float.self), out) { $0 }
    }
  }

  private func integers(_ from: UnsafeRawPointer, to out: UnsafeMutablePointer<Int>) {
    switch raw.type {
    case .int8: moved(from.assumingMemoryBound(to: Int8.self), out) { Int($0) }
    case .uint16: moved(from.assumingMemoryBound(to: UInt16.self), out) { Int($0) }
    case .int16: moved(from.assumingMemoryBound(to: Int16.self), out) { Int($0) }
    case .uint32: moved(from.assumingMemoryBound(to: UInt32.self), out) { Int($0) }
    case .int32: moved(from.assumingMemoryBound(to: Int32.self), out) { Int($0) }
    case .uint64: moved(from.assumingMemoryBound(to: UInt64.self), out) { Int(clamping: $0) }
    case .int64: moved(from.assumingMemoryBound(to: Int64.self), out) { Int($0) }
    default: moved(from.assumingMemoryBound(to: UInt8.self), out) { Int($0) }
    }
  }

  /// 8-bit codes through the table, which holds (raw · scale − mean) / std of every code.
  private func lookUp(_ from: UnsafePointer<UInt8>, _ out: UnsafeMutablePointer<Float>) {
    if table.isEmpty {
      return scaled(from, out) { raw.type == .int8 ? Float(Int8(bitPattern: $0)) : Float($0) }
    }
    table.withUnsafeBufferPointer { table in
      guard let base = table.baseAddress else { return }
      for channel in 0..<channels {
        let values = base + 256 * channel
        var read = from + channel * rawStep.channel
        var write = out + channel * newStep.channel
        let (readStep, writeStep) = (rawStep.position, newStep.position)
        for _ in 0..<positions {
          write.pointee = values[Int(read.pointee)]
          read += readStep
          write += writeStep
        }
      }
    }
  }

  @inline(__always)
  private func scaled<T>(_ from: UnsafePointer<T>, _ out: UnsafeMutablePointer<Float>, _ value: (T) -> Float)
  {
    for channel in 0..<channels {
      let read = from + channel * rawStep.channel
      let write = out + channel * newStep.channel
      let (readStep, writeStep) = (rawStep.position, newStep.position)
      let (mean, std) = (mean[channel], std[channel])
      if readStep == 1, writeStep == 1 {
        for i in 0..<positions { write[i] = (value(read[i]) * scale - mean) / std }
      } else {
        for i in 0..<positions { write[i &* writeStep] = (value(read[i &* readStep]) * scale - mean) / std }
      }
    }
  }

  @inline(__always)
  private func moved<T>(_ from: UnsafePointer<T>, _ out: UnsafeMutablePointer<Int>, _ value: (T) -> Int) {
    for channel in 0..<channels {
      let read = from + channel * rawStep.channel
      let write = out + channel * newStep.channel
      for i in 0..<positions { write[i &* newStep.position] = value(read[i &* rawStep.position]) }
    }
  }

  private func store(
    _ values: UnsafeMutablePointer<Int>, _ count: Int, to target: UnsafeMutableRawPointer
  ) throws(Misfit) {
    switch type {
    case .bool:
      for i in 0..<count { target.storeBytes(of: values[i] != 0 ? 1 : 0, toByteOffset: i, as: UInt8.self) }
    case .uint8: try narrow(values, count, target, UInt8.self)
    case .int8: try narrow(values, count, target, Int8.self)
    case .uint16: try narrow(values, count, target, UInt16.self)
    case .int16: try narrow(values, count, target, Int16.self)
    case .uint32: try narrow(values, count, target, UInt32.self)
    case .int32: try narrow(values, count, target, Int32.self)
    case .uint64: try narrow(values, count, target, UInt64.self)
    default: try narrow(values, count, target, Int64.self)
    }
  }

  private func narrow<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafeMutablePointer<Int>, _ count: Int, _ target: UnsafeMutableRawPointer, _: T.Type
  ) throws(Misfit) {
    let out = target.assumingMemoryBound(to: T.self)
    for i in 0..<count {
      guard let value = T(exactly: values[i]) else { throw Misfit(value: "\(values[i])") }
      out[i] = value
    }
  }

  /// Rounded half to even for integer types.
  private func store(
    _ values: UnsafeMutablePointer<Float>, _ count: Int, to target: UnsafeMutableRawPointer
  ) throws(Misfit) {
    switch type {
    case .float16:
      let out = target.assumingMemoryBound(to: Float16.self)
      for i in 0..<count { out[i] = Float16(values[i]) }
    case .float64:
      let out = target.assumingMemoryBound(to: Double.self)
      for i in 0..<count { out[i] = Double(values[i]) }
    case .bfloat16:
      let out = target.assumingMemoryBound(to: UInt16.self)
      for i in 0..<count { out[i] = bfloat16(values[i]) }
    case .bool:
      for i in 0..<count { target.storeBytes(of: values[i] != 0 ? 1 : 0, toByteOffset: i, as: UInt8.self) }
    default:
      let rounded = UnsafeMutablePointer<Int>.allocate(capacity: count)
      defer { rounded.deallocate() }
      for i in 0..<count {
        guard let value = Int(exactly: values[i].rounded(.toNearestOrEven)) else {
          throw Misfit(value: "\(values[i])")
        }
        rounded[i] = value
      }
      try store(rounded, count, to: target)
    }
  }

  /// Whether values of this type can be served.
  static func canServe(_ type: ElementType) -> Bool {
    switch type {
    case .float32, .float16, .bfloat16, .float64, .bool: true
    default: type.isInteger && !type.isPacked
    }
  }
}

/// The upper half of a float's bits, rounded to nearest, ties to even; NaN stays NaN.
private func bfloat16(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// Memory one call of a conversion reuses from sample to sample.
private struct Scratch: ~Copyable {
  private var memory: [UnsafeMutableRawPointer?] = [nil, nil, nil, nil]

  private mutating func room(_ slot: Int, _ bytes: Int) -> UnsafeMutableRawPointer {
    if let known = memory[slot] { return known }
    let new = UnsafeMutableRawPointer.allocate(byteCount: Swift.max(bytes, 1), alignment: 64)
    memory[slot] = new
    return new
  }

  /// The bytes themselves, or a copy where they lie unaligned for their type.
  mutating func aligned(_ bytes: UnsafeRawBufferPointer, type: ElementType) -> UnsafeRawPointer {
    let copy: UnsafeMutableRawPointer
    if let base = bytes.baseAddress, Int(bitPattern: base) % Swift.max(type.bits / 8, 1) == 0 { return base }
    copy = room(0, bytes.count)
    if let base = bytes.baseAddress { copy.copyMemory(from: base, byteCount: bytes.count) }
    return UnsafeRawPointer(copy)
  }

  mutating func integers(_ count: Int) -> UnsafeMutablePointer<Int> {
    room(1, count * MemoryLayout<Int>.stride).bindMemory(to: Int.self, capacity: count)
  }

  mutating func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    room(2, count * MemoryLayout<Float>.stride).bindMemory(to: Float.self, capacity: count)
  }

  /// A whole sample, converted.
  mutating func image(_ bytes: Int) -> UnsafeMutableRawPointer { room(3, bytes) }

  deinit { for pointer in memory { pointer?.deallocate() } }
}
