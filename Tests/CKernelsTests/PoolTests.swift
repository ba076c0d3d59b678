import CKernels
import Glibc
import Testing

/// What the chunks of a loop leave behind.
private struct Marks {
  var hits: UnsafeMutablePointer<Int32>
  var threads: UnsafeMutablePointer<Int32>
}

private let mark: @convention(c) (UnsafeMutableRawPointer?, Int, Int32) -> Void = { context, chunk, thread in
  guard let marks = context?.assumingMemoryBound(to: Marks.self).pointee else { return }
  marks.hits[chunk] += 1
  marks.threads[chunk] = thread
}

private let slowMark: @convention(c) (UnsafeMutableRawPointer?, Int, Int32) -> Void = {
  context, chunk, thread in
  usleep(20_000)
  mark(context, chunk, thread)
}

@Suite(.serialized) struct PoolTests {
  @Test(arguments: [1, 2, 3, 8])
  func everyChunkOnce(threads: Int) {
    let most = 40
    let pool = ck_pool_create(Int32(threads))
    defer { ck_pool_destroy(pool) }
    #expect(ck_pool_threads(pool) == Int32(threads))
    let hits = Guarded<Int32>(most, filledWith: 0), owners = Guarded<Int32>(most, filledWith: 0)
    var marks = Marks(hits: hits.pointer, threads: owners.pointer)
    var wrong = 0
    for round in 0..<20_000 {
      let chunks = round % (most + 1)
      hits.pointer.update(repeating: 0, count: most)
      ck_pool_run(pool, chunks, mark, &marks)
      for chunk in 0..<most where hits.pointer[chunk] != (chunk < chunks ? 1 : 0) { wrong += 1 }
      for chunk in 0..<chunks where !(0..<Int32(threads)).contains(owners.pointer[chunk]) { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  /// Workers that fell asleep between loops wake up or leave the work to the caller.
  @Test func afterSleeping() {
    let pool = ck_pool_create(3)
    defer { ck_pool_destroy(pool) }
    let hits = Guarded<Int32>(12, filledWith: 0), owners = Guarded<Int32>(12, filledWith: 0)
    var marks = Marks(hits: hits.pointer, threads: owners.pointer)
    for _ in 0..<40 {
      usleep(2000)
      ck_pool_run(pool, 12, mark, &marks)
    }
    #expect(hits.values == Array(repeating: 40, count: 12))
  }

  @Test func chunksRunOnSeveralThreads() {
    let pool = ck_pool_create(2)
    defer { ck_pool_destroy(pool) }
    let hits = Guarded<Int32>(8, filledWith: 0), owners = Guarded<Int32>(8, filledWith: 0)
    var marks = Marks(hits: hits.pointer, threads: owners.pointer)
    ck_pool_run(pool, 8, slowMark, &marks)
    #expect(Set(owners.values) == [0, 1])
  }
}

@Suite struct DispatchTests {
  @Test func knowsWhatTheProcessorCan() {
    #expect(ck_supported(CK_SCALAR) == 1)
    for level in everyLevel {
      var table = ck_table()
      #expect(ck_table_for(level, &table) == ck_supported(level))
      if ck_supported(level) == 1 { #expect(table.level == level && table.column_block > 0) }
    }
    let names = everyLevel.map { String(cString: ck_level_name($0)) }
    #expect(names == ["scalar", "avx2", "avx512vnni", "neon"])
    #expect(ck_supported(CK_AVX2) == 0 || ck_supported(CK_NEON) == 0)
  }

  /// Every entry is filled, at every level: a table is a row of pointers after two integers.
  @Test(arguments: [CK_SCALAR] + levels)
  func tablesAreComplete(level: ck_level) {
    let words = withUnsafeBytes(of: table(level)) { Array($0.bindMemory(to: UInt.self)) }
    #expect(words.dropFirst().firstIndex(of: 0) == nil)
  }

  @Test func theChosenLevelIsStable() {
    #expect(ck_best() == ck_best())
    #expect(ck_supported(ck_best().pointee.level) == 1)
  }
}
