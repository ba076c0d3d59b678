/// Blocks of 32 codes of 4 bits for levels that lie closer near zero: `f16 d; u8 q[16]`, real = d · level[q].
///
/// Codes: `Nibbles`.
package struct IQ4_NL: BlockFormat {
  package let name = "IQ4_NL"
  package let elements = 32
  package let bytes = 18
  package let uniform: (bits: Int, group: Int)? = nil
  package let hasMinimums = false

  static let book = Codebook([
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
  ])

  package init() {}

  package func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>) {
    precondition(count % 32 == 0, "\(name) holds whole blocks of 32")
    Self.book.levels.withUnsafeBufferPointer { levels in
      for index in 0..<count / 32 {
        let (block, to) = (blocks + bytes * index, reals + 32 * index)
        let d = block.half(0)
        Nibbles.read(block + 2) { i, code in to[i] = d * levels[Int(code)] }
      }
    }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 32 == 0, "\(name) holds whole blocks of 32")
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 64) { floats in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { bytes in
        guard let x = floats.baseAddress, let codes = bytes.baseAddress else { return }
        Self.book.withSearch { search in
          for index in 0..<count / 32 {
            let halves = HalfGrid(power: bringNearOne(row + 32 * index, 32, into: x))
            normalize(importance.map { $0 + 32 * index }, 32, into: x + 32)
            let group = WeightedGroup(x: x, w: x + 32, count: 32)
            let found = search.scale(group, margins: -0.1...0.1, starts: 5, rounds: 2)
            let scale = halves.round(found)
            search.writeCodes(x, count: 32, inverse: reciprocal(scale), into: codes)
            let block = blocks + self.bytes * index
            block.setHalf(0, halves.stored(scale))
            Nibbles.write(block + 2) { codes[$0] }
          }
        }
      }
    }
  }

  package func unpack(
    _ blocks: UnsafeRawPointer, count: Int, codes: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>
  ) {
    preconditionFailure("\(name) has no evenly spaced codes")
  }
}
