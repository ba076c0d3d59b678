import CKernels
import Testing

@Suite struct MovementTests {
  @Test(arguments: [CK_SCALAR] + levels, [0, 1, 7, 8, 9, 15, 16, 17, 33, 64])
  func transposes(level: ck_level, rows: Int) {
    for columns in [0, 1, 7, 8, 9, 15, 16, 17, 33, 64] {
      var random = Random(rows + columns)
      let xStride = columns + 2, yStride = rows + 1
      let empty = rows == 0 || columns == 0
      let xCount = empty ? 0 : (rows - 1) * xStride + columns,
        yCount = empty ? 0 : (columns - 1) * yStride + rows
      let words = Guarded<UInt32>(random.integers(xCount, 0...(.max)))
      let bytes = Guarded<UInt8>(random.integers(xCount, 0...255))
      let wordsOut = Guarded<UInt32>(yCount, filledWith: 3), bytesOut = Guarded<UInt8>(yCount, filledWith: 3)
      table(level).transpose_32(words.pointer, rows, columns, xStride, wordsOut.pointer, yStride)
      table(level).transpose_8(bytes.pointer, rows, columns, xStride, bytesOut.pointer, yStride)
      var wrong = 0
      for c in 0..<columns {
        for r in 0..<rows {
          if wordsOut.pointer[c * yStride + r] != words.pointer[r * xStride + c] { wrong += 1 }
          if bytesOut.pointer[c * yStride + r] != bytes.pointer[r * xStride + c] { wrong += 1 }
        }
      }
      #expect(wrong == 0)
    }
  }
}

extension MovementTests {
  @Test(arguments: [CK_SCALAR] + levels, [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100, 2048, 2049])
  func copiesRows(level: ck_level, bytes: Int) {
    let rows = 5, xStride = bytes + 3, yStride = bytes + 1
    var random = Random(bytes)
    let x = Guarded<UInt8>(random.integers((rows - 1) * xStride + bytes, 0...255))
    let y = Guarded<UInt8>((rows - 1) * yStride + bytes, filledWith: 3)
    table(level).copy_rows(x.pointer, rows, bytes, xStride, y.pointer, yStride)
    var wrong = 0
    for r in 0..<rows {
      for i in 0..<bytes where y.pointer[r * yStride + i] != x.pointer[r * xStride + i] { wrong += 1 }
      if r + 1 < rows, y.pointer[r * yStride + bytes] != 3 { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func planesToPixels(level: ck_level) {
    for count in 0...40 {
      var random = Random(count)
      let plane = count + 2
      let words = Guarded<UInt32>(random.integers(count == 0 ? 0 : 2 * plane + count, 0...(.max)))
      let bytes = Guarded<UInt8>(random.integers(count == 0 ? 0 : 2 * plane + count, 0...255))
      let wordsOut = Guarded<UInt32>(3 * count, filledWith: 3),
        bytesOut = Guarded<UInt8>(3 * count, filledWith: 3)
      table(level).transpose_32(words.pointer, 3, count, plane, wordsOut.pointer, 3)
      table(level).transpose_8(bytes.pointer, 3, count, plane, bytesOut.pointer, 3)
      let wrong = (0..<3 * count).filter {
        wordsOut.pointer[$0] != words.pointer[$0 % 3 * plane + $0 / 3]
          || bytesOut.pointer[$0] != bytes.pointer[$0 % 3 * plane + $0 / 3]
      }
      #expect(wrong.isEmpty)
    }
  }
}

@Suite struct ConversionTests {
  @Test(arguments: [CK_SCALAR] + levels)
  func everyHalf(level: ck_level) {
    let ours = table(level)
    let halves = (0...UInt16.max).map { $0 }, n = halves.count
    var floats = [Float](repeating: 0, count: n), back = [UInt16](repeating: 0, count: n)
    ours.f16_to_f32(halves, n, &floats)
    ours.f32_to_f16(floats, n, &back)
    var wrong: [UInt16] = []
    for i in 0..<n {
      let half = Float16(bitPattern: halves[i])
      let there = half.isNaN ? floats[i].isNaN : floats[i].bitPattern == Float(half).bitPattern
      let andBack = half.isNaN ? Float16(bitPattern: back[i]).isNaN : back[i] == halves[i]
      if !there || !andBack { wrong.append(halves[i]) }
    }
    #expect(wrong == [])
    ours.bf16_to_f32(halves, n, &floats)
    ours.f32_to_bf16(floats, n, &back)
    for i in 0..<n {
      let there = floats[i].isNaN || floats[i].bitPattern == UInt32(halves[i]) << 16
      let andBack = floats[i].isNaN ? back[i] & 0x7FFF > 0x7F80 : back[i] == halves[i]
      if !there || !andBack { wrong.append(halves[i]) }
    }
    #expect(wrong == [])
  }

  @Test(arguments: [CK_SCALAR] + levels)
  func roundsToEven(level: ck_level) {
    var random = Random(8)
    let n = 50_000
    let floats: [Float] = (0..<n).map { i in
      // Half of them lie on the boundary between two halves, or next to it.
      let bits = UInt32.random(in: 0...(.max), using: &random)
      return Float(bitPattern: i % 2 == 0 ? bits : (bits & 0xFFFF_F000) &+ UInt32(i % 3) &- 1)
    }
    var halves = [UInt16](repeating: 0, count: n), brains = halves
    table(level).f32_to_f16(floats, n, &halves)
    table(level).f32_to_bf16(floats, n, &brains)
    var wrong: [Float] = []
    for i in 0..<n where !floats[i].isNaN {
      let kept = floats[i].bitPattern >> 16, lost = floats[i].bitPattern & 0xFFFF
      let up = lost > 0x8000 || (lost == 0x8000 && kept & 1 == 1)
      if halves[i] != Float16(floats[i]).bitPattern || UInt32(brains[i]) != kept + (up ? 1 : 0) {
        wrong.append(floats[i])
      }
    }
    #expect(wrong == [])
  }

  @Test(arguments: levels, lengths)
  func everyLength(level: ck_level, n: Int) {
    var random = Random(n)
    let x = Guarded(random.floats(n, -100...100)), y = Guarded<Float>(n, filledWith: 0)
    let halves = Guarded<UInt16>(n, filledWith: 0)
    table(level).f32_to_f16(x.pointer, n, halves.pointer)
    table(level).f16_to_f32(halves.pointer, n, y.pointer)
    #expect(y.values == x.values.map { Float(Float16($0)) })
    table(level).f32_to_bf16(x.pointer, n, halves.pointer)
    table(level).bf16_to_f32(halves.pointer, n, y.pointer)
    let close = zip(x.values, y.values).filter { abs($0 - $1) <= abs($0) / 256 }
    #expect(close.count == n)
  }
}
