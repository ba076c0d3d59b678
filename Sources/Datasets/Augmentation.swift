import Tensors

/// Random changes to images while a network trains, so that no epoch sees the same image.
package struct Augmentation: Sendable, Hashable {
  /// The most a crop can be, in pixels.
  static let largestCrop = 1_000_000
  package static let none = Augmentation()

  /// Mirrors an image left to right with probability ½.
  package var flip: Bool
  /// Pads each side by this many pixels of zero, after normalisation, and cuts the image's size out at a random offset
  /// 0…2 · crop in both directions.
  package var crop: Int

  package init(flip: Bool = false, crop: Int = 0) {
    self.flip = flip
    self.crop = crop
  }

  package var isNone: Bool { !flip && crop <= 0 }

  /// What happens to one sample in one epoch.
  struct Choice: Equatable {
    var flips: Bool
    /// Pixels the image moves up and left, −crop…crop.
    var up: Int
    var left: Int
  }

  /// The choices of a sample, drawn from the generator of (seed, epoch, sample): flip, then vertical, then horizontal.
  func choice(seed: UInt64, epoch: Int, sample: Int) -> Choice {
    var epochs = SplitMix64(seed: seed, stream: UInt64(epoch))
    var random = SplitMix64(seed: epochs.next(), stream: UInt64(sample))
    let flips = random.next() >> 63 == 1
    guard crop > 0 else { return Choice(flips: flip && flips, up: 0, left: 0) }
    let up = random.below(2 * crop + 1) - crop
    let left = random.below(2 * crop + 1) - crop
    return Choice(flips: flip && flips, up: up, left: left)
  }
}

/// Changes images of one input as an epoch wants them.
///
/// out(y, x) = image(y + up, x + left) of the image, mirrored where the choice says so, and zero outside.
struct ImageChange {
  private let augmentation: Augmentation
  private let seed: UInt64
  private let epoch: Int
  private let height: Int
  private let width: Int
  /// Images of one channel, or one of all channels, that lie one after the other.
  private let planes: Int
  /// Bytes of what moves together: an element, or all channels of a pixel.
  private let pixelBytes: Int

  init(
    _ augmentation: Augmentation, _ axes: Arrangement.ImageAxes, _ shape: Shape, _ type: ElementType,
    seed: UInt64, epoch: Int
  ) {
    self.augmentation = augmentation
    self.seed = seed
    self.epoch = epoch
    (height, width) = Self.size(axes, shape)
    planes = axes == .channelsFirst ? shape[0] : 1
    pixelBytes = type.byteCount(1) * (axes == .channelsFirst ? 1 : shape[2])
  }

  static func size(_ axes: Arrangement.ImageAxes, _ shape: Shape) -> (height: Int, width: Int) {
    axes == .channelsFirst ? (shape[1], shape[2]) : (shape[0], shape[1])
  }

  /// Writes the changed image of a sample; the two do not overlap.
  func apply(to image: UnsafeMutableRawPointer, into out: UnsafeMutableRawPointer, sample: Int) {
    let choice = augmentation.choice(seed: seed, epoch: epoch, sample: sample)
    let rowBytes = width * pixelBytes
    // Columns of the result that come from inside the image.
    let from = Swift.max(0, -choice.left)
    let to = Swift.min(width, width - choice.left)
    for plane in 0..<planes {
      for y in 0..<height {
        let row = out + (plane * height + y) * rowBytes
        let source = y + choice.up
        guard (0..<height).contains(source), from < to else {
          row.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes)
          continue
        }
        let read = UnsafeRawPointer(image + (plane * height + source) * rowBytes)
        row.initializeMemory(as: UInt8.self, repeating: 0, count: from * pixelBytes)
        if choice.flips {
          // Column x comes from column x + left of the mirrored image.
          mirror(read + (width - to - choice.left) * pixelBytes, row + from * pixelBytes, to - from)
        } else {
          (row + from * pixelBytes).copyMemory(
            from: read + (from + choice.left) * pixelBytes, byteCount: (to - from) * pixelBytes)
        }
        (row + to * pixelBytes).initializeMemory(
          as: UInt8.self, repeating: 0, count: (width - to) * pixelBytes)
      }
    }
  }

  /// Copies `count` pixels in reverse order.
  private func mirror(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ count: Int) {
    switch pixelBytes {
    case 1: reverse(from, to, count, UInt8.self)
    case 2: reverse(from, to, count, UInt16.self)
    case 4: reverse(from, to, count, UInt32.self)
    case 8: reverse(from, to, count, UInt64.self)
    case 12: reverse(from, to, count, (UInt32, UInt32, UInt32).self)
    default:
      for i in 0..<count {
        (to + i * pixelBytes).copyMemory(
          from: from + (count - 1 - i) * pixelBytes, byteCount: pixelBytes)
      }
    }
  }

  @inline(__always)
  private func reverse<T>(
    _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ count: Int, _: T.Type
  ) {
    let read = from.assumingMemoryBound(to: T.self)
    let write = to.assumingMemoryBound(to: T.self)
    for i in 0..<count { write[i] = read[count &- 1 &- i] }
  }
}
