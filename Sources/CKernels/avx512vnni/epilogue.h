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

/// What is added to the sums of columns j…j+15: bias - a_zero · Σ b; the bias of float outputs is a float.
CK_INLINE __m512i ck_quick_correction(const ck_epilogue *e, size_t j, __mmask16 live, int32_t a_zero) {
  int has_bias = e->bias && e->output != CK_OUT_F32;
  __m512i bias = has_bias ? _mm512_maskz_loadu_epi32(live, e->bias + j) : _mm512_setzero_si512();
  __m512i sums = _mm512_maskz_loadu_epi32(live, e->column_sums + j);
  return _mm512_sub_epi32(bias, _mm512_mullo_epi32(sums, _mm512_set1_epi32(a_zero)));
}

/// Four vectors of whole numbers plus the zero point as codes, in the order that packing leaves: within each 128 bits
/// four of each.
CK_INLINE __m512i ck_quick_pack(const __m512i *x, int32_t zero_point, int32_t lower, int32_t upper) {
  __m512i zero = _mm512_set1_epi16((short)zero_point);
  __m512i first = _mm512_adds_epi16(_mm512_packs_epi32(x[0], x[1]), zero);
  __m512i second = _mm512_adds_epi16(_mm512_packs_epi32(x[2], x[3]), zero);
  __m512i codes = _mm512_max_epu8(_mm512_packus_epi16(first, second), _mm512_set1_epi8((char)lower));
  return _mm512_min_epu8(codes, _mm512_set1_epi8((char)upper));
}

/// Codes of four vectors of corrected sums, in the order that packing leaves.
CK_INLINE __m512i ck_quick_codes(const __m512i *sums, const __m512 *multipliers, const ck_epilogue *e) {
  __m512i x[4];
  CK_UNROLL for (int i = 0; i < 4; i++) {
    x[i] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums[i]), multipliers[i]));
  }
  return ck_quick_pack(x, e->zero, e->lower, e->upper);
}

/// The same with a residual: its codes are those of `others`.
CK_INLINE __m512i ck_quick_sums(const __m512i *sums, const __m512 *multipliers, const __m128i *others,
                                const ck_epilogue *e) {
  __m512 low = _mm512_set1_ps((float)(e->lower - e->zero)), high = _mm512_set1_ps((float)(e->upper - e->zero));
  __m512i x[4];
  CK_UNROLL for (int i = 0; i < 4; i++) {
    __m512 branch = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[i]), multipliers[i]);
    branch = _mm512_roundscale_ps(_mm512_min_ps(_mm512_max_ps(branch, low), high), _MM_FROUND_TO_NEAREST_INT);
    __m512 other = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(others[i]), _mm512_set1_epi32(e->r_zero)));
    x[i] = _mm512_cvtps_epi32(_mm512_add_ps(_mm512_mul_ps(branch, _mm512_set1_ps(e->branch_multiplier)),
                                            _mm512_mul_ps(other, _mm512_set1_ps(e->r_multiplier))));
  }
  return ck_quick_pack(x, e->sum_zero, e->sum_lower, e->sum_upper);
}

/// A vector of corrected sums as floats; scale is that of the row times that of the columns.
CK_INLINE __m512 ck_quick_floats(__m512i sums, __m512 scale, __m512 bias, const ck_epilogue *e) {
  __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale);
  return e->bias_f ? _mm512_add_ps(y, bias) : y;
}

CK_INLINE __m512 ck_quick_clamp(__m512 y, const ck_epilogue *e) {
  return _mm512_min_ps(_mm512_set1_ps(e->upper_f), _mm512_max_ps(_mm512_set1_ps(e->lower_f), y));
}

/// The codes in order: the sixteen of each vector together.
CK_INLINE __m512i ck_quick_order(__m512i codes) {
  const __m512i index = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(index, codes);
}

CK_AVX512_END

#endif
#endif
