import ArgumentParser
import Foundation
import Graph
import Tensors
import Workflows

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the layers of a model: operator, shapes, parameters, multiply–accumulates, bytes, range.")

  @OptionGroup var model: ModelOptions
  @OptionGroup var common: CommonOptions
  @OptionGroup var output: JSONOption

  private struct Report: Encodable {
    struct Layer: Encodable {
      var name: String
      var op: String
      var weightShape: [Int]?
      var outputShape: [Int]?
      var parameters: Int
      var macs: Int
      var bytes: Int
      var weightRange: [Float]?
    }
    struct Port: Encodable {
      var name: String
      var type: String
      var shape: [Int]?
    }
    var path: String
    var format: String
    var parameters: Int
    var macs: Int
    var sizeBytes: Int
    var inputs: [Port]
    var layers: [Layer]
  }

  func run() throws {
    let opened = try model.open(common).model
    let report = Report(
      path: opened.path, format: opened.format, parameters: opened.parameters, macs: opened.macs,
      sizeBytes: opened.fileBytes,
      inputs: opened.source.suppliedInputs.map {
        .init(name: $0.name, type: ($0.type ?? .float32).name, shape: opened.inputShapes[$0.name])
      },
      layers: opened.layers.map {
        .init(
          name: $0.name, op: $0.operatorName, weightShape: $0.weightShape, outputShape: $0.outputShape,
          parameters: $0.parameters, macs: $0.macs, bytes: $0.bytes,
          weightRange: $0.weightRange.map { [$0.lowerBound, $0.upperBound] })
      })
    if output.json { return try Output.json(report) }
    let header = ["layer", "operator", "weight", "output", "parameters", "MAC", "bytes", "weights from … to"]
    let rows = opened.layers.map { layer in
      [
        layer.name, layer.operatorName, layer.weightShape?.shapeText ?? "-",
        layer.outputShape?.shapeText ?? "-",
        "\(layer.parameters)", "\(layer.macs)", "\(layer.bytes)",
        layer.weightRange.map { String(format: "%.4g … %.4g", $0.lowerBound, $0.upperBound) } ?? "-",
      ]
    }
    Output.line(TextTable.text(header: header, rows: rows, leftColumns: 4))
    Output.line(
      "\(opened.layers.count) layers, \(opened.parameters) parameters, \(opened.macs) multiply–accumulates, \(opened.fileBytes) bytes"
    )
  }
}
