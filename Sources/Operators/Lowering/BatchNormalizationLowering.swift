import CKernels
import Graph
import Tensors

extension BatchNormalization: Lowerable {
  package func channelAxis(rank: Int) -> Int { 1 }

  /// Parameters are read when the program runs, so that they may be learned.
  package func lower(_ site: LoweringSite) throws -> KernelCall? {
    guard let x = site.input(0), let shape = x.info.shape, x.info.type == .float32, shape.count >= 2,
      shape.elementCount > 0, site.outputs[0].shape != nil
    else { return nil }
    var parameters: [KernelCall.Read] = []
    for index in 1..<5 {
      guard let parameter = site.input(index), parameter.info.type == .float32,
        parameter.info.count == shape[1]
      else { return nil }
      parameters.append(KernelCall.Read(.input(index), parameter.decoded(.rowMajor)))
    }
    if isTraining { return trainingCall(site, x, shape, parameters) }
    return site.outputs.count == 1 ? frozenCall(site, x, shape, parameters) : nil
  }

  private func frozenCall(
    _ site: LoweringSite, _ x: LoweringSite.Operand, _ shape: Shape, _ parameters: [KernelCall.Read]
  ) -> KernelCall? {
    let layout: Layout = x.layout == .channelsLast ? .channelsLast : .rowMajor
    let own = layout.strides(of: shape)
    let plan = BroadcastPlan(shape: shape, strides: [own, own, shape.indices.map { $0 == 1 ? 1 : 0 }])
    let (step, channelStep, kernels) = (plan.inner[0], plan.inner[2], site.kernels)
    guard step == 1 || plan.count == 1 else { return nil }
    let channels = shape[1]
    return KernelCall(
      "batch norm", reads: [KernelCall.Read(.input(0), x.decoded(layout))] + parameters,
      writes: [Form(.plain, layout)], scratchBytes: 8 * channels, inPlace: 0
    ) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      let numbers = ChannelNumbers(memory, epsilon: epsilon)
      let (scales, shifts) = (memory.scratch.of(Float.self), memory.scratch.of(Float.self) + channels)
      return [
        Phase(chunks: 1) { _ in
          for c in 0..<channels {
            let (mean, variance) = (Double(numbers.mean[c]), Double(numbers.variance[c]))
            (scales[c], shifts[c]) = numbers.affine(c, mean: mean, variance: variance)
          }
        },
        plan.phase(grain: rowGrain) { count, offsets in
          let target = to + offsets[0]
          if channelStep == 1 {
            kernels.pointee.mul_f32(from + offsets[1], scales + offsets[2], count, target)
            kernels.pointee.add_f32(target, shifts + offsets[2], count, target)
          } else {
            kernels.pointee.mul_scalar_f32(from + offsets[1], scales[offsets[2]], count, target)
            kernels.pointee.add_scalar_f32(target, shifts[offsets[2]], count, target)
          }
        },
      ]
    }
  }

  /// Means, then squares of what differs from them, each summed in chunks of rows that are added in order; channels
  /// come last.
  private func trainingCall(
    _ site: LoweringSite, _ x: LoweringSite.Operand, _ shape: Shape, _ parameters: [KernelCall.Read]
  ) -> KernelCall? {
    let layout: Layout = shape.count > 2 ? .channelsLast : .rowMajor
    let channels = shape[1]
    let rows = shape.elementCount / channels
    let grain = Swift.max(1, rowGrain / channels)
    let chunks = (rows + grain - 1) / grain
    let (kernels, epsilon, kept) = (site.kernels, epsilon, Double(momentum))
    // An output that nobody names has no memory.
    let running = site.outputs.indices.map { $0 > 0 && site.outputs[$0].shape != nil }
    return KernelCall(
      "batch norm in training", reads: [KernelCall.Read(.input(0), x.decoded(layout))] + parameters,
      writes: [Form(.plain, layout)] + site.outputs.dropFirst().map { _ in Form() },
      scratchBytes: 4 * channels * (chunks + 3)
    ) { memory in
      let (from, to) = (memory.reads[0].of(Float.self), memory.writes[0].of(Float.self))
      let numbers = ChannelNumbers(memory, epsilon: epsilon)
      let means = memory.scratch.of(Float.self)
      let (scales, shifts, parts) = (means + channels, means + 2 * channels, means + 3 * channels)
      func mean(_ c: Int) -> Double {
        var sum = 0.0
        for chunk in 0..<chunks { sum += Double(parts[chunk * channels + c]) }
        return sum / Double(rows)
      }
      func writeRunning(_ output: Int, _ c: Int, _ old: Float, _ new: Double) {
        guard output < running.count, running[output] else { return }
        memory.writes[output].of(Float.self)[c] = Float(Double(old) * kept + new * (1 - kept))
      }
      return [
        Phase(chunks: chunks) { chunk in
          let (first, part) = (chunk * grain, parts + chunk * channels)
          part.update(repeating: 0, count: channels)
          kernels.pointee.sum_columns_f32(
            from + first * channels, Swift.min(grain, rows - first), channels, channels, part)
        },
        Phase(chunks: 1) { _ in
          for c in 0..<channels {
            let mean = mean(c)
            means[c] = Float(mean)
            writeRunning(1, c, numbers.mean[c], mean)
          }
        },
        Phase(chunks: chunks) { chunk in
          let (first, part) = (chunk * grain, parts + chunk * channels)
          part.update(repeating: 0, count: channels)
          for row in first..<Swift.min(rows, first + grain) {
            addSquares(from + row * channels, means, channels, part)
          }
        },
        Phase(chunks: 1) { _ in
          for c in 0..<channels {
            let variance = mean(c)
            writeRunning(2, c, numbers.variance[c], variance)
            (scales[c], shifts[c]) = numbers.affine(c, mean: Double(means[c]), variance: variance)
          }
        },
        Phase.over(rows, grain: grain) { first, end in
          for row in first..<end {
            let target = to + row * channels
            kernels.pointee.mul_f32(from + row * channels, scales, channels, target)
            kernels.pointee.add_f32(target, shifts, channels, target)
          }
        },
      ]
    }
  }
}

/// Adds (x − mean)² of each channel.
private func addSquares(
  _ x: UnsafePointer<Float>, _ mean: UnsafePointer<Float>, _ channels: Int,
  _ sums: UnsafeMutablePointer<Float>
) {
  for c in 0..<channels {
    let d = x[c] - mean[c]
    sums[c] += d * d
  }
}

/// The parameters of a batch normalisation in memory.
private struct ChannelNumbers: @unchecked Sendable {
  let scale, bias, mean, variance: UnsafePointer<Float>
  let epsilon: Double

  init(_ memory: KernelMemory, epsilon: Float) {
    (scale, bias) = (memory.reads[1].of(Float.self), memory.reads[2].of(Float.self))
    (mean, variance) = (memory.reads[3].of(Float.self), memory.reads[4].of(Float.self))
    self.epsilon = Double(epsilon)
  }

  /// Factor and addend of a channel: y = x · factor + addend.
  func affine(_ c: Int, mean: Double, variance: Double) -> (factor: Float, addend: Float) {
    let factor = Double(scale[c]) / (variance + epsilon).squareRoot()
    return (Float(factor), Float(Double(bias[c]) - mean * factor))
  }
}
