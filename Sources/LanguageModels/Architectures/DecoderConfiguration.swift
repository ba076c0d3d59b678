/// What distinguishes the blocks of one family of decoders from those of another; sizes aside.
package struct DecoderStyle: Sendable, Hashable {
  package enum Norm: Sendable, Hashable { case rootMeanSquare, layer }
  package enum Activation: Sendable, Hashable { case silu, gelu, geluTanh }

  package var norm = Norm.rootMeanSquare
  package var activation = Activation.silu
  /// Whether the feed-forward part is down(activation(gate(x)) · up(x)), else down(activation(up(x))).
  package var isGated = true
  /// Whether each head of q and k is normalised before it is turned.
  package var hasHeadNorms = false
  /// Whether what attention and feed-forward give is normalised once more before it is added.
  package var hasPostNorms = false
  /// Whether attention and feed-forward read the same x and are added together.
  package var isParallel = false
  /// Whether rows of the embedding are multiplied by √width.
  package var scalesEmbedding = false
  /// Whether positions are rows of a learned table, else rotations.
  package var learnsPositions = false

  package init() {}

  /// The default style with some properties changed.
  static func with(_ change: (inout DecoderStyle) -> Void) -> DecoderStyle {
    var style = DecoderStyle()
    change(&style)
    return style
  }
}

/// Everything that says how a decoder's graph is built: sizes, positions, what attention sees.
package struct DecoderConfiguration: Sendable, Hashable {
  package var style: DecoderStyle
  package var vocabulary: Int
  /// Features of a token between blocks.
  package var width: Int
  package var blocks: Int
  package var heads: Int
  /// Heads of keys and values; each serves heads / kvHeads query heads.
  package var kvHeads: Int
  /// Features of a head.
  package var headSize: Int
  package var feedForward: Int
  /// Tokens the model was made for.
  package var contextLength: Int
  package var epsilon: Float
  /// Rotations of blocks that see everything; `nil` where positions are learned.
  package var rope: Rope?
  /// Rotations of blocks with a window, where they are others.
  package var localRope: Rope?
  /// Keys that a block with a window sees, itself included; `nil` for no window anywhere.
  package var window: Int?
  /// Whether each block has the window.
  package var isLocal: [Bool]
  /// What scores are multiplied by; `nil` for 1 / √headSize.
  package var attentionScale: Float?
  /// c of c · tanh(x / c) on scores and on logits; `nil` for none.
  package var attentionCap: Float?
  package var outputCap: Float?
  /// Whether the output layer is the embedding.
  package var isTied: Bool
  package var bos: Int32?
  /// Tokens that end a text.
  package var eos: [Int32]
}

extension DecoderConfiguration {
  /// The rotation of one block.
  func rope(block: Int) -> Rope? { isLocal[block] ? localRope ?? rope : rope }

  /// The window of one block; 0 for none.
  func window(block: Int) -> Int { isLocal[block] ? window ?? 0 : 0 }
}
