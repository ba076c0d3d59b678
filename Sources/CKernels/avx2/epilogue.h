// From int32 sums to outputs; the formulas of ck_gemm_u8s8. Sums in memory are done eight columns at a time; the kinds
// that ck_quick_kind names, in registers.
#ifndef CK_AVX2_EPILOGUE_H
#define CK_AVX2_EPILOGUE_H

#include "simd.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)
CK_AVX2_BEGIN

#include "../vector/finish.h"

/// Rows row..<row+count, columns column..<column+columns; the sums of row r start at sums + r · step and there are whole
/// vectors of them. row_sums (Σ a) are read only with b_zero.
void ck_avx2_store(const ck_epilogue *e, const int32_t *sums, size_t step, size_t row, size_t count, size_t column,
                   size_t columns, const int32_t *row_sums);

CK_INLINE vi vi_load_part(int whole, const int32_t *p, size_t n) { return whole ? vi_load(p) : vi_load_n(p, n); }

/// What is added to the sums of columns j…j+7, the first n of them: bias - a_zero · Σ b; the bias of float outputs is a
/// float.
CK_INLINE vi ck_quick_correction(const ck_epilogue *e, size_t j, int whole, size_t n, int32_t a_zero) {
  int has_bias = e->bias && e->output != CK_OUT_F32;
  vi bias = has_bias ? vi_load_part(whole, e->bias + j, n) : vi_set(0);
  return vi_sub(bias, vi_mul(vi_load_part(whole, e->column_sums + j, n), vi_set(a_zero)));
}

/// Eight codes at p, or the first n.
CK_INLINE __m128i ck_load_codes(const uint8_t *p, int whole, size_t n) {
  if (whole) return _mm_loadl_epi64((const __m128i *)p);
  uint64_t eight = 0;
  memcpy(&eight, p, n);
  return _mm_cvtsi64_si128((long long)eight);
}

/// Eight corrected sums to outputs i, j…j+7 or the first n of these. `scale` is the multiplier, for floats times the scale
/// of the row; `bias` is read for floats with one.
CK_INLINE void ck_quick_store(const ck_quick kind, const ck_epilogue *e, vi sums, vf scale, vf bias, size_t i, size_t j,
                              int whole, size_t n) {
  const size_t at = i * e->c_stride + j;
  if (kind == CK_QUICK_S32) {
    int32_t *c = (int32_t *)e->c + at;
    if (whole)
      vi_store(c, sums);
    else
      vi_store_n(c, n, sums);
    return;
  }
  vf y = v_from_int(sums) * scale;
  if (kind == CK_QUICK_F32) {
    if (e->bias_f) y = y + bias;
    v_finish(y, e->residual_f, i * e->residual_stride + j, v_set(e->lower_f), v_set(e->upper_f), (float *)e->c + at,
             whole, n);
    return;
  }
  int32_t zero = e->zero, lower = e->lower, upper = e->upper;
  if (kind == CK_QUICK_SUM) {
    y = v_rne(v_min(v_max(y, v_set((float)(lower - zero))), v_set((float)(upper - zero))));
    vi codes = _mm256_cvtepu8_epi32(ck_load_codes(e->residual + i * e->residual_stride + j, whole, n));
    vf other = v_from_int(vi_sub(codes, vi_set(e->r_zero)));
    y = y * v_set(e->branch_multiplier) + other * v_set(e->r_multiplier);
    zero = e->sum_zero, lower = e->sum_lower, upper = e->sum_upper;
  }
  vi whole_numbers = v_to_int(y);
  __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole_numbers), _mm256_extracti128_si256(whole_numbers, 1));
  words = _mm_adds_epi16(words, _mm_set1_epi16((short)zero));
  __m128i codes = _mm_max_epu8(_mm_packus_epi16(words, words), _mm_set1_epi8((char)lower));
  codes = _mm_min_epu8(codes, _mm_set1_epi8((char)upper));
  if (whole) {
    _mm_storel_epi64((__m128i *)((uint8_t *)e->c + at), codes);
  } else {
    uint64_t eight = (uint64_t)_mm_cvtsi128_si64(codes);
    memcpy((uint8_t *)e->c + at, &eight, n);
  }
}

CK_AVX2_END

#endif
#endif
