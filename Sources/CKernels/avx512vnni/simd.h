// Vectors of 16 as the templates in ../vector spell them.
#ifndef CK_AVX512_SIMD_H
#define CK_AVX512_SIMD_H

#include "avx512vnni.h"

#if defined(__x86_64__)

CK_AVX512_BEGIN

enum { V_WIDTH = 16 };
#define V_TILE 14  // rows of a tile: 28 sums, and 4 registers to work with
#define V_GEMM_F32 ck_avx512_gemm_f32_rows
#define V_ADVANCE ck_avx512_advance
typedef __m512 vf;
typedef __m512i vi;

CK_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
CK_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
CK_INLINE vf v_load_half(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
CK_INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/// The first n < V_WIDTH lanes; the others are zero.
CK_INLINE vf v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(ck_mask16(n), p); }
CK_INLINE void v_store_n(float *p, size_t n, vf x) { _mm512_mask_storeu_ps(p, ck_mask16(n), x); }
/// `x` in the first n lanes, `other` in the rest.
CK_INLINE vf v_first(size_t n, vf x, vf other) { return _mm512_mask_mov_ps(other, ck_mask16(n), x); }
CK_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/// The second operand when one is NaN.
CK_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
CK_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
CK_INLINE vf v_sqrt(vf x) { return _mm512_sqrt_ps(x); }
CK_INLINE vf v_rne(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
CK_INLINE vi v_bits(vf x) { return _mm512_castps_si512(x); }
CK_INLINE vf v_float(vi x) { return _mm512_castsi512_ps(x); }
CK_INLINE vf v_abs(vf x) { return v_float(_mm512_and_si512(v_bits(x), _mm512_set1_epi32(0x7FFFFFFF))); }
/// The magnitude of x, the sign of s; x is not negative.
CK_INLINE vf v_signed(vf x, vf s) {
  return v_float(_mm512_or_si512(v_bits(x), _mm512_and_si512(v_bits(s), _mm512_set1_epi32((int)0x80000000))));
}
/// a < b ? x : y
CK_INLINE vf v_less(vf a, vf b, vf x, vf y) {
  return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), x);
}
/// low ≤ v ≤ high ? x : y
CK_INLINE vf v_within(vf v, vf low, vf high, vf x, vf y) {
  return _mm512_mask_mov_ps(y, _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(low, v, _CMP_LE_OQ), v, high, _CMP_LE_OQ), x);
}
CK_INLINE vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
CK_INLINE vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
CK_INLINE vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
CK_INLINE vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
CK_INLINE vi vi_load(const void *p) { return _mm512_loadu_si512(p); }
#define vi_left(x, n) _mm512_slli_epi32(x, n)
#define vi_right(x, n) _mm512_srai_epi32(x, n)
CK_INLINE vf v_from_int(vi x) { return _mm512_cvtepi32_ps(x); }
CK_INLINE vi v_to_int(vf x) { return _mm512_cvtps_epi32(x); }
#define V_TIMES_POWER
/// p · 2^n for a whole n.
CK_INLINE vf v_times_power(vf p, vf n) { return _mm512_scalef_ps(p, n); }
CK_INLINE vi v_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }
CK_INLINE vi v_load_u8_n(const uint8_t *p, size_t n) {
  return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(ck_mask16(n), p));
}
/// Lanes hold 0…255.
CK_INLINE void v_store_u8(uint8_t *p, vi x) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(x)); }
CK_INLINE void v_store_u8_n(uint8_t *p, size_t n, vi x) {
  _mm_mask_storeu_epi8(p, ck_mask16(n), _mm512_cvtepi32_epi8(x));
}
CK_INLINE float v_sum(vf x) { return _mm512_reduce_add_ps(x); }
CK_INLINE float v_lowest(vf x) { return _mm512_reduce_min_ps(x); }
CK_INLINE float v_highest(vf x) { return _mm512_reduce_max_ps(x); }

CK_AVX512_END

#endif
#endif
