// From int32 sums to outputs, sixteen columns at a time; the formulas of ck_gemm_u8s8.
#ifndef CK_AVX512_EPILOGUE_H
#define CK_AVX512_EPILOGUE_H

#include "avx512vnni.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)
CK_AVX512_BEGIN

/// Every kind of output, from sums in memory: rows row..<row+count, columns column..<min(column+16, end); the sums of
/// row r are sums[r · step]. row_sums (Σ a) are read only with b_zero.
void ck_avx512_store(const ck_epilogue *e, const __m512i *sums, int step, size_t row, size_t count, size_t column,
                     size_t end, const int32_t *row_sums);

/// clamp(rne(v) + zero), bounds given less the zero point.
CK_INLINE __m512i ck_codes512(__m512 v, __m512 low, __m512 high, __m512i zero) {
  v = _mm512_min_ps(_mm512_max_ps(v, low), high);
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), zero);
}

/// The commonest output, done in registers: uint8, symmetric weights, one zero point, no residual.
typedef struct {
  __m512i zero, correction;
  __m512 low, high, multiplier;
} ck_quick;

CK_INLINE ck_quick ck_quick_open(const ck_epilogue *e) {
  ck_quick q;
  q.zero = _mm512_set1_epi32(e->zero);
  q.low = _mm512_set1_ps((float)(e->lower - e->zero));
  q.high = _mm512_set1_ps((float)(e->upper - e->zero));
  return q;
}

CK_INLINE void ck_quick_columns(ck_quick *q, const ck_epilogue *e, size_t j, __mmask16 live) {
  __m512i bias = e->bias ? _mm512_maskz_loadu_epi32(live, e->bias + j) : _mm512_setzero_si512();
  __m512i sums = _mm512_maskz_loadu_epi32(live, e->column_sums + j);
  q->correction = _mm512_sub_epi32(bias, _mm512_mullo_epi32(sums, _mm512_set1_epi32(e->a_zero)));
  q->multiplier = _mm512_maskz_loadu_ps(live, e->multiplier + j);
}

CK_INLINE __m128i ck_quick_codes(const ck_quick *q, __m512i sums) {
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(sums, q->correction)), q->multiplier);
  return _mm512_cvtepi32_epi8(ck_codes512(v, q->low, q->high, q->zero));
}

CK_AVX512_END

#endif
#endif
