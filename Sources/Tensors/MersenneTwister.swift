/// The random numbers of NumPy's `RandomState`: MT19937, seeded by one integer.
///
/// Source: Matsumoto and Nishimura, "Mersenne Twister", 1998, and their `init_genrand` of 2002.
package struct MersenneTwister: RandomNumberGenerator, Sendable {
  private var state: [UInt32]
  private var index = 624

  package init(seed: UInt32) {
    state = [seed]
    for i in 1..<624 {
      let last = state[i - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(i))
    }
  }

  package mutating func next32() -> UInt32 {
    if index == 624 {
      for i in 0..<624 {
        let y = state[i] & 0x8000_0000 | state[(i + 1) % 624] & 0x7FFF_FFFF
        state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
      }
      index = 0
    }
    var y = state[index]
    index += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  package mutating func next() -> UInt64 { UInt64(next32()) | UInt64(next32()) << 32 }

  /// A number in 0..<1 with 53 random bits.
  package mutating func uniform() -> Double {
    let high = Double(next32() >> 5)
    return (high * 67_108_864 + Double(next32() >> 6)) / 9_007_199_254_740_992
  }
}
