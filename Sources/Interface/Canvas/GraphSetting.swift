import Yams

/// The setting `graph:` of the configuration: how plots are drawn.
package enum GraphSetting {
  /// - Returns: the form, or `nil` where none is set; and what is wrong with the setting.
  package static func read(yaml text: String) -> (form: Glyphs.Plot?, problem: String?) {
    // What is no YAML is said by the reader of the whole configuration.
    guard let node = (try? Yams.compose(yaml: text))?.flatMap({ $0.mapping })?["graph"] else {
      return (nil, nil)
    }
    if let form = node.string.flatMap(Glyphs.Plot.init) { return (form, nil) }
    let known = Glyphs.Plot.allCases.map(\.rawValue).joined(separator: ", ")
    let line = node.mark.map { "line \($0.line): " } ?? ""
    return (nil, "\(line)graph: \(node.string ?? "?") is no form of graphs (known: \(known))")
  }
}
