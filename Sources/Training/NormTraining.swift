import Graph
import Operators
import Tensors

/// A batch norm taken out of its layer again, so that training learns its gain and shift: the parts of the graph, and
/// what they come to once it is folded back.
///
/// The layer computes with w · gain / √(running variance + epsilon), which is what becomes codes. Until the norm is
/// frozen its output, divided by that factor, is normalised over the batch; from then on the running mean is part of
/// the bias, as in the folded network.
/// - Source: Krishnamoorthi, *Quantizing deep convolutional networks for efficient inference*, 2018, section 3.2.2, in
///   the form of PyTorch's fused training modules.
struct NormTraining {
  let norm: FoldedNorm
  let weight: ValueName
  let channelAxis: Int
  let shape: Shape

  /// - Returns: `nil` where the norm cannot be taken out: a gain of zero, which leaves nothing of the weight, or a
  ///   weight without an axis that is the channels alone.
  init?(_ norm: FoldedNorm, of weight: ValueName, shape: Shape, role: WeightRole, groups: Int) {
    guard shape.indices.contains(role.channelAxis), shape[role.channelAxis] == norm.gain.count,
      role.channelAxis == 0 || groups == 1,
      Self.factors(norm, gain: norm.gain, variance: norm.variance).allSatisfy({ $0.isNormal })
    else { return nil }
    self.norm = norm
    self.weight = weight
    self.shape = shape
    channelAxis = role.channelAxis
  }

  /// What is learned or followed, with where it starts.
  var parameters: [(role: Parameter.Role, start: Tensor)] {
    [(.gain, norm.gain), (.shift, norm.shift), (.mean, norm.mean), (.variance, norm.variance)]
      .map { ($0, Tensor($1, shape: [$1.count])) }
  }

  /// The layer's weight before folding.
  func unfolded(_ weight: Tensor) -> Tensor {
    let factors = Self.factors(norm, gain: norm.gain, variance: norm.variance)
    return scaled(weight) { $0 / factors[$1] }
  }

  /// Weight and bias of the folded layer, in the arithmetic of the graph.
  func folded(weight: Tensor, gain: [Float], shift: [Float], mean: [Float], variance: [Float]) -> (
    weight: Tensor, bias: Tensor
  ) {
    let factors = Self.factors(norm, gain: gain, variance: variance)
    let bias = shift.indices.map { shift[$0] - mean[$0] * factors[$0] }
    return (scaled(weight) { $0 * factors[$1] }, Tensor(bias, shape: [bias.count]))
  }

  private static func factors(_ norm: FoldedNorm, gain: [Float], variance: [Float]) -> [Float] {
    gain.indices.map { gain[$0] / (variance[$0] + norm.epsilon).squareRoot() }
  }

  private func scaled(_ tensor: Tensor, _ change: (Float, Int) -> Float) -> Tensor {
    let run = shape.dropFirst(channelAxis + 1).reduce(1, *)
    let channels = shape[channelAxis]
    return tensor.withElements(of: Float.self) { values in
      Tensor(values.indices.map { change(values[$0], $0 / run % channels) }, shape: tensor.shape)
    }
  }

  /// Values of the graph that stand for the norm.
  struct Site {
    var gain, shift, mean, variance: ValueName
    /// gain / √(variance + epsilon).
    var factor: ValueName
  }

  /// Adds the factor of each channel and the weight multiplied by it.
  func fold(
    _ value: ValueName, gain: ValueName, variance: ValueName, _ writer: inout NodeWriter
  ) -> (weight: ValueName, factor: ValueName) {
    let epsilon = writer.constant(Tensor([norm.epsilon], shape: [1]), "\(weight).epsilon")
    let moved = writer.add(Add(), [variance, epsilon], "\(weight).variance")
    let deviation = writer.add(Sqrt(), [moved], "\(weight).deviation")
    let factor = writer.add(Div(), [gain, deviation], "\(weight).factor")
    let spread = writer.reshape(factor, alongAxis: channelAxis, rank: shape.count)
    return (writer.add(Mul(), [value, spread], "\(weight).folded"), factor)
  }

  /// Adds the bias of the frozen norm.
  func bias(_ site: Site, _ writer: inout NodeWriter) -> ValueName {
    let moved = writer.add(Mul(), [site.mean, site.factor], "\(weight).moved")
    return writer.add(Sub(), [site.shift, moved], "\(norm.bias).folded")
  }

  /// Adds the normalisation of what the layer gives without a bias.
  ///
  /// - Returns: where the new running mean and variance come out.
  func normalize(
    _ output: ValueName, into result: ValueName, _ site: Site, _ writer: inout NodeWriter
  ) -> (mean: ValueName, variance: ValueName) {
    // A layer's output has as many axes as its weight, and channels on axis 1.
    let spread = writer.reshape(site.factor, alongAxis: 1, rank: shape.count)
    let own = writer.add(Div(), [output, spread], "\(weight).own")
    let (mean, variance) = (writer.fresh("\(weight).mean"), writer.fresh("\(weight).variance"))
    writer.nodes.append(
      Node(
        name: writer.fresh("\(weight).norm"), op: BatchNormalization(epsilon: norm.epsilon, isTraining: true),
        inputs: [own, site.gain, site.shift, site.mean, site.variance], outputs: [result, mean, variance]))
    return (mean, variance)
  }
}
