// Where a lane of packed weights holds its codes, for vpdpbusd: four bytes of four elements along k, and with narrower
// codes the next four above them in the same bytes. Narrow codes are stored plus 2^(bits − 1).
#ifndef CK_AVX512_WQ_H
#define CK_AVX512_WQ_H

#include "simd.h"

#if defined(__x86_64__)

#define V_CODE_BIAS(bits) ((bits) == 8 ? 0 : 1 << ((bits)-1))

CK_AVX512_BEGIN

/// The lowest bit of element x.
CK_INLINE unsigned v_code_place(unsigned bits, unsigned x) { return 8 * (x % 4) + x / 4 * bits; }

/// The floats that narrow codes stand for.
CK_INLINE vf v_codebook(const int bits) {
  vi i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  if (bits == 4) return v_from_int(vi_sub(i, vi_set(8)));
  return v_from_int(vi_sub(_mm512_and_si512(i, vi_set(3)), vi_set(2)));
}

/// Element x of a unit. A permutation reads only the low four bits of its index: no mask is needed.
CK_INLINE vf v_element(const int bits, vi unit, unsigned x, vf book) {
  if (bits == 8) return v_from_int(vi_right(x == 3 ? unit : vi_left(unit, 24 - 8 * x), 24));
  unsigned shift = v_code_place((unsigned)bits, x);
  return _mm512_permutexvar_ps(shift ? _mm512_srli_epi32(unit, shift) : unit, book);
}

/// A step multiplies four elements.
enum { V_STEP = 4 };
typedef uint8_t v_wide;

CK_INLINE vi v_step(const int bits, vi unit, unsigned step) {
  if (bits == 8) return unit;
  vi field = step ? _mm512_srli_epi16(unit, step * (unsigned)bits) : unit;
  return _mm512_and_si512(field, _mm512_set1_epi8((char)((1 << bits) - 1)));
}

/// sum plus the products of a unit's codes with the bytes at `a`.
CK_INLINE vi v_dot(const int bits, vi sum, vi unit, const v_wide *a) {
  CK_UNROLL for (int step = 0; step < 32 / bits / V_STEP; step++) {
    int32_t four;
    memcpy(&four, a + V_STEP * step, 4);
    sum = _mm512_dpbusd_epi32(sum, vi_set(four), v_step(bits, unit, (unsigned)step));
  }
  return sum;
}

/// `length` codes, filled up with zeros to `filled`; their sum.
static inline int32_t v_widen(const uint8_t *from, size_t length, size_t filled, v_wide *to) {
  vi sum = vi_set(0);
  for (size_t x = 0; x < length; x += 64) {
    __mmask64 live = length - x >= 64 ? ~0ull : (1ull << (length - x)) - 1;
    __mmask64 place = filled - x >= 64 ? ~0ull : (1ull << (filled - x)) - 1;
    vi v = _mm512_maskz_loadu_epi8(live, from + x);
    _mm512_mask_storeu_epi8(to + x, place, v);
    sum = _mm512_add_epi64(sum, _mm512_sad_epu8(v, vi_set(0)));
  }
  return (int32_t)_mm512_reduce_add_epi64(sum);
}

CK_AVX512_END

#endif
#endif
