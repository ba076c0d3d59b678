import Analysis
import ArgumentParser

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Two models side by side: types, scales, error of each weight, true bits per weight.",
    discussion:
      "Float or quantized, by any toolkit that writes ONNX (QDQ, QOperator, MatMulNBits, dynamic). Errors are those of B's weights, made real, against A's."
  )

  @Argument(help: "Model file (.onnx): the reference.") var a: String
  @Argument(help: "Model file (.onnx) that is compared with it.") var b: String
  @OptionGroup var output: JSONOption

  func run() throws {
    let report = try ModelDiff.compare(a, b)
    if output.json { return try Output.json(report) }
    Output.line(Output.printable(report.text))
  }
}
