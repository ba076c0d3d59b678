import Tensors

extension ElementType {
  /// Safetensors' names of element types.
  ///
  /// Source: safetensors, `enum Dtype`; E4M3 and E5M2 are the forms with NaN that PyTorch has.
  private static let safetensorsNames: [(String, ElementType)] = [
    ("BOOL", .bool), ("U8", .uint8), ("I8", .int8), ("U16", .uint16), ("I16", .int16), ("U32", .uint32),
    ("I32", .int32), ("U64", .uint64), ("I64", .int64), ("F16", .float16), ("BF16", .bfloat16),
    ("F32", .float32), ("F64", .float64), ("F8_E4M3", .float8e4m3fn), ("F8_E5M2", .float8e5m2),
    ("F8_E4M3FNUZ", .float8e4m3fnuz), ("F8_E5M2FNUZ", .float8e5m2fnuz), ("F8_E8M0", .float8e8m0),
    ("F4", .float4e2m1),
  ]

  /// The type safetensors gives this name; `nil` for an unknown one.
  init?(safetensors name: String) {
    guard let type = Self.safetensorsNames.first(where: { $0.0 == name })?.1 else { return nil }
    self = type
  }

  /// As safetensors names it; `nil` for a type it does not have.
  package var safetensorsName: String? { Self.safetensorsNames.first { $0.1 == self }?.0 }
}
