import Graph
import Tensors

/// One tensor of a GGUF file: the constants of the graph that are stacked in it along their outputs.
struct GGUFPiece {
  let name: String
  let parts: [(constant: ValueName, row: TensorName)]
}

extension LanguageModel {
  /// The tensors of a GGUF file of this model, in the order of the architecture's table.
  var ggufPieces: [GGUFPiece] {
    let table = architecture.tensors
    var pieces: [GGUFPiece] = []
    for row in table.single where row.layer != "output" || !configuration.isTied {
      pieces += self.pieces([row], block: nil)
    }
    for block in 0..<configuration.blocks {
      var done: Set<String> = []
      for row in table.block where done.insert(row.gguf).inserted {
        pieces += self.pieces(table.block.filter { $0.gguf == row.gguf }, block: block)
      }
    }
    return pieces
  }

  /// Weight and bias of the layers that one name in the file stands for.
  private func pieces(_ rows: [TensorName], block: Int?) -> [GGUFPiece] {
    ["weight", "bias"].compactMap { kind in
      let parts = rows.map {
        (constant: (block.map { "blocks/\($0)/" } ?? "") + $0.layer + "." + kind, row: $0)
      }
      guard parts.allSatisfy({ graph.constants[$0.constant] != nil }) else { return nil }
      let name = (block.map { "\(TensorNames.ggufBlock)\($0)." } ?? "") + rows[0].gguf + "." + kind
      return GGUFPiece(name: name, parts: parts)
    }
  }

  /// Row of the graph's constant for each row of the file's; `nil` where they are the same.
  ///
  /// Pairs that are turned together are halves of a head in the graph, and neighbours in the file.
  func ggufOrder(_ row: TensorName) -> [Int]? {
    guard row.isTurned, architecture.interleavesInGGUF, let rope = configuration.rope, !rope.isInterleaved
    else {
      return nil
    }
    let size = configuration.headSize
    let heads = row.layer == "attention/q" ? configuration.heads : configuration.kvHeads
    return (0..<heads * size).map { new in
      let (head, place) = (new / size, new % size)
      return head * size + place % 2 * (size / 2) + place / 2
    }
  }

  /// Factors of frequencies, which the metadata cannot say.
  var ggufRopeFactors: [(name: String, factors: [Float])] {
    guard let rope = configuration.rope else { return [] }
    switch rope.scaling {
    case .factors(let factors): return [("rope_freqs.weight", factors.map { Float($0) })]
    case .llama3:
      var free = rope
      free.scaling = .none
      let scaled = rope.frequencies(positions: 1)
      return [("rope_freqs.weight", zip(free.frequencies(positions: 1), scaled).map { $0 / $1 })]
    case .long(let short, let long, _, _):
      return [
        ("rope_factors_long.weight", long.map { Float($0) }),
        ("rope_factors_short.weight", short.map { Float($0) }),
      ]
    case .none, .linear, .dynamic, .yarn: return []
    }
  }
}
