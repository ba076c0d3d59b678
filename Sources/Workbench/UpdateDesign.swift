import Quantization
import Workflows

extension State {
  var design: History.Design { History.Design(candidates: candidates, current: current, baseline: baseline) }

  /// Applies what the user decides about candidates and recipes; all of it can be undone.
  mutating func updateDesign(_ action: Action) -> [Effect] {
    let before = design
    let isEdit: Bool
    switch action {
    case .edit, .editDefaults: isEdit = true
    default: isEdit = false
    }
    switch action {
    case .undo:
      guard let step = history.undo(now: design) else { return [] }
      restore(step.before)
      note("undone: \(step.title)")
    case .redo:
      guard let step = history.redo(now: design) else { return [] }
      restore(step.before)
      note("redone: \(step.title)")
    case .travel(let count):
      let target = Swift.min(Swift.max(count, 0), history.titles.count)
      let way = target - history.done.count
      guard way != 0 else { return [] }
      while history.done.count > target, let step = history.undo(now: design) { restore(step.before) }
      while history.done.count < target, let step = history.redo(now: design) { restore(step.before) }
      note("\(way < 0 ? "undone" : "redone"): \(abs(way)) change\(abs(way) == 1 ? "" : "s")")
    case .select(let id):
      guard entry(id) != nil else { return [] }
      current = id
      return detailEffect() + (current == before.current ? [] : questionsOfNewCandidate())
        + predictionEffect()
    case .edit(let layers, let change, let title):
      guard let entry = currentEntry else { return [] }
      let names = Set(layers)
      var recipe = entry.recipe
      recipe.set(
        change, for: entry.resolution.layers.filter { names.contains($0.node) }.map { LayerIdentity($0) })
      recipe.settleTraining()
      replaceRecipe(recipe)
      history.record(title, before: before)
    case .editDefaults(let change, let title):
      guard var recipe = currentEntry?.recipe else { return [] }
      recipe.defaults = recipe.defaults.applying(change)
      recipe.settleTraining()
      replaceRecipe(recipe)
      history.record(title, before: before)
    case .setSamples(let samples):
      guard var recipe = currentEntry?.recipe, samples > 0 else { return [] }
      recipe.calibration.samples = samples
      replaceRecipe(recipe)
      history.record("\(samples) calibration samples", before: before)
    case .setTraining(let settings, let title):
      guard var recipe = currentEntry?.recipe else { return [] }
      recipe.training = settings
      replaceRecipe(recipe)
      history.record(title, before: before)
    case .add(let recipe):
      addCandidate(recipe)
      history.record("new candidate \(recipe.name)", before: before)
    case .duplicate(let id):
      guard let entry = entry(id) else { return [] }
      addCandidate(entry.recipe)
      history.record("duplicate of \(entry.title)", before: before)
    case .delete(let id):
      guard let index = candidates.firstIndex(where: { $0.id == id }) else { return [] }
      let title = candidates[index].title
      candidates.remove(at: index)
      if baseline == id { baseline = nil }
      if current == id {
        current = candidates.isEmpty ? nil : candidates[Swift.min(index, candidates.count - 1)].id
      }
      history.record("delete \(title)", before: before)
    case .rename(let id, let name):
      guard let index = candidates.firstIndex(where: { $0.id == id }), !name.isEmpty else { return [] }
      candidates[index].recipe.name = name
      history.record("rename to \(name)", before: before)
    case .setNote(let id, let note):
      guard let index = candidates.firstIndex(where: { $0.id == id }), candidates[index].note != note else {
        return []
      }
      candidates[index].note = note
      history.record("note on \(candidates[index].title)", before: before)
    case .setBaseline(let id):
      baseline = id
      history.record(id.map { "baseline \($0.letter)" } ?? "baseline float32", before: before)
    default: return []
    }
    isUnsaved = true
    return [.save] + detailEffect() + (current == before.current ? [] : questionsOfNewCandidate())
      + predictionEffect(prepares: isEdit)
  }

  private mutating func restore(_ design: History.Design) {
    // Results measured meanwhile stay: they belong to recipes, not to steps.
    let measured = Dictionary(candidates.map { ($0.id, $0.lastMeasured) }, uniquingKeysWith: { $1 })
    candidates = design.candidates
    for index in candidates.indices {
      candidates[index].lastMeasured = measured[candidates[index].id] ?? candidates[index].lastMeasured
    }
    current = design.current
    baseline = design.baseline
  }

  private mutating func replaceRecipe(_ recipe: Recipe) {
    guard let project, let index = candidates.firstIndex(where: { $0.id == current }) else { return }
    candidates[index].replace(recipe, of: project.model)
  }

  /// Adds a candidate and makes it the current one.
  mutating func addCandidate(_ recipe: Recipe) {
    guard let project else { return }
    let id = CandidateID(nextCandidate)
    nextCandidate += 1
    candidates.append(CandidateEntry(id: id, recipe: recipe, of: project.model))
    current = id
  }
}
