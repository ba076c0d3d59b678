import Tensors

/// Bytes that come in order: from memory, or out of compressed data.
///
/// Lets a header be read before room is made for what it announces.
protocol ByteStream: AnyObject {
  var file: String { get }
  /// Where reading has arrived, for messages.
  var place: DatasetError.Place { get }
  /// An upper bound of the bytes still to come, that the input can justify.
  var remainingLimit: Int { get }
  /// Fills `buffer` completely, or throws `truncated` naming `part`.
  func read(into buffer: UnsafeMutableRawBufferPointer, part: String) throws(DatasetError)
  /// Checks that nothing follows, and the checksum where there is one.
  func finish() throws(DatasetError)
}

extension ByteStream {
  /// The next `count` bytes; `count` must be small and bounded by the caller.
  func bytes(_ count: Int, part: String) throws(DatasetError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    var failure: DatasetError?
    result.withUnsafeMutableBytes { buffer in
      do throws(DatasetError) { try read(into: buffer, part: part) } catch { failure = error }
    }
    if let failure { throw failure }
    return result
  }

  /// A new tensor filled with the next bytes.
  ///
  /// Its size is checked against what the input can justify first.
  func tensor(shape: Shape, type: ElementType, part: String) throws(DatasetError) -> Tensor {
    let needed = type.byteCount(shape.elementCount)
    guard needed <= remainingLimit else {
      throw DatasetError(
        file: file, place: place, reason: .tooLarge(part: part, found: needed, limit: remainingLimit))
    }
    return try makeTensor(shape: shape, type: type) { bytes throws(DatasetError) in
      try read(into: bytes, part: part)
    }
  }
}

/// `Tensor(shape:type:filling:)` with a typed error.
func makeTensor<E: Error>(
  shape: Shape, type: ElementType, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
) throws(E) -> Tensor {
  var failure: E?
  let tensor = Tensor(shape: shape, type: type) { bytes in
    do throws(E) { try fill(bytes) } catch { failure = error }
  }
  if let failure { throw failure }
  return tensor
}

/// A range of a mapped file, read in order.
final class MemoryStream: ByteStream {
  let mapping: MappedFile
  let file: String
  private let start: Int
  private(set) var position: Int
  private let end: Int
  private let fixedPlace: DatasetError.Place?

  init(_ mapping: MappedFile, file: String, range: Range<Int>, place: DatasetError.Place? = nil) {
    self.mapping = mapping
    self.file = file
    start = range.lowerBound
    position = range.lowerBound
    end = range.upperBound
    fixedPlace = place
  }

  var place: DatasetError.Place { fixedPlace ?? .byte(position - start) }
  var remainingLimit: Int { end - position }

  func read(into buffer: UnsafeMutableRawBufferPointer, part: String) throws(DatasetError) {
    try require(buffer.count, part: part)
    guard buffer.count > 0 else { return }
    buffer.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: mapping.bytes[position..<position + buffer.count]))
    position += buffer.count
  }

  /// The rest as a tensor that looks into the mapping; nothing is copied.
  func mappedTensor(shape: Shape, type: ElementType, part: String) throws(DatasetError) -> Tensor {
    let needed = type.byteCount(shape.elementCount)
    try require(needed, part: part)
    guard needed > 0 else { return Tensor(shape: shape, type: type) { _ in } }
    let storage = Storage(mapping: mapping, range: position..<position + needed)
    position += needed
    return Tensor(shape: shape, type: type, storage: storage)
  }

  func finish() throws(DatasetError) {
    guard position == end else {
      throw DatasetError(file: file, place: place, reason: .trailing(bytes: end - position))
    }
  }

  private func require(_ count: Int, part: String) throws(DatasetError) {
    guard count <= end - position else {
      throw DatasetError(
        file: file, place: place, reason: .truncated(part: part, needed: count, left: end - position))
    }
  }
}
