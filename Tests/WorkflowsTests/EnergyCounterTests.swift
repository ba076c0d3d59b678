import Foundation
import Graph
import Jobs
import Operators
import Tensors
import Testing
import Workflows

/// A folder laid out as the kernel's: devices, and links to them in `class/powercap`.
private final class FakeCounters: Sendable {
  let root = NSTemporaryDirectory() + "lathe-powercap-\(UUID().uuidString)"
  var folder: String { root + "/class/powercap" }

  /// Two packages, a part of the first, the platform, and the first package by another way.
  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try add("intel-rapl", [:])
    try add("intel-rapl-mmio", [:])
    try add("intel-rapl/intel-rapl:0", domain("package-0"))
    try add("intel-rapl/intel-rapl:0/intel-rapl:0:0", domain("core"))
    try add("intel-rapl/intel-rapl:1", domain("package-1"))
    try add("intel-rapl/intel-rapl:2", domain("psys"))
    try add("intel-rapl-mmio/intel-rapl-mmio:0", domain("package-0"))
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  private func domain(_ name: String) -> [String: String] {
    ["name": name, "energy_uj": "1000", "max_energy_range_uj": "262143328850", "enabled": "1"]
  }

  private func add(_ path: String, _ files: [String: String]) throws {
    let device = "\(root)/devices/virtual/powercap/\(path)"
    try FileManager.default.createDirectory(atPath: device, withIntermediateDirectories: true)
    for (name, text) in files {
      try (text + "\n").write(toFile: "\(device)/\(name)", atomically: true, encoding: .utf8)
    }
    let link = "\(folder)/\((path as NSString).lastPathComponent)"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: "../../devices/virtual/powercap/\(path)")
  }

  func path(_ domain: String, _ file: String = "energy_uj") -> String { "\(folder)/\(domain)/\(file)" }

  func set(_ text: String, of domain: String, _ file: String = "energy_uj") throws {
    try (text + "\n").write(toFile: path(domain, file), atomically: true, encoding: .utf8)
  }

  /// Adds to every counter, as work does; the platform's grows most.
  func use(_ microjoules: UInt64, range: UInt64 = .max) throws {
    for (domain, share) in [
      ("intel-rapl:0", 1), ("intel-rapl:0:0", 1), ("intel-rapl:1", 2), ("intel-rapl:2", 9),
      ("intel-rapl-mmio:0", 1),
    ] as [(String, UInt64)] {
      let text = try String(contentsOfFile: path(domain), encoding: .utf8)
      let now = try #require(UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      try set("\((now + share * microjoules) % range)", of: domain)
    }
  }

  /// Joules of one run that uses so many microjoules of the first package, and twice that of the second.
  func joules(_ microjoules: UInt64 = 1_000_000, range: UInt64 = .max) throws -> Double? {
    try EnergyCounter(folder: folder).joulesPerRun(
      of: [{ try self.use(microjoules, range: range) }], seconds: 0.005, betweenTurns: {})?[0]
  }
}

@Test func packagesAreCountedOnce() throws {
  let counters = try FakeCounters()
  #expect(EnergyCounter(folder: counters.folder).unreadable == nil)
  #expect(abs(try #require(try counters.joules()) - 3) < 1e-9)
}

@Test func variantsTakeTurns() throws {
  let counters = try FakeCounters()
  var turns = 0
  let joules = try EnergyCounter(folder: counters.folder).joulesPerRun(
    of: [{ try counters.use(1_000_000) }, { try counters.use(2_000_000) }], seconds: 0.005,
    betweenTurns: { turns += 1 })
  #expect(turns == 6 && joules?.map { ($0 * 1000).rounded() } == [3000, 6000])
  #expect(throws: JobCancelled.self) {
    try EnergyCounter(folder: counters.folder).joulesPerRun(
      of: [{ try counters.use(1) }], seconds: 0.005, betweenTurns: { throw JobCancelled() })
  }
}

@Test func aCounterThatBeginsAgainIsFollowed() throws {
  let counters = try FakeCounters()
  // One run fills less than the range, so that no turn of one run goes round twice.
  let range: UInt64 = 10_000_000_000
  for domain in ["intel-rapl:0", "intel-rapl:1"] {
    try counters.set("\(range - 1)", of: domain, "max_energy_range_uj")
    try counters.set("\(range - 500)", of: domain)
  }
  let joules = try #require(
    try EnergyCounter(folder: counters.folder).joulesPerRun(
      of: [{ try counters.use(1000, range: range) }], seconds: 0, betweenTurns: {}))
  // The counter's step from its largest value to 0 is taken as no energy.
  #expect(abs(joules[0] - 0.003) < 2e-6)
}

@Test func noCountersIsNoFigureAndNoComplaint() throws {
  let counter = EnergyCounter(folder: "/nowhere/powercap")
  #expect(counter.unreadable == nil)
  #expect(try counter.joulesPerRun(of: [{ Issue.record("nothing is run") }], betweenTurns: {}) == nil)
  let counters = try FakeCounters()
  for domain in ["intel-rapl:0", "intel-rapl:1"] { try counters.set("dram", of: domain, "name") }
  #expect(EnergyCounter(folder: counters.folder).unreadable == nil)
  #expect(try counters.joules() == nil)
}

@Test func whatCannotBeReadSaysWhy() throws {
  let counters = try FakeCounters()
  try counters.set("many", of: "intel-rapl:1")
  let garbage = try #require(EnergyCounter(folder: counters.folder).unreadable)
  #expect(garbage == "\(counters.path("intel-rapl:1")) holds \"many\", expected a number")
  try FileManager.default.removeItem(atPath: counters.path("intel-rapl:1"))
  let missing = try #require(EnergyCounter(folder: counters.folder).unreadable)
  #expect(missing == "\(counters.path("intel-rapl:1")) cannot be read: No such file or directory")
  #expect(try EnergyCounter(folder: counters.folder).joulesPerRun(of: [{}], betweenTurns: {}) == nil)
}

@Test func aCounterThatDisappearsOrStandsStillGivesNoFigure() throws {
  let counters = try FakeCounters()
  let counter = EnergyCounter(folder: counters.folder)
  #expect(try counter.joulesPerRun(of: [{}], seconds: 0, betweenTurns: {}) == nil)
  #expect(
    try counter.joulesPerRun(
      of: [{ try? FileManager.default.removeItem(atPath: counters.path("intel-rapl:0")) }], seconds: 0,
      betweenTurns: {}) == nil)
}

@Test func comparedAndTimedModelsHaveTheFigureOnlyWithCounters() throws {
  let graph = Graph(
    name: "tiny",
    inputs: [ValueInfo(name: "x", type: .float32, dimensions: [.free("N"), .fixed(64)])],
    outputs: [ValueInfo(name: "y", type: .float32, dimensions: [.free("N"), .fixed(8)])],
    constants: ["w": Tensor((0..<512).map { Float($0 % 13) - 6 }, shape: [64, 8])],
    nodes: [Node(name: "dense", op: try MatMul(attributes: [:]), inputs: ["x", "w"], outputs: ["y"])])
  let project = try Project(model: try Model(source: graph, path: "tiny.onnx", format: "onnx"), threads: 1)
  let counters = try FakeCounters()
  // The kernel's counter, ticking while the model runs.
  let ticks = Thread {
    while !Thread.current.isCancelled {
      try? counters.use(500)
      Thread.sleep(forTimeInterval: 0.001)
    }
  }
  ticks.start()
  defer { ticks.cancel() }
  for (folder, hasFigure) in [(counters.folder, true), ("/nowhere", false)] {
    var options = MeasureOptions()
    options.rounds = 10
    options.energy = EnergyCounter(folder: folder)
    let plan = project.plan([])
    let measured = try project.measure([], plan: plan, options: options, reporter: .silent)
    #expect((measured.float32.energyJoules.map { $0 > 0 } ?? false) == hasFigure)
    #expect(project.report(measured).text.contains("energy mJ") == hasFigure)
    let encoded = String(decoding: try JSONEncoder().encode(measured.float32), as: UTF8.self)
    #expect(encoded.contains("energyJoules") == hasFigure)
    let table = try project.bench([], batch: 1, reporter: .silent).steps(
      runs: 10, energy: options.energy, reporter: .silent)[0]
    #expect((table.energyJoules.map { $0 > 0 } ?? false) == hasFigure && table.steps[0].nodes == ["dense"])
  }
}
