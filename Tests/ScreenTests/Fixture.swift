import Analysis
import Evaluation
import Graph
import Interface
import Jobs
import Operators
import Quantization
import Screen
import Tensors
import Testing
import Training
import Workbench
import Workflows

/// A small classifier, built without files: stem, depthwise, pointwise with a residual, pool, dense.
func fixtureModel() throws -> Model {
  var constants: [ValueName: Tensor] = [:]
  var nodes: [Node] = []
  func weights(_ name: String, _ shape: Shape) {
    let values = (0..<shape.elementCount).map { Float(($0 * 37 + name.utf8.count) % 101) / 50 - 1 }
    constants[name] = Tensor(values, shape: shape)
  }
  func add(
    _ type: String, _ name: String, _ inputs: [ValueName], _ output: ValueName,
    _ attributes: Graph::Attributes = [:]
  )
    throws
  {
    let op = try #require(Catalog.find(domain: "", type: type))
    nodes.append(Node(name: name, op: try op.init(attributes: attributes), inputs: inputs, outputs: [output]))
  }
  let same: Graph::Attributes = ["pads": .ints([1, 1, 1, 1]), "kernel_shape": .ints([3, 3])]
  weights("stem.weight", [16, 3, 3, 3])
  weights("stem.bias", [16])
  weights("depthwise.weight", [16, 1, 3, 3])
  weights("pointwise.weight", [16, 16, 1, 1])
  weights("dense.weight", [10, 16])
  weights("dense.bias", [10])
  try add("Conv", "stem/conv", ["image", "stem.weight", "stem.bias"], "a", same)
  try add("Relu", "stem/relu", ["a"], "b")
  try add(
    "Conv", "block/depthwise", ["b", "depthwise.weight"], "c", same.merging(["group": .int(16)]) { $1 })
  try add("Relu", "block/relu", ["c"], "d")
  try add("Conv", "block/pointwise", ["d", "pointwise.weight"], "e", ["kernel_shape": .ints([1, 1])])
  try add("Add", "block/add", ["e", "b"], "f")
  try add("GlobalAveragePool", "pool", ["f"], "g")
  try add("Flatten", "flatten", ["g"], "h")
  try add("Gemm", "dense", ["h", "dense.weight", "dense.bias"], "scores", ["transB": .int(1)])
  let graph = Graph(
    name: "fixture",
    inputs: [
      ValueInfo(name: "image", type: .float32, dimensions: [.free("N"), .fixed(3), .fixed(16), .fixed(16)])
    ],
    outputs: [ValueInfo(name: "scores", type: .float32, dimensions: [.free("N"), .fixed(10)])],
    constants: constants, nodes: nodes)
  return try Model(source: graph, path: "fixture.onnx", format: "onnx")
}

/// Made-up figures.
func fixtureTrial(
  _ name: String, execution: Trial.Execution, top1: Double, delta: Double, bytes: Int, ms: Double
)
  -> Trial
{
  var trial = Trial(name: name, execution: execution, weightBytes: bytes, packedBytes: bytes)
  trial.samples = 2000
  trial.top1 = top1
  trial.top5 = 0.99
  trial.loss = 0.31
  trial.bitsPerWeight = execution == .float ? 32 : 8.2
  trial.latencyMs = LatencySummary(median: ms, p90: ms * 1.1, runs: 50)
  trial.peakMemoryBytes = bytes * 3
  trial.sizeBytes = bytes + 900
  guard execution != .float else { return trial }
  trial.top1Delta = delta
  trial.top1DeltaCi95 = [delta - 0.004, delta + 0.003]
  trial.pValue = 0.21
  trial.agreement = 0.987
  trial.sqnrDb = 29.4
  trial.kl = 0.0012
  trial.compression = 31_000 / Double(bytes)
  trial.speedup = 0.31 / ms
  return trial
}

/// A workbench in the middle of work: one candidate measured, one stale, one running, one new.
func fixtureState(_ model: Model) throws -> State {
  var state = State()
  var project = try Project(model: model, threads: 2)
  project.kernelLevel = "avx2"
  _ = state.update(.opened(project, nil))
  let float32 = fixtureTrial("float32", execution: .float, top1: 0.942, delta: 0, bytes: 31_000, ms: 0.31)
  func measured(_ id: CandidateID, _ trial: Trial) throws {
    let recipe = try #require(state.entry(id)).recipe
    _ = state.update(
      .measured(
        id, recipe: recipe,
        Measurement(
          float32: float32, candidates: [trial], roles: "calibrates on 256 samples of --data", fraction: 1)))
  }
  try measured(
    CandidateID(1),
    fixtureTrial("static-int8", execution: .integer, top1: 0.9405, delta: -0.0015, bytes: 8_300, ms: 0.14))
  for name in ["weight-int4", "dynamic-int8", "float"] {
    _ = state.update(.add(try #require(Presets[name]).recipe))
  }
  try measured(
    CandidateID(2),
    fixtureTrial("weight-int4", execution: .simulated, top1: 0.901, delta: -0.041, bytes: 5_100, ms: 0.33))
  _ = state.update(.select(CandidateID(2)))
  _ = state.update(
    .edit(layers: ["stem/conv"], change: SettingsChange(mode: .float), title: "mode float for 1 layer"))
  _ = state.update(.started(JobID(7), CandidateID(3)))
  _ = state.update(
    .jobChanged(
      JobStatus(
        id: JobID(7), title: "C dynamic-int8", state: .running, fraction: 0.61, note: "1220 of 2000 samples",
        seconds: 12)))
  _ = state.update(.selectLayer("block/pointwise"))
  _ = state.update(.setMarks(["stem/conv", "block/pointwise"]))
  let recipe = try #require(state.currentEntry).recipe.key
  _ = state.update(
    .showDetail(try LayerDetail(layer: "block/pointwise", recipe: recipe, project: project, candidate: nil)))
  state.log.removeAll()
  state.note("opened fixture.onnx: 9 layers", .good)
  state.note("block/pointwise carries most of the loss; b raises it to 5 bits", .warning)
  return state
}

/// A training in its fifth epoch of eight, with made-up figures.
let fixtureProgress = TrainingProgress(
  epoch: 4, epochs: 8, step: 17, steps: 56, loss: 0.3712,
  history: [
    TrainingPoint(loss: 0.912, divergence: 0.094, top1: 0.9125, seconds: 21),
    TrainingPoint(loss: 0.561, divergence: 0.052, top1: 0.93, seconds: 20),
    TrainingPoint(loss: 0.447, divergence: 0.031, top1: 0.94, seconds: 20),
    TrainingPoint(loss: 0.398, divergence: 0.036, top1: 0.9375, seconds: 21),
  ],
  float32Top1: 0.9425, start: TrainingPoint(loss: .nan, divergence: 0.21, top1: 0.8675), bestEpoch: 2,
  heldBack: 400, memoryBytes: 12_900_000)

/// Adds a fifth candidate, which is being trained.
func fixtureTraining(_ state: inout State, _ progress: TrainingProgress = fixtureProgress) throws {
  let (id, job) = (CandidateID(5), JobID(9))
  _ = state.update(.add(try #require(Presets["qat-w4a8"]).recipe))
  let recipe = try #require(state.entry(id)).recipe
  _ = state.update(.jobChanged(JobStatus(id: JobID(7), title: "C dynamic-int8", state: .done, seconds: 20)))
  _ = state.update(.started(job, id))
  _ = state.update(
    .jobChanged(
      JobStatus(
        id: job, title: "E qat-w4a8", state: .running, fraction: 0.52,
        note: "epoch 5 of 8, step 17 of 56, loss 0.3712", seconds: 95)))
  _ = state.update(.trainingProgress(id, recipe: recipe, progress))
  var trial = fixtureTrial(
    "qat-w4a8", execution: .integer, top1: 0.9385, delta: -0.0035, bytes: 5_300, ms: 0.14)
  trial.latencyMs = nil
  trial.speedup = nil
  let float32 = try #require(state.float32)
  _ = state.update(
    .epochMeasured(
      id, recipe: recipe,
      Measurement(float32: float32, candidates: [trial], roles: "", fraction: 1)))
}

/// Made-up steps of float32 and of a candidate, on a machine of round numbers.
func fixtureReport(int8Gops: Double = 938) -> BenchReport {
  let peaks = Peaks(
    threads: 2, float32: Peaks.Arithmetic(oneThreadGops: 117, allThreadsGops: 234),
    int8: Peaks.Arithmetic(oneThreadGops: int8Gops / 2, allThreadsGops: int8Gops),
    memory: [
      Peaks.Memory(name: "L2", bytes: 1 << 20, oneThreadGbs: 118, allThreadsGbs: 236),
      Peaks.Memory(name: "memory", bytes: nil, oneThreadGbs: 21.4, allThreadsGbs: 25.5),
    ])
  func steps(_ type: String, _ times: [Double]) -> [BenchTable.Step] {
    let rows: [(String, [String], String, Int, Int)] = [
      ("image", [], "quantize", 0, 15_360),
      ("stem/conv", ["stem/conv", "stem/relu"], "conv stem", 110_592, 8_900),
      ("block/depthwise", ["block/depthwise", "block/relu"], "depthwise", 36_864, 8_500),
      ("block/pointwise", ["block/pointwise", "block/add"], "conv 1x1", 65_536, 12_900),
      ("pool", ["pool"], "global avgpool", 0, 4_200), ("dense", ["dense"], "gemm", 160, 240),
    ]
    return zip(rows, times).map { row, ms in
      BenchTable.Step(
        name: row.0, nodes: row.1, kernel: row.2 + type, ms: ms, macs: row.3, bytes: row.4)
    }
  }
  return BenchReport(
    machine: Machine(cpu: "a machine", features: ["avx2"], threads: 2), peaks: peaks,
    tables: [
      BenchTable(
        name: "float32", latencyMs: 0.31, workingSet: 90_000,
        steps: Array(steps(" f32", [0, 0.0051, 0.019, 0.0011, 0.0002, 0.0001]).dropFirst())),
      BenchTable(
        name: "weight-int4", latencyMs: 0.33, workingSet: 40_000,
        steps: steps(" u8s8", [0.0003, 0.0009, 0.0142, 0.004, 0.0002, 0.0001])),
    ])
}

/// Answers the workbench's question for steps as the shell would.
func answerSteps(_ state: inout State) throws {
  let subject = try #require(state.steps.inquiries.asked.first)
  _ = state.update(.stepsStarted(JobID(8), subject))
  _ = state.update(.stepsTimed(subject, fixtureReport()))
  _ = state.update(.jobChanged(JobStatus(id: JobID(8), title: "steps", state: .done, seconds: 2)))
}

/// Made-up errors of the fixture's layers, the pointwise convolution's channels and worst samples among them.
func fixtureBlame() -> BlameReport {
  func energies(_ weights: Double, _ activations: Double, _ inherited: Double) -> Blame.Energies {
    var energies = Blame.Energies()
    (energies.reference, energies.weights, energies.activations) = (100, weights, activations)
    energies.inherited = inherited
    energies.total = weights + activations + inherited
    energies.alone = (weights + activations) * 1.04
    return energies
  }
  var layers = [
    Blame.Layer(name: "stem/conv", operatorName: "Conv", mode: .float, energies: energies(0, 0, 0)),
    Blame.Layer(
      name: "block/depthwise", operatorName: "Conv", mode: .weightOnly, energies: energies(0.41, 0.0123, 0)),
    Blame.Layer(
      name: "block/pointwise", operatorName: "Conv", mode: .weightOnly,
      energies: energies(3.27, 0.000_2, 0.56)),
    Blame.Layer(name: "block/add", operatorName: "Add", mode: .float, energies: energies(0, 0, 2.9)),
    Blame.Layer(name: "pool", operatorName: "GlobalAveragePool", mode: .float, energies: energies(0, 0, 1.6)),
    Blame.Layer(
      name: "dense", operatorName: "Gemm", mode: .weightOnly, energies: energies(0.87, 0, 12.5)),
  ]
  layers[2].channels = (0..<16).map { energies($0 == 5 ? 1.4 : 0.03 * Double($0 % 7 + 1), 0, 0.035) }
  layers[2].worst = (0..<8).map {
    Blame.Sample(index: ($0 * 37 + 11) % 64, energies: energies(9.4 - Double($0), 0, 1.1))
  }
  return BlameReport(blame: Blame(layers: layers, samples: 64), roles: "evaluates on synthetic inputs")
}

func fixtureScreen(_ glyphs: Glyphs = .unicode) -> Screen {
  Screen(
    theme: ThemeLibrary.fallback, themes: ["terminal", "dark"], glyphs: glyphs, hasMouse: true,
    loadTheme: { _ in nil })
}
