/// What the written form cannot say exactly, gathered so that a hundred layers make one sentence.
struct QDQWarnings {
  enum Kind: Int, CaseIterable {
    case wideContainer
    case narrowActivation
    case rangePerTensor
    case dynamicAsWeightOnly
    case blocksAsFloats

    /// After "layer …" or "N values (first …)".
    var text: String {
      switch self {
      case .wideContainer: "has 3, 5, 6 or 7 bits, which ONNX stores in 8"
      case .narrowActivation:
        "has fewer than 8 bits or a narrowed range; a Clip keeps the range, and ONNX Runtime computes its readers in float"
      case .rangePerTensor:
        "takes its activation range per row; the file takes one per tensor, so results differ slightly"
      case .dynamicAsWeightOnly:
        "has no dynamic integer form in ONNX; its weights are stored as codes and it computes in float"
      case .blocksAsFloats:
        "has a block format that ONNX cannot hold (minimums or uneven codes); its decoded weights are stored as float32"
      }
    }
  }

  private var names: [Kind: [String]] = [:]

  mutating func add(_ kind: Kind, _ name: String) { names[kind, default: []].append(name) }

  var sentences: [String] {
    Kind.allCases.compactMap { kind in
      guard let list = names[kind], let first = list.first else { return nil }
      let others = list.count == 1 ? "" : " and \(list.count - 1) more"
      return "\(displayText(first))\(others): \(kind.text)."
    }
  }
}
