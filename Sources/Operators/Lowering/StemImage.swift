import CKernels
import Glibc
import Graph
import Tensors

/// The image in front of a first convolution: few channels, so that the taps of a window's row lie side by side once
/// channels come last.
///
/// The step copies the image, padding included, into scratch memory of its own; a window's row is then one piece of
/// k = kernel width · channels elements, and no window reaches outside.
struct StemImage {
  var images: Int
  var channels: Int
  /// Height and width of the image.
  var height: Int
  var width: Int
  /// Elements between neighbouring images, channels, rows and columns of the source.
  var strides: [Int]
  var padTop: Int
  var padLeft: Int
  /// Height and width with padding, as far as windows reach.
  var paddedHeight: Int
  var paddedWidth: Int

  /// `nil` for convolutions whose rows of taps are long enough, or have gaps.
  init?(_ window: WindowGeometry, channels: Int, images: Int, strides: [Int]) {
    guard window.rank == 2, window.dilations[1] == 1, channels <= 4, window.kernel[1] > 1, strides.count == 4,
      window.padsBegin.allSatisfy({ $0 >= 0 }), window.positions > 0
    else { return nil }
    self.images = images
    self.channels = channels
    self.strides = strides
    height = window.input[0]
    width = window.input[1]
    padTop = window.padsBegin[0]
    padLeft = window.padsBegin[1]
    paddedHeight =
      (window.output[0] - 1) * window.strides[0] + (window.kernel[0] - 1) * window.dilations[0] + 1
    paddedWidth = (window.output[1] - 1) * window.strides[1] + window.kernel[1]
  }

  var elements: Int { paddedHeight * paddedWidth * channels }

  /// For each output pixel and row of taps, where its piece starts in the padded image.
  func offsets(_ window: WindowGeometry) -> [Int32] {
    var offsets: [Int32] = []
    offsets.reserveCapacity(window.positions * window.kernel[0])
    for y in 0..<window.output[0] {
      for x in 0..<window.output[1] {
        for tap in 0..<window.kernel[0] {
          let row = y * window.strides[0] + tap * window.dilations[0]
          offsets.append(Int32((row * paddedWidth + x * window.strides[1]) * channels))
        }
      }
    }
    return offsets
  }

  /// Elements of an image of the source.
  var sourceElements: Int { channels * height * width }

  /// The copy; `fill` gives what the padding of an image holds.
  func phase<T: BitwiseCopyable>(
    _ source: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>, _ kernels: UnsafePointer<ck_table>,
    fill: @escaping (Int) -> T
  ) -> Phase {
    let image = self
    let inside = 0..<Swift.min(image.width, image.paddedWidth - image.padLeft)
    let rowElements = image.paddedWidth * image.channels
    return Phase.over(image.images * image.paddedHeight, grain: 16) { from, to in
      for index in from..<to {
        let y = index % image.paddedHeight - image.padTop
        let row = target + index * rowElements
        let fill = fill(index / image.paddedHeight)
        guard y >= 0, y < image.height, !inside.isEmpty else {
          row.update(repeating: fill, count: rowElements)
          continue
        }
        let left = image.padLeft * image.channels
        let right = left + inside.count * image.channels
        row.update(repeating: fill, count: left)
        (row + right).update(repeating: fill, count: rowElements - right)
        let start = source + (index / image.paddedHeight * image.strides[0] + y * image.strides[2])
        image.interleave(start, row + left, count: inside.count, kernels)
      }
    }
  }

  /// One row of pixels, channels side by side.
  @inline(__always)
  private func interleave<T: BitwiseCopyable>(
    _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, count: Int, _ kernels: UnsafePointer<ck_table>
  ) {
    let (plane, step) = (strides[1], strides[3])
    if plane == 1, step == channels {
      y.update(from: x, count: count * channels)
    } else if step == 1, MemoryLayout<T>.size == 1 {
      kernels.pointee.transpose_8(x, channels, count, plane, y, channels)
    } else if step == 1, MemoryLayout<T>.size == 4 {
      kernels.pointee.transpose_32(x, channels, count, plane, y, channels)
    } else {
      for channel in 0..<channels {
        let from = x + channel * plane
        let to = y + channel
        for i in 0..<count { to[i &* channels] = from[i &* step] }
      }
    }
  }
}
