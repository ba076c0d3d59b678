import Formats
import Tensors

/// Rows of one constant on their way into a file: as bytes that are there, or as numbers still to be converted.
struct RowSource {
  let shape: Shape
  let kind: GGMLType
  private let content: Content
  /// Row to write at each place; `nil` for their own order.
  private let order: [Int]?

  private enum Content {
    /// uint8 `[rows, bytes of a row]`.
    case bytes(Tensor)
    case floats(Tensor, ElementType)
  }

  /// Bytes converted or gathered at a time.
  private static let chunk = 4 << 20

  init(shape: Shape, kind: GGMLType, rows: Tensor, order: [Int]?) {
    self.shape = shape
    self.kind = kind
    content = .bytes(rows)
    self.order = order
  }

  /// - Parameter type: float32, float16 or bfloat16.
  init(shape: Shape, floats: Tensor, type: ElementType, order: [Int]?) {
    guard let kind = GGMLType.all.first(where: { $0.elementType == type }) else {
      preconditionFailure("GGUF has numbers of type \(type.name)")
    }
    self.shape = shape
    self.kind = kind
    content = .floats(floats, type)
    self.order = order
  }

  func write(to sink: TensorSink) throws {
    switch content {
    case .bytes(let rows): try write(rows, width: rows.shape[1], to: sink) { $0 }
    case .floats(let floats, let type):
      let values = floats.converted(to: .float32)
      // Elements of a row, which for a vector is one number, so that its order is one of rows too.
      let length = shape.dropFirst().reduce(1, *)
      try write(values, width: 4 * length, to: sink) { part in
        Tensor(
          shape: [part.byteCount / 4], type: .float32, storage: part.storage, byteOffset: part.byteOffset
        )
        .converted(to: type)
      }
    }
  }

  /// Appends rows of `width` bytes, some at a time, each lot through `convert`.
  private func write(
    _ rows: Tensor, width: Int, to sink: TensorSink, convert: (Tensor) -> Tensor
  ) throws {
    let step = max(1, Self.chunk / max(width, 1))
    for start in stride(from: 0, to: shape[0], by: step) {
      let end = min(start + step, shape[0])
      let part: Tensor
      if let order {
        part = rows.withBytes { bytes in
          Tensor(shape: [(end - start) * width], type: .uint8) { out in
            for place in start..<end {
              let from = order[place] * width
              UnsafeMutableRawBufferPointer(
                rebasing: out[(place - start) * width..<(place - start + 1) * width]
              )
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + width]))
            }
          }
        }
      } else {
        part = Tensor(
          shape: [(end - start) * width], type: .uint8, storage: rows.storage,
          byteOffset: rows.byteOffset + start * width)
      }
      try convert(part).withBytes { try sink.append($0) }
    }
    if rows.storage.isMapped { rows.storage.forgetPages() }
  }
}
