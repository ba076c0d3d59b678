import Graph
import Operators
import Tensors

/// The weight of a layer by the channels it gives and the channels it reads.
struct ChannelWeights {
  let node: String
  let role: WeightRole
  let value: ValueName
  let shape: Shape
  /// Channels of the layer's output.
  let outputs: Int
  /// Channels of what it reads.
  let inputs: Int
  /// Whether zeros around the image are read too.
  let isPadded: Bool
  private let groups: Int
  private let isConvolution: Bool

  /// `nil` for what is no convolution or product with a constant matrix.
  init?(_ node: Node, _ graph: Graph, _ infos: [ValueName: OperandInfo]) {
    guard let weight = node.weights(infos).first, weight.role.activation == 0,
      graph.constants[weight.value] != nil
    else { return nil }
    (self.node, role, value, shape) = (node.name, weight.role, weight.value, weight.shape)
    if let conv = node.op as? Conv, shape.count > 2 {
      (groups, isConvolution) = (conv.groups, true)
      (outputs, inputs) = (shape[0], shape[1] * conv.groups)
      let pads = node.op.attributes.ints("pads") ?? []
      isPadded = pads.contains { $0 != 0 } || node.op.attributes["auto_pad"] != nil
      guard groups > 0, outputs % groups == 0 else { return nil }
    } else if node.op is Gemm || node.op is MatMul, shape.count == 2 {
      if node.op is Gemm {
        let attributes = node.op.attributes
        guard attributes.int("transA") ?? 0 == 0, attributes.float("alpha") ?? 1 == 1,
          attributes.float("beta") ?? 1 == 1
        else { return nil }
      }
      (groups, isConvolution, isPadded) = (1, false, false)
      (outputs, inputs) = (shape[role.channelAxis], shape[role.featureAxis])
    } else {
      return nil
    }
  }

  /// Calls `body` with every element of the weight, the channel it adds to and the channel it multiplies.
  @inline(__always)
  func forEachElement(_ body: (_ element: Int, _ output: Int, _ input: Int) -> Void) {
    var element = 0
    if isConvolution {
      let (perGroup, width) = (outputs / groups, inputs / groups)
      let taps = shape.dropFirst(2).reduce(1, *)
      for output in 0..<outputs {
        let first = output / perGroup * width
        for input in first..<first + width {
          for _ in 0..<taps {
            body(element, output, input)
            element += 1
          }
        }
      }
    } else {
      for row in 0..<shape[0] {
        for column in 0..<shape[1] {
          if role.channelAxis == 0 { body(element, row, column) } else { body(element, column, row) }
          element += 1
        }
      }
    }
  }

  /// The largest magnitude among the weights of each output channel, and among those that multiply each input channel.
  func magnitudes(_ graph: Graph) -> (outputs: [Float], inputs: [Float]) {
    var byOutput = [Float](repeating: 0, count: outputs)
    var byInput = [Float](repeating: 0, count: inputs)
    graph.constants[value]?.withElements(of: Float.self) { weights in
      forEachElement { element, output, input in
        let magnitude = abs(weights[element])
        byOutput[output] = max(byOutput[output], magnitude)
        byInput[input] = max(byInput[input], magnitude)
      }
    }
    return (byOutput, byInput)
  }

  /// The weight with a factor for each output channel and one for each input channel.
  func scaled(_ tensor: Tensor, outputs: [Float]? = nil, inputs: [Float]? = nil) -> Tensor {
    tensor.withElements(of: Float.self) { weights in
      Tensor(of: Float.self, shape: tensor.shape) { scaled in
        forEachElement { element, output, input in
          scaled[element] = weights[element] * (outputs?[output] ?? 1) * (inputs?[input] ?? 1)
        }
      }
    }
  }
}
