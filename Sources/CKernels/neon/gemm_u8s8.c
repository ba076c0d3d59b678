// u8 × s8 matrix product on sdot: four products per lane, added to int32 without saturation. The codes of the rows
// become signed by flipping their highest bit, which takes 128 off; 128 · Σ b puts that back exactly.
#include "epilogue.h"

#if defined(__aarch64__)

enum { PANEL = 8, ROWS = 8, WIDE_ROWS = 3, CACHE = 256 * 1024 };

#include "../vector/pack_s8.h"

CK_NEON_BEGIN

typedef struct {
  const ck_gemm_u8s8 *g;
  const int8_t *panel;
  size_t panel_step;   // bytes from one panel of a wide tile to the next
  size_t column, end;  // columns of this tile
  int quick;           // the epilogue that is done in registers
  ck_epilogue e;
  int32_t row_sums[ROWS];
  ck_segments s;
} tile;

/// Sixteen codes along k, or the first four, as signed numbers.
CK_INLINE int8x16_t sixteen(const uint8_t *a) {
  return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(a), vdupq_n_u8(0x80)));
}
CK_INLINE int8x16_t four(const uint8_t *a) {
  uint32_t codes;
  memcpy(&codes, a, 4);
  uint32x4_t lane = vsetq_lane_u32(codes, vdupq_n_u32(0), 0);
  return vreinterpretq_s8_u8(veorq_u8(vreinterpretq_u8_u32(lane), vdupq_n_u8(0x80)));
}

/// Group `q` of the codes in `one` times `vectors` of four columns at b.
#define STEP(q)                                                                                  \
  CK_UNROLL for (int v = 0; v < vectors; v++) {                                                  \
    int8x16_t w = vld1q_s8(b + (size_t)(v / per_panel) * t->panel_step + 16 * (v % per_panel));  \
    CK_UNROLL for (int r = 0; r < rows; r++)                                                     \
      acc[r * vectors + v] = vdotq_laneq_s32(acc[r * vectors + v], w, one[r], q);                \
  }                                                                                              \
  b += 16 * per_panel;

CK_INLINE void store_quick(const int rows, const int vectors, const tile *t, const vi *acc) {
  ptrdiff_t left = (ptrdiff_t)(t->end - t->column);
  CK_UNROLL for (int v = 0; v < vectors; v += 2) {
    int next = v + 1 < vectors ? v + 1 : v;
    ptrdiff_t here = left - 4 * v;
    if (here <= 0) break;
    const float *multiplier = t->e.multiplier + t->column + 4 * v;
    vf first = v_float(ck_four(multiplier, here)), second = v_float(ck_four(multiplier + 4, here - 4));
    uint8_t *c = (uint8_t *)t->e.c + t->s.row * t->e.c_stride + t->column + 4 * v;
    CK_UNROLL for (int r = 0; r < rows; r++, c += t->e.c_stride) {
      uint8x8_t codes = ck_quick_codes(acc[r * vectors + v], acc[r * vectors + next], first, second, &t->e);
      if (here >= 8)
        vst1_u8(c, codes);
      else
        v_store_bytes(c, (size_t)here, vcombine_u8(codes, codes));
    }
  }
}

/// rows × 4·vectors outputs; a panel holds `per_panel` of the vectors.
CK_INLINE void compute(const int rows, const int vectors, const int per_panel, tile *t) {
  vi acc[WIDE_ROWS * 8];
  ptrdiff_t left = (ptrdiff_t)(t->end - t->column);
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    size_t j = t->column + 4 * (size_t)v;
    vi start = t->quick ? ck_quick_correction(&t->e, t->e.a_zero - 128, j, left - 4 * v)
                        : vshlq_n_s32(ck_four(t->e.column_sums + j, left - 4 * v), 7);
    CK_UNROLL for (int r = 0; r < rows; r++) acc[r * vectors + v] = start;
  }

  const int8_t *b = t->panel;
  for (;;) {
    size_t length = t->s.length, last = t->s.kind == CK_POINT ? length - 4 : (length + 3) / 4 * 4 - 4;
    for (size_t piece = 0; piece < t->s.pieces; piece++) {
      const uint8_t *const *a = (const uint8_t *const *)t->s.table + piece;
      int8x16_t one[ROWS];
      size_t x = 0;
      for (; x + 16 <= length; x += 16) {
        CK_UNROLL for (int r = 0; r < rows; r++) one[r] = sixteen(a[r * CK_TAPS] + x);
        STEP(0) STEP(1) STEP(2) STEP(3)
      }
      for (; x < length; x += 4) {
        CK_UNROLL for (int r = 0; r < rows; r++) one[r] = four(a[r * CK_TAPS] + ck_min(x, last));
        STEP(0)
      }
    }
    if (t->s.next >= t->s.total) break;
    ck_segments_advance(&t->s);
  }

  if (t->quick) {
    store_quick(rows, vectors, t, acc);
    return;
  }
  int32_t sums[WIDE_ROWS * 8 * 4];
  CK_UNROLL for (int i = 0; i < rows * vectors; i++) vi_store(sums + 4 * i, acc[i]);
  ck_neon_store(&t->e, sums, 4 * (size_t)vectors, t->s.row, (size_t)rows, t->column, (size_t)left, t->row_sums);
}

typedef void (*kernel)(tile *);
#define KERNEL(rows, vectors, per_panel) \
  static void tile_##rows##x##vectors(tile *t) { compute(rows, vectors, per_panel, t); }
#define KERNELS(v, p)                                                                           \
  KERNEL(1, v, p) KERNEL(2, v, p) KERNEL(3, v, p) KERNEL(4, v, p) KERNEL(5, v, p) KERNEL(6, v, p) \
  KERNEL(7, v, p) KERNEL(8, v, p)
KERNELS(1, 1)
KERNELS(2, 2)
KERNEL(1, 8, 2)
KERNEL(2, 8, 2)
KERNEL(3, 8, 2)

#define ALL(v) \
  {tile_1x##v, tile_2x##v, tile_3x##v, tile_4x##v, tile_5x##v, tile_6x##v, tile_7x##v, tile_8x##v}
static const kernel narrow[ROWS] = ALL(1), full[ROWS] = ALL(2);
/// Few rows leave too few chains to hide the latency, so four panels go together.
static const kernel wide[WIDE_ROWS] = {tile_1x8, tile_2x8, tile_3x8};

/// Σ a of each row of the tile.
static void sum_rows(tile *t) {
  const ck_rows *rows = &t->g->rows;
  for (size_t r = 0; r < t->s.count; r++) {
    uint32x4_t sums = vdupq_n_u32(0);
    uint32_t sum = 0;
    for (size_t tap = 0; tap < rows->taps; tap++) {
      const uint8_t *a = ck_piece(rows, t->s.row + r, tap, 1);
      size_t x = 0;
      for (; x + 16 <= rows->k; x += 16) sums = vdotq_u32(sums, vld1q_u8(a + x), vdupq_n_u8(1));
      for (; x < rows->k; x++) sum += a[x];
    }
    t->row_sums[r] = (int32_t)(sum + vaddvq_u32(sums));
  }
}

static void gemm(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (m0 >= m1 || n0 >= n1) return;
  size_t taps = g->rows.taps, k = g->rows.k, depth = 4 * group_count(taps, k);
  tile t;
  t.g = g;
  t.panel_step = PANEL * depth;
  t.e = ck_epilogue_gemm(g);
  t.quick = ck_is_quick(&t.e);
  ck_segments_open(&t.s, &g->rows, 0, is_short(k));
  // When the panels fit the second cache they pass over one tile at a time; else over as many as fit there.
  size_t step = ck_even_tile(m1 - m0, ROWS), block = step;
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
      size_t columns = g->n - j > PANEL / 2 ? PANEL : PANEL / 2;
      const kernel *kernels = columns == PANEL ? full : narrow;
      if (step <= WIDE_ROWS && n1 - j >= 4 * PANEL) {
        columns = 4 * PANEL;
        kernels = wide;
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

CK_NEON_END

void ck_neon_gemm_u8s8(ck_table *table) {
  table->packed_bytes_s8 = packed_bytes;
  table->pack_s8 = pack;
  table->gemm_u8s8 = gemm;
}

#endif
