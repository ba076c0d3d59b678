/// The order of an array's axes: samples, channels, then depth, height, width in reading order.
package enum Layout: String, Sendable, CaseIterable {
  case nchw, nhwc, nhw, ncw, nwc, ncdhw, ndhwc, nc

  package var rank: Int { rawValue.count }

  /// The axis of the channels in the whole array, `nil` where it has none.
  package var channelAxis: Int? { Array(rawValue).firstIndex(of: "c") }

  package var channelsLast: Bool { channelAxis == rank - 1 }
}
