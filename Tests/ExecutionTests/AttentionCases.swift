import Graph
import Tensors

extension FloatCase {
  /// q, k and v of rank 3 → Attention → output.
  private static func folded(
    _ name: String, length: Int, heads: Int, kvHeads: Int, size: Int, valueSize: Int? = nil,
    _ attributes: Attributes = [:], mask: Shape? = nil
  ) -> FloatCase {
    FloatCase(name) { draft, batch in
      let q = draft.input("q", [batch, length, heads * size], scale: 2)
      let k = draft.input("k", [batch, length, kvHeads * size], scale: 2)
      let v = draft.input("v", [batch, length, kvHeads * (valueSize ?? size)])
      let own: Attributes = ["q_num_heads": .int(heads), "kv_num_heads": .int(kvHeads)]
      draft.output(
        try draft.node(
          "Attention", [q, k, v] + (mask.map { [draft.input("mask", $0)] } ?? []),
          own.merging(attributes) { $1 }))
    }
  }

  static let attention: [FloatCase] = [
    folded("attention of one head", length: 5, heads: 1, kvHeads: 1, size: 8),
    folded("causal attention", length: 33, heads: 2, kvHeads: 2, size: 16, ["is_causal": .int(1)]),
    folded(
      "causal attention with shared keys, softcap, scale", length: 70, heads: 6, kvHeads: 2, size: 20,
      ["is_causal": .int(1), "softcap": .float(4), "scale": .float(0.5)]),
    folded(
      "attention in a window", length: 90, heads: 2, kvHeads: 1, size: 12,
      ["is_causal": .int(1), "window": .int(7)]),
    folded("attention with a mask", length: 9, heads: 4, kvHeads: 2, size: 8, mask: [4, 1, 9]),
    folded(
      "attention with a mask of queries", length: 9, heads: 4, kvHeads: 4, size: 8, ["is_causal": .int(1)],
      mask: [9, 1]),
    folded("attention with narrow values", length: 12, heads: 2, kvHeads: 1, size: 16, valueSize: 5),
    FloatCase("attention of rank 4") { draft, batch in
      let q = draft.input("q", [batch, 4, 7, 8], scale: 2)
      let k = draft.input("k", [batch, 2, 11, 8], scale: 2)
      let v = draft.input("v", [batch, 2, 11, 6])
      draft.output(try draft.node("Attention", [q, k, v]))
    },
    FloatCase("rotations") { draft, batch in
      let positions = draft.input(
        "positions", Tensor((0..<5 * batch).map { Int64($0 * 3 % 16) }, shape: [batch, 5]))
      for (rotated, interleaved) in [(0, 0), (0, 1), (6, 0), (6, 1)] {
        let half = rotated == 0 ? 8 : rotated / 2
        let angles = [draft.weights([16, half]), draft.weights([16, half])]
        let attributes: Attributes = [
          "rotary_embedding_dim": .int(rotated), "interleaved": .int(interleaved), "num_heads": .int(3),
        ]
        let x = draft.input("x\(rotated)\(interleaved)", [batch, 5, 48])
        draft.output(try draft.node("RotaryEmbedding", [x] + angles + [positions], attributes))
        let y = draft.input("y\(rotated)\(interleaved)", [batch, 3, 5, 16])
        draft.output(try draft.node("RotaryEmbedding", [y] + angles + [positions], attributes))
        let own = [draft.weights([batch, 5, half]), draft.weights([batch, 5, half])]
        draft.output(try draft.node("RotaryEmbedding", [x] + own, attributes))
      }
    },
  ]
}
