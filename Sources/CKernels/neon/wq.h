// Where a lane of packed weights holds its codes, for udot: four bytes of four elements along k, and with narrower
// codes the next four above them in the same bytes. All codes are stored plus 2^(bits − 1), so that both sides of the
// product are unsigned: there is no product of unsigned and signed bytes at this level.
#ifndef CK_NEON_WQ_H
#define CK_NEON_WQ_H

#include "simd.h"

#if defined(__aarch64__)

#define V_CODE_BIAS(bits) (1 << ((bits)-1))

CK_NEON_BEGIN

/// The lowest bit of element x.
CK_INLINE unsigned v_code_place(unsigned bits, unsigned x) { return 8 * (x % 4) + x / 4 * bits; }

/// What turns the codes of a lane into two's complement: the highest bit of each.
CK_INLINE vf v_codebook(const int bits) {
  return v_float(vi_set((int32_t)(bits == 8 ? 0x80808080 : bits == 4 ? 0x88888888 : 0xAAAAAAAA)));
}

/// Element x of a unit.
CK_INLINE vf v_element(const int bits, vi unit, unsigned x, vf book) {
  unsigned above = 32 - (unsigned)bits - v_code_place((unsigned)bits, x);
  return v_from_int(vi_right(vi_left(unit ^ v_bits(book), above), 32 - (unsigned)bits));
}

/// A step multiplies four elements.
enum { V_STEP = 4 };
typedef uint8_t v_wide;

CK_INLINE vi v_step(const int bits, vi unit, unsigned step) {
  uint8x16_t bytes = vreinterpretq_u8_s32(unit);
  if (bits < 8) {
    bytes = vshlq_u8(bytes, vdupq_n_s8((int8_t)-(int)(step * (unsigned)bits)));
    bytes = vandq_u8(bytes, vdupq_n_u8((uint8_t)((1 << bits) - 1)));
  }
  return vreinterpretq_s32_u8(bytes);
}

/// sum plus the products of a unit's codes with the bytes at `a`.
CK_INLINE vi v_dot(const int bits, vi sum, vi unit, const v_wide *a) {
  uint32x4_t added = vreinterpretq_u32_s32(sum);
  CK_UNROLL for (int step = 0; step < 32 / bits / V_STEP; step++) {
    int32_t four;
    memcpy(&four, a + V_STEP * step, 4);
    vi codes = v_step(bits, unit, (unsigned)step);
    added = vdotq_u32(added, vreinterpretq_u8_s32(vi_set(four)), vreinterpretq_u8_s32(codes));
  }
  return vreinterpretq_s32_u32(added);
}

/// `length` codes, filled up with zeros to `filled`; their sum.
static inline int32_t v_widen(const uint8_t *from, size_t length, size_t filled, v_wide *to) {
  uint32x4_t sums = vdupq_n_u32(0);
  size_t x = 0;
  for (; x + 16 <= length; x += 16) {
    uint8x16_t v = vld1q_u8(from + x);
    vst1q_u8(to + x, v);
    sums = vdotq_u32(sums, v, vdupq_n_u8(1));
  }
  uint32_t sum = vaddvq_u32(sums);
  for (; x < length; x++) {
    to[x] = from[x];
    sum += from[x];
  }
  for (; x < filled; x++) to[x] = 0;
  return (int32_t)sum;
}

CK_NEON_END

#endif
#endif
