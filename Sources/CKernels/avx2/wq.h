// Where a lane of packed weights holds its codes, for products of bytes: four of four elements along k, and with narrower
// codes the next four above them in the same bytes. Narrow codes are stored plus 2^(bits − 1).
#ifndef CK_AVX2_WQ_H
#define CK_AVX2_WQ_H

#include "simd.h"

#if defined(__x86_64__)

#define V_CODE_BIAS(bits) ((bits) == 8 ? 0 : 1 << ((bits)-1))

CK_AVX2_BEGIN

/// The lowest bit of element x.
CK_INLINE unsigned v_code_place(unsigned bits, unsigned x) { return 8 * (x % 4) + x / 4 * bits; }

/// What turns the codes of a lane into two's complement: the highest bit of each that is stored with a bias.
CK_INLINE vf v_codebook(const int bits) {
  return v_float(vi_set((int32_t)(bits == 8 ? 0 : bits == 4 ? 0x88888888 : 0xAAAAAAAA)));
}

/// Element x of a unit.
CK_INLINE vf v_element(const int bits, vi unit, unsigned x, vf book) {
  unsigned above = 32 - (unsigned)bits - v_code_place((unsigned)bits, x);
  if (bits < 8) unit = _mm256_xor_si256(unit, v_bits(book));
  return v_from_int(vi_right(above ? vi_left(unit, above) : unit, 32 - bits));
}

typedef uint8_t v_wide;

/// sum plus the products of a unit's codes with the bytes at `a`, exact: the instruction that multiplies bytes adds two
/// products in 16 bits, where those of narrow codes have room for all of a unit; bytes are widened.
CK_INLINE vi v_dot(const int bits, vi sum, vi unit, const v_wide *a) {
  int32_t four;
  if (bits == 8) {
    memcpy(&four, a, 4);
    vi bytes = vi_set(four), even = _mm256_srai_epi16(_mm256_slli_epi16(unit, 8), 8);
    sum = vi_add(sum, _mm256_madd_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(255)), even));
    return vi_add(sum, _mm256_madd_epi16(_mm256_srli_epi16(bytes, 8), _mm256_srai_epi16(unit, 8)));
  }
  vi part = vi_set(0);
  CK_UNROLL for (int step = 0; step < 8 / bits; step++) {
    memcpy(&four, a + 4 * step, 4);
    vi codes = _mm256_and_si256(_mm256_srli_epi16(unit, step * bits), _mm256_set1_epi8((char)((1 << bits) - 1)));
    part = _mm256_add_epi16(part, _mm256_maddubs_epi16(vi_set(four), codes));
  }
  return vi_add(sum, _mm256_madd_epi16(part, _mm256_set1_epi16(1)));
}

/// `length` codes, filled up with zeros to `filled`; their sum.
static inline int32_t v_widen(const uint8_t *from, size_t length, size_t filled, v_wide *to) {
  vi sums = vi_set(0);
  size_t x = 0;
  for (; x + 32 <= length; x += 32) {
    vi v = vi_load(from + x);
    vi_store(to + x, v);
    sums = _mm256_add_epi64(sums, _mm256_sad_epu8(v, vi_set(0)));
  }
  __m128i both = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  int32_t sum = _mm_cvtsi128_si32(both) + _mm_extract_epi32(both, 2);
  for (; x < length; x++) {
    to[x] = from[x];
    sum += from[x];
  }
  for (; x < filled; x++) to[x] = 0;
  return sum;
}

CK_AVX2_END

#endif
#endif
