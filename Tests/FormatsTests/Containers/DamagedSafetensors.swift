extension DamagedContainer {
  private static func file(_ header: String, data: Int = 48) -> [UInt8] {
    file(Array(header.utf8), data: data)
  }
  private static func file(_ header: [UInt8], data: Int = 48, length: UInt64? = nil) -> [UInt8] {
    GGUFBuilder.bytes(length ?? UInt64(header.count)) + header + [UInt8](repeating: 0, count: data)
  }

  /// Two float32 tensors `w` `[2, 4]` and `b` `[4]`.
  static let smallSafetensors = file(
    #"{"w":{"dtype":"F32","shape":[2,4],"data_offsets":[0,32]},"b":{"dtype":"F32","shape":[4],"data_offsets":[32,48]}}"#
  )

  private static func one(
    _ name: String, says: String, dtype: String = #""F32""#, shape: String = "[12]",
    offsets: String = "[0,48]"
  ) -> DamagedContainer {
    text(name, says: says, #"{"w":{"dtype":\#(dtype),"shape":\#(shape),"data_offsets":\#(offsets)}}"#)
  }

  private static func text(_ name: String, says: String, _ header: String) -> DamagedContainer {
    DamagedContainer(name, says: says, "model.safetensors") { file(header) }
  }

  private static func two(_ name: String, says: String, _ a: String, _ b: String) -> DamagedContainer {
    text(
      name, says: says,
      #"{"w":{"dtype":"U8","shape":[24],"data_offsets":\#(a)},"b":{"dtype":"U8","shape":[24],"data_offsets":\#(b)}}"#
    )
  }

  static let safetensors = lengths + json + entries

  private static let lengths: [DamagedContainer] = [
    DamagedContainer("empty", says: "empty", "model.safetensors") { [] },
    DamagedContainer("seven bytes", says: "8 bytes are needed", "model.safetensors") {
      [1, 0, 0, 0, 0, 0, 0]
    },
    DamagedContainer("no header", says: "should stand", "model.safetensors") { file([], data: 8) },
    DamagedContainer("header beyond the file", says: "bytes are needed", "model.safetensors") {
      file(Array("{}".utf8), length: 1000)
    },
    DamagedContainer("header of 2^63 bytes", says: "too many bytes of header", "model.safetensors") {
      file(Array("{}".utf8), length: 1 << 63)
    },
    DamagedContainer("header of 2^64 - 1 bytes", says: "too many bytes of header", "model.safetensors") {
      file(Array("{}".utf8), length: .max)
    },
    DamagedContainer("header a byte too long", says: "too many bytes of header", "model.safetensors") {
      file(Array("{}".utf8), length: 100_000_001)
    },
    DamagedContainer("header cut short", says: "does not end", "model.safetensors") {
      file(Array(#"{"w":{"dty"#.utf8))
    },
    DamagedContainer("data cut short", says: "bytes are needed", "model.safetensors") {
      smallSafetensors.dropLast()
    },
    DamagedContainer("data too long", says: "wrong number of bytes of tensors", "model.safetensors") {
      smallSafetensors + [0]
    },
    DamagedContainer("a GGUF file", says: "too many bytes of header", "model.safetensors") {
      GGUFBuilder.small.bytes
    },
  ]

  private static let json: [DamagedContainer] = [
    text("no JSON", says: "no JSON value", "hello"),
    text("a list", says: "no object", "[]"),
    text("a number", says: "no object", "12"),
    text("two values", says: "follows the end", "{} {}"),
    text("comma at the end", says: "key in quotes", #"{"a":{},}"#),
    text("no colon", says: "colon", #"{"a" {}}"#),
    text("no comma", says: "comma", #"{"a":1 "b":2}"#),
    text("key without quotes", says: "key in quotes", "{a:1}"),
    text("object that does not end", says: "comma or }", #"{"a":1"#),
    text("text that does not end", says: "does not end", #"{"a"#),
    text("text that ends in a backslash", says: "does not end", #"{"a\"#),
    text("nesting without end", says: "nested", #"{"a":"# + String(repeating: "[", count: 100_000)),
    text("number with a zero before it", says: "JSON number", #"{"a":01}"#),
    text("minus alone", says: "JSON number", #"{"a":-}"#),
    text("fraction without digits", says: "JSON number", #"{"a":1.}"#),
    text("exponent without digits", says: "JSON number", #"{"a":1e}"#),
    text("half a character", says: "surrogate", #"{"a\ud800":1}"#),
    text("unknown escape", says: "backslash", #"{"a\x":1}"#),
    text("escape without digits", says: "hexadecimal", #"{"a\u12g4":1}"#),
    text("control character", says: "control character", "{\"a\u{1}\":1}"),
    DamagedContainer("name that is not UTF-8", says: "UTF-8", "model.safetensors") {
      file([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    },
    DamagedContainer("bytes of zero", says: "no JSON value", "model.safetensors") {
      file([UInt8](repeating: 0, count: 16))
    },
    text("name given twice", says: "stands twice", #"{"w":{},"w":{}}"#),
    text("name given twice, once in escapes", says: "stands twice", #"{"w":{},"\u0077":{}}"#),
    text("key of a tensor given twice", says: "stands twice", #"{"w":{"dtype":"F32","dtype":"F16"}}"#),
  ]

  private static let entries: [DamagedContainer] = [
    text("tensor that is a number", says: #""dtype" is missing"#, #"{"w":3}"#),
    text("no type", says: #""dtype" is missing"#, #"{"w":{"shape":[12],"data_offsets":[0,48]}}"#),
    text("no shape", says: #""shape" is missing"#, #"{"w":{"dtype":"F32","data_offsets":[0,48]}}"#),
    text("no offsets", says: #""data_offsets" is missing"#, #"{"w":{"dtype":"F32","shape":[12]}}"#),
    one("type that is a number", says: "is no text", dtype: "32"),
    one("unknown type", says: "F7", dtype: #""F7""#),
    one("complex numbers", says: "C64", dtype: #""C64""#),
    one("type in small letters", says: "f32", dtype: #""f32""#),
    one("shape that is a text", says: "whole numbers", shape: #""12""#),
    one("size below zero", says: "whole numbers", shape: "[-12]"),
    one("size with a fraction", says: "whole numbers", shape: "[12.5]"),
    one("size beyond 64 bits", says: "whole numbers", shape: "[99999999999999999999]"),
    one("sizes that overflow", says: "impossible", shape: "[4611686018427387904,4]"),
    one("bits that overflow", says: "impossible", shape: "[4611686018427387904]"),
    one("one offset", says: "data_offsets", offsets: "[48]"),
    one("three offsets", says: "data_offsets", offsets: "[0,24,48]"),
    one("offset below zero", says: "whole numbers", offsets: "[-1,47]"),
    one("end before the beginning", says: "end before they begin", offsets: "[48,0]"),
    one("end beyond the file", says: "bytes are needed", offsets: "[0,4096]"),
    one("offsets at the end of all numbers", says: "bytes are needed", offsets: "[0,9223372036854775807]"),
    one("bytes too few for the shape", says: "wrong number of bytes", shape: "[13]"),
    one("bytes too many for the type", says: "wrong number of bytes", dtype: #""F16""#),
    two("tensors that overlap", says: "also those of tensor", "[0,24]", "[20,44]"),
    two("tensors in one place", says: "also those of tensor", "[0,24]", "[0,24]"),
    text(
      "gap between tensors", says: "wrong number of bytes of tensors",
      #"{"w":{"dtype":"U8","shape":[20],"data_offsets":[0,20]},"b":{"dtype":"U8","shape":[24],"data_offsets":[24,48]}}"#
    ),
    text("tensors missing", says: "wrong number of bytes of tensors", "{}"),
    text("metadata that is a text", says: "no object", #"{"__metadata__":"pt"}"#),
    text("metadata with a number", says: "is no text", #"{"__metadata__":{"format":1}}"#),
  ]

  private static func folder(
    _ name: String, says: String, links: [(name: String, target: String)] = [], _ files: [(String, String)]
  ) -> DamagedContainer {
    DamagedContainer(name, says: says, open: "", links: links) {
      files.map { ($0.0, Array($0.1.utf8)) } + [("part.safetensors", smallSafetensors)]
    }
  }
  private static let config = ("config.json", "{}")
  private static func index(_ map: String) -> [(String, String)] {
    [config, ("model.safetensors.index.json", #"{"weight_map":\#(map)}"#)]
  }

  static let folders: [DamagedContainer] = [
    folder("no configuration", says: "No such file", []),
    folder("configuration that is no JSON", says: "no JSON value", [("config.json", "model: llama")]),
    folder("configuration that is a list", says: "no object", [("config.json", "[]")]),
    folder("no weights", says: "model.safetensors", [config]),
    folder(
      "generation settings cut short", says: "comma or }",
      [config, ("generation_config.json", #"{"eos_token_id":2"#)]),
    folder("index without a map", says: "weight_map", [config, ("model.safetensors.index.json", "{}")]),
    folder("map that is a list", says: "no object", index("[]")),
    folder("file that is a number", says: "its file is no text", index(#"{"w":1}"#)),
    folder("file without a name", says: "leaves the model's folder", index(#"{"w":""}"#)),
    folder(
      "file above the folder", says: "leaves the model's folder", index(#"{"w":"../part.safetensors"}"#)),
    folder("file anywhere", says: "leaves the model's folder", index(#"{"w":"/etc/passwd"}"#)),
    folder("file with a zero in its name", says: "leaves the model's folder", index(#"{"w":"a\u0000b"}"#)),
    folder("missing file", says: "No such file", index(#"{"w":"other.safetensors"}"#)),
    folder("tensor that is not in its file", says: "does not hold it", index(#"{"v":"part.safetensors"}"#)),
    folder(
      "tensor given twice", says: "stands twice", index(#"{"w":"part.safetensors","w":"part.safetensors"}"#)),
    folder(
      "index that names itself", says: "too many bytes of header",
      index(#"{"w":"model.safetensors.index.json"}"#)),
    folder(
      "files that link to each other", says: "symbolic links",
      links: [("a.safetensors", "b.safetensors"), ("b.safetensors", "a.safetensors")],
      index(#"{"w":"a.safetensors"}"#)),
  ]
}
