import Foundation
import Graph
import Operators
import Quantization
import Tensors
import Testing

/// Against sums over single elements, for every granularity and axis.
@Test(arguments: [
  (Scheme.Granularity.tensor, 0), (.tensor, 1), (.channel, 0), (.channel, 1), (.group(3), 0), (.group(3), 1),
])
func weightErrorsAreThoseOfEachElement(granularity: Scheme.Granularity, axis: Int) throws {
  let shape = [4, 6, 2]
  let values: [Float] = (0..<48).map { index in
    let value = Float(index * 29 % 47) / 40 - 0.5
    return index == 17 ? value + 3 : value
  }
  let tensor = Tensor(values, shape: shape)
  var settings = WeightSettings()
  settings.bits = 4
  settings.granularity = granularity
  let role = WeightRole(input: 1, activation: nil, channelAxis: axis, featureAxis: 1 - axis)
  let encoded = try #require(EncodedTensor(nearest: tensor, settings: settings, role: role))
  let errors = WeightErrors(tensor, encoded, axis: axis)
  #expect(errors.channels.count == shape[axis])
  let decoded: [Float] = decodedFloats(encoded)
  let differences: [Float] = zip(values, decoded).map { $0 - $1 }
  let (least, most) = (try #require(differences.min()), try #require(differences.max()))
  #expect(errors.errors == least...most)
  #expect(errors.bins.reduce(0, +) == 48)
  for channel in 0..<shape[axis] {
    let indices: [Int] = (0..<48).filter { (axis == 0 ? $0 / 12 : $0 / 2 % 6) == channel }
    let own: [Double] = indices.map { Double(values[$0]) }
    let found = errors.channels[channel]
    #expect(Double(found.lowest) == own.min() && Double(found.highest) == own.max())
    let mean: Double = own.reduce(0, +) / Double(own.count)
    var variance = 0.0
    var noise = 0.0
    for index in indices {
      variance += pow(Double(values[index]) - mean, 2) / Double(own.count)
      noise += pow(Double(differences[index]), 2)
    }
    #expect(abs(found.mean - mean) < 1e-9 && abs(found.deviation - variance.squareRoot()) < 1e-6)
    let signal: Double = own.reduce(0) { $0 + $1 * $1 }
    let sqnr = try #require(found.sqnrDb)
    #expect(abs(sqnr - 10 * log10(signal / noise)) < 1e-9)
  }
  let worst = try #require(errors.worst)
  let lowest = errors.channels.compactMap(\.sqnrDb).min()
  #expect(errors.channels[worst].sqnrDb == lowest)
}

@Test func floatWeightsHaveChannelsAndNoErrors() {
  let errors = WeightErrors(Tensor([Float](arrayLiteral: 1, 2, 3, 4, 5, 6), shape: [2, 3]), nil, axis: 0)
  #expect(errors.channels.map(\.lowest) == [1, 4] && errors.channels.map(\.highest) == [3, 6])
  #expect(errors.errors == nil && errors.bins.isEmpty && errors.worst == nil)
  #expect(errors.channels.allSatisfy { $0.sqnrDb == nil && $0.clipped == 0 })
}

@Test func anExactWeightHasNoError() throws {
  let tensor = Tensor([Float](arrayLiteral: -7, -3, 0, 7), shape: [1, 4])
  var settings = WeightSettings()
  settings.bits = 4
  let role = WeightRole(input: 1, activation: nil, channelAxis: 0, featureAxis: 1)
  let encoded = try #require(EncodedTensor(nearest: tensor, settings: settings, role: role))
  let errors = WeightErrors(tensor, encoded, axis: 0)
  #expect(errors.errors == 0...0 && errors.worst == nil)
}

/// A negative scale is no clipping.
@Test func theSignOfAScaleIsNoError() throws {
  var settings = WeightSettings()
  settings.bits = 8
  settings.range = .signed
  let role = WeightRole(input: 1, activation: nil, channelAxis: 0, featureAxis: 1)
  let tensor = Tensor([Float](arrayLiteral: 1, 0.5, -0.25, 0.125), shape: [1, 4])
  let encoded = try #require(EncodedTensor(nearest: tensor, settings: settings, role: role))
  #expect(encoded.encoding.scales[0] < 0)
  let preview = WeightPreview(tensor, encoded)
  #expect(preview.clipped == 0 && preview.lower < 0 && preview.upper >= 1 && preview.step > 0)
  #expect(WeightErrors(tensor, encoded, axis: 0).channels[0].clipped == 0)
}
