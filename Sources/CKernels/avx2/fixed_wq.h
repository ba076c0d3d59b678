// The digits of ../vector/fixed_wq.h for the products of this level. Narrow codes, which are stored unsigned: three digits
// of a signed byte, v = 65536·d₂ + 256·d₁ + d₀, since sums of eight products of two codes fit 16 bits. Codes of a byte: two
// digits of 12 bits, v = 4096·d₁ + d₀, of which a lane holds those of elements 0 and 2, then those of 1 and 3.
enum { DIGITS = 3, BETWEEN = 4 };  // units whose sums fit 16 bits
#include "../vector/fixed_tile.h"

CK_INLINE size_t fixed_digit(int bits) { return bits == 8 ? 2 : 1; }
CK_INLINE size_t fixed_bytes(int bits) { return bits == 8 ? 4 : DIGITS; }
CK_INLINE size_t fixed_longest(int bits) { return bits == 8 ? 1 << 12 : 1 << 16; }

/// The lowest `count` bits of each lane of `v`, signed, which are taken off and shifted out.
#define TAKE_DIGIT(v, count)                                                             \
  vi_right(vi_left(v, 32 - (count)), 32 - (count));                                      \
  v = vi_right(vi_add(v, vi_set(1 << ((count)-1))), count)

/// Σ of the lanes of each of three vectors.
CK_INLINE void sums_of(const vi *x, int32_t *sum) {
  const vi pairs = _mm256_hadd_epi32(x[0], x[1]), last = _mm256_hadd_epi32(x[2], x[2]);
  const vi fours = _mm256_hadd_epi32(pairs, last);
  const __m128i all = _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
  int32_t four[4];
  _mm_storeu_si128((__m128i *)four, all);
  memcpy(sum, four, 4 * DIGITS);
}

/// Eight elements from place x on; zeros behind `length`.
CK_INLINE vf elements(const float *from, size_t x, size_t length) {
  return length >= x + V_WIDTH ? v_load(from + x) : length > x ? v_load_n(from + x, length - x) : v_set(0);
}

CK_INLINE int to_digits(int bits, const float *from, size_t length, size_t filled, size_t span, int8_t *to,
                     digit_group *group) {
  const vf limit = v_set(3.4e38f);
  vf largest = v_set(0), wrong = v_set(0);
  for (size_t x = 0; x < length; x += V_WIDTH) {
    const vf a = v_abs(elements(from, x, length));
    largest = v_max(largest, a);
    wrong = _mm256_or_ps(wrong, _mm256_cmp_ps(a, limit, _CMP_NLE_UQ));
  }
  if (_mm256_movemask_ps(wrong)) return 0;
  const float magnitude = v_highest(largest), most = magnitude > 1e-30f ? magnitude : 1e-30f;
  group->unit = most / LARGEST;
  const vf scale = v_set(LARGEST / most);
  vi sums[DIGITS] = {vi_set(0), vi_set(0), vi_set(0)};
  // Elements 0, 2 | 1, 3 of four, in 16 bits; and bytes of four lanes of 32 bits.
  const vi order = _mm256_setr_epi8(0, 1, 8, 9, 4, 5, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1,
                                    0, 1, 8, 9, 4, 5, 12, 13, -1, -1, -1, -1, -1, -1, -1, -1);
  const vi bytes = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                    0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  for (size_t x = 0; x < filled; x += V_WIDTH) {
    vi v = v_to_int(elements(from, x, length) * scale), digit[DIGITS];
    int count = DIGITS;
    if (bits == 8) {
      digit[0] = TAKE_DIGIT(v, 12);
      digit[1] = v;
      count = 2;
    } else {
      digit[0] = TAKE_DIGIT(v, 8);
      digit[1] = TAKE_DIGIT(v, 8);
      digit[2] = v;
    }
    for (int d = 0; d < count; d++) {
      sums[d] = vi_add(sums[d], digit[d]);
      const vi packed = _mm256_shuffle_epi8(digit[d], bits == 8 ? order : bytes);
      const __m128i low = _mm256_castsi256_si128(packed), high = _mm256_extracti128_si256(packed, 1);
      // Bytes are filled up by four elements, of which the second half may be another group's.
      if (bits == 8) {
        int8_t *at = to + 2 * ((size_t)d * span + x);
        _mm_storel_epi64((__m128i *)at, low);
        if (x + 4 < filled) _mm_storel_epi64((__m128i *)(at + 8), high);
      } else {
        int8_t *at = to + (size_t)d * span + x;
        _mm_storel_epi64((__m128i *)at, _mm_unpacklo_epi32(low, high));
      }
    }
  }
  int32_t sum[DIGITS];
  sums_of(sums, sum);
  for (int d = 0; d < DIGITS; d++) group->start[d] = -sum[d] * V_CODE_BIAS(bits);
  group->sum = bits == 8 ? (float)sum[1] * 4096 + (float)sum[0]
                         : (float)sum[2] * 65536 + ((float)sum[1] * 256 + (float)sum[0]);
  return 1;
}

/// One group of narrow codes: sums[digit] of rows × panels (two in all), as narrow units are read from the cursor.
CK_INLINE void narrow(const int bits, const int rows, const int panels, size_t units, wq_cursor *c, size_t skip,
                      const int8_t *a, size_t span, vi *sum) {
  const vi mask = _mm256_set1_epi8((char)((1 << bits) - 1)), ones = _mm256_set1_epi16(1);
  for (size_t u = 0; u < units;) {
    vi part[2 * DIGITS];
    CK_UNROLL for (int o = 0; o < rows * panels * DIGITS; o++) part[o] = vi_set(0);
    const size_t stop = ck_min(u + BETWEEN, units);
    for (; u < stop; u++) {
      const char *at = c->at + (u * c->wide + c->first + skip) * UNIT;
      if (c->wide == WIDE) __builtin_prefetch(at + AHEAD);
      vi unit[2];
      CK_UNROLL for (int p = 0; p < panels; p++) unit[p] = vi_load(at + UNIT * p);
      CK_UNROLL for (int step = 0; step < 8 / bits; step++) {
        vi w[2];
        CK_UNROLL for (int p = 0; p < panels; p++)
          w[p] = _mm256_and_si256(step ? _mm256_srli_epi16(unit[p], step * bits) : unit[p], mask);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          CK_UNROLL for (int d = 0; d < DIGITS; d++) {
            int32_t four;
            memcpy(&four, a + ((size_t)r * DIGITS + (size_t)d) * span + 4 * step, 4);
            const vi digits = vi_set(four);
            CK_UNROLL for (int p = 0; p < panels; p++) {
              const int o = (r * panels + p) * DIGITS + d;
              part[o] = _mm256_add_epi16(part[o], _mm256_maddubs_epi16(w[p], digits));
            }
          }
        }
      }
      a += 32 / bits;
    }
    CK_UNROLL for (int o = 0; o < rows * panels * DIGITS; o++) sum[o] = vi_add(sum[o], _mm256_madd_epi16(part[o], ones));
  }
}

/// The same of codes of a byte, with two digits.
CK_INLINE void whole(const int rows, const int panels, size_t units, wq_cursor *c, size_t skip, const int8_t *a,
                     size_t span, vi *sum) {
  for (size_t u = 0; u < units; u++) {
    const char *at = c->at + (u * c->wide + c->first + skip) * UNIT;
    if (c->wide == WIDE) __builtin_prefetch(at + AHEAD);
    CK_UNROLL for (int p = 0; p < panels; p++) {
      const vi unit = vi_load(at + UNIT * p);
      const vi even = _mm256_srai_epi16(_mm256_slli_epi16(unit, 8), 8), odd = _mm256_srai_epi16(unit, 8);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        CK_UNROLL for (int d = 0; d < 2; d++) {
          const int8_t *digits = a + 2 * ((size_t)r * 2 + (size_t)d) * span + 8 * u;
          int32_t two[2];
          memcpy(two, digits, 8);
          const int o = (r * panels + p) * DIGITS + d;
          sum[o] = vi_add(sum[o], _mm256_madd_epi16(even, vi_set(two[0])));
          sum[o] = vi_add(sum[o], _mm256_madd_epi16(odd, vi_set(two[1])));
        }
      }
    }
  }
}

/// `units` of every group, or 0 where they differ.
CK_INLINE void multiply_groups(const int bits, const int rows, const int panels, const size_t all_units,
                               const fixed_tile *t) {
  const wq_layout *l = t->l;
  const size_t all_groups = t->g->rows.taps * l->groups, span = l->span;
  // Sums of as many vectors fit the registers.
  const int together = rows == 1 && panels > 1 ? 2 : 1;
  wq_cursor c = wq_panel(l, t->g->packed, t->column);
  if (panels == WIDE) c = (wq_cursor){c.at, 0, WIDE};
  vf total[4];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) total[o] = v_set(0);
  const int8_t *a = t->digits;
  size_t group = 0;
  for (size_t s = 0; s < all_groups; s++) {
    vf scale[4], zero[4];
    wq_numbers(l, &c, panels, scale, zero);
    size_t units = all_units;
    if (!all_units) {
      units = ck_divide_up(wq_length(l, group), 32 / (size_t)bits);
      group = group + 1 == l->groups ? 0 : group + 1;
    }
    CK_UNROLL for (int first = 0; first < panels; first += together) {
      vi sum[2 * DIGITS];
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const digit_group *of = t->groups + (size_t)r * all_groups + s;
        CK_UNROLL for (int d = 0; d < DIGITS; d++) {
          CK_UNROLL for (int p = 0; p < together; p++) sum[(r * together + p) * DIGITS + d] = vi_set(of->start[d]);
        }
      }
      if (bits == 8)
        whole(rows, together, units, &c, (size_t)first, a, span, sum);
      else
        narrow(bits, rows, together, units, &c, (size_t)first, a, span, sum);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const digit_group *of = t->groups + (size_t)r * all_groups + s;
        CK_UNROLL for (int p = 0; p < together; p++) {
          const vi *of_sum = sum + (r * together + p) * DIGITS;
          const int o = r * panels + first + p;
          const float base = bits == 8 ? 4096 : 256;
          vf y = v_fma(v_from_int(of_sum[1]), v_set(base), v_from_int(of_sum[0]));
          if (bits < 8) y = v_fma(v_from_int(of_sum[2]), v_set(65536), y);
          if (l->zeros) y = y - zero[first + p] * v_set(of->sum);
          total[o] = v_fma(y * v_set(of->unit), scale[first + p], total[o]);
        }
      }
    }
    c.at += units * c.wide * UNIT;
    a += units * (32 / (size_t)bits) * fixed_digit(bits);
  }
  CK_UNROLL for (int p = 0; p < panels; p++) {
    CK_UNROLL for (int r = 0; r < rows; r++)
      finish(t->g, t->row + (size_t)r, t->column + V_WIDTH * (size_t)p, t->end, total[r * panels + p]);
  }
}

CK_INLINE void multiply(const int bits, const int rows, const int panels, const fixed_tile *t) {
  if (t->l->group == 32 && t->l->k % 32 == 0)
    multiply_groups(bits, rows, panels, (size_t)bits, t);
  else
    multiply_groups(bits, rows, panels, 0, t);
}
