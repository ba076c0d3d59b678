/// A block format whose reals are evenly spaced codes: real = scale · code + minimum.
///
/// A type says how one block's bytes become codes, scales and minimums; reals follow from them.
protocol UniformBlocks: BlockFormat {
  /// Bits of the widest code.
  var bits: Int { get }
  /// Neighbours that share a scale.
  var group: Int { get }

  /// Codes, scales and minimums of one block; symmetric formats leave the minimums alone.
  func unpackBlock(
    _ block: UnsafeRawPointer, codes: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>,
    minimums: UnsafeMutablePointer<Float>)
}

extension UniformBlocks {
  package var uniform: (bits: Int, group: Int)? { (bits, group) }

  package func unpack(
    _ blocks: UnsafeRawPointer, count: Int, codes: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<Float>, minimums: UnsafeMutablePointer<Float>
  ) {
    precondition(count % elements == 0, "\(name) holds whole blocks of \(elements)")
    if !hasMinimums { minimums.update(repeating: 0, count: count / group) }
    for block in 0..<count / elements {
      let first = block * elements / group
      unpackBlock(
        blocks + block * bytes, codes: codes + block * elements, scales: scales + first,
        minimums: minimums + first)
    }
  }

  package func decode(_ blocks: UnsafeRawPointer, count: Int, into reals: UnsafeMutablePointer<Float>) {
    precondition(count % elements == 0, "\(name) holds whole blocks of \(elements)")
    let groups = elements / group
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * groups) { numbers in
      withUnsafeTemporaryAllocation(of: Int8.self, capacity: elements) { codes in
        guard let scales = numbers.baseAddress, let codes = codes.baseAddress else { return }
        let minimums = scales + groups
        for block in 0..<count / elements {
          unpackBlock(blocks + block * bytes, codes: codes, scales: scales, minimums: minimums)
          for g in 0..<groups {
            let (scale, minimum) = (scales[g], minimums[g])
            let (from, to) = (codes + g * group, reals + block * elements + g * group)
            if hasMinimums {
              for i in 0..<group { to[i] = scale * Float(from[i]) + minimum }
            } else {
              // Adding zero would turn the published −0 into 0.
              for i in 0..<group { to[i] = scale * Float(from[i]) }
            }
          }
        }
      }
    }
  }
}
