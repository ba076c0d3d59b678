// Where a lane of packed weights holds its codes, for products of 16-bit pairs: even elements along k in the lower half
// of the lane, odd ones in the upper half, lowest first; two's complement.
#ifndef CK_AVX2_WQ_H
#define CK_AVX2_WQ_H

#include "simd.h"

#if defined(__x86_64__)

#define V_CODE_BIAS(bits) ((bits)-(bits))

CK_AVX2_BEGIN

/// The lowest bit of element x.
CK_INLINE unsigned v_code_place(unsigned bits, unsigned x) { return 16 * (x % 2) + x / 2 * bits; }

/// No table: codes are extended by shifts.
CK_INLINE vf v_codebook(const int bits) { return v_set((float)bits); }

/// Element x of a unit.
CK_INLINE vf v_element(const int bits, vi unit, unsigned x, vf book) {
  (void)book;
  unsigned above = 32 - (unsigned)bits - v_code_place((unsigned)bits, x);
  return v_from_int(vi_right(above ? vi_left(unit, above) : unit, 32 - bits));
}

/// A step multiplies two elements.
enum { V_STEP = 2 };
typedef int16_t v_wide;

CK_INLINE vi v_step(const int bits, vi unit, unsigned step) {
  return _mm256_srai_epi16(_mm256_slli_epi16(unit, 16 - bits - (int)step * bits), 16 - bits);
}

CK_INLINE vi v_dot(vi sum, vi a, vi w) { return vi_add(sum, _mm256_madd_epi16(a, w)); }

/// `length` codes, filled up with zeros to `filled`; their sum.
static inline int32_t v_widen(const uint8_t *from, size_t length, size_t filled, v_wide *to) {
  int32_t sum = 0;
  for (size_t x = 0; x < length; x++) {
    to[x] = from[x];
    sum += from[x];
  }
  for (size_t x = length; x < filled; x++) to[x] = 0;
  return sum;
}

CK_AVX2_END

#endif
#endif
