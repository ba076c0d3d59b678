/// Round values for an axis.
package enum Ticks {
  /// Multiples of 1, 2 or 5 times a power of ten inside the range, about `count` of them, with their distance.
  package static func linear(_ range: ClosedRange<Double>, count: Int) -> (values: [Double], step: Double) {
    let length = range.upperBound - range.lowerBound
    guard length > 0, length.isFinite, count > 0 else { return ([range.lowerBound], 1) }
    let raw = length / Double(count)
    var power = 1.0
    while power * 10 <= raw { power *= 10 }
    while power > raw { power /= 10 }
    let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= raw * 0.999 } ?? power * 10
    var values: [Double] = []
    var index = (range.lowerBound / step).rounded(.up)
    while index * step <= range.upperBound + step * 1e-9 && values.count < 1000 {
      values.append(index * step)
      index += 1
    }
    return (values, step)
  }

  /// 1, 2 and 5 times powers of ten inside the range, fewer of them when there would be more than `count`.
  package static func logarithmic(_ range: ClosedRange<Double>, count: Int) -> [Double] {
    guard range.lowerBound > 0, range.upperBound.isFinite else { return [] }
    for factors in [[1.0, 2, 5], [1.0, 3], [1.0]] {
      var values: [Double] = []
      var power = 1.0
      while power > range.lowerBound { power /= 10 }
      while power * 10 <= range.lowerBound { power *= 10 }
      while power <= range.upperBound && values.count < 1000 {
        values += factors.map { $0 * power }.filter { range.contains($0) }
        power *= 10
      }
      if values.count <= count && values.count >= 2 { return values }
    }
    return linear(range, count: count).values
  }

  /// A number with as many decimals as the distance of its neighbours asks for.
  package static func label(_ value: Double, step: Double) -> String {
    var digits = 0
    var size = abs(step)
    while size > 0 && size < 0.999_999 && digits < 9 {
      size *= 10
      digits += 1
    }
    if abs(value) >= 1e6 || (value != 0 && abs(value) < 1e-6) { return "\(value)" }
    return Numbers.fixed(value, digits)
  }
}
