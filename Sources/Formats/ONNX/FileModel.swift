import Tensors

/// A model as its file holds it, before functions are inlined and operators are made.
struct FileModel {
  var irVersion = 0
  var opsets: [String: Int] = [:]
  var graph: FileGraph?
  var functions: [FileFunction] = []
  /// Producer, versions, documentation and properties under the keys of `MetadataKey`.
  var metadata: [String: String] = [:]
}

struct FileGraph {
  var name = ""
  var nodes: [FileNode] = []
  var constants: [(name: String, tensor: Tensor)] = []
  var inputs: [FileValue] = []
  var outputs: [FileValue] = []
  var values: [FileValue] = []
}

/// A declared value: its type in words where it is not a tensor of a type known here.
struct FileValue {
  var name = ""
  /// ONNX's number; 0 when the file does not say.
  var elementType = 0
  var dimensions: [FileDimension]?
  /// What the value is when it is not a dense tensor, for example `sequence`.
  var otherKind: String?
}

enum FileDimension {
  case fixed(Int)
  case free(String)
}

struct FileNode {
  var name = ""
  var type = ""
  var domain = ""
  var overload = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [FileAttribute] = []
  /// Domain → version this node is written in, where a function says so; else the model's.
  var opsets: [String: Int]?
}

struct FileAttribute {
  enum Value {
    case int(Int)
    case float(Float)
    case string(String)
    case ints([Int])
    case floats([Float])
    case strings([String])
    case tensor(Tensor)
    case graph(FileGraph)
    /// The attribute of this name of the function that the node is part of.
    case reference(String)
    /// A kind nothing here can use, for example `tensors`.
    case unsupported(String)
  }

  var name: String
  var value: Value
}

struct FileFunction {
  var name = ""
  var domain = ""
  var overload = ""
  var inputs: [String] = []
  var outputs: [String] = []
  /// Attributes without a default, then those with one.
  var attributes: [String] = []
  var defaults: [FileAttribute] = []
  var nodes: [FileNode] = []
  var opsets: [String: Int] = [:]

  var key: Key { Key(name: name, domain: domain, overload: overload) }

  struct Key: Hashable {
    var name: String
    var domain: String
    var overload: String
  }
}

/// Keys under which `Graph.metadata` keeps what an ONNX file says about itself.
package enum MetadataKey {
  static let irVersion = "onnx.ir_version"
  package static let producerName = "onnx.producer_name"
  static let producerVersion = "onnx.producer_version"
  static let domain = "onnx.domain"
  static let modelVersion = "onnx.model_version"
  static let documentation = "onnx.doc_string"
  /// Before the keys of the file's own properties.
  static let property = "onnx.property."
}

/// The name a domain goes by here: ONNX's own has two spellings.
func canonicalDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
