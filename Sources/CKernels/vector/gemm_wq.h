// Float rows times weights with group scales. Few rows (a language model writing) are bound by the speed of memory:
// codes become floats in registers, four vectors side by side, and a group is summed before it is scaled. With many the
// weights become floats once for all rows of a call. Which way is taken depends on the whole product, so that an element
// does not depend on how rows are split.
#include "finish.h"
#include "wq.h"

enum { FEW = 4 };

static wq_layout layout(const ck_wq *w) {
  size_t count = w->n * w->taps * ck_divide_up(w->k, w->group);
  int halves = 1;
  uint16_t half;
  for (size_t i = 0; i < count && halves; i++) halves = ck_exact_half(w->scales[i], &half);
  return wq_layout_of(w->n, w->taps, w->k, w->bits, w->group, w->zeros != NULL, halves);
}

static size_t packed_bytes(const ck_wq *w) {
  wq_layout l = layout(w);
  return 64 + l.vectors * (l.vector_bytes + (w->for_bytes ? w->taps * l.groups * UNIT : 0));
}

static void pack(const ck_wq *w, void *packed) {
  const wq_layout l = layout(w);
  memset(packed, 0, packed_bytes(w));
  ((unsigned char *)packed)[0] = (unsigned char)l.zeros;
  ((unsigned char *)packed)[1] = (unsigned char)l.halves;
  int32_t *sums = (int32_t *)((char *)packed + 64 + l.vectors * l.vector_bytes);
  for (size_t j = 0; j < w->n; j++) {
    const wq_cursor c = wq_panel(&l, packed, j);
    const size_t lane = j % V_WIDTH;
    char *to = (char *)c.at;
    for (size_t tap = 0; tap < w->taps; tap++)
      for (size_t g = 0; g < l.groups; g++) {
        const size_t at = (j * w->taps + tap) * l.groups + g, length = wq_length(&l, g);
        uint16_t half;
        if (l.halves && ck_exact_half(w->scales[at], &half))
          memcpy(to + c.first * l.scale + 2 * lane, &half, 2);
        else
          memcpy(to + c.first * l.scale + 4 * lane, w->scales + at, 4);
        to += c.wide * l.scale;
        int32_t sum = 0;
        if (l.zeros) {
          memcpy(to + c.first * UNIT + 4 * lane, w->zeros + at, 4);
          to += c.wide * UNIT;
          if (w->for_bytes) sum = -(int32_t)length * (int32_t)w->zeros[at];
        }
        const int8_t *from = w->codes + (j * w->taps + tap) * w->k + g * w->group;
        for (size_t x = 0; x < length; x++) {
          unsigned code = (unsigned)(from[x] + V_CODE_BIAS((int)l.bits)) & ((1u << l.bits) - 1), lane_bits;
          char *unit = to + (x / l.per_unit * c.wide + c.first) * UNIT + 4 * lane;
          memcpy(&lane_bits, unit, 4);
          lane_bits |= code << v_code_place((unsigned)l.bits, (unsigned)(x % l.per_unit));
          memcpy(unit, &lane_bits, 4);
          sum += from[x];
        }
        to += ck_divide_up(length, l.per_unit) * c.wide * UNIT;
        if (w->for_bytes) sums[((j / V_WIDTH * w->taps + tap) * l.groups + g) * V_WIDTH + lane] = sum;
      }
  }
}

CK_INLINE void finish(const ck_gemm_wq *g, size_t i, size_t j, size_t end, vf y) {
  size_t left = end - j;
  int whole = left >= V_WIDTH;
  if (g->bias) y = y + v_load_part(whole, g->bias + j, left);
  v_finish(y, g->residual, i * g->residual_stride + j, v_set(g->lower), v_set(g->upper), g->c + i * g->c_stride + j,
           whole, left);
}

/// A few rows × V_WIDTH·panels columns, from the packed codes.
CK_INLINE void few(const int bits, const int rows, const int panels, const ck_gemm_wq *g, const wq_layout *l,
                   size_t i, size_t j, size_t end) {
  wq_cursor c = wq_panel(l, g->packed, j);
  vf book = v_codebook(bits), acc[8];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) acc[o] = v_set(0);

  for (size_t tap = 0; tap < g->rows.taps; tap++) {
    const float *a[FEW];
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] = ck_piece(&g->rows, i + (size_t)r, tap, sizeof(float));
    for (size_t s = 0; s < l->groups; s++) {
      vf scale[4], zero[4], part[8];
      CK_UNROLL for (int o = 0; o < rows * panels; o++) part[o] = v_set(0);
      wq_numbers(l, &c, panels, scale, zero);
      size_t length = wq_length(l, s);
#define UNITS(ZERO, COUNT)                                                         \
  {                                                                                \
    vi unit[4];                                                                    \
    wq_units(&c, panels, unit);                                                    \
    CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {                 \
      if (x >= (COUNT)) break;                                                     \
      CK_UNROLL for (int p = 0; p < panels; p++) {                                 \
        vf w = v_element(bits, unit[p], x, book);                                  \
        if (ZERO) w = w - zero[p];                                                 \
        CK_UNROLL for (int r = 0; r < rows; r++) {                                 \
          part[r * panels + p] = v_fma(v_set(a[r][x]), w, part[r * panels + p]);   \
        }                                                                          \
      }                                                                            \
    }                                                                              \
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] += (COUNT);                      \
  }
      size_t whole = length / (32 / bits), rest = length % (32 / bits);
      if (l->zeros) {
        for (size_t u = 0; u < whole; u++) UNITS(1, 32u / bits)
      } else {
        for (size_t u = 0; u < whole; u++) UNITS(0, 32u / bits)
      }
      if (rest) UNITS(1, rest)
#undef UNITS
      CK_UNROLL for (int r = 0; r < rows; r++) {
        CK_UNROLL for (int p = 0; p < panels; p++) {
          int o = r * panels + p;
          acc[o] = v_fma(part[o], scale[p], acc[o]);
        }
      }
    }
  }

  CK_UNROLL for (int p = 0; p < panels; p++) {
    CK_UNROLL for (int r = 0; r < rows; r++)
      finish(g, i + (size_t)r, j + V_WIDTH * (size_t)p, end, acc[r * panels + p]);
  }
}

typedef void (*few_kernel)(const ck_gemm_wq *, const wq_layout *, size_t, size_t, size_t);
#define FEW_KERNEL(bits, rows, panels)                                                                    \
  static void few_##bits##_##rows##x##panels(const ck_gemm_wq *g, const wq_layout *l, size_t i, size_t j, \
                                             size_t end) {                                                \
    few(bits, rows, panels, g, l, i, j, end);                                                             \
  }
#define FEW_KERNELS(bits)                                                                               \
  FEW_KERNEL(bits, 1, 1) FEW_KERNEL(bits, 1, 2) FEW_KERNEL(bits, 1, 4) FEW_KERNEL(bits, 2, 1)           \
  FEW_KERNEL(bits, 2, 2) FEW_KERNEL(bits, 4, 1)
FEW_KERNELS(8)
FEW_KERNELS(4)
FEW_KERNELS(2)

/// [bits][rows 1, 2, 4][vectors 1, 2, 4]
#define FEW_SET(bits)                                      \
  {{few_##bits##_1x1, few_##bits##_1x2, few_##bits##_1x4}, \
   {few_##bits##_2x1, few_##bits##_2x2},                   \
   {few_##bits##_4x1}}
static const few_kernel few_kernels[3][3][3] = {FEW_SET(8), FEW_SET(4), FEW_SET(2)};

static void gemm_few(const ck_gemm_wq *g, const wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const few_kernel(*kernels)[3] = few_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    const int row_choice = m1 - i >= 4 ? 2 : m1 - i >= 2 ? 1 : 0;
    for (size_t j = n0; j < n1;) {
      const size_t vectors = wq_vectors(l, j, n1);
      int choice = 2 - row_choice;
      while ((size_t)1 << choice > vectors) choice--;
      kernels[row_choice][choice](g, l, i, j, n1);
      j += V_WIDTH << choice;
    }
    i += (size_t)1 << row_choice;
  }
}

/// The weights of a vector of columns as floats, every `step` floats. Whole units are written: what the last one of a
/// group has too much, the next group or the slack of scratch takes.
CK_INLINE void expand(const int bits, const wq_layout *l, size_t taps, wq_cursor c, float *to, size_t step) {
  vf book = v_codebook(bits);
  for (size_t tap = 0; tap < taps; tap++)
    for (size_t s = 0; s < l->groups; s++) {
      vf scale, zero;
      wq_numbers(l, &c, 1, &scale, &zero);
      for (size_t left = wq_length(l, s); left;) {
        vi unit;
        wq_units(&c, 1, &unit);
        CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {
          v_store(to + step * x, (v_element(bits, unit, x, book) - zero) * scale);
        }
        size_t count = ck_min(left, 32 / (size_t)bits);
        to += step * count;
        left -= count;
      }
    }
}

/// Many rows: panel by panel the weights become floats, packed as the float product wants them.
static void gemm_many(const ck_gemm_wq *g, const wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t taps = g->rows.taps;
  ck_gemm_f32 f = {0};
  f.rows = g->rows;
  f.packed = g->scratch;
  f.c_stride = g->c_stride;
  f.residual_stride = g->residual_stride;
  f.lower = g->lower;
  f.upper = g->upper;
  for (size_t j = n0; j < n1; j += 2 * V_WIDTH) {
    f.n = ck_min(2 * V_WIDTH, n1 - j);
    const size_t step = f.n > V_WIDTH ? 2 * V_WIDTH : V_WIDTH;
    for (size_t p = 0; p < step; p += V_WIDTH) {
      const wq_cursor panel = wq_panel(l, g->packed, j + p);
      float *to = (float *)g->scratch + p;
      switch (g->bits) {
        case 8: expand(8, l, taps, panel, to, step); break;
        case 4: expand(4, l, taps, panel, to, step); break;
        default: expand(2, l, taps, panel, to, step);
      }
    }
    f.bias = g->bias ? g->bias + j : NULL;
    f.residual = g->residual ? g->residual + j : NULL;
    f.c = g->c + j;
    V_GEMM_F32(&f, m0, m1, 0, f.n);
  }
}

static void gemm_wq(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  wq_layout l = wq_open(g->packed, g->n, g->rows.taps, g->rows.k, g->bits, g->group);
  if (g->m <= FEW)
    gemm_few(g, &l, m0, m1, n0, n1);
  else
    gemm_many(g, &l, m0, m1, n0, n1);
}

static void fill_gemm_wq(ck_table *table) {
  table->packed_bytes_wq = packed_bytes;
  table->pack_wq = pack;
  table->wq_scratch_bytes = scratch_bytes;
  table->gemm_wq = gemm_wq;
}
