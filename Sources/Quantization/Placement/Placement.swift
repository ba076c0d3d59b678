import Graph
import Tensors

/// Where encodings sit (DESIGN "Where encodings sit"): which operators run on codes, and which values have an encoding.
///
/// An encoding exists where a static reader reads the value. Values that only move elements of another (MaxPool,
/// Reshape, Transpose, Slice) share its encoding: one *root*, the value they come from, is observed for all.
struct Placement {
  /// What readers want of a root's encoding.
  struct Request: Equatable {
    var bits: Int
    var symmetric: Bool
    var reducedRange: Bool
    var observer: ObserverChoice

    /// Bits that codes really use.
    var width: Int { reducedRange ? max(bits - 1, 2) : bits }

    func encoding(_ range: ClosedRange<Float>) -> Encoding {
      var encoding = Encoding.covering(range, bits: width, symmetric: symmetric)
      encoding.scheme.bits = bits
      return encoding
    }
  }

  /// Root of every value that has an encoding.
  private(set) var roots: [ValueName: ValueName] = [:]
  /// By root.
  private(set) var requests: [ValueName: Request] = [:]
  /// Roots in the order their readers come.
  private(set) var order: [ValueName] = []
  /// Indices of the nodes without weights that run on codes.
  private(set) var operators: Set<Int> = []
  /// Clamps that belong to the node before them, and so are no layers of their own.
  private(set) var fused: Set<Int> = []
  private var weighted: Set<Int> = []

  func isStatic(_ index: Int) -> Bool { operators.contains(index) || weighted.contains(index) }

  init(_ graph: Graph, infos: [ValueName: OperandInfo], recipe: Recipe, layers: [Int: ResolvedLayer]) {
    let survey = Survey(graph, infos: infos, layers: layers)
    weighted = survey.weighted
    operators = survey.operators
    fused = survey.fused
    findRoots(survey)
    collectRequests(survey, layers)
    let graphInputs = Set(graph.inputs.map(\.name))
    for (root, request) in requests where graphInputs.contains(root) {
      requests[root] = Request(
        bits: recipe.inputs.bits ?? max(8, request.bits),
        symmetric: recipe.inputs.symmetric ?? request.symmetric,
        reducedRange: request.reducedRange,
        observer: recipe.inputs.observer ?? request.observer)
    }
  }

  /// Follows operators that keep their input's encoding back to where it comes from.
  private mutating func findRoots(_ survey: Survey) {
    for index in survey.graph.nodes.indices where isStatic(index) {
      for value in survey.reads(index) where roots[value] == nil { roots[value] = value }
      guard operators.contains(index), case .keepsInput? = survey.rules[index],
        let source = survey.reads(index).first, let root = roots[source]
      else { continue }
      for output in survey.outputs(index) where survey.hasStaticReader(output) { roots[output] = root }
    }
  }

  private mutating func collectRequests(_ survey: Survey, _ layers: [Int: ResolvedLayer]) {
    // Layers with weights first: where two ask the same width, theirs is the observer.
    for index in survey.weighted.sorted() {
      guard let settings = layers[index]?.effective.activations else { continue }
      for value in survey.reads(index) { ask(value, settings, least: 0) }
    }
    for index in operators.sorted() {
      guard let settings = layers[index]?.effective.activations else { continue }
      if case .keepsInput? = survey.rules[index] { continue }
      // A residual sum loses too much below 8 bits, in its branches and in its result. Training makes up for it where
      // the value is what layers with weights read; a branch that is read for the sum alone keeps its 8 bits.
      let isSum = ["Add", "Sub"].contains(survey.graph.nodes[index].operatorName.type)
      let isTrained = layers[index]?.effective.mode == .qat
      for value in survey.reads(index) {
        ask(value, settings, least: isSum && !(isTrained && survey.feedsTrained(value)) ? 8 : 0)
      }
      if isSum {
        let least = isTrained ? 0 : 8
        for value in survey.outputs(index) where roots[value] != nil { ask(value, settings, least: least) }
      }
    }
    order = survey.graph.nodes.indices.flatMap { survey.reads($0) }.compactMap { roots[$0] }
    var seen: Set<ValueName> = []
    order = order.filter { requests[$0] != nil && seen.insert($0).inserted }
  }

  /// Of several requests the widest counts, of equal ones the first.
  private mutating func ask(_ value: ValueName, _ settings: ActivationSettings, least: Int) {
    guard let root = roots[value] else { return }
    let request = Request(
      bits: max(settings.bits, least), symmetric: settings.symmetric, reducedRange: settings.reducedRange,
      observer: settings.observer)
    if let known = requests[root], known.width >= request.width { return }
    requests[root] = request
  }
}
