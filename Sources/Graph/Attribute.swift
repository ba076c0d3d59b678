import Tensors

/// A constant parameter of a node, as files hold it.
package enum Attribute: Sendable {
  case int(Int)
  case float(Float)
  case string(String)
  case ints([Int])
  case floats([Float])
  case strings([String])
  case tensor(Tensor)
  case graph(Graph)
}

package typealias Attributes = [String: Attribute]

extension Attributes {
  package func int(_ name: String) -> Int? { if case .int(let x)? = self[name] { x } else { nil } }
  package func float(_ name: String) -> Float? { if case .float(let x)? = self[name] { x } else { nil } }
  package func string(_ name: String) -> String? { if case .string(let x)? = self[name] { x } else { nil } }
  package func ints(_ name: String) -> [Int]? { if case .ints(let x)? = self[name] { x } else { nil } }
  package func floats(_ name: String) -> [Float]? { if case .floats(let x)? = self[name] { x } else { nil } }
  package func strings(_ name: String) -> [String]? {
    if case .strings(let x)? = self[name] { x } else { nil }
  }
  package func tensor(_ name: String) -> Tensor? { if case .tensor(let x)? = self[name] { x } else { nil } }
  package func graph(_ name: String) -> Graph? { if case .graph(let x)? = self[name] { x } else { nil } }
}
