import Foundation
import Graph
import Tensors

/// What encoding one weight does to it: for showing before anything is calibrated.
package struct WeightPreview: Sendable, Hashable {
  /// Ends of the range that codes can express and the distance of two codes; of the widest channel or group.
  package var lower: Float
  package var upper: Float
  package var step: Float
  package var levels: Int
  /// Share of the weights outside their own channel's range, 0…1.
  package var clipped: Double
  /// 10·log10(Σ w² / Σ (w − q)²); `nil` where there is no error.
  package var sqnrDb: Double?

  /// `nil` for weights that are not finite float32.
  package init?(_ tensor: Tensor, settings: WeightSettings, role: WeightRole) {
    guard tensor.type == .float32, tensor.count > 0, role.channelAxis < tensor.rank,
      role.featureAxis < tensor.rank
    else { return nil }
    let encoder = WeightEncoder(
      settings: settings, shape: tensor.shape, channelAxis: role.channelAxis, groupAxis: role.featureAxis)
    guard let numbers = tensor.withElements(of: Float.self, { encoder.scales($0) }) else { return nil }
    let encoded = tensor.withElements(of: Float.self) { encoder.encode($0, numbers) }
    let codes = encoded.encoding.codes
    var widest = 0
    for index in numbers.scales.indices where numbers.scales[index] > numbers.scales[widest] {
      widest = index
    }
    lower = encoded.encoding.real(codes.lowerBound, at: widest)
    upper = encoded.encoding.real(codes.upperBound, at: widest)
    step = numbers.scales[widest]
    levels = Int(codes.upperBound - codes.lowerBound) + 1
    var outside = 0
    var signal = 0.0
    var noise = 0.0
    let isSigned = encoded.codes.type == .int8
    tensor.withElements(of: Float.self) { weights in
      encoded.codes.withBytes { bytes in
        encoder.layout.forEachRun { range, cell, advances in
          for (offset, index) in range.enumerated() {
            let place = advances ? cell + offset : cell
            let code = isSigned ? Int32(Int8(bitPattern: bytes[index])) : Int32(bytes[index])
            let distance = Double(weights[index] - encoded.encoding.real(code, at: place))
            signal += Double(weights[index]) * Double(weights[index])
            noise += distance * distance
            // Farther from its code than rounding can take it.
            if abs(distance) > 0.5001 * Double(numbers.scales[place]) { outside += 1 }
          }
        }
      }
    }
    clipped = Double(outside) / Double(tensor.count)
    sqnrDb = noise > 0 && signal > 0 ? 10 * log10(signal / noise) : nil
  }
}
