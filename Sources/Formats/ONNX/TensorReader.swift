import Tensors

/// A constant as a file holds it, before its bytes are looked at.
struct FileTensor {
  var name = ""
  var dims: [Int] = []
  var dataType = 0
  var raw: Range<Int>?
  var floats: [Float] = []
  /// `float_data` where it lies in one piece, so that it can stay in the file.
  var floatRange: Range<Int>?
  var int32s: [Int] = []
  var int64s: [Int] = []
  var doubles: [Double] = []
  var uint64s: [Int] = []
  var hasStrings = false
  var isExternal = false
  var external: [String: String] = [:]

  /// Reads a TensorProto.
  init(_ message: WireReader) throws(ImportError) {
    var reader = message
    var floatFields = 0
    while let field = try reader.next() {
      switch field.number {
      case 1: try field.appendInts(to: &dims)
      case 2: dataType = try field.int()
      case 4:
        floatFields += 1
        if floatFields == 1, case .bytes(let range) = field.payload, range.count % 4 == 0 {
          floatRange = range
        } else {
          if let range = floatRange { try Self.append(message.file, range, &floats) }
          floatRange = nil
          try field.appendFloats(to: &floats)
        }
      case 5: try field.appendInts(to: &int32s)
      case 6: hasStrings = true
      case 7: try field.appendInts(to: &int64s)
      case 8: name = try field.string()
      case 9: raw = try field.range()
      case 10: try field.appendDoubles(to: &doubles)
      case 11: try field.appendInts(to: &uint64s)
      case 13:
        let (key, value) = try readEntry(try field.message())
        external[key] = value
      case 14: isExternal = try field.int() == 1
      default: break
      }
    }
  }

  private static func append(
    _ file: MappedFile, _ range: Range<Int>, _ list: inout [Float]
  ) throws(ImportError) {
    var reader = WireReader(file, range)
    while !reader.isAtEnd { list.append(Float(bitPattern: try reader.fixed32())) }
  }
}

/// Reads a StringStringEntryProto.
func readEntry(_ message: WireReader) throws(ImportError) -> (key: String, value: String) {
  var reader = message
  var key = ""
  var value = ""
  while let field = try reader.next() {
    switch field.number {
    case 1: key = try field.string()
    case 2: value = try field.looseString()
    default: break
    }
  }
  return (key, value)
}

/// Makes tensors of what a file says about them; weights stay ranges of the mapped file.
struct TensorReader {
  let file: MappedFile
  var externalData: ExternalData

  init(_ file: MappedFile) {
    self.file = file
    externalData = ExternalData(model: file.path)
  }

  mutating func tensor(_ message: WireReader) throws(ImportError) -> (name: String, tensor: Tensor) {
    let parts = try FileTensor(message)
    return (parts.name, try tensor(parts))
  }

  /// The tensor, its number of elements checked against the bytes that hold them.
  mutating func tensor(_ parts: FileTensor) throws(ImportError) -> Tensor {
    let type = try elementType(parts)
    guard parts.dims.count <= 64 else {
      throw failure(parts, .limit(what: "axes", found: parts.dims.count, most: 64))
    }
    guard let count = parts.dims.checkedElementCount, count <= Int.max / 64 else {
      throw failure(parts, .malformed("the shape \(parts.dims.prefix(8)) is impossible"))
    }
    let byteCount = type.byteCount(count)
    if parts.isExternal {
      let storage = try externalData.storage(for: parts, byteCount: byteCount)
      return try checkedBools(Tensor(shape: parts.dims, type: type, storage: storage), parts)
    }
    if let raw = parts.raw, !(raw.isEmpty && hasTypedData(parts)) {
      guard raw.count == byteCount else {
        throw failure(parts, .count(what: "bytes", found: raw.count, expected: byteCount))
      }
      let storage = Storage(mapping: file, range: raw)
      return try checkedBools(Tensor(shape: parts.dims, type: type, storage: storage), parts)
    }
    if type == .float32, let range = parts.floatRange {
      guard range.count == byteCount else {
        throw failure(parts, .count(what: "elements", found: range.count / 4, expected: count))
      }
      return Tensor(shape: parts.dims, type: type, storage: Storage(mapping: file, range: range))
    }
    return try typedTensor(parts, type, count)
  }

  /// The tensor, unless it is of booleans and a byte is neither 0 nor 1: Swift may not see such a `Bool`.
  private func checkedBools(_ tensor: Tensor, _ parts: FileTensor) throws(ImportError) -> Tensor {
    guard tensor.type == .bool else { return tensor }
    let bad = tensor.withBytes { bytes in bytes.first { $0 > 1 } }
    if let bad { throw failure(parts, .malformed("a truth value is \(bad), not 0 or 1")) }
    return tensor
  }

  private func elementType(_ parts: FileTensor) throws(ImportError) -> ElementType {
    if parts.hasStrings || parts.dataType == 8 {
      throw failure(parts, .unsupported(what: "element type", found: "string"))
    }
    guard let type = ElementType(rawValue: parts.dataType) else {
      throw failure(parts, .unsupported(what: "element type", found: elementTypeName(parts.dataType)))
    }
    return type
  }

  private func hasTypedData(_ parts: FileTensor) -> Bool {
    parts.floatRange != nil || !parts.floats.isEmpty || !parts.int32s.isEmpty || !parts.int64s.isEmpty
      || !parts.doubles.isEmpty || !parts.uint64s.isEmpty
  }

  /// A tensor from the typed fields.
  ///
  /// Types narrower than 32 bits are in `int32_data`, one element each, except that
  /// packed types hold one byte (two or four elements) each.
  private func typedTensor(
    _ parts: FileTensor, _ type: ElementType, _ count: Int
  ) throws(ImportError) -> Tensor {
    let shape = parts.dims
    func check(_ found: Int, _ expected: Int = count) throws(ImportError) {
      guard found == expected else {
        throw failure(parts, .count(what: "elements", found: found, expected: expected))
      }
    }
    switch type {
    case .float32:
      try check(parts.floats.count)
      return Tensor(parts.floats, shape: shape)
    case .float64:
      try check(parts.doubles.count)
      return Tensor(parts.doubles, shape: shape)
    case .int64:
      try check(parts.int64s.count)
      return Tensor(parts.int64s.map { Int64($0) }, shape: shape)
    case .uint64:
      try check(parts.uint64s.count)
      return Tensor(parts.uint64s.map { UInt64(bitPattern: Int64($0)) }, shape: shape)
    case .uint32:
      try check(parts.uint64s.count)
      return Tensor(parts.uint64s.map { UInt32(truncatingIfNeeded: $0) }, shape: shape)
    case .int32:
      try check(parts.int32s.count)
      return Tensor(parts.int32s.map { Int32(truncatingIfNeeded: $0) }, shape: shape)
    case .int16, .uint16, .float16, .bfloat16:
      try check(parts.int32s.count)
      return Tensor(shape: shape, type: type) { bytes in
        let elements = bytes.bindMemory(to: UInt16.self)
        for (i, x) in parts.int32s.enumerated() { elements[i] = UInt16(truncatingIfNeeded: x) }
      }
    case .bool:
      try check(parts.int32s.count)
      return Tensor(parts.int32s.map { $0 != 0 }, shape: shape)
    case .int8, .uint8, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .int4,
      .uint4, .float4e2m1, .int2, .uint2:
      try check(parts.int32s.count, type.byteCount(count))
      return Tensor(shape: shape, type: type) { bytes in
        for (i, x) in parts.int32s.enumerated() { bytes[i] = UInt8(truncatingIfNeeded: x) }
      }
    }
  }

  /// A sparse tensor made dense.
  ///
  /// Refused above 4 096 times the size of the file, so that a few bytes cannot ask for all memory.
  mutating func sparse(_ message: WireReader) throws(ImportError) -> (name: String, tensor: Tensor) {
    var reader = message
    var values: (name: String, tensor: Tensor)?
    var indices: Tensor?
    var shape: [Int] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: values = try tensor(try field.message())
      case 2: indices = try tensor(try field.message()).tensor
      case 3: try field.appendInts(to: &shape)
      default: break
      }
    }
    guard let (name, values) = values else {
      throw ImportError(
        file: file.path, place: .byte(message.position), reason: .missing("values of a sparse tensor"))
    }
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: file.path, place: .tensor(name), reason: reason)
    }
    guard !values.type.isPacked else {
      throw failure(.unsupported(what: "sparse element type", found: values.type.name))
    }
    guard shape.count <= 64, let count = shape.checkedElementCount, count <= Int.max / 64 else {
      throw failure(.malformed("the shape \(shape.prefix(8)) is impossible"))
    }
    let most = file.bytes.count * 4096
    guard values.type.byteCount(count) <= most else {
      throw failure(.limit(what: "bytes of a sparse tensor", found: values.type.byteCount(count), most: most))
    }
    let flat = try flatIndices(indices, count: values.count, shape: shape, name: name)
    let width = values.type.bits / 8
    let dense = Tensor(shape: shape, type: values.type) { bytes in
      values.withBytes { source in
        for (i, target) in flat.enumerated() {
          for byte in 0..<width { bytes[target * width + byte] = source[i * width + byte] }
        }
      }
    }
    return (name, dense)
  }

  /// Positions in row-major order: indices are either those already, `[count]`, or coordinates, `[count, rank]`.
  private func flatIndices(
    _ indices: Tensor?, count: Int, shape: [Int], name: String
  ) throws(ImportError) -> [Int] {
    func failure(_ reason: ImportError.Reason) -> ImportError {
      ImportError(file: file.path, place: .tensor(name), reason: reason)
    }
    guard let indices, indices.type == .int64 else {
      throw failure(.missing("int64 indices of a sparse tensor"))
    }
    let list = indices.array(of: Int64.self)
    var result: [Int] = []
    if indices.rank == 2 {
      guard indices.shape == [count, shape.count] else {
        throw failure(.count(what: "indices", found: list.count, expected: count * shape.count))
      }
      for i in 0..<count {
        var position = 0
        for axis in shape.indices {
          let index = list[i * shape.count + axis]
          guard index >= 0, index < shape[axis] else {
            throw failure(.malformed("index \(index) is outside the shape"))
          }
          position = position * shape[axis] + Int(index)
        }
        result.append(position)
      }
    } else {
      guard list.count == count else {
        throw failure(.count(what: "indices", found: list.count, expected: count))
      }
      for index in list {
        guard index >= 0, index < shape.elementCount else {
          throw failure(.malformed("index \(index) is outside the shape"))
        }
        result.append(Int(index))
      }
    }
    return result
  }

  private func failure(_ parts: FileTensor, _ reason: ImportError.Reason) -> ImportError {
    ImportError(file: file.path, place: .tensor(parts.name), reason: reason)
  }
}

/// The name ONNX gives an element type that tensors here cannot have, or its number.
func elementTypeName(_ number: Int) -> String {
  switch number {
  case 0: "undefined"
  case 8: "string"
  case 14: "complex64"
  case 15: "complex128"
  default: ElementType(rawValue: number)?.name ?? "number \(number)"
  }
}
