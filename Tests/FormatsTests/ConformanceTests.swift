import Formats
import Foundation
import Graph
import Tensors
import Testing

/// ONNX's own tests, run through reading, inference and the reference interpreter.
///
/// `LATHE_CONFORMANCE=Conv,Slice` runs only cases with one of these operators, and a name like `test_slice_neg` only
/// that case.
@Suite(.enabled(if: Shared.exists, "the shared folder is missing"), .serialized)
struct ConformanceTests {
  static let filter = ProcessInfo.processInfo.environment["LATHE_CONFORMANCE"]
    .map { $0.split(separator: ",").map(String.init) }

  private func archive(_ name: String) -> URL {
    Shared.folder.appendingPathComponent("conformance").appendingPathComponent(name)
  }

  private func selected(_ name: String, _ operators: [String]) -> Bool {
    guard let filter = Self.filter else { return true }
    return filter.contains(name) || !Set(filter).isDisjoint(with: operators)
  }

  @Test func nodeTests() throws {
    let folder = try TemporaryFolder()
    try folder.unpack(archive("onnx_node_tests_v1.22.0_selected.tar.xz"))
    let index = try String(contentsOf: archive("index.tsv"), encoding: .utf8)
    let rows = index.split(separator: "\n").dropFirst().map {
      $0.split(separator: "\t", omittingEmptySubsequences: false)
    }
    let cases = rows.filter { $0.count >= 5 && $0[4] == "1" }.map { row in
      caseIn(
        folder.url.appendingPathComponent("node/\(row[0])"),
        operators: row[1].split(separator: ",").map(String.init))
    }
    #expect(cases.count == 1388)
    report("node tests", cases.filter { selected($0.name, $0.operators) })
  }

  @Test func exportedOperatorsAndSimpleGraphs() throws {
    let folder = try TemporaryFolder()
    try folder.unpack(archive("onnx_pytorch_operator_simple_v1.22.0.tar.xz"))
    var cases: [ConformanceCase] = []
    for group in ["pytorch-operator", "simple"] {
      let root = folder.url.appendingPathComponent(group)
      for name in try FileManager.default.contentsOfDirectory(atPath: root.path).sorted()
      where name.hasPrefix("test_") {
        cases.append(caseIn(root.appendingPathComponent(name), operators: []))
      }
    }
    #expect(cases.count == 58)
    report("exported operators and simple graphs", cases.filter { selected($0.name, ["exported"]) })
  }

  /// Whole networks whose weights are constants; the input is the ramp i / n that ONNX's runner feeds them.
  @Test func lightModels() throws {
    let folder = try TemporaryFolder()
    try folder.unpack(archive("onnx_light_models_v1.22.0.tar.xz"))
    let root = folder.url.appendingPathComponent("light")
    let names = try FileManager.default.contentsOfDirectory(atPath: root.path)
      .filter { $0.hasSuffix(".onnx") }.sorted()
    #expect(names.count == 9)
    for file in names where selected(String(file.dropLast(5)), ["light"]) {
      let name = String(file.dropLast(5))
      let graph = try ONNX.read(path: root.appendingPathComponent(file).path)
      let want = try ONNX.readTensor(path: root.appendingPathComponent(name + "_output_0.pb").path)
      let input = try #require(graph.inputs.first { graph.constants[$0.name] == nil })
      let shape = (input.dimensions ?? []).map { if case .fixed(let size) = $0 { size } else { 1 } }
      let count = shape.elementCount
      let ramp = Tensor((0..<count).map { Float(Double($0) / Double(count)) }, shape: shape)
      let light = ConformanceCase(name: name, model: root, operators: [], dataSets: [])
      let problem = try light.check(graph, [input.name: ramp], [want])
      #expect(problem == nil, "\(name): \(problem ?? "")")
    }
  }

  private func caseIn(_ folder: URL, operators: [String]) -> ConformanceCase {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let dataSets = entries.filter { $0.hasPrefix("test_data_set_") }.sorted()
    return ConformanceCase(
      name: folder.lastPathComponent, model: folder.appendingPathComponent("model.onnx"),
      operators: operators,
      dataSets: dataSets.map { folder.appendingPathComponent($0) })
  }

  /// Runs the cases, prints the counts per operator, and records every failure that is not among the exclusions, and
  /// every exclusion that would pass.
  private func report(_ title: String, _ cases: [ConformanceCase]) {
    struct Count {
      var passed = 0
      var failed = 0
      var leftOut = 0
    }
    var total = Count()
    var perOperator: [String: Count] = [:]
    var failures: [(name: String, reason: String)] = []
    for test in cases {
      let exclusion = ConformanceExclusions.reason(for: test)
      let outcome = test.run()
      var count = Count()
      switch (outcome, exclusion) {
      case (.passed, nil): count.passed = 1
      case (.passed, .some):
        count.failed = 1
        failures.append((test.name, "passes, though it is excluded: remove it from the exclusions"))
      case (.failed, .some): count.leftOut = 1
      case (.failed(let reason), nil):
        count.failed = 1
        failures.append((test.name, reason.replacingOccurrences(of: test.model.path, with: "model.onnx")))
      }
      total.passed += count.passed
      total.failed += count.failed
      total.leftOut += count.leftOut
      for name in test.operators {
        perOperator[name, default: Count()].passed += count.passed
        perOperator[name, default: Count()].failed += count.failed
        perOperator[name, default: Count()].leftOut += count.leftOut
      }
    }
    for (name, count) in perOperator.sorted(by: { $0.key < $1.key }) where count.failed + count.leftOut > 0 {
      print("  \(name): \(count.passed) passed, \(count.failed) failed, \(count.leftOut) left out")
    }
    for failure in failures { print("  FAILED \(failure.name): \(failure.reason)") }
    print(
      "conformance, \(title): \(total.passed) passed, \(total.failed) failed, \(total.leftOut) left out of \(cases.count)"
    )
    #expect(failures.isEmpty, "\(failures.count) cases of \(title) fail; they are listed above")
  }
}
