import Graph
import Quantization
import Workbench
import Workflows

/// The layers that match a filter, sorted, as a list and as a tree by the scopes of their names.
///
/// Names are cut after `/` and `.`. A scope that holds nothing but another scope, or a single layer, is written as one
/// with it, so no row has an only child.
struct LayerTree: Sendable {
  /// What it is worked out from, once for each change of it.
  struct Question: Sendable, Equatable {
    var matcher: LayerMatcher
    var sort: LayerSort
    /// For sorting; empty where the order needs none.
    var figures: LayerFigures
    /// Whether scopes are wanted; without them the tree is empty.
    var isTree: Bool
  }

  /// A scope, with what the layers below come to.
  struct Scope: Sendable {
    /// What the names of all layers below begin with: `model.layers.3.`.
    let id: String
    /// The same without what stands above: `3`.
    let label: String
    /// Of the layers below.
    let names: [String]
    let bytesBefore: Int
    let bytesAfter: Int
    let macs: Int
    /// What all below have in common; `nil` where they differ.
    let mode: Mode?
    /// Of those with weights, where there are any.
    let bits: String?
    let operatorName: String?
  }

  enum Item: Sendable {
    /// The label is the name without what stands above.
    case layer(LayerView, label: String)
    case scope(Scope)
  }

  struct Node: Sendable {
    let item: Item
    let children: [Int]
    fileprivate let key: LayerSort.Key
  }

  /// The layers, sorted.
  let layers: [LayerView]
  /// Layers there are, whether they match or not.
  let total: Int
  /// float32 bytes of the layers that match.
  let bytes: Int
  private(set) var nodes: [Node] = []
  private(set) var roots: [Int] = []

  init(_ question: Question) {
    let matcher = question.matcher
    let found = matcher.matching()
    total = matcher.views.count
    bytes = found.reduce(0) { $0 + $1.bytesBefore }
    let sort = question.sort
    let keys = found.enumerated().map { place, view in
      sort.key(LayerRecord(view: view, figures: question.figures), place: place)
    }
    layers = Self.sorted(Array(found.indices), sort.isDescending) { keys[$0] }.map { found[$0] }
    guard question.isTree else { return }
    var builder = Builder(views: found, keys: keys, sort: sort)
    roots = builder.children(of: Array(found.indices), from: 0, below: 0)
    nodes = builder.nodes
  }

  /// Ids of all scopes.
  var scopes: [String] {
    nodes.compactMap {
      if case .scope(let scope) = $0.item { return scope.id }
      return nil
    }
  }

  fileprivate static func sorted(
    _ items: [Int], _ isDescending: Bool, key: (Int) -> LayerSort.Key
  ) -> [Int] {
    let ascending = items.map { (item: $0, key: key($0)) }.sorted { $0.key < $1.key }.map(\.item)
    return isDescending ? ascending.reversed() : ascending
  }

  private struct Builder {
    let views: [LayerView]
    let keys: [LayerSort.Key]
    let sort: LayerSort
    let names: [[UInt8]]
    var nodes: [Node] = []

    init(views: [LayerView], keys: [LayerSort.Key], sort: LayerSort) {
      self.views = views
      self.keys = keys
      self.sort = sort
      names = views.map { Array($0.facts.name.utf8) }
    }

    /// Where the part of a name that begins at `start` ends, its separator included; `nil` for the last part.
    private func end(of name: [UInt8], from start: Int) -> Int? {
      // A separator at either end of a name parts nothing.
      guard start + 1 < name.count - 1 else { return nil }
      return name[(start + 1)..<(name.count - 1)].firstIndex { $0 == 0x2F || $0 == 0x2E }.map { $0 + 1 }
    }

    /// The sorted nodes for layers whose names are the same up to `start`; what stands before `above` is written above.
    mutating func children(of layers: [Int], from start: Int, below above: Int) -> [Int] {
      var groups: [(layers: [Int], end: Int?)] = []
      var places: [ArraySlice<UInt8>: Int] = [:]
      for layer in layers {
        guard let end = end(of: names[layer], from: start) else {
          groups.append(([layer], nil))
          continue
        }
        let part = names[layer][start..<end]
        if let place = places[part] {
          groups[place].layers.append(layer)
        } else {
          places[part] = groups.count
          groups.append(([layer], end))
        }
      }
      let children = groups.map { group in
        guard group.layers.count > 1, let end = group.end else {
          return leaf(group.layers[0], below: above)
        }
        return scope(of: group.layers, to: end, below: above)
      }
      return LayerTree.sorted(children, sort.isDescending) { nodes[$0].key }
    }

    private mutating func leaf(_ layer: Int, below above: Int) -> Int {
      let label = String(decoding: names[layer][above...], as: UTF8.self)
      nodes.append(Node(item: .layer(views[layer], label: label), children: [], key: keys[layer]))
      return nodes.count - 1
    }

    private mutating func scope(of layers: [Int], to end: Int, below above: Int) -> Int {
      let first = names[layers[0]]
      var end = end
      // As far as all have it in common.
      while let next = self.end(of: first, from: end),
        layers.allSatisfy({
          self.end(of: names[$0], from: end) == next && names[$0][end..<next] == first[end..<next]
        })
      {
        end = next
      }
      let children = children(of: layers, from: end, below: end)
      let below = layers.map { views[$0] }
      let weighted = below.filter { $0.weightBits != nil }
      func common<T: Equatable>(of layers: [LayerView], _ value: (LayerView) -> T) -> T? {
        let first = value(layers[0])
        return layers.allSatisfy { value($0) == first } ? first : nil
      }
      let scope = Scope(
        id: String(decoding: first[..<end], as: UTF8.self),
        label: String(decoding: first[above..<(end - 1)], as: UTF8.self), names: below.map(\.facts.name),
        bytesBefore: below.reduce(0) { $0 + $1.bytesBefore },
        bytesAfter: below.reduce(0) { $0 + $1.bytesAfter }, macs: below.reduce(0) { $0 + $1.facts.macs },
        mode: common(of: below) { $0.resolved?.effective.mode ?? .float },
        bits: common(of: weighted.isEmpty ? below : weighted) { Words.bits($0) },
        operatorName: common(of: below, \.facts.operatorName))
      let key = sort.key(of: scope, from: layers.map { keys[$0] })
      nodes.append(Node(item: .scope(scope), children: children, key: key))
      return nodes.count - 1
    }
  }
}
