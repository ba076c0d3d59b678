// Vectors of 4 as the templates in ../vector spell them.
#ifndef CK_NEON_SIMD_H
#define CK_NEON_SIMD_H

#include "neon.h"

#if defined(__aarch64__)

CK_NEON_BEGIN

enum { V_WIDTH = 4 };
#define V_TILE 14  // rows of a tile: 28 sums, and 4 registers to work with
#define V_GEMM_F32 ck_neon_gemm_f32_rows
#define V_ADVANCE ck_segments_advance
typedef float32x4_t vf;
typedef int32x4_t vi;

CK_INLINE vf v_set(float x) { return vdupq_n_f32(x); }
CK_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
CK_INLINE vf v_load_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
CK_INLINE void v_store(float *p, vf x) { vst1q_f32(p, x); }
CK_INLINE vi vi_set(int32_t x) { return vdupq_n_s32(x); }
CK_INLINE vi vi_load(const void *p) { return vld1q_s32(p); }
CK_INLINE void vi_store(void *p, vi x) { vst1q_s32(p, x); }
CK_INLINE vi v_bits(vf x) { return vreinterpretq_s32_f32(x); }
CK_INLINE vf v_float(vi x) { return vreinterpretq_f32_s32(x); }

/// The first n < 16 bytes; the others are zero. Copies of fixed sizes, because a copy of any size is a call.
CK_INLINE uint8x16_t v_load_bytes(const void *p, size_t n) {
  uint8_t part[16] = {0};
  const uint8_t *from = p;
  size_t at = 0;
  if (n & 8) memcpy(part, from, 8), at = 8;
  if (n & 4) memcpy(part + at, from + at, 4), at += 4;
  if (n & 2) memcpy(part + at, from + at, 2), at += 2;
  if (n & 1) part[at] = from[at];
  return vld1q_u8(part);
}
CK_INLINE void v_store_bytes(void *p, size_t n, uint8x16_t x) {
  uint8_t part[16], *to = p;
  vst1q_u8(part, x);
  size_t at = 0;
  if (n & 8) memcpy(to, part, 8), at = 8;
  if (n & 4) memcpy(to + at, part + at, 4), at += 4;
  if (n & 2) memcpy(to + at, part + at, 2), at += 2;
  if (n & 1) to[at] = part[at];
}

/// The first n < V_WIDTH lanes; the others are zero.
CK_INLINE vi vi_load_n(const void *p, size_t n) { return vreinterpretq_s32_u8(v_load_bytes(p, 4 * n)); }
CK_INLINE void vi_store_n(void *p, size_t n, vi x) { v_store_bytes(p, 4 * n, vreinterpretq_u8_s32(x)); }
CK_INLINE vf v_load_n(const float *p, size_t n) { return v_float(vi_load_n(p, n)); }
CK_INLINE void v_store_n(float *p, size_t n, vf x) { vi_store_n(p, n, v_bits(x)); }
/// `x` in the first n lanes, `other` in the rest.
CK_INLINE vf v_first(size_t n, vf x, vf other) {
  const uint32x4_t lanes = {0, 1, 2, 3};
  return vbslq_f32(vcltq_u32(lanes, vdupq_n_u32((uint32_t)n)), x, other);
}
CK_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
/// The second operand when one is NaN.
CK_INLINE vf v_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
CK_INLINE vf v_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
CK_INLINE vf v_sqrt(vf x) { return vsqrtq_f32(x); }
CK_INLINE vf v_rne(vf x) { return vrndnq_f32(x); }
CK_INLINE vf v_abs(vf x) { return vabsq_f32(x); }
/// The magnitude of x, the sign of s; x is not negative.
CK_INLINE vf v_signed(vf x, vf s) { return vbslq_f32(vdupq_n_u32(0x80000000), s, x); }
/// a < b ? x : y
CK_INLINE vf v_less(vf a, vf b, vf x, vf y) { return vbslq_f32(vcltq_f32(a, b), x, y); }
/// low ≤ v ≤ high ? x : y
CK_INLINE vf v_within(vf v, vf low, vf high, vf x, vf y) {
  return vbslq_f32(vandq_u32(vcleq_f32(low, v), vcleq_f32(v, high)), x, y);
}
CK_INLINE vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
CK_INLINE vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
CK_INLINE vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
CK_INLINE vi vi_left(vi x, unsigned n) { return vshlq_s32(x, vdupq_n_s32((int32_t)n)); }
CK_INLINE vi vi_right(vi x, unsigned n) { return vshlq_s32(x, vdupq_n_s32(-(int32_t)n)); }
CK_INLINE vf v_from_int(vi x) { return vcvtq_f32_s32(x); }
CK_INLINE vi v_to_int(vf x) { return vcvtnq_s32_f32(x); }
CK_INLINE vi v_load_u8(const uint8_t *p) {
  uint32_t four;
  memcpy(&four, p, 4);
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
CK_INLINE vi v_load_u8_n(const uint8_t *p, size_t n) {
  uint8_t four[4] = {0};
  for (size_t i = 0; i < n; i++) four[i] = p[i];
  return v_load_u8(four);
}
/// Lanes hold 0…255.
CK_INLINE void v_store_u8(uint8_t *p, vi x) {
  uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(x));
  uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
  memcpy(p, &four, 4);
}
CK_INLINE void v_store_u8_n(uint8_t *p, size_t n, vi x) {
  uint8_t four[4];
  v_store_u8(four, x);
  for (size_t i = 0; i < n; i++) p[i] = four[i];
}
CK_INLINE float v_sum(vf x) { return vaddvq_f32(x); }
CK_INLINE float v_lowest(vf x) { return vminvq_f32(x); }
CK_INLINE float v_highest(vf x) { return vmaxvq_f32(x); }

CK_NEON_END

#endif
#endif
