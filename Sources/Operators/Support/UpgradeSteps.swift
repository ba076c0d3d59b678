import Graph
import Tensors

/// The changes of form that many operators share.
extension Upgrade {
  /// Before `opset` these lists of integers were attributes; now each is the int64 input at its index.
  package static func listsBecomeInputs(_ indices: KeyValuePairs<String, Int>, before opset: Int) -> Upgrade {
    let lists = indices.map { ($0.key, $0.value) }
    return .before(opset) { node, rewrite in
      for (name, index) in lists {
        guard let values = try node.attributes.integersIfPresent(name) else { continue }
        node.attributes[name] = nil
        node.setInput(index, rewrite.add(constant: Tensor(integers: values, shape: [values.count]), name))
      }
    }
  }

  /// A name that another operator took over: always applied, and what it makes is that operator's newest form.
  package static func becomes(
    _ type: String, domain: String = "",
    _ change: @escaping @Sendable (inout RawNode, inout RawRewrite) throws -> Void = { _, _ in }
  ) -> Upgrade {
    .before(.max) { node, rewrite in
      try change(&node, &rewrite)
      node.type = type
      node.domain = domain
    }
  }
}

extension RawNode {
  /// Sets an input, with absent ones before it where there were fewer.
  package mutating func setInput(_ index: Int, _ value: ValueName?) {
    while inputs.count <= index { inputs.append(nil) }
    inputs[index] = value
  }

  package func input(_ index: Int) -> ValueName? { inputs.indices.contains(index) ? inputs[index] : nil }
}
