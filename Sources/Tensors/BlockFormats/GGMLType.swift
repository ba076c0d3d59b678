/// A type of tensor as GGUF files number it, whether its values can be read here or not.
///
/// Source: ggml, `enum ggml_type` and the block structures of `ggml-common.h`.
package struct GGMLType: Sendable {
  package let id: UInt32
  /// As llama.cpp writes it, in capitals: `Q4_K`.
  package let name: String
  /// Weights in a block; 1 for plain numbers.
  package let elements: Int
  /// Bytes of a block.
  package let bytes: Int
  /// Of plain numbers.
  package let elementType: ElementType?
  /// Of blocks that can be decoded; `nil` for plain numbers and for types that are only recognised.
  package var format: (any BlockFormat)? { BlockFormats.named(name) }
  /// Whether its values can be read.
  package var isReadable: Bool { elementType != nil || format != nil }

  package static let all: [GGMLType] = [
    .init(0, "F32", .float32), .init(1, "F16", .float16), .init(30, "BF16", .bfloat16),
    .init(24, "I8", .int8), .init(25, "I16", .int16), .init(26, "I32", .int32), .init(27, "I64", .int64),
    .init(28, "F64", .float64),
    .init(2, "Q4_0", 32, 18), .init(3, "Q4_1", 32, 20), .init(6, "Q5_0", 32, 22), .init(7, "Q5_1", 32, 24),
    .init(8, "Q8_0", 32, 34), .init(9, "Q8_1", 32, 36),
    .init(10, "Q2_K", 256, 84), .init(11, "Q3_K", 256, 110), .init(12, "Q4_K", 256, 144),
    .init(13, "Q5_K", 256, 176), .init(14, "Q6_K", 256, 210), .init(15, "Q8_K", 256, 292),
    .init(16, "IQ2_XXS", 256, 66), .init(17, "IQ2_XS", 256, 74), .init(18, "IQ3_XXS", 256, 98),
    .init(19, "IQ1_S", 256, 50), .init(20, "IQ4_NL", 32, 18), .init(21, "IQ3_S", 256, 110),
    .init(22, "IQ2_S", 256, 82), .init(23, "IQ4_XS", 256, 136), .init(29, "IQ1_M", 256, 56),
    .init(34, "TQ1_0", 256, 54), .init(35, "TQ2_0", 256, 66),
    .init(39, "MXFP4", 32, 17), .init(40, "NVFP4", 64, 36), .init(41, "Q1_0", 128, 18),
    .init(42, "Q2_0", 64, 18),
  ]

  private init(_ id: UInt32, _ name: String, _ elements: Int, _ bytes: Int) {
    self.id = id
    self.name = name
    self.elements = elements
    self.bytes = bytes
    elementType = nil
  }

  private init(_ id: UInt32, _ name: String, _ type: ElementType) {
    self.id = id
    self.name = name
    elements = 1
    bytes = type.bits / 8
    elementType = type
  }

  /// The type a file's number stands for; `nil` for an unknown number.
  package static func numbered(_ id: UInt32) -> GGMLType? { all.first { $0.id == id } }

  /// The type of that name, in capitals or not.
  package static func named(_ name: String) -> GGMLType? {
    all.first { $0.name.lowercased() == name.lowercased() }
  }

  /// Bytes of `count` weights in a row; `nil` where they are no whole number of blocks or the product overflows.
  package func byteCount(_ count: Int) -> Int? {
    guard count >= 0, count % elements == 0 else { return nil }
    let (bytes, overflow) = (count / elements).multipliedReportingOverflow(by: bytes)
    return overflow ? nil : bytes
  }
}
