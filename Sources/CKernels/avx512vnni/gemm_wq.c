// Float rows times weights with group scales. Few rows (a language model writing) are bound by the speed of memory:
// codes become floats in registers, four panels in parallel. More rows take a panel of codes as floats from scratch.
// Both sum a group first and then add scale · sum, so that an element does not depend on how rows are split.
#include "wq.h"

#if defined(__x86_64__)

enum { FEW = 4, SHORT = 8 };

CK_AVX512_BEGIN

/// The floats that narrow codes stand for.
CK_INLINE __m512 codebook(const int bits) {
  __m512i i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  if (bits == 4) return _mm512_cvtepi32_ps(_mm512_sub_epi32(i, _mm512_set1_epi32(8)));
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_and_si512(i, _mm512_set1_epi32(3)), _mm512_set1_epi32(2)));
}

/// Element x of a unit as floats. A permutation reads only the low four bits of its index: no mask is needed.
CK_INLINE __m512 element(const int bits, __m512i unit, unsigned x, __m512 book) {
  if (bits == 8)
    return _mm512_cvtepi32_ps(_mm512_srai_epi32(x == 3 ? unit : _mm512_slli_epi32(unit, 24 - 8 * x), 24));
  unsigned shift = 8 * (x % 4) + x / 4 * (unsigned)bits;
  return _mm512_permutexvar_ps(shift ? _mm512_srli_epi32(unit, shift) : unit, book);
}

/// A few rows × 16·panels columns, from the packed codes.
CK_INLINE void few(const int bits, const int rows, const int panels, const ck_gemm_wq *g, const ck_wq_layout *l,
                   size_t i, size_t j, size_t end) {
  const char *at[4];
  CK_UNROLL for (int p = 0; p < panels; p++) at[p] = ck_wq_panel(l, g->packed, j + 16 * (size_t)p);
  __m512 book = codebook(bits), acc[8];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) acc[o] = _mm512_setzero_ps();

  for (size_t tap = 0; tap < g->rows.taps; tap++) {
    const float *a[FEW];
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] = ck_piece(&g->rows, i + (size_t)r, tap, sizeof(float));
    for (size_t s = 0; s < l->groups; s++) {
      __m512 scale[4], zero[4], part[8];
      CK_UNROLL for (int o = 0; o < rows * panels; o++) part[o] = _mm512_setzero_ps();
      CK_UNROLL for (int p = 0; p < panels; p++) {
        scale[p] = _mm512_loadu_ps(at[p]);
        zero[p] = l->zeros ? _mm512_cvtepi32_ps(_mm512_loadu_si512(at[p] + 64)) : _mm512_setzero_ps();
        at[p] += l->zeros ? 128 : 64;
      }
      size_t length = ck_wq_length(l, s);
#define UNIT(ZERO, COUNT)                                                                      \
  {                                                                                            \
    __m512i unit[4];                                                                           \
    CK_UNROLL for (int p = 0; p < panels; p++) {                                               \
      unit[p] = _mm512_loadu_si512(at[p]);                                                     \
      at[p] += 64;                                                                             \
    }                                                                                          \
    CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {                             \
      if (x >= (COUNT)) break;                                                                 \
      CK_UNROLL for (int p = 0; p < panels; p++) {                                             \
        __m512 w = element(bits, unit[p], x, book);                                            \
        if (ZERO) w = _mm512_sub_ps(w, zero[p]);                                               \
        CK_UNROLL for (int r = 0; r < rows; r++) {                                             \
          part[r * panels + p] = _mm512_fmadd_ps(_mm512_set1_ps(a[r][x]), w, part[r * panels + p]); \
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
          acc[o] = _mm512_fmadd_ps(part[o], scale[p], acc[o]);
        }
      }
    }
  }

  __m512 lower = _mm512_set1_ps(g->lower), upper = _mm512_set1_ps(g->upper);
  CK_UNROLL for (int p = 0; p < panels; p++, j += 16) {
    __mmask16 live = ck_mask16(end - j);
    __m512 bias = g->bias ? _mm512_maskz_loadu_ps(live, g->bias + j) : _mm512_setzero_ps();
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t row = i + (size_t)r;
      __m512 y = _mm512_add_ps(acc[r * panels + p], bias);
      if (g->residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(live, g->residual + row * g->residual_stride + j));
      y = _mm512_min_ps(upper, _mm512_max_ps(lower, y));
      _mm512_mask_storeu_ps(g->c + row * g->c_stride + j, live, y);
    }
  }
}

typedef void (*few_kernel)(const ck_gemm_wq *, const ck_wq_layout *, size_t, size_t, size_t);
#define FEW_KERNEL(bits, rows, panels)                                                                      \
  static void few_##bits##_##rows##x##panels(const ck_gemm_wq *g, const ck_wq_layout *l, size_t i, size_t j, \
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

static void gemm_few(const ck_gemm_wq *g, const ck_wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const few_kernel *kernels = few_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    size_t rows = m1 - i >= 4 ? 4 : m1 - i >= 2 ? 2 : 1;
    for (size_t j = n0; j < n1;) {
      if (rows == 1 && n1 - j >= 64) {
        kernels[0](g, l, i, j, n1);
        j += 64;
      } else if (rows == 2 && n1 - j >= 32) {
        kernels[2](g, l, i, j, n1);
        j += 32;
      } else {
        kernels[rows == 1 ? 1 : rows == 2 ? 3 : 4](g, l, i, j, n1);
        j += 16;
      }
    }
    i += rows;
  }
}

/// The codes of a panel less their zero points, as floats [taps · k][16]. Whole units are written: what the last one
/// of a group has too much, the next group or the slack of scratch takes.
CK_INLINE void expand(const int bits, const ck_wq_layout *l, size_t taps, const char *at, float *to) {
  __m512 book = codebook(bits);
  for (size_t tap = 0; tap < taps; tap++)
    for (size_t s = 0; s < l->groups; s++) {
      __m512 zero = l->zeros ? _mm512_cvtepi32_ps(_mm512_loadu_si512(at + 64)) : _mm512_setzero_ps();
      at += l->zeros ? 128 : 64;
      for (size_t left = ck_wq_length(l, s); left; at += 64) {
        __m512i unit = _mm512_loadu_si512(at);
        CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {
          _mm512_storeu_ps(to + 16 * x, _mm512_sub_ps(element(bits, unit, x, book), zero));
        }
        size_t count = ck_min(left, 32 / (size_t)bits);
        to += 16 * count;
        left -= count;
      }
    }
}

typedef struct {
  const ck_gemm_wq *g;
  const ck_wq_layout *l;
  const char *panel;  // for its scales
  size_t column, end;
  ck_segments s;
} tile;

/// rows × 16 outputs from the expanded panel in scratch. Groups may end anywhere inside a segment.
CK_INLINE void many(const int rows, tile *t) {
  const ck_gemm_wq *g = t->g;
  const ck_wq_layout *l = t->l;
  __m512 acc[CK_ROWS], part[CK_ROWS];
  CK_UNROLL for (int r = 0; r < rows; r++) acc[r] = part[r] = _mm512_setzero_ps();
  const float *b = g->scratch;
  const char *at = t->panel;
  size_t group = 0, left = l->k ? ck_wq_length(l, 0) : 0;
  for (;;) {
    for (size_t piece = 0; piece < t->s.pieces; piece++) {
      const float *const *a = (const float *const *)t->s.table + piece;
      for (size_t x = 0; x < t->s.length;) {
        size_t stop = x + ck_min(left, t->s.length - x);
        left -= stop - x;
        for (; x < stop; x++, b += 16) {
          __m512 w = _mm512_loadu_ps(b);
          CK_UNROLL for (int r = 0; r < rows; r++) {
            part[r] = _mm512_fmadd_ps(_mm512_set1_ps(a[r * CK_TAPS][x]), w, part[r]);
          }
        }
        if (left) continue;
        __m512 scale = _mm512_loadu_ps(at);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          acc[r] = _mm512_fmadd_ps(part[r], scale, acc[r]);
          part[r] = _mm512_setzero_ps();
        }
        at += 64 * ((l->zeros ? 2 : 1) + ck_divide_up(ck_wq_length(l, group), l->per_unit));
        group = group + 1 == l->groups ? 0 : group + 1;
        left = ck_wq_length(l, group);
      }
    }
    if (t->s.next >= t->s.total) break;
    ck_avx512_advance(&t->s);
  }

  size_t j = t->column;
  __mmask16 live = ck_mask16(t->end - j);
  __m512 bias = g->bias ? _mm512_maskz_loadu_ps(live, g->bias + j) : _mm512_setzero_ps();
  __m512 lower = _mm512_set1_ps(g->lower), upper = _mm512_set1_ps(g->upper);
  CK_UNROLL for (int r = 0; r < rows; r++) {
    size_t i = t->s.row + (size_t)r;
    __m512 y = _mm512_add_ps(acc[r], bias);
    if (g->residual) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(live, g->residual + i * g->residual_stride + j));
    y = _mm512_min_ps(upper, _mm512_max_ps(lower, y));
    _mm512_mask_storeu_ps(g->c + i * g->c_stride + j, live, y);
  }
}

#define MANY(rows) \
  static void many_##rows(tile *t) { many(rows, t); }
MANY(1) MANY(2) MANY(3) MANY(4) MANY(5) MANY(6) MANY(7) MANY(8) MANY(9) MANY(10) MANY(11) MANY(12) MANY(13) MANY(14)
static void (*const many_kernels[CK_ROWS])(tile *) = {many_1, many_2,  many_3,  many_4,  many_5,  many_6,  many_7,
                                                      many_8, many_9, many_10, many_11, many_12, many_13, many_14};

void ck_avx512_gemm_wq_f32(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps;
  ck_wq_layout l = ck_wq_open(taps, g->rows.k, g->bits, g->group, ck_wq_has_zeros(g->packed));
  if (m1 <= m0 + FEW) {
    gemm_few(g, &l, m0, m1, n0, n1);
    return;
  }
  tile t;
  t.g = g;
  t.l = &l;
  t.end = n1;
  ck_avx512_open(&t.s, &g->rows, 2, taps > 1 && g->rows.k < SHORT);
  size_t step = ck_even_tile(m1 - m0, CK_ROWS);
  for (size_t j = n0; j < n1; j += 16) {
    t.column = j;
    t.panel = ck_wq_panel(&l, g->packed, j);
    switch (g->bits) {
      case 8: expand(8, &l, taps, t.panel, g->scratch); break;
      case 4: expand(4, &l, taps, t.panel, g->scratch); break;
      default: expand(2, &l, taps, t.panel, g->scratch);
    }
    for (size_t i = m0; i < m1; i += step) {
      size_t rows = ck_min(step, m1 - i);
      ck_avx512_first(&t.s, i, rows);
      many_kernels[rows - 1](&t);
    }
  }
}

CK_AVX512_END

#endif
