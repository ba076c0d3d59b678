// Float rows times weights with group scales. Few rows (a language model writing) are bound by the speed of memory:
// codes become floats in registers, four panels in parallel. More rows take a panel of codes as floats from scratch.
// Both sum a group first and then add scale · sum, so that an element does not depend on how rows are split.
#include "wq.h"

enum { FEW = 4, SHORT = 8 };

static size_t packed_bytes(size_t n, size_t taps, size_t k, size_t bits, size_t group) {
  wq_layout l = wq_open(taps, k, bits, group, 1);
  return 64 + ck_divide_up(n, V_WIDTH) * (l.panel_bytes + taps * l.groups * UNIT);
}

static void pack(size_t n, size_t taps, size_t k, size_t bits, size_t group, const int8_t *codes, const float *scales,
                 const int32_t *zeros, void *packed) {
  wq_layout l = wq_open(taps, k, bits, group, zeros != NULL);
  size_t panels = ck_divide_up(n, V_WIDTH);
  memset(packed, 0, 64 + panels * (l.panel_bytes + taps * l.groups * UNIT));
  *(unsigned char *)packed = zeros != NULL;
  int32_t *sums = (int32_t *)((char *)packed + 64 + panels * l.panel_bytes);
  for (size_t j = 0; j < n; j++) {
    char *to = (char *)wq_panel(&l, packed, j);
    size_t lane = j % V_WIDTH;
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t g = 0; g < l.groups; g++) {
        size_t at = (j * taps + tap) * l.groups + g, length = wq_length(&l, g);
        memcpy(to + 4 * lane, scales + at, 4);
        to += UNIT;
        int32_t sum = 0;
        if (zeros) {
          memcpy(to + 4 * lane, zeros + at, 4);
          to += UNIT;
          sum = -(int32_t)length * zeros[at];
        }
        const int8_t *from = codes + (j * taps + tap) * k + g * group;
        for (size_t x = 0; x < length; x++) {
          unsigned code = (unsigned)(from[x] + V_CODE_BIAS((int)bits)) & ((1u << bits) - 1), lane_bits;
          char *unit = to + x / l.per_unit * UNIT + 4 * lane;
          memcpy(&lane_bits, unit, 4);
          lane_bits |= code << v_code_place((unsigned)bits, (unsigned)(x % l.per_unit));
          memcpy(unit, &lane_bits, 4);
          sum += from[x];
        }
        to += ck_divide_up(length, l.per_unit) * UNIT;
        sums[((j / V_WIDTH * taps + tap) * l.groups + g) * V_WIDTH + lane] = sum;
      }
  }
}

CK_INLINE void finish(const ck_gemm_wq *g, size_t i, size_t j, size_t end, vf y) {
  size_t left = end - j;
  int whole = left >= V_WIDTH;
  if (g->bias) y = y + (whole ? v_load(g->bias + j) : v_load_n(g->bias + j, left));
  if (g->residual) {
    const float *x = g->residual + i * g->residual_stride + j;
    y = y + (whole ? v_load(x) : v_load_n(x, left));
  }
  y = v_min(v_set(g->upper), v_max(v_set(g->lower), y));
  float *c = g->c + i * g->c_stride + j;
  if (whole)
    v_store(c, y);
  else
    v_store_n(c, left, y);
}

/// A few rows × V_WIDTH·panels columns, from the packed codes.
CK_INLINE void few(const int bits, const int rows, const int panels, const ck_gemm_wq *g, const wq_layout *l,
                   size_t i, size_t j, size_t end) {
  const char *at[4];
  CK_UNROLL for (int p = 0; p < panels; p++) at[p] = wq_panel(l, g->packed, j + V_WIDTH * (size_t)p);
  vf book = v_codebook(bits), acc[8];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) acc[o] = v_set(0);

  for (size_t tap = 0; tap < g->rows.taps; tap++) {
    const float *a[FEW];
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] = ck_piece(&g->rows, i + (size_t)r, tap, sizeof(float));
    for (size_t s = 0; s < l->groups; s++) {
      vf scale[4], zero[4], part[8];
      CK_UNROLL for (int o = 0; o < rows * panels; o++) part[o] = v_set(0);
      CK_UNROLL for (int p = 0; p < panels; p++) {
        scale[p] = v_load((const float *)at[p]);
        zero[p] = l->zeros ? v_from_int(vi_load(at[p] + UNIT)) : v_set(0);
        at[p] += l->zeros ? 2 * UNIT : UNIT;
      }
      size_t length = wq_length(l, s);
#define UNIT(ZERO, COUNT)                                                                      \
  {                                                                                            \
    vi unit[4];                                                                           \
    CK_UNROLL for (int p = 0; p < panels; p++) {                                               \
      unit[p] = vi_load(at[p]);                                                     \
      at[p] += UNIT;                                                                             \
    }                                                                                          \
    CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {                             \
      if (x >= (COUNT)) break;                                                                 \
      CK_UNROLL for (int p = 0; p < panels; p++) {                                             \
        vf w = v_element(bits, unit[p], x, book);                                            \
        if (ZERO) w = w - zero[p];                                               \
        CK_UNROLL for (int r = 0; r < rows; r++) {                                             \
          part[r * panels + p] = v_fma(v_set(a[r][x]), w, part[r * panels + p]); \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] += (COUNT);                                  \
  }
      size_t whole = length / (32 / bits), rest = length % (32 / bits);
      if (l->zeros) {
        for (size_t u = 0; u < whole; u++) UNIT(1, 32u / bits)
      } else {
        for (size_t u = 0; u < whole; u++) UNIT(0, 32u / bits)
      }
      if (rest) UNIT(1, rest)
#undef UNIT
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
#define FEW_KERNEL(bits, rows, panels)                                                                      \
  static void few_##bits##_##rows##x##panels(const ck_gemm_wq *g, const wq_layout *l, size_t i, size_t j, \
                                             size_t end) {                                                  \
    few(bits, rows, panels, g, l, i, j, end);                                                               \
  }
#define FEW_KERNELS(bits) \
  FEW_KERNEL(bits, 1, 4) FEW_KERNEL(bits, 1, 1) FEW_KERNEL(bits, 2, 2) FEW_KERNEL(bits, 2, 1) FEW_KERNEL(bits, 4, 1)
FEW_KERNELS(8)
FEW_KERNELS(4)
FEW_KERNELS(2)

#define FEW_SET(bits) \
  {few_##bits##_1x4, few_##bits##_1x1, few_##bits##_2x2, few_##bits##_2x1, few_##bits##_4x1}
static const few_kernel few_kernels[3][5] = {FEW_SET(8), FEW_SET(4), FEW_SET(2)};

static void gemm_few(const ck_gemm_wq *g, const wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const few_kernel *kernels = few_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    size_t rows = m1 - i >= 4 ? 4 : m1 - i >= 2 ? 2 : 1;
    for (size_t j = n0; j < n1;) {
      if (rows == 1 && n1 - j >= 4 * V_WIDTH) {
        kernels[0](g, l, i, j, n1);
        j += 4 * V_WIDTH;
      } else if (rows == 2 && n1 - j >= 2 * V_WIDTH) {
        kernels[2](g, l, i, j, n1);
        j += 2 * V_WIDTH;
      } else {
        kernels[rows == 1 ? 1 : rows == 2 ? 3 : 4](g, l, i, j, n1);
        j += V_WIDTH;
      }
    }
    i += rows;
  }
}

/// The codes of a panel less their zero points, as floats [taps · k][V_WIDTH]. Whole units are written: what the last one
/// of a group has too much, the next group or the slack of scratch takes.
CK_INLINE void expand(const int bits, const wq_layout *l, size_t taps, const char *at, float *to) {
  vf book = v_codebook(bits);
  for (size_t tap = 0; tap < taps; tap++)
    for (size_t s = 0; s < l->groups; s++) {
      vf zero = l->zeros ? v_from_int(vi_load(at + UNIT)) : v_set(0);
      at += l->zeros ? 2 * UNIT : UNIT;
      for (size_t left = wq_length(l, s); left; at += UNIT) {
        vi unit = vi_load(at);
        CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {
          v_store(to + V_WIDTH * x, v_element(bits, unit, x, book) - zero);
        }
        size_t count = ck_min(left, 32 / (size_t)bits);
        to += V_WIDTH * count;
        left -= count;
      }
    }
}

typedef struct {
  const ck_gemm_wq *g;
  const wq_layout *l;
  const char *panel;  // for its scales
  size_t column, end;
  ck_segments s;
} tile;

/// rows × V_WIDTH outputs from the expanded panel in scratch. Groups may end anywhere inside a segment.
CK_INLINE void many(const int rows, tile *t) {
  const ck_gemm_wq *g = t->g;
  const wq_layout *l = t->l;
  vf acc[V_TILE], part[V_TILE];
  CK_UNROLL for (int r = 0; r < rows; r++) acc[r] = part[r] = v_set(0);
  const float *b = g->scratch;
  const char *at = t->panel;
  size_t group = 0, left = l->k ? wq_length(l, 0) : 0;
  for (;;) {
    for (size_t piece = 0; piece < t->s.pieces; piece++) {
      const float *const *a = (const float *const *)t->s.table + piece;
      for (size_t x = 0; x < t->s.length;) {
        size_t stop = x + ck_min(left, t->s.length - x);
        left -= stop - x;
        for (; x < stop; x++, b += V_WIDTH) {
          vf w = v_load(b);
          CK_UNROLL for (int r = 0; r < rows; r++) {
            part[r] = v_fma(v_set(a[r * CK_TAPS][x]), w, part[r]);
          }
        }
        if (left) continue;
        vf scale = v_load((const float *)at);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          acc[r] = v_fma(part[r], scale, acc[r]);
          part[r] = v_set(0);
        }
        at += UNIT * ((l->zeros ? 2 : 1) + ck_divide_up(wq_length(l, group), l->per_unit));
        group = group + 1 == l->groups ? 0 : group + 1;
        left = wq_length(l, group);
      }
    }
    if (t->s.next >= t->s.total) break;
    t->s.advance(&t->s);
  }

  CK_UNROLL for (int r = 0; r < rows; r++) finish(g, t->s.row + (size_t)r, t->column, t->end, acc[r]);
}

#define MANY(rows) \
  static void many_##rows(tile *t) { many(rows, t); }
MANY(1) MANY(2) MANY(3) MANY(4) MANY(5) MANY(6)
#if V_TILE == 14
MANY(7) MANY(8) MANY(9) MANY(10) MANY(11) MANY(12) MANY(13) MANY(14)
static void (*const many_kernels[])(tile *) = {many_1, many_2, many_3,  many_4,  many_5,  many_6,  many_7,
                                               many_8, many_9, many_10, many_11, many_12, many_13, many_14};
#else
static void (*const many_kernels[])(tile *) = {many_1, many_2, many_3, many_4, many_5, many_6};
#endif

static void gemm_wq(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps;
  wq_layout l = wq_open(taps, g->rows.k, g->bits, g->group, wq_has_zeros(g->packed));
  if (m1 <= m0 + FEW) {
    gemm_few(g, &l, m0, m1, n0, n1);
    return;
  }
  tile t;
  t.g = g;
  t.l = &l;
  t.end = n1;
  ck_segments_open(&t.s, &g->rows, 2, taps > 1 && g->rows.k < SHORT);
  t.s.advance = V_ADVANCE;
  size_t step = ck_even_tile(m1 - m0, V_TILE);
  for (size_t j = n0; j < n1; j += V_WIDTH) {
    t.column = j;
    t.panel = wq_panel(&l, g->packed, j);
    switch (g->bits) {
      case 8: expand(8, &l, taps, t.panel, g->scratch); break;
      case 4: expand(4, &l, taps, t.panel, g->scratch); break;
      default: expand(2, &l, taps, t.panel, g->scratch);
    }
    for (size_t i = m0; i < m1; i += step) {
      size_t rows = ck_min(step, m1 - i);
      ck_segments_first(&t.s, i, rows);
      many_kernels[rows - 1](&t);
    }
  }
}

static void fill_gemm_wq(ck_table *table) {
  table->packed_bytes_wq = packed_bytes;
  table->pack_wq = pack;
  table->wq_scratch_bytes = scratch_bytes;
  table->gemm_wq = gemm_wq;
}
