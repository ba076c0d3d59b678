// Vectors of 8 as the templates in ../vector spell them.
#ifndef CK_AVX2_SIMD_H
#define CK_AVX2_SIMD_H

#include "avx2.h"

#if defined(__x86_64__)

CK_AVX2_BEGIN

enum { V_WIDTH = 8 };
#define V_TILE 6  // rows of a tile: 12 sums, and 4 registers to work with
#define V_GEMM_F32 ck_avx2_gemm_f32_rows
#define V_ADVANCE ck_segments_advance
typedef __m256 vf;
typedef __m256i vi;

CK_INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
CK_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
CK_INLINE vf v_load_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
CK_INLINE void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
/// All bits in the first n < 8 lanes.
CK_INLINE vi v_mask(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
/// The first n < V_WIDTH lanes; the others are zero.
CK_INLINE vf v_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, v_mask(n)); }
CK_INLINE void v_store_n(float *p, size_t n, vf x) { _mm256_maskstore_ps(p, v_mask(n), x); }
/// `x` in the first n lanes, `other` in the rest.
CK_INLINE vf v_first(size_t n, vf x, vf other) { return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(v_mask(n))); }
CK_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
/// The second operand when one is NaN.
CK_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
CK_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
CK_INLINE vf v_sqrt(vf x) { return _mm256_sqrt_ps(x); }
CK_INLINE vf v_rne(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
CK_INLINE vi v_bits(vf x) { return _mm256_castps_si256(x); }
CK_INLINE vf v_float(vi x) { return _mm256_castsi256_ps(x); }
CK_INLINE vf v_abs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
/// The magnitude of x, the sign of s; x is not negative.
CK_INLINE vf v_signed(vf x, vf s) { return _mm256_or_ps(x, _mm256_and_ps(s, _mm256_set1_ps(-0.0f))); }
/// a < b ? x : y
CK_INLINE vf v_less(vf a, vf b, vf x, vf y) { return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
/// low ≤ v ≤ high ? x : y
CK_INLINE vf v_within(vf v, vf low, vf high, vf x, vf y) {
  return _mm256_blendv_ps(y, x, _mm256_and_ps(_mm256_cmp_ps(low, v, _CMP_LE_OQ), _mm256_cmp_ps(v, high, _CMP_LE_OQ)));
}
CK_INLINE vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
CK_INLINE vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
CK_INLINE vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
CK_INLINE vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
CK_INLINE vi vi_load(const void *p) { return _mm256_loadu_si256(p); }
CK_INLINE vi vi_load_n(const void *p, size_t n) { return _mm256_maskload_epi32(p, v_mask(n)); }
CK_INLINE void vi_store(void *p, vi x) { _mm256_storeu_si256(p, x); }
CK_INLINE void vi_store_n(void *p, size_t n, vi x) { _mm256_maskstore_epi32(p, v_mask(n), x); }
#define vi_left(x, n) _mm256_slli_epi32(x, (int)(n))
#define vi_right(x, n) _mm256_srai_epi32(x, (int)(n))
CK_INLINE vf v_from_int(vi x) { return _mm256_cvtepi32_ps(x); }
CK_INLINE vi v_to_int(vf x) { return _mm256_cvtps_epi32(x); }
CK_INLINE vi v_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
CK_INLINE vi v_load_u8_n(const uint8_t *p, size_t n) {
  uint8_t eight[8] = {0};
  for (size_t i = 0; i < n; i++) eight[i] = p[i];
  return v_load_u8(eight);
}
/// Lanes hold 0…255.
CK_INLINE void v_store_u8(uint8_t *p, vi x) {
  __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
}
CK_INLINE void v_store_u8_n(uint8_t *p, size_t n, vi x) {
  uint8_t eight[8];
  v_store_u8(eight, x);
  for (size_t i = 0; i < n; i++) p[i] = eight[i];
}
CK_INLINE float v_sum(vf x) {
  __m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_add_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_add_ss(y, _mm_shuffle_ps(y, y, 1)));
}
CK_INLINE float v_lowest(vf x) {
  __m128 y = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  y = _mm_min_ps(y, _mm_movehl_ps(y, y));
  return _mm_cvtss_f32(_mm_min_ss(y, _mm_shuffle_ps(y, y, 1)));
}
CK_INLINE float v_highest(vf x) { return -v_lowest(_mm256_xor_ps(x, _mm256_set1_ps(-0.0f))); }

CK_AVX2_END

#endif
#endif
