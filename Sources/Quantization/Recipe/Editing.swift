import Graph

/// A layer by what rules look at.
package struct LayerIdentity: Sendable, Hashable {
  package var name: String
  package var operatorName: String

  package init(name: String, operatorName: String) {
    self.name = name
    self.operatorName = operatorName
  }

  package init(_ layer: ResolvedLayer) { self.init(name: layer.node, operatorName: layer.operatorName) }

  /// What the layer does in its block, the same in every block: the name without `blocks/N/`, with dots for slashes, as
  /// `attention.q` of `blocks/0/attention/q`.
  package var role: String {
    var parts = name.split(separator: "/")
    if parts.count > 2, parts[0] == "blocks", parts[1].allSatisfy(\.isWholeNumber) { parts.removeFirst(2) }
    return parts.joined(separator: ".")
  }
}

extension Recipe {
  /// What the recipe asks of a layer, and the last rule that had a say.
  package func settings(for layer: LayerIdentity) -> (settings: LayerSettings, rule: Int?) {
    Self.settings(
      for: layer, defaults: defaults, rules: Array(zip(rules, rules.map { CompiledMatch($0.match) })))
  }

  static func settings(
    for layer: LayerIdentity, defaults: LayerSettings, rules: [(Rule, CompiledMatch)]
  ) -> (settings: LayerSettings, rule: Int?) {
    var settings = defaults
    var winner: Int?
    for (index, (rule, match)) in rules.enumerated()
    where match.holds(layer) {
      settings = settings.applying(rule.change)
      winner = index
    }
    return (settings, winner)
  }

  /// Makes a change to some layers and to no others, with as few rules as say it.
  ///
  /// Rules that name layers exactly come last and hold only what differs from the rules before them, so that setting a
  /// layer back to what it was removes its rule; layers with the same difference share one rule.
  package mutating func set(_ change: SettingsChange, for layers: [LayerIdentity]) {
    var wanted: [(LayerIdentity, LayerSettings)] = []
    let compiled = Array(zip(rules, rules.map { CompiledMatch($0.match) }))
    for layer in layers {
      let now = Self.settings(for: layer, defaults: defaults, rules: compiled).settings
      wanted.append((layer, now.applying(change)))
    }
    // Names leave the exact rules at the end of the list, then come back with what they need.
    let edited = Set(layers.map { NamePattern.exact($0.name) })
    let patterns = rules.count - exactTail
    for index in patterns..<rules.count { rules[index].match.names.removeAll { edited.contains($0) } }
    rules = rules.enumerated().filter { $0.offset < patterns || !$0.element.match.names.isEmpty }.map(
      \.element)
    let base = Array(zip(rules, rules.map { CompiledMatch($0.match) }).prefix(patterns))
    for (layer, settings) in wanted {
      let before = Self.settings(for: layer, defaults: defaults, rules: base).settings
      let difference = SettingsChange(from: before, to: settings)
      if difference.isEmpty { continue }
      let name = NamePattern.exact(layer.name)
      if let index = rules.indices.dropFirst(patterns).first(where: { rules[$0].change == difference }) {
        rules[index].match.names.append(name)
      } else {
        rules.append(Rule(match: Match(names: [name]), change: difference))
      }
    }
  }

  /// How many rules at the end name layers exactly and ask nothing else.
  private var exactTail: Int {
    rules.reversed().prefix { rule in
      rule.match.operators.isEmpty && rule.match.roles.isEmpty && !rule.match.names.isEmpty
        && rule.match.names.allSatisfy(NamePattern.isExact)
    }.count
  }
}

extension NamePattern {
  /// Whether the pattern can match only one name.
  static func isExact(_ text: String) -> Bool {
    if text.hasPrefix("regex:") { return false }
    var escaped = false
    for character in text {
      if escaped {
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else if character == "*" || character == "?" {
        return false
      }
    }
    return true
  }
}
