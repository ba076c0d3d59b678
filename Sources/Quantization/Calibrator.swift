import Execution
import Graph
import Tensors

/// Runs samples through the float graph and shows values to observers, batch by batch.
///
/// Every sample is shown alone and in order, so that results depend on neither batches nor threads. Memory holds one
/// batch and the observers.
struct Calibrator {
  /// Runs one batch and gives the values asked for by name, valid until the next batch.
  typealias Run = ([ValueName: Tensor]) throws -> [ValueName: Tensor]

  let graph: Graph
  let infos: [ValueName: OperandInfo]
  let threads: Int
  /// Makes what runs batches of these shapes; the values to give are outputs of the graph, the elements of a sample in
  /// any order.
  let prepare: (Graph, [ValueName: Shape]) throws -> Run

  /// Bytes of watched values that one batch may have.
  static let batchBytes = 16 << 20
  static let largestBatch = 32

  /// - Parameter keepsOrder: whether the elements of a sample have to come in the order of the graph's axes.
  init(
    graph: Graph, infos: [ValueName: OperandInfo], threads: Int, keepsOrder: Bool = false,
    prepare: ((Graph, [ValueName: Shape]) throws -> Run)? = nil
  ) {
    self.graph = graph
    self.infos = infos
    self.threads = threads
    self.prepare =
      prepare ?? { graph, shapes in
        let program = try compile(
          EncodedGraph(graph: graph),
          CompileOptions(
            inputShapes: shapes, threads: threads,
            unordered: keepsOrder ? [] : Set(graph.outputs.map(\.name))))
        return {
          try program.load($0)
          try program.execute()
          return try program.views()
        }
      }
  }

  /// Observes the values named, over every sample of the source.
  func observe(
    _ choices: [ValueName: ObserverChoice], source: any CalibrationSource, samples: Int,
    report: (Double, String) throws -> Void
  ) throws -> [ValueName: Sighting] {
    let names = choices.keys.sorted()
    guard !names.isEmpty else { return [:] }
    let watch = Watch(choices: names.compactMap { choices[$0] }, samples: min(samples, source.count))
    try forEachBatch(of: names, source: source, samples: samples) { values, range, count in
      try watch.show(values, names: names, samples: range, threads: threads)
      try report(
        Double(range.upperBound) / Double(count), "calibrating: sample \(range.upperBound) of \(count)")
    }
    return Dictionary(uniqueKeysWithValues: zip(names, watch.sightings))
  }

  /// Runs the samples of a source batch by batch.
  ///
  /// - Parameter body: takes the values named, good until the next batch, the samples they are of, and how many samples
  ///   there are in all.
  func forEachBatch(
    of names: [ValueName], source: any CalibrationSource, samples: Int,
    _ body: ([Tensor?], Range<Int>, Int) throws -> Void
  ) throws {
    let count = min(samples, source.count)
    guard count > 0 else { throw QuantizationError("calibration needs at least one sample (found none)") }
    let fixed = graph.samplesPerBatch
    var batch = fixed ?? batchSize(names, count)
    var watched = graph
    let known = Set(graph.outputs.map(\.name)).union(graph.inputs.map(\.name))
    for name in names where !known.contains(name) {
      watched.outputs.append(ValueInfo(name: name, type: .float32, dimensions: nil))
    }
    var prepared: (shapes: [ValueName: Shape], run: Run)?
    var start = 0
    while start < count {
      let range = start..<min(start + batch, count)
      // A graph of a fixed batch takes no part of one.
      if let fixed, range.count < fixed, start > 0 { break }
      let inputs = try source.batch(range)
      let shapes = inputs.mapValues(\.shape)
      if prepared?.shapes != shapes {
        // Two programs at once would be the peak of memory.
        prepared = nil
        do {
          prepared = (shapes, try prepare(watched, shapes))
        } catch  where range.count > 1 && start == 0 {
          // Shapes inside the graph may be made for one batch size.
          batch = 1
          continue
        }
      }
      guard let run = prepared?.run else { break }
      let values = try run(inputs).merging(inputs) { computed, _ in computed }
      try body(names.map { values[$0] }, range, count)
      start = range.upperBound
    }
  }

  /// Samples per batch that memory allows.
  private func batchSize(_ names: [ValueName], _ count: Int) -> Int {
    let given = graph.samplesInferred(infos)
    let bytes = names.reduce(0) { $0 + 4 * (infos[$1]?.shape?.elementCount ?? 0) } / max(given, 1)
    return min(max(Self.batchBytes / max(bytes, 1), 1), Self.largestBatch, count)
  }
}

/// What observers saw of one value.
struct Sighting: Sendable {
  /// Of all samples.
  var all: any Observer
  /// Of the first half of the samples, and of the others; empty where there are too few to tell.
  var halves: [any Observer] = []

  /// Fewest samples whose halves are worth comparing.
  static let fewestSamples = 16
}

/// The observers of a calibration, each with one value.
private final class Watch: @unchecked Sendable {
  /// Written by the one chunk that has the index.
  private let slots: UnsafeMutableBufferPointer<Sighting>
  private let choices: [ObserverChoice]
  /// The sample with which the second half begins.
  private let middle: Int?
  private let problem = Locked<(sample: Int, index: Int)?>(nil)

  init(choices: [ObserverChoice], samples: Int) {
    self.choices = choices
    middle = samples >= Sighting.fewestSamples ? samples / 2 : nil
    slots = .allocate(capacity: choices.count)
    _ = slots.initialize(from: choices.map { Sighting(all: $0.makeObserver()) })
  }

  deinit {
    slots.deinitialize()
    slots.deallocate()
  }

  var sightings: [Sighting] { slots.map { $0.halves.count == 2 ? $0 : Sighting(all: $0.all) } }

  /// Shows a batch of values; the first axis counts samples where it has their number.
  func show(_ values: [Tensor?], names: [ValueName], samples: Range<Int>, threads: Int) throws {
    for (name, value) in zip(names, values) where value?.type != .float32 {
      throw QuantizationError(
        "calibration: \"\(name)\" has no float32 values (found \(value?.type.name ?? "nothing"))")
    }
    parallel(values.count, grain: 1, threads: threads) { indices in
      for index in indices { self.show(values[index], index: index, samples: samples) }
    }
    if let (sample, index) = problem.withLock({ $0 }) {
      throw QuantizationError(
        "calibration: \"\(names[index])\" holds NaN or infinity in sample \(sample). Leave that sample out.")
    }
  }

  private func show(_ value: Tensor?, index: Int, samples: Range<Int>) {
    guard let value else { return }
    let parts = value.shape.first == samples.count ? samples.count : 1
    value.withElements(of: Float.self) { elements in
      let length = elements.count / parts
      for part in 0..<parts {
        let span = Span(
          _unsafeElements: UnsafeBufferPointer(rebasing: elements[part * length..<(part + 1) * length]))
        let extremes = Extremes(span)
        guard extremes.isFinite else {
          problem.withLock { known in
            let found = (samples.lowerBound + part, index)
            if known.map({ found < $0 }) ?? true { known = found }
          }
          return
        }
        slots[index].all.observe(span, extremes: extremes)
        guard let middle else { continue }
        let sample = samples.lowerBound + part
        if sample >= middle {
          if slots[index].halves.count == 1 { slots[index].halves.append(choices[index].makeObserver()) }
          if slots[index].halves.count == 2 { slots[index].halves[1].observe(span, extremes: extremes) }
        } else if sample + 1 == middle {
          slots[index].halves = [slots[index].all]
        }
      }
    }
  }
}
