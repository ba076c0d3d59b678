import Analysis
import Interface
import Quantization
import Workbench
import Workflows

extension State {
  /// The layer that a text speaks of: the longest name that stands in it as a word.
  func layer(namedIn text: String) -> String? {
    func isPart(_ character: Character?) -> Bool {
      character.map { $0.isLetter || $0.isNumber || "_./".contains($0) } ?? false
    }
    return layerViews.map(\.facts.name).filter { name in
      text.ranges(of: name).contains { range in
        !isPart(text[..<range.lowerBound].last)
          // A full stop may end the sentence.
          && !isPart(text[range.upperBound...].first { $0 != "." })
      }
    }.max { $0.count < $1.count }
  }

  /// The layer that matters most by what is known: the one that adds most to the current candidate's error, else the one
  /// that is costliest to quantize as measured, else the one under the cursor.
  var worstLayer: String? {
    let blamed = currentEntry.flatMap { blame.reports[$0.recipe.key]?.blame.sorted(by: .added).first?.name }
    let costliest = costs.report.flatMap { $0.isEstimate ? nil : $0.layers.first?.name }
    return [blamed, costliest].compactMap { $0 }.first { layerList[$0] != nil } ?? layer
  }

  /// The layer by which two recipes differ most: in bytes under each, else the first whose settings differ.
  func mostDifferentLayer(_ a: CandidateEntry, _ b: CandidateEntry) -> String? {
    let others = Dictionary(
      b.resolution.layers.map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
    let facts = Dictionary(
      (project?.model.layers ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var best: (name: String, bytes: Int)?
    for layer in a.resolution.layers {
      guard let facts = facts[layer.node], let other = others[layer.node],
        layer.effective != other.effective
      else { continue }
      let bytes = abs(
        LayerView(facts: facts, resolved: layer).bytesAfter
          - LayerView(facts: facts, resolved: other).bytesAfter)
      if bytes > best?.bytes ?? -1 { best = (layer.node, bytes) }
    }
    return best?.name
  }
}

extension Pane {
  package func pointedLayer(_ state: State) -> String? { state.lead ?? state.layer }
}

extension ComparePane {
  package func pointedLayer(_ state: State) -> String? {
    if view == .layers {
      let rows = CompareLayers(state).rows
      return rows.indices.contains(scroll.cursor) ? rows[scroll.cursor].name : nil
    }
    guard let entry = state.currentEntry, let baseline = state.entry(state.baseline), baseline.id != entry.id
    else { return state.worstLayer }
    return state.mostDifferentLayer(entry, baseline) ?? state.worstLayer
  }
}

extension ParetoPane {
  package func pointedLayer(_ state: State) -> String? { ComparePane().pointedLayer(state) }
}

extension HistogramPane {
  package func pointedLayer(_ state: State) -> String? { state.layer }
}
