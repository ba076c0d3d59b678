// u8 × s8 matrix product on vpdpbusd: four products per lane, added to int32 without saturation.
#include "avx512vnni.h"
#include "epilogue.h"

#if defined(__x86_64__)

enum { PANEL = 32, CACHE = 256 * 1024 };

#include "../vector/pack_s8.h"

CK_AVX512_BEGIN

typedef struct {
  const ck_gemm_u8s8 *g;
  const int8_t *panel;
  size_t panel_step;   // bytes from one panel of a wide tile to the next
  size_t column, end;  // columns of this tile
  ck_quick quick;
  ck_epilogue e;
  int32_t row_sums[CK_ROWS];
  ck_segments s;
} tile;

typedef int32_t four __attribute__((aligned(1), may_alias));

/// One row's step: four codes of `a` times one or two vectors of columns. In assembly because the compiler would first
/// load the codes of all rows, for which there are no registers left, and spill the sums.
CK_INLINE void step_row(const int vectors, __m512i *acc, const uint8_t *a, const __m512i *w) {
  __m512i one;
  if (vectors == 1)
    __asm__("vpbroadcastd %2, %1\n\tvpdpbusd %3, %1, %0" : "+v"(acc[0]), "=&v"(one) : "m"(*(const four *)a), "v"(w[0]));
  else
    __asm__("vpbroadcastd %3, %2\n\tvpdpbusd %4, %2, %0\n\tvpdpbusd %5, %2, %1"
            : "+v"(acc[0]), "+v"(acc[1]), "=&v"(one)
            : "m"(*(const four *)a), "v"(w[0]), "v"(w[1]));
}

/// Four vectors' residual codes; vectors from `i` on, as the sums are numbered.
CK_INLINE void load_residual(const int rows, const int vectors, const tile *t, int i, __m128i *to) {
  size_t left = t->end - t->column;
  const uint8_t *from = t->e.residual + t->s.row * t->e.residual_stride + t->column;
  CK_UNROLL for (int q = 0; q < 4; q++) {
    size_t at = 16 * (size_t)((i + q) % vectors);
    to[q] = _mm_setzero_si128();
    if (i + q >= rows * vectors || at >= left) continue;
    const uint8_t *x = from + (size_t)((i + q) / vectors) * t->e.residual_stride + at;
    to[q] = left - at >= 16 ? _mm_loadu_si128((const __m128i *)x) : _mm_maskz_loadu_epi8(ck_mask16(left - at), x);
  }
}

CK_INLINE void store_codes(const int rows, const int vectors, const int sum, const tile *t, const __m512i *acc) {
  size_t left = t->end - t->column, stride = t->e.c_stride;
  __m512 multipliers[8];
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    size_t at = 16 * (size_t)v;
    multipliers[v] = at < left ? _mm512_maskz_loadu_ps(ck_mask16(left - at), t->e.multiplier + t->column + at)
                               : _mm512_setzero_ps();
  }
  uint8_t *c = (uint8_t *)t->e.c + t->s.row * stride + t->column;
  int whole = left >= 16 * (size_t)vectors;
  CK_UNROLL for (int i = 0; i < rows * vectors; i += 4) {
    __m512i four[4];
    __m512 m[4];
    CK_UNROLL for (int q = 0; q < 4; q++) {
      int from = i + q < rows * vectors ? i + q : i;
      four[q] = acc[from];
      m[q] = multipliers[from % vectors];
    }
    __m512i codes;
    if (sum) {
      __m128i others[4];
      load_residual(rows, vectors, t, i, others);
      codes = ck_quick_sums(four, m, others, &t->e);
    } else {
      codes = ck_quick_codes(four, m, &t->e);
    }
    codes = ck_quick_order(codes);
    if (whole && vectors == 2) {
      uint8_t *to = c + (size_t)(i / 2) * stride;
      _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(codes));
      if (i + 2 < rows * vectors) _mm256_storeu_si256((__m256i *)(to + stride), _mm512_extracti64x4_epi64(codes, 1));
      continue;
    }
    if (whole && vectors == 8) {
      _mm512_storeu_si512(c + (size_t)(i / 8) * stride + 16 * (size_t)(i % 8), codes);
      continue;
    }
    __m128i sixteen[4] = {_mm512_castsi512_si128(codes), _mm512_extracti32x4_epi32(codes, 1),
                          _mm512_extracti32x4_epi32(codes, 2), _mm512_extracti32x4_epi32(codes, 3)};
    CK_UNROLL for (int q = 0; q < 4; q++) {
      size_t at = 16 * (size_t)((i + q) % vectors);
      if (i + q >= rows * vectors || at >= left) continue;
      uint8_t *to = c + (size_t)((i + q) / vectors) * stride + at;
      if (left - at >= 16)
        _mm_storeu_si128((__m128i *)to, sixteen[q]);
      else
        _mm_mask_storeu_epi8(to, ck_mask16(left - at), sixteen[q]);
    }
  }
}

CK_INLINE void store_floats(const int rows, const int vectors, const tile *t, const __m512i *acc) {
  const ck_epilogue *e = &t->e;
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    size_t j = t->column + 16 * (size_t)v;
    if (j >= t->end) break;
    __mmask16 live = ck_mask16(t->end - j);
    __m512 multiplier = _mm512_maskz_loadu_ps(live, e->multiplier + j);
    __m512 bias = e->bias_f ? _mm512_maskz_loadu_ps(live, e->bias_f + j) : _mm512_setzero_ps();
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->s.row + (size_t)r;
      __m512 scale = _mm512_mul_ps(_mm512_set1_ps(e->a_scales ? e->a_scales[i] : e->a_scale), multiplier);
      __m512 y = ck_quick_floats(acc[r * vectors + v], scale, bias, e);
      if (e->residual_f) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(live, e->residual_f + i * e->residual_stride + j));
      _mm512_mask_storeu_ps((float *)e->c + i * e->c_stride + j, live, ck_quick_clamp(y, e));
    }
  }
}

CK_INLINE void store_sums(const int rows, const int vectors, const tile *t, const __m512i *acc) {
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    size_t j = t->column + 16 * (size_t)v;
    if (j >= t->end) break;
    __mmask16 live = ck_mask16(t->end - j);
    int32_t *c = (int32_t *)t->e.c + t->s.row * t->e.c_stride + j;
    CK_UNROLL for (int r = 0; r < rows; r++)
      _mm512_mask_storeu_epi32(c + (size_t)r * t->e.c_stride, live, acc[r * vectors + v]);
  }
}

/// rows × 16·vectors outputs; a panel holds `per_panel` of the vectors. The commonest output has kernels of its own:
/// beside the others the compiler finds no registers for it.
CK_INLINE void compute(const int rows, const int vectors, const int per_panel, const int is_u8, tile *t) {
  __m512i acc[2 * CK_ROWS];
  size_t left = t->end - t->column;
  if (is_u8 || t->quick) {
    CK_UNROLL for (int v = 0; v < vectors; v++) {
      size_t at = 16 * (size_t)v;
      __mmask16 live = at < left ? ck_mask16(left - at) : 0;
      if (is_u8 || !t->e.a_zeros) {
        __m512i start = ck_quick_correction(&t->e, t->column + at, live, t->e.a_zero);
        CK_UNROLL for (int r = 0; r < rows; r++) acc[r * vectors + v] = start;
        continue;
      }
      CK_UNROLL for (int r = 0; r < rows; r++)
        acc[r * vectors + v] =
          ck_quick_correction(&t->e, t->column + at, live, t->e.a_zeros[t->s.row + (size_t)r]);
    }
  } else {
    CK_UNROLL for (int i = 0; i < rows * vectors; i++) acc[i] = _mm512_setzero_si512();
  }

  if (!is_u8 && vectors <= 2 && t->e.depth >= 512 && t->e.output != CK_OUT_U8) {
    // The place of so many bytes has left the nearest caches; it comes back while the products are summed.
    const char *c = (const char *)t->e.c + 4 * (t->s.row * t->e.c_stride + t->column);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      CK_UNROLL for (int v = 0; v < vectors; v++) __builtin_prefetch(c + 4 * (size_t)r * t->e.c_stride + 64 * v, 1);
    }
  }
  const int8_t *b = t->panel;
  for (;;) {
    size_t groups = (t->s.length + 3) / 4 * 4, last = t->s.kind == CK_POINT ? t->s.length - 4 : groups - 4;
    for (size_t piece = 0; piece < t->s.pieces; piece++) {
      const uint8_t *const *a = (const uint8_t *const *)t->s.table + piece;
      for (size_t x = 0; x < groups; x += 4, b += 64 * per_panel) {
        size_t at = x < last ? x : last;
        __m512i w[8];
        CK_UNROLL for (int v = 0; v < vectors; v++)
          w[v] = _mm512_loadu_si512(b + (size_t)(v / per_panel) * t->panel_step + 64 * (v % per_panel));
        CK_UNROLL for (int r = 0; r < rows; r++) {
          if (vectors <= 2) {
            step_row(vectors, acc + r * vectors, a[r * CK_TAPS] + at, w);
            continue;
          }
          __m512i one = _mm512_set1_epi32(*(const four *)(a[r * CK_TAPS] + at));
          CK_UNROLL for (int v = 0; v < vectors; v++) {
            acc[r * vectors + v] = _mm512_dpbusd_epi32(acc[r * vectors + v], one, w[v]);
          }
        }
      }
    }
    if (t->s.next >= t->s.total) break;
    ck_avx512_advance(&t->s);
  }

  if (is_u8) {
    store_codes(rows, vectors, 0, t, acc);
    return;
  }
  switch (t->quick) {
    case CK_QUICK_SUM: store_codes(rows, vectors, 1, t, acc); return;
    case CK_QUICK_F32: store_floats(rows, vectors, t, acc); return;
    case CK_QUICK_S32: store_sums(rows, vectors, t, acc); return;
    case CK_QUICK_U8:
    case CK_NOT_QUICK: break;
  }
  __m512i sums[2 * CK_ROWS];
  CK_UNROLL for (int i = 0; i < rows * vectors; i++) sums[i] = acc[i];
  for (int v = 0; v < vectors; v++) {
    size_t j = t->column + 16 * (size_t)v;
    if (j >= t->end) break;
    ck_avx512_store(&t->e, sums + v, vectors, t->s.row, (size_t)rows, j, t->end, t->row_sums);
  }
}

typedef void (*kernel)(tile *);
#define KERNEL(rows, vectors, per_panel) \
  static void tile_##rows##x##vectors(tile *t) { compute(rows, vectors, per_panel, 0, t); } \
  static void u8_##rows##x##vectors(tile *t) { compute(rows, vectors, per_panel, 1, t); }
#define KERNELS(v, p)                                                                                      \
  KERNEL(1, v, p) KERNEL(2, v, p) KERNEL(3, v, p) KERNEL(4, v, p) KERNEL(5, v, p) KERNEL(6, v, p)          \
  KERNEL(7, v, p) KERNEL(8, v, p) KERNEL(9, v, p) KERNEL(10, v, p) KERNEL(11, v, p) KERNEL(12, v, p)       \
  KERNEL(13, v, p) KERNEL(14, v, p)
KERNELS(1, 1)
KERNELS(2, 2)
KERNEL(1, 8, 2)
KERNEL(2, 8, 2)
KERNEL(3, 8, 2)

#define ALL(p, v)                                                                                          \
  {p##_1x##v, p##_2x##v, p##_3x##v,  p##_4x##v,  p##_5x##v,  p##_6x##v,  p##_7x##v,                        \
   p##_8x##v, p##_9x##v, p##_10x##v, p##_11x##v, p##_12x##v, p##_13x##v, p##_14x##v}
/// [whether the output is plain codes][rows - 1]
static const kernel narrow[2][CK_ROWS] = {ALL(tile, 1), ALL(u8, 1)}, full[2][CK_ROWS] = {ALL(tile, 2), ALL(u8, 2)};
/// Few rows leave too few chains to hide the latency, so four panels go together.
static const kernel wide[2][3] = {{tile_1x8, tile_2x8, tile_3x8}, {u8_1x8, u8_2x8, u8_3x8}};

/// Σ a of each row of the tile.
static void sum_rows(tile *t) {
  const ck_rows *rows = &t->g->rows;
  for (size_t r = 0; r < t->s.count; r++) {
    __m512i sums = _mm512_setzero_si512();
    for (size_t tap = 0; tap < rows->taps; tap++) {
      const uint8_t *a = ck_piece(rows, t->s.row + r, tap, 1);
      for (size_t x = 0; x < rows->k; x += 64) {
        __mmask64 live = rows->k - x >= 64 ? ~0ull : (1ull << (rows->k - x)) - 1;
        __m512i eight = _mm512_sad_epu8(_mm512_maskz_loadu_epi8(live, a + x), _mm512_setzero_si512());
        sums = _mm512_add_epi64(sums, eight);
      }
    }
    t->row_sums[r] = (int32_t)_mm512_reduce_add_epi64(sums);
  }
}

static void gemm(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (m0 >= m1 || n0 >= n1) return;
  size_t taps = g->rows.taps, k = g->rows.k, depth = 4 * group_count(taps, k);
  tile t;
  t.g = g;
  t.panel_step = PANEL * depth;
  t.e = ck_epilogue_gemm(g);
  t.quick = ck_quick_kind(&t.e, n0, n1);
  ck_segments_open(&t.s, &g->rows, 0, is_short(k));
  t.s.advance = ck_avx512_advance;
  const int is_u8 = t.quick == CK_QUICK_U8;
  // When the panels fit the second cache they pass over one tile at a time; else over as many as fit there.
  size_t step = ck_even_tile(m1 - m0, CK_ROWS), block = step;
  int copied_once = t.s.kind == CK_COPY && depth <= CK_COPIED;
  if ((n1 - n0) * depth > CACHE && !copied_once) {
    size_t tiles = CACHE / (step * depth + 1);
    block = step * (tiles ? tiles : 1);
  }
  for (size_t i0 = m0; i0 < m1; i0 += block) {
    size_t i1 = ck_min(i0 + block, m1);
    for (size_t j = n0; j < n1;) {
      t.column = j;
      t.panel = (const int8_t *)g->packed + j * depth;
      size_t columns = g->n - j > 16 ? PANEL : 16;
      const kernel *kernels = columns > 16 ? full[is_u8] : narrow[is_u8];
      if (step <= 3 && n1 - j >= 4 * PANEL) {
        columns = 4 * PANEL;
        kernels = wide[is_u8];
      }
      t.end = ck_min(j + columns, n1);
      for (size_t i = i0; i < i1; i += step) {
        size_t rows = ck_min(step, i1 - i);
        if (j == n0 || block > step || !t.s.single) {
          ck_segments_first(&t.s, i, rows);
          if (g->b_zero) sum_rows(&t);
        }
        kernels[rows - 1](&t);
      }
      j += columns;
    }
  }
}

CK_AVX512_END

void ck_avx512_gemm_u8s8(ck_table *table) {
  table->packed_bytes_s8 = packed_bytes;
  table->pack_s8 = pack;
  table->gemm_u8s8 = gemm;
}

#endif
