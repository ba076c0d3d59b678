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

/// The commonest output, done in registers: uint8, symmetric weights, one zero point, no residual, multipliers below 1.
/// There rne(float(sum) · multiplier) fits int32, and packing with saturation does most of the clamping.
CK_INLINE int ck_is_quick(const ck_epilogue *e) {
  return e->output == CK_OUT_U8 && !e->residual && !e->b_zero && !e->a_zeros;
}

/// What is added to the sums of columns j…j+15: bias - a_zero · Σ b.
CK_INLINE __m512i ck_quick_correction(const ck_epilogue *e, size_t j, __mmask16 live) {
  __m512i bias = e->bias ? _mm512_maskz_loadu_epi32(live, e->bias + j) : _mm512_setzero_si512();
  __m512i sums = _mm512_maskz_loadu_epi32(live, e->column_sums + j);
  return _mm512_sub_epi32(bias, _mm512_mullo_epi32(sums, _mm512_set1_epi32(e->a_zero)));
}

/// Whether all multipliers of columns j…end-1 are in (-1, 1).
CK_INLINE int ck_quick_fits(const ck_epilogue *e, size_t j, size_t end) {
  __mmask16 large = 0;
  for (; j < end; j += 16) {
    __m512 m = _mm512_abs_ps(_mm512_maskz_loadu_ps(ck_mask16(end - j), e->multiplier + j));
    large |= _mm512_cmp_ps_mask(m, _mm512_set1_ps(1), _CMP_NLT_UQ);
  }
  return !large;
}

/// Codes of four vectors of corrected sums, in the order that packing leaves: within each 128 bits four of each.
CK_INLINE __m512i ck_quick_codes(const __m512i *sums, const __m512 *multipliers, const ck_epilogue *e) {
  __m512i x[4];
  CK_UNROLL for (int i = 0; i < 4; i++) {
    x[i] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[i]), multipliers[i]));
  }
  __m512i zero = _mm512_set1_epi16((short)e->zero);
  __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(x[0], x[1]), zero);
  __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(x[2], x[3]), zero);
  __m512i codes = _mm512_max_epu8(_mm512_packus_epi16(first, second), _mm512_set1_epi8((char)e->lower));
  return _mm512_min_epu8(codes, _mm512_set1_epi8((char)e->upper));
}

/// The codes in order: the sixteen of each vector together.
CK_INLINE __m512i ck_quick_order(__m512i codes) {
  const __m512i index = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(index, codes);
}

CK_AVX512_END

#endif
#endif
