/// Blocks of 64 codes of 4 bits for the quantiles of a normal distribution: `f32 absmax; u8 q[32]`,
/// real = absmax · level[q].
///
/// Byte j holds code 2j in its high half and code 2j + 1 in its low half. The plain encoder takes absmax = max|x|; with
/// importance it is searched. No type of GGUF.
/// Source: QLoRA (Dettmers et al. 2023), appendix E; bitsandbytes.
package struct NF4: BlockFormat {
  package let name = "NF4"
  package let elements = 64
  package let bytes = 36
  package let uniform: (bits: Int, group: Int)? = nil
  package let hasMinimums = false

  static let book = Codebook([
    -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
    0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
  ])

  package init() {}

  package func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>) {
    precondition(count % 64 == 0, "\(name) holds whole blocks of 64")
    Self.book.levels.withUnsafeBufferPointer { levels in
      for index in 0..<count / 64 {
        let (block, to) = (blocks + bytes * index, reals + 64 * index)
        let scale = Float(bitPattern: block.word(0))
        for j in 0..<32 {
          let byte = block.byte(4 + j)
          to[2 * j] = scale * levels[Int(byte >> 4)]
          to[2 * j + 1] = scale * levels[Int(byte & 15)]
        }
      }
    }
  }

  package func encode(
    _ row: UnsafePointer<Float>, count: Int, importance: UnsafePointer<Float>?,
    into blocks: UnsafeMutableRawPointer
  ) {
    precondition(count % 64 == 0, "\(name) holds whole blocks of 64")
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 128) { floats in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { bytes in
        guard let scratch = floats.baseAddress, let codes = bytes.baseAddress else { return }
        Self.book.withSearch { search in
          for index in 0..<count / 64 {
            let x = row + 64 * index
            var scale: Float
            if let importance {
              let power = bringNearOne(x, 64, into: scratch)
              normalize(importance + 64 * index, 64, into: scratch + 64)
              let group = WeightedGroup(x: scratch, w: scratch + 64, count: 64)
              scale = search.scale(group, margins: -0.1...0.3, starts: 5, rounds: 2)
              scale *= Float(sign: .plus, exponent: power, significand: 1)
            } else {
              let (low, high) = extremes(x, 64)
              scale = Swift.max(high, -low)
            }
            search.writeCodes(x, count: 64, inverse: reciprocal(scale), into: codes)
            let block = blocks + self.bytes * index
            block.setWord(0, scale.bitPattern)
            for j in 0..<32 { block.setByte(4 + j, codes[2 * j] << 4 | codes[2 * j + 1]) }
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
