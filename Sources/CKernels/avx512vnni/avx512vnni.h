// The families of the avx512vnni level, and what they share.
#ifndef CK_AVX512VNNI_H
#define CK_AVX512VNNI_H

#if defined(__x86_64__)
#include <immintrin.h>

#include "../internal.h"

// clang-format off
#define CK_AVX512_BEGIN _Pragma("clang attribute push(__attribute__((target(\"avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni\"))), apply_to = function)")
// clang-format on
#define CK_AVX512_END _Pragma("clang attribute pop")
#define CK_UNROLL _Pragma("clang loop unroll(full)")

void ck_avx512_gemm_f32(ck_table *table);
void ck_avx512_gemm_u8s8(ck_table *table);
void ck_avx512_gemm_wq(ck_table *table);
void ck_avx512_depthwise(ck_table *table);
void ck_avx512_codes(ck_table *table);
void ck_avx512_pooling(ck_table *table);
void ck_avx512_elementwise(ck_table *table);

CK_AVX512_BEGIN
CK_INLINE __mmask16 ck_mask16(size_t n) { return (__mmask16)(n >= 16 ? 0xFFFF : (1u << n) - 1); }
CK_AVX512_END

enum { CK_ROWS = 14, CK_TAPS = 16, CK_BUFFER = 1024 + 64 };

/// The rows of a tile, one segment of their depth at a time. A kernel finds `pieces` pieces of `length` elements,
/// piece p of row r at table[r · CK_TAPS + p]: an indirect address costs one cheap load beside each broadcast, whether
/// the rows are strided or scattered.
typedef struct {
  const ck_rows *rows;
  int shift;  // log2 of the bytes of an element
  enum { CK_POINT, CK_GATHER, CK_COPY } kind;
  size_t next, total;  // depth not yet in a segment: taps, or elements when copying
  size_t row, count;
  size_t pieces, length;
  int single;  // the first segment is the only one
  const void *table[CK_ROWS * CK_TAPS];
  _Alignas(64) unsigned char buffer[CK_ROWS * CK_BUFFER + 64];
} ck_segments;

/// Decides how rows are read: in place; with the taps gathered side by side, where they are short; or copied, where
/// a stride of whole pages would put all rows of a tile in the same few places of the first cache.
/// `gathered` is the caller's word for "short".
void ck_avx512_open(ck_segments *s, const ck_rows *rows, int shift, int gathered);
/// Sets the first segment of `count` rows from `row`.
void ck_avx512_first(ck_segments *s, size_t row, size_t count);
/// Sets the next one; to be called while next < total.
void ck_avx512_advance(ck_segments *s);

#endif
#endif
