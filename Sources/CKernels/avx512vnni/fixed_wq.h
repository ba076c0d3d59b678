// A few float rows times weights with group scales, at the speed of memory: after ../vector/gemm_wq.h.
//
// The elements of a group become whole numbers of 24 bits, in units of the largest magnitude / 8355000, written as three
// digits of one signed byte: v = 65536·d₂ + 256·d₁ + d₀. Then vpdpbusd multiplies four codes with four digits, where
// floats would need each code converted. Rounding to the unit costs no more than the rounding of a float sum; sums of
// digits are exact.

#define LARGEST 8355000.0f  // a little below 127·(65536 + 256 + 1), the most that three digits hold
enum { DIGITS = 3, LONGEST = 1 << 14 };  // sums of longer groups could leave int32

typedef struct {
  float unit;
  int32_t sums[DIGITS];  // Σ d over the group
} digit_group;

typedef struct {
  const ck_gemm_wq *g;
  const wq_layout *l;
  size_t row, column, end;
  const int8_t *digits;         // [rows][digit][span], groups filled up with zeros
  const digit_group *groups;    // [rows][taps · groups]
} fixed_tile;

/// One group as digits; 0 when an element is not finite.
static int to_digits(const float *from, size_t length, size_t filled, size_t span, int8_t *to, digit_group *group) {
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
  for (int d = 0; d < DIGITS; d++) group->sums[d] = _mm512_reduce_add_epi32(sums[d]);
  return 1;
}

CK_INLINE void multiply(const int bits, const int rows, const int panels, const fixed_tile *t) {
  const wq_layout *l = t->l;
  const size_t all_groups = t->g->rows.taps * l->groups, span = l->span;
  const char *at[4];
  CK_UNROLL for (int p = 0; p < panels; p++) at[p] = wq_panel(l, t->g->packed, t->column + V_WIDTH * (size_t)p);
  // Codes as unsigned bytes: narrow ones are stored plus half their range, bytes get it here.
  const vi flip = _mm512_set1_epi8((char)0x80);
  const int32_t half = 1 << (bits - 1);
  vf total[8];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) total[o] = v_set(0);
  const int8_t *a = t->digits;
  size_t group = 0;
  for (size_t s = 0; s < all_groups; s++) {
    vf scale[4], zero[4];
    vi sum[8 * DIGITS];
    CK_UNROLL for (int p = 0; p < panels; p++) {
      scale[p] = v_load((const float *)at[p]);
      zero[p] = l->zeros ? v_from_int(vi_load(at[p] + UNIT)) : v_set(0);
      at[p] += l->zeros ? 2 * UNIT : UNIT;
    }
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const digit_group *of = t->groups + (size_t)r * all_groups + s;
      CK_UNROLL for (int d = 0; d < DIGITS; d++) {
        CK_UNROLL for (int p = 0; p < panels; p++) sum[(r * panels + p) * DIGITS + d] = vi_set(-half * of->sums[d]);
      }
    }
    size_t units = ck_divide_up(wq_length(l, group), l->per_unit);
    group = group + 1 == l->groups ? 0 : group + 1;
    for (size_t u = 0; u < units; u++) {
      vi unit[4];
      CK_UNROLL for (int p = 0; p < panels; p++) {
        unit[p] = vi_load(at[p]);
        if (bits == 8) unit[p] = _mm512_xor_si512(unit[p], flip);
        at[p] += UNIT;
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
      const vf all = v_set((float)of->sums[2] * 65536 + ((float)of->sums[1] * 256 + (float)of->sums[0]));
      CK_UNROLL for (int p = 0; p < panels; p++) {
        const int o = r * panels + p;
        vf y = v_fma(v_from_int(sum[o * DIGITS + 1]), v_set(256), v_from_int(sum[o * DIGITS]));
        y = v_fma(v_from_int(sum[o * DIGITS + 2]), v_set(65536), y);
        if (l->zeros) y = y - zero[p] * all;
        total[o] = v_fma(y * v_set(of->unit), scale[p], total[o]);
      }
    }
  }
  CK_UNROLL for (int p = 0; p < panels; p++) {
    CK_UNROLL for (int r = 0; r < rows; r++)
      finish(t->g, t->row + (size_t)r, t->column + V_WIDTH * (size_t)p, t->end, total[r * panels + p]);
  }
}

typedef void (*fixed_kernel)(const fixed_tile *);
#define FIXED(bits, rows, panels) \
  static void fixed_##bits##_##rows##x##panels(const fixed_tile *t) { multiply(bits, rows, panels, t); }
#define FIXED_KERNELS(bits) FIXED(bits, 1, 4) FIXED(bits, 1, 1) FIXED(bits, 2, 2) FIXED(bits, 2, 1)
FIXED_KERNELS(8)
FIXED_KERNELS(4)
FIXED_KERNELS(2)
#define FIXED_SET(bits) {{fixed_##bits##_1x1, fixed_##bits##_1x4}, {fixed_##bits##_2x1, fixed_##bits##_2x2}}
/// [bits][rows - 1][several panels]
static const fixed_kernel fixed_kernels[3][2][2] = {FIXED_SET(8), FIXED_SET(4), FIXED_SET(2)};

/// 0 where this is not the way: an element is not finite, or a group too long.
static int fixed(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t taps = g->rows.taps, k = g->rows.k;
  const wq_layout l = wq_open(taps, k, g->bits, g->group, wq_has_zeros(g->packed));
  const size_t groups_bytes = taps * l.groups * sizeof(digit_group), row_bytes = DIGITS * l.span + groups_bytes;
  if (ck_min(g->group, k) > LONGEST || row_bytes > scratch_bytes(taps, k)) return 0;
  const size_t most = 2 * row_bytes <= scratch_bytes(taps, k) ? 2 : 1;
  const fixed_kernel(*set)[2] = fixed_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  fixed_tile t = {g, &l, m0, n0, n1, NULL, NULL};
  while (t.row < m1) {
    const size_t rows = ck_min(most, m1 - t.row);
    digit_group *groups = g->scratch;
    int8_t *digits = (int8_t *)(groups + rows * taps * l.groups);
    t.groups = groups;
    t.digits = digits;
    for (size_t r = 0; r < rows; r++, digits += (DIGITS - 1) * l.span)
      for (size_t tap = 0; tap < taps; tap++) {
        const float *from = ck_piece(&g->rows, t.row + r, tap, sizeof(float));
        for (size_t s = 0; s < l.groups; s++) {
          size_t length = wq_length(&l, s), filled = ck_divide_up(length, l.per_unit) * l.per_unit;
          if (!to_digits(from, length, filled, l.span, digits, groups++)) return 0;
          from += length;
          digits += filled;
        }
      }
    const size_t several = (rows == 1 ? 4 : 2) * V_WIDTH;
    for (t.column = n0; t.column < n1;) {
      const int together = n1 - t.column >= several;
      set[rows - 1][together](&t);
      t.column += together ? several : V_WIDTH;
    }
    t.row += rows;
  }
  return 1;
}
