#include "epilogue.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)
CK_AVX512_BEGIN

void ck_avx512_store(const ck_epilogue *e, const __m512i *sums, int step, size_t row, size_t count, size_t column,
                     size_t end, const int32_t *row_sums) {
  const __m512i none = _mm512_setzero_si512();
  __mmask16 live = ck_mask16(end - column);
  __m512i column_sums = _mm512_maskz_loadu_epi32(live, e->column_sums + column);
  __m512i b_zero = e->b_zero ? _mm512_maskz_loadu_epi32(live, e->b_zero + column) : none;
  column_sums = _mm512_sub_epi32(column_sums, _mm512_mullo_epi32(b_zero, _mm512_set1_epi32(e->depth)));
  __m512i bias = e->bias && e->output != CK_OUT_F32 ? _mm512_maskz_loadu_epi32(live, e->bias + column) : none;
  __m512 multiplier =
    e->output == CK_OUT_S32 ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(live, e->multiplier + column);
  __m512 bias_f =
    e->output == CK_OUT_F32 && e->bias_f ? _mm512_maskz_loadu_ps(live, e->bias_f + column) : _mm512_setzero_ps();

  for (size_t r = 0; r < count; r++) {
    size_t i = row + r;
    __m512i a_zero = _mm512_set1_epi32(e->a_zeros ? e->a_zeros[i] : e->a_zero);
    __m512i acc = _mm512_sub_epi32(sums[r * (size_t)step], _mm512_mullo_epi32(a_zero, column_sums));
    if (e->b_zero) acc = _mm512_sub_epi32(acc, _mm512_mullo_epi32(b_zero, _mm512_set1_epi32(row_sums[r])));
    if (e->output == CK_OUT_F32) {
      __m512 scale = _mm512_mul_ps(_mm512_set1_ps(e->a_scales ? e->a_scales[i] : e->a_scale), multiplier);
      __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
      if (e->bias_f) v = _mm512_add_ps(v, bias_f);
      if (e->residual_f)
        v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(live, e->residual_f + i * e->residual_stride + column));
      v = _mm512_min_ps(_mm512_set1_ps(e->upper_f), _mm512_max_ps(_mm512_set1_ps(e->lower_f), v));
      _mm512_mask_storeu_ps((float *)e->c + i * e->c_stride + column, live, v);
      continue;
    }
    acc = _mm512_add_epi32(acc, bias);
    if (e->output == CK_OUT_S32) {
      _mm512_mask_storeu_epi32((int32_t *)e->c + i * e->c_stride + column, live, acc);
      continue;
    }
    __m512i codes = ck_codes512(
      _mm512_mul_ps(_mm512_cvtepi32_ps(acc), multiplier), _mm512_set1_ps((float)(e->lower - e->zero)),
      _mm512_set1_ps((float)(e->upper - e->zero)), none);
    if (!e->residual) {
      codes = _mm512_add_epi32(codes, _mm512_set1_epi32(e->zero));
    } else {
      __m512i r = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(live, e->residual + i * e->residual_stride + column));
      __m512 other = _mm512_cvtepi32_ps(_mm512_sub_epi32(r, _mm512_set1_epi32(e->r_zero)));
      __m512 v = _mm512_add_ps(
        _mm512_mul_ps(_mm512_cvtepi32_ps(codes), _mm512_set1_ps(e->branch_multiplier)),
        _mm512_mul_ps(other, _mm512_set1_ps(e->r_multiplier)));
      codes = ck_codes512(
        v, _mm512_set1_ps((float)(e->sum_lower - e->sum_zero)), _mm512_set1_ps((float)(e->sum_upper - e->sum_zero)),
        _mm512_set1_epi32(e->sum_zero));
    }
    uint8_t *c = (uint8_t *)e->c + i * e->c_stride + column;
    if (live == 0xFFFF)
      _mm_storeu_si128((__m128i *)c, _mm512_cvtepi32_epi8(codes));
    else
      _mm_mask_storeu_epi8(c, live, _mm512_cvtepi32_epi8(codes));
  }
}

CK_AVX512_END

#endif
