import Analysis
import Formats
import Foundation
import Graph
import Quantization
import Tensors
import Testing
import Workflows

/// 10·log10(Σ a² / Σ (a − b)²) and max |a − b|, written once more.
private func error(_ a: [Float], _ b: [Float]) -> (sqnr: Double, max: Float) {
  let signal = a.reduce(0.0) { $0 + Double($1) * Double($1) }
  let noise = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
  return (10 * log10(signal / noise), zip(a, b).map { abs($0 - $1) }.max() ?? 0)
}

/// The real numbers of a weight as the candidate holds it.
private func real(_ weight: EncodedTensor) -> [Float] {
  let shape = weight.codes.shape
  let scaleShape = EncodedTensor.scaleShape(of: shape, encoding: weight.encoding)
  let codes = weight.codes.integers
  let strides = shape.rowMajorStrides
  let scaleStrides = scaleShape.rowMajorStrides
  return codes.indices.map { index in
    var scale = 0
    for axis in shape.indices {
      let place = index / strides[axis] % shape[axis]
      var group = scaleShape[axis] == 1 ? 0 : place
      if case .group(let size) = weight.encoding.scheme.granularity, axis == weight.encoding.groupAxis {
        group = place / size
      }
      scale += group * scaleStrides[axis]
    }
    return weight.encoding.real(Int32(codes[index]), at: scale)
  }
}

@Suite struct DiffTests {
  @Test func aModelAgainstItself() throws {
    let report = try ModelDiff.compare(Sample.model, Sample.model)
    #expect(!report.tensors.isEmpty)
    #expect(report.tensors.allSatisfy { $0.isEqual && $0.matchedBy == "layer" && $0.sqnrDb == nil })
    #expect(report.onlyInA.nodes.isEmpty && report.onlyInB.nodes.isEmpty && report.activations.isEmpty)
    #expect(report.a.quantizedWeights == 0 && report.a.bitsPerWeight == 32)
  }

  /// Every figure of a weight against the candidate the file was written from.
  @Test(arguments: ["static-int8", "weight-int4", "dynamic-int8", "weight-int8"])
  func aQuantizedFileAgainstItsSource(_ preset: String) throws {
    let folder = try TemporaryFolder()
    let project = try Sample.project()
    let candidate = try project.write(try #require(Presets[preset]).recipe, to: folder.path("q.onnx"))
    let report = try ModelDiff.compare(Sample.model, folder.path("q.onnx"))
    let weights = report.tensors.filter { $0.role == "weight" }
    #expect(weights.count == project.model.layers.count { $0.hasWeights })
    #expect((report.onlyInA.constants + report.onlyInB.constants).allSatisfy { $0.role == "bias" })
    for pair in weights {
      let layer = try #require(project.model.layers.first { $0.name == pair.layer })
      let name = try #require(layer.weight)
      let original = try #require(project.model.graph.constants[name])
      let encoded = try #require(candidate.encoded.weights[name])
      let expected = error(original.floats, real(encoded))
      #expect(abs(try #require(pair.sqnrDb) - expected.sqnr) < 1e-3, "\(pair.layer)")
      #expect(abs(try #require(pair.maxAbsError) - expected.max) < 1e-6)
      #expect(pair.b.isQuantized && !pair.a.isQuantized && pair.b.bits == (preset == "weight-int4" ? 4 : 8))
      #expect(pair.b.codeRange?[0] ?? 0 < pair.b.codeRange?[1] ?? 0)
    }
    let elements = weights.reduce(0) { $0 + $1.shape.elementCount }
    let bytes = weights.reduce(0) { $0 + $1.b.bytes }
    #expect(report.b.weightElements == elements && report.b.weightBytes == bytes)
    #expect(abs(try #require(report.b.bitsPerWeight) - 8 * Double(bytes) / Double(elements)) < 1e-9)
    #expect(
      report.b.encodedActivations == (preset == "static-int8" ? candidate.encoded.activations.count : 0))
    #expect(report.text.contains("true bits per weight"))
  }

  /// Two calibrations: the weights are the same, activation scales differ by what the report says.
  @Test func twoCalibrations() throws {
    let folder = try TemporaryFolder()
    let project = try Sample.project()
    var recipe = try #require(Presets["static-int8"]).recipe
    recipe.defaults.activations.observer = .minMax
    let first = try project.write(recipe, to: folder.path("a.onnx"))
    recipe.defaults.activations.observer = .percentile(95)
    let second = try project.write(recipe, to: folder.path("b.onnx"))
    let report = try ModelDiff.compare(folder.path("a.onnx"), folder.path("b.onnx"))
    for pair in report.tensors where pair.role == "weight" {
      #expect(pair.isEqual && pair.scaleMaxRelativeDifference == 0 && pair.zeroPointMaxDifferenceCodes == 0)
    }
    #expect(report.activations.count == first.encoded.activations.count)
    var moved = 0
    for pair in report.activations {
      let a = try #require(first.encoded.activations[pair.value]).scales[0]
      let b = try #require(second.encoded.activations[pair.value]).scales[0]
      #expect(abs(pair.scaleRelativeDifference - abs(Double(b) / Double(a) - 1)) < 1e-9)
      moved += pair.scaleRelativeDifference > 0.01 ? 1 : 0
    }
    #expect(moved > 0)
  }

  /// Lookups, block products and integer products are read back, whichever way the product's weight lies.
  @Test(arguments: ["weight-int4", "weight-int8", "dynamic-int8"])
  func otherFormsOfLayers(_ preset: String) throws {
    let folder = try TemporaryFolder()
    let graph = try textNetwork()
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("f.onnx"))
    let project = try Project.open(model: folder.path("f.onnx"), threads: 1)
    let candidate = try project.write(try #require(Presets[preset]).recipe, to: folder.path("q.onnx"))
    let report = try ModelDiff.compare(folder.path("f.onnx"), folder.path("q.onnx"))
    let weights = report.tensors.filter { $0.role == "weight" }
    #expect(weights.map(\.layer) == ["embed", "first", "second"])
    // Scales that are looked up beside the codes are no weights of their own.
    #expect(report.b.weights == 3 && !report.onlyInB.constants.contains { $0.role == "weight" })
    for pair in weights {
      let name = try #require(project.model.layers.first { $0.name == pair.layer }?.weight)
      let original = try #require(project.model.graph.constants[name])
      let expected = error(original.floats, real(try #require(candidate.encoded.weights[name])))
      #expect(
        abs(try #require(pair.sqnrDb, "\(pair.layer)") - expected.sqnr) < 1e-3,
        "\(pair.layer) \(pair.matchedBy)")
    }
  }

  /// One weight is changed by a known amount: the report finds it, and only it.
  @Test func aDamagedWeight() throws {
    let folder = try TemporaryFolder()
    var graph = try textNetwork()
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("a.onnx"))
    var values = try #require(graph.constants["w1"]).floats
    values[100] += 0.5
    graph.constants["w1"] = Tensor(values, shape: [64, 64])
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("b.onnx"))
    let report = try ModelDiff.compare(folder.path("a.onnx"), folder.path("b.onnx"))
    let changed = report.tensors.filter { !$0.isEqual }
    #expect(changed.map(\.layer) == ["first"])
    #expect(abs(try #require(changed.first?.maxAbsError) - 0.5) < 1e-6)
  }

  /// Renamed layers and weights are matched by operator, shape and order, and the report says so.
  @Test func renamedLayers() throws {
    let folder = try TemporaryFolder()
    var graph = try textNetwork()
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("a.onnx"))
    for index in graph.nodes.indices {
      graph.nodes[index].name = "n\(index)"
      graph.nodes[index].inputs = graph.nodes[index].inputs.map { name in
        name.map { graph.constants[$0] == nil ? $0 : "c_" + $0 }
      }
    }
    graph.constants = Dictionary(uniqueKeysWithValues: graph.constants.map { ("c_" + $0, $1) })
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("b.onnx"))
    let report = try ModelDiff.compare(folder.path("a.onnx"), folder.path("b.onnx"))
    #expect(report.tensors.count == 4)
    #expect(report.tensors.allSatisfy { $0.isEqual && $0.matchedBy == "position" && $0.layerInB != nil })
    #expect(report.notes.contains { $0.hasPrefix("4 of 4") })
    #expect(report.onlyInA.nodes.isEmpty && report.onlyInB.nodes.isEmpty)
  }

  @Test func nodesOfOneOnly() throws {
    let folder = try TemporaryFolder()
    var graph = try textNetwork()
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("a.onnx"))
    let last = graph.nodes.removeLast()
    graph.outputs[0].name = "r"
    graph.constants["w2"] = nil
    graph.constants["b2"] = nil
    _ = try ONNX.write(EncodedGraph(graph: graph), path: folder.path("b.onnx"))
    let report = try ModelDiff.compare(folder.path("a.onnx"), folder.path("b.onnx"))
    #expect(report.onlyInA.nodes.map(\.name) == [last.name] && report.onlyInB.nodes.isEmpty)
    #expect(report.onlyInA.constants.map(\.name) == [last.name, last.name])
  }
}
