// The digits of ../vector/fixed_wq.h for vpdpbusd, which multiplies four codes with four digits: three digits of one
// signed byte, v = 65536·d₂ + 256·d₁ + d₀.
enum { DIGITS = 3 };
#include "../vector/fixed_tile.h"

CK_INLINE size_t fixed_digit(int bits) { return (void)bits, 1; }
CK_INLINE size_t fixed_bytes(int bits) { return (void)bits, DIGITS; }
CK_INLINE size_t fixed_longest(int bits) { return (void)bits, 1 << 14; }

/// One group as digits; 0 when an element is not finite.
static int to_digits(int bits, const float *from, size_t length, size_t filled, size_t span, int8_t *to,
                     digit_group *group) {
  const __m512 limit = _mm512_set1_ps(3.4e38f);
  __m512 largest = _mm512_setzero_ps();
  __mmask16 wrong = 0;
  for (size_t x = 0; x < length; x += 16) {
    __m512 a = _mm512_abs_ps(_mm512_maskz_loadu_ps(ck_mask16(length - x), from + x));
    largest = _mm512_max_ps(largest, a);
    wrong |= _mm512_cmp_ps_mask(a, limit, _CMP_NLE_UQ);
  }
  if (wrong) return 0;
  const float magnitude = _mm512_reduce_max_ps(largest);
  const float most = magnitude > 1e-30f ? magnitude : 1e-30f;
  group->unit = most / LARGEST;
  const __m512 scale = _mm512_set1_ps(LARGEST / most);
  const __m512i byte = _mm512_set1_epi32(128);
  __m512i sums[DIGITS] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (size_t x = 0; x < filled; x += 16) {
    __m512 a = x < length ? _mm512_maskz_loadu_ps(ck_mask16(length - x), from + x) : _mm512_setzero_ps();
    __m512i v = _mm512_cvtps_epi32(_mm512_mul_ps(a, scale));
    __m512i digit[DIGITS];
    // The lowest digit in -128…127 leaves a multiple of 256, and so on.
    digit[0] = _mm512_srai_epi32(_mm512_slli_epi32(v, 24), 24);
    v = _mm512_srai_epi32(_mm512_add_epi32(v, byte), 8);
    digit[1] = _mm512_srai_epi32(_mm512_slli_epi32(v, 24), 24);
    digit[2] = _mm512_srai_epi32(_mm512_add_epi32(v, byte), 8);
    __mmask16 place = ck_mask16(filled - x);
    for (int d = 0; d < DIGITS; d++) {
      sums[d] = _mm512_add_epi32(sums[d], digit[d]);
      _mm_mask_storeu_epi8(to + (size_t)d * span + x, place, _mm512_cvtepi32_epi8(digit[d]));
    }
  }
  // Codes become unsigned bytes: narrow ones are stored plus half their range, bytes get it where they are read.
  int32_t sum[DIGITS];
  for (int d = 0; d < DIGITS; d++) {
    sum[d] = _mm512_reduce_add_epi32(sums[d]);
    group->start[d] = -sum[d] * (1 << (bits - 1));
  }
  group->sum = (float)sum[2] * 65536 + ((float)sum[1] * 256 + (float)sum[0]);
  return 1;
}

/// `units` of every group, or 0 where they differ.
CK_INLINE void multiply_groups(const int bits, const int rows, const int panels, const size_t all_units,
                               const fixed_tile *t) {
  const wq_layout *l = t->l;
  const size_t all_groups = t->g->rows.taps * l->groups, span = l->span;
  wq_cursor c = wq_panel(l, t->g->packed, t->column);
  if (panels == WIDE) c = (wq_cursor){c.at, 0, WIDE};
  const vi flip = _mm512_set1_epi8((char)0x80);
  vf total[4];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) total[o] = v_set(0);
  const int8_t *a = t->digits;
  size_t group = 0;
  for (size_t s = 0; s < all_groups; s++) {
    vf scale[4], zero[4];
    vi sum[4 * DIGITS];
    wq_numbers(l, &c, panels, scale, zero);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const digit_group *of = t->groups + (size_t)r * all_groups + s;
      CK_UNROLL for (int d = 0; d < DIGITS; d++) {
        CK_UNROLL for (int p = 0; p < panels; p++) sum[(r * panels + p) * DIGITS + d] = vi_set(of->start[d]);
      }
    }
    size_t units = all_units;
    if (!all_units) {
      units = ck_divide_up(wq_length(l, group), 32 / (size_t)bits);
      group = group + 1 == l->groups ? 0 : group + 1;
    }
    for (size_t u = 0; u < units; u++) {
      vi unit[4];
      if (panels == WIDE) {
        CK_UNROLL for (int p = 0; p < panels; p++) __builtin_prefetch(c.at + AHEAD + UNIT * p);
      }
      wq_units(&c, panels, unit);
      if (bits == 8) {
        CK_UNROLL for (int p = 0; p < panels; p++) unit[p] = _mm512_xor_si512(unit[p], flip);
      }
      CK_UNROLL for (int step = 0; step < 32 / bits / V_STEP; step++) {
        vi w[4];
        CK_UNROLL for (int p = 0; p < panels; p++) w[p] = v_step(bits, unit[p], (unsigned)step);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          CK_UNROLL for (int d = 0; d < DIGITS; d++) {
            int32_t four;
            memcpy(&four, a + ((size_t)r * DIGITS + (size_t)d) * span + V_STEP * step, 4);
            vi digits = vi_set(four);
            CK_UNROLL for (int p = 0; p < panels; p++) {
              const int o = (r * panels + p) * DIGITS + d;
              sum[o] = _mm512_dpbusd_epi32(sum[o], w[p], digits);
            }
          }
        }
      }
      a += 32 / bits;
    }
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const digit_group *of = t->groups + (size_t)r * all_groups + s;
      CK_UNROLL for (int p = 0; p < panels; p++) {
        const int o = r * panels + p;
        vf y = v_fma(v_from_int(sum[o * DIGITS + 1]), v_set(256), v_from_int(sum[o * DIGITS]));
        y = v_fma(v_from_int(sum[o * DIGITS + 2]), v_set(65536), y);
        if (l->zeros) y = y - zero[p] * v_set(of->sum);
        total[o] = v_fma(y * v_set(of->unit), scale[p], total[o]);
      }
    }
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
