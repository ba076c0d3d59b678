// Float matrix product: tiles of V_TILE rows × two vectors of columns held in registers. Each element is one chain of
// fused multiply-adds over taps and k, so its value does not depend on the tile that computes it.
//
// Packed: panels of two vectors, [taps · k][2 · V_WIDTH], the last one of one vector when that is enough.
#include "../segments.h"
#include "finish.h"

enum { PANEL = 2 * V_WIDTH, SHORT = 4, CACHE = 256 * 1024 };

static size_t packed_bytes(size_t n, size_t taps, size_t k) {
  return ck_divide_up(n, V_WIDTH) * V_WIDTH * taps * k * sizeof(float);
}

static void pack(size_t n, size_t taps, size_t k, const float *b, void *packed) {
  size_t depth = taps * k;
  float *to = packed;
  for (size_t n0 = 0; n0 < n; n0 += PANEL) {
    size_t width = n - n0 > V_WIDTH ? PANEL : V_WIDTH;
    // By blocks whose lines stay in the first cache until they are full.
    for (size_t i0 = 0; i0 < depth; i0 += 16) {
      size_t i1 = ck_min(i0 + 16, depth);
      for (size_t j = 0; j < width; j++)
        for (size_t i = i0; i < i1; i++) to[i * width + j] = n0 + j < n ? b[(n0 + j) * depth + i] : 0;
    }
    to += width * depth;
  }
}

typedef struct {
  const ck_gemm_f32 *g;
  const float *panel;
  size_t panel_step;   // floats from one panel of a wide tile to the next
  size_t column, end;  // columns of this tile
  ck_segments s;
} tile;

/// rows × vectors · V_WIDTH outputs; a panel holds `per_panel` of the vectors.
CK_INLINE void compute(const int rows, const int vectors, const int per_panel, tile *t) {
  const ck_gemm_f32 *g = t->g;
  vf acc[2 * V_TILE];
  CK_UNROLL for (int i = 0; i < rows * vectors; i++) acc[i] = v_set(0);

  const float *b = t->panel;
  for (;;) {
    size_t length = t->s.length;
    for (size_t piece = 0; piece < t->s.pieces; piece++) {
      const float *const *a = (const float *const *)t->s.table + piece;
      for (size_t x = 0; x < length; x++, b += V_WIDTH * per_panel) {
        vf w[8];
        CK_UNROLL for (int v = 0; v < vectors; v++)
          w[v] = v_load(b + (size_t)(v / per_panel) * t->panel_step + V_WIDTH * (v % per_panel));
        CK_UNROLL for (int r = 0; r < rows; r++) {
          vf one = v_set(a[r * CK_TAPS][x]);
          CK_UNROLL for (int v = 0; v < vectors; v++) {
            acc[r * vectors + v] = v_fma(one, w[v], acc[r * vectors + v]);
          }
        }
      }
    }
    if (t->s.next >= t->s.total) break;
    t->s.advance(&t->s);
  }

  vf lower = v_set(g->lower), upper = v_set(g->upper);
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    size_t j = t->column + V_WIDTH * (size_t)v;
    if (j >= t->end) break;
    size_t left = t->end - j;
    int whole = left >= V_WIDTH;
    vf bias = g->bias ? v_load_part(whole, g->bias + j, left) : v_set(0);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->s.row + (size_t)r;
      v_finish(acc[r * vectors + v] + bias, g->residual, i * g->residual_stride + j, lower, upper,
               g->c + i * g->c_stride + j, whole, left);
    }
  }
}

typedef void (*kernel)(tile *);
#define KERNEL(rows, vectors, per_panel) \
  static void tile_##rows##x##vectors(tile *t) { compute(rows, vectors, per_panel, t); }
#define KERNELS(v, p) KERNEL(1, v, p) KERNEL(2, v, p) KERNEL(3, v, p) KERNEL(4, v, p) KERNEL(5, v, p) KERNEL(6, v, p)
#define MORE_KERNELS(v, p)                                                                                    \
  KERNEL(7, v, p) KERNEL(8, v, p) KERNEL(9, v, p) KERNEL(10, v, p) KERNEL(11, v, p) KERNEL(12, v, p)          \
  KERNEL(13, v, p) KERNEL(14, v, p)
#define ALL(v) tile_1x##v, tile_2x##v, tile_3x##v, tile_4x##v, tile_5x##v, tile_6x##v
#define MORE(v)                                                                                               \
  , tile_7x##v, tile_8x##v, tile_9x##v, tile_10x##v, tile_11x##v, tile_12x##v, tile_13x##v, tile_14x##v
KERNELS(1, 1)
KERNELS(2, 2)
KERNEL(1, 8, 2)
#if V_TILE == 14
MORE_KERNELS(1, 1)
MORE_KERNELS(2, 2)
KERNEL(2, 8, 2)
KERNEL(3, 8, 2)
static const kernel narrow[] = {ALL(1) MORE(1)}, full[] = {ALL(2) MORE(2)};
static const kernel wide[] = {tile_1x8, tile_2x8, tile_3x8};
#else
static const kernel narrow[] = {ALL(1)}, full[] = {ALL(2)};
static const kernel wide[] = {tile_1x8};
#endif
/// Few rows leave too few chains to hide the latency, so four panels go together.
enum { WIDE_ROWS = sizeof wide / sizeof wide[0] };

void V_GEMM_F32(const ck_gemm_f32 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (m0 >= m1 || n0 >= n1) return;
  size_t depth = g->rows.taps * g->rows.k;
  tile t;
  t.g = g;
  t.panel_step = PANEL * depth;
  ck_segments_open(&t.s, &g->rows, 2, g->rows.taps > 1 && g->rows.k < SHORT);
  t.s.advance = V_ADVANCE;
  // When the panels fit the second cache they pass over one tile at a time; else over as many as fit there.
  size_t step = ck_even_tile(m1 - m0, V_TILE), block = step;
  int copied_once = t.s.kind == CK_COPY && depth * sizeof(float) <= CK_COPIED;
  if ((n1 - n0) * depth * sizeof(float) > CACHE && !copied_once) {
    size_t tiles = CACHE / (step * depth * sizeof(float) + 1);
    block = step * (tiles ? tiles : 1);
  }
  for (size_t i0 = m0; i0 < m1; i0 += block) {
    size_t i1 = ck_min(i0 + block, m1);
    for (size_t j = n0; j < n1;) {
      t.column = j;
      t.panel = (const float *)g->packed + j * depth;
      size_t columns = g->n - j > V_WIDTH ? PANEL : V_WIDTH;
      const kernel *kernels = columns > V_WIDTH ? full : narrow;
      if (step <= WIDE_ROWS && n1 - j >= 4 * PANEL) {
        columns = 4 * PANEL;
        kernels = wide;
      }
      t.end = ck_min(j + columns, n1);
      for (size_t i = i0; i < i1; i += step) {
        size_t rows = ck_min(step, i1 - i);
        if (j == n0 || block > step || !t.s.single) ck_segments_first(&t.s, i, rows);
        kernels[rows - 1](&t);
      }
      j += columns;
    }
  }
}

static void fill_gemm_f32(ck_table *table) {
  table->packed_bytes_f32 = packed_bytes;
  table->pack_f32 = pack;
  table->gemm_f32 = V_GEMM_F32;
}
