import Tensors

/// Reads the messages of an ONNX file into `FileModel`; depth and lengths are bounded.
struct FileReader {
  let file: MappedFile
  private var tensors: TensorReader

  /// Graphs inside attributes inside graphs: more than any exporter writes.
  static let deepestGraph = 32

  init(_ file: MappedFile) {
    self.file = file
    tensors = TensorReader(file)
  }

  mutating func model() throws(ImportError) -> FileModel {
    var reader = WireReader(file)
    var model = FileModel()
    while let field = try reader.next() {
      switch field.number {
      case 1:
        model.irVersion = try field.int()
        model.metadata[MetadataKey.irVersion] = String(model.irVersion)
      case 2: model.metadata[MetadataKey.producerName] = try field.looseString()
      case 3: model.metadata[MetadataKey.producerVersion] = try field.looseString()
      case 4: model.metadata[MetadataKey.domain] = try field.looseString()
      case 5: model.metadata[MetadataKey.modelVersion] = String(try field.int())
      case 6: model.metadata[MetadataKey.documentation] = try field.looseString()
      case 7: model.graph = try graph(try field.message(), depth: 0)
      case 8: try readOpset(try field.message(), into: &model.opsets)
      case 14:
        let (key, value) = try readEntry(try field.message())
        model.metadata[MetadataKey.property + key] = value
      case 25: model.functions.append(try function(try field.message()))
      default: break
      }
    }
    model.metadata = model.metadata.filter { !$0.value.isEmpty }
    return model
  }

  private func readOpset(_ message: WireReader, into opsets: inout [String: Int]) throws(ImportError) {
    var reader = message
    var domain = ""
    var version = 0
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = canonicalDomain(try field.string())
      case 2: version = try field.int()
      default: break
      }
    }
    opsets[domain] = version
  }

  private mutating func graph(_ message: WireReader, depth: Int) throws(ImportError) -> FileGraph {
    guard depth <= Self.deepestGraph else {
      throw ImportError(
        file: file.path, place: .byte(message.position),
        reason: .limit(what: "graphs inside each other", found: depth, most: Self.deepestGraph))
    }
    var reader = message
    var graph = FileGraph()
    while let field = try reader.next() {
      switch field.number {
      case 1: graph.nodes.append(try node(try field.message(), depth: depth))
      case 2: graph.name = try field.looseString()
      case 5: graph.constants.append(try tensors.tensor(try field.message()))
      case 11: graph.inputs.append(try value(try field.message()))
      case 12: graph.outputs.append(try value(try field.message()))
      case 13: graph.values.append(try value(try field.message()))
      case 15: graph.constants.append(try tensors.sparse(try field.message()))
      default: break
      }
    }
    return graph
  }

  private mutating func node(_ message: WireReader, depth: Int) throws(ImportError) -> FileNode {
    var reader = message
    var node = FileNode()
    while let field = try reader.next() {
      switch field.number {
      case 1: node.inputs.append(try field.string())
      case 2: node.outputs.append(try field.string())
      case 3: node.name = try field.string()
      case 4: node.type = try field.string()
      case 5: node.attributes.append(try attribute(try field.message(), depth: depth))
      case 7: node.domain = canonicalDomain(try field.string())
      case 8: node.overload = try field.string()
      default: break
      }
    }
    guard !node.type.isEmpty else {
      throw ImportError(
        file: file.path, place: .byte(message.position), reason: .missing("the operator of a node"))
    }
    return node
  }

  private mutating func attribute(_ message: WireReader, depth: Int) throws(ImportError) -> FileAttribute {
    var reader = message
    var name = ""
    var kind = 0
    var reference = ""
    var int: Int?
    var float: Float?
    var string: String?
    var tensor: Tensor?
    var graph: FileGraph?
    var ints: [Int] = []
    var floats: [Float] = []
    var strings: [String] = []
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: float = try field.float()
      case 3: int = try field.int()
      case 4: string = try field.looseString()
      case 5: tensor = try tensors.tensor(try field.message()).tensor
      case 6: graph = try self.graph(try field.message(), depth: depth + 1)
      case 7: try field.appendFloats(to: &floats)
      case 8: try field.appendInts(to: &ints)
      case 9: strings.append(try field.looseString())
      case 20: kind = try field.int()
      case 21: reference = try field.string()
      case 22: tensor = try tensors.sparse(try field.message()).tensor
      default: break
      }
    }
    let value: FileAttribute.Value
    if !reference.isEmpty {
      value = .reference(reference)
    } else {
      // Writers before IR 2 give no kind; proto3 writers leave out a zero.
      switch kind {
      case 1: value = .float(float ?? 0)
      case 2: value = .int(int ?? 0)
      case 3: value = .string(string ?? "")
      case 6: value = .floats(floats)
      case 7: value = .ints(ints)
      case 8: value = .strings(strings)
      case 0, 4, 5, 11:
        if let tensor {
          value = .tensor(tensor)
        } else if let graph {
          value = .graph(graph)
        } else if let float {
          value = .float(float)
        } else if let int {
          value = .int(int)
        } else if let string {
          value = .string(string)
        } else if !floats.isEmpty {
          value = .floats(floats)
        } else if !ints.isEmpty {
          value = .ints(ints)
        } else if !strings.isEmpty {
          value = .strings(strings)
        } else {
          throw ImportError(
            file: file.path, place: .byte(message.position),
            reason: .missing("the value of attribute \"\(name)\""))
        }
      case 9: value = .unsupported("a list of tensors")
      case 10: value = .unsupported("a list of graphs")
      default: value = .unsupported("of kind \(kind)")
      }
    }
    return FileAttribute(name: name, value: value)
  }

  private mutating func function(_ message: WireReader) throws(ImportError) -> FileFunction {
    var reader = message
    var function = FileFunction()
    while let field = try reader.next() {
      switch field.number {
      case 1: function.name = try field.string()
      case 4: function.inputs.append(try field.string())
      case 5: function.outputs.append(try field.string())
      case 6: function.attributes.append(try field.string())
      case 7: function.nodes.append(try node(try field.message(), depth: 1))
      case 9: try readOpset(try field.message(), into: &function.opsets)
      case 10: function.domain = canonicalDomain(try field.string())
      case 11: function.defaults.append(try attribute(try field.message(), depth: 1))
      case 13: function.overload = try field.string()
      default: break
      }
    }
    return function
  }

  /// Reads a ValueInfoProto.
  private func value(_ message: WireReader) throws(ImportError) -> FileValue {
    var reader = message
    var value = FileValue()
    while let field = try reader.next() {
      switch field.number {
      case 1: value.name = try field.string()
      case 2: try readType(try field.message(), into: &value)
      default: break
      }
    }
    return value
  }

  private func readType(_ message: WireReader, into value: inout FileValue) throws(ImportError) {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1:
        var type = try field.message()
        while let part = try type.next() {
          switch part.number {
          case 1: value.elementType = try part.int()
          case 2: value.dimensions = try dimensions(try part.message())
          default: break
          }
        }
      case 4: value.otherKind = "sequence"
      case 5: value.otherKind = "map"
      case 8: value.otherKind = "sparse tensor"
      case 9: value.otherKind = "optional"
      default: break
      }
    }
  }

  private func dimensions(_ message: WireReader) throws(ImportError) -> [FileDimension] {
    var reader = message
    var result: [FileDimension] = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var dimension = FileDimension.free("")
      var parts = try field.message()
      while let part = try parts.next() {
        switch part.number {
        case 1: dimension = .fixed(try part.int())
        case 2: dimension = .free(try part.string())
        default: break
        }
      }
      // Some exporters write a negative size or 0 for "unknown"; 0 may also be meant, so only negatives are freed.
      if case .fixed(let size) = dimension, size < 0 { dimension = .free("") }
      result.append(dimension)
    }
    return result
  }
}
