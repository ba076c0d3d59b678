import Formats
import Tensors

/// A tensor of a file that is to be written, whose rows are read as float32 when they are needed.
package struct WeightRows: Sendable {
  /// In the new file.
  package let name: String
  package let shape: Shape
  /// Where the values come from.
  package let source: StoredTensor
  /// Whether the rows are those of the source, unchanged and in its order, so that its bytes may be copied.
  package let isUnchanged: Bool
  /// Puts the values of some rows into room for them.
  let read: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void

  package init(_ source: StoredTensor, name: String? = nil) {
    self.name = name ?? source.name
    shape = source.shape
    self.source = source
    isUnchanged = true
    read = { try source.decode(rows: $0, into: $1) }
  }

  /// - Parameter read: puts the values of some rows of the new tensor into room for them, from any thread.
  package init(
    _ name: String, shape: Shape, source: StoredTensor,
    read: @escaping @Sendable (Range<Int>, UnsafeMutablePointer<Float>) throws -> Void
  ) {
    self.name = name
    self.shape = shape
    self.source = source
    isUnchanged = false
    self.read = read
  }

  package var rowLength: Int { shape.last ?? 1 }
  package var rowCount: Int { rowLength == 0 ? 0 : shape.elementCount / rowLength }

  /// Name of the type it has where it is not quantized: vectors and norms are float32, as llama.cpp needs them.
  var plainType: String {
    if case .blocks(let type) = source.kind { return type.name }
    let isVector = shape.count { $0 > 1 } < 2
    if isVector || name.hasSuffix("_norm.weight") { return isUnchanged ? source.floatTypeName : "F32" }
    return source.kind.ggmlType?.name ?? "F32"
  }
}

extension StoredTensor {
  /// F32 for numbers of 16 bits.
  fileprivate var floatTypeName: String {
    switch kind {
    case .numbers(.float16), .numbers(.bfloat16): "F32"
    default: typeName
    }
  }
}
