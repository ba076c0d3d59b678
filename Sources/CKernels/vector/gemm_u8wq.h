// uint8 rows times weights with group scales: an exact integer sum for each group, then
// total = total + scale · float(sum), group after group, without contraction, as the scalar level does it.
#include "finish.h"
#include "wq.h"

#pragma clang fp contract(off)

enum { ROWS = 6 };

typedef struct {
  const ck_gemm_u8wq *g;
  const wq_layout *l;
  const int32_t *column_sums;  // of the whole matrix
  size_t row, column, end;
  const v_wide *a;             // [rows][span]: groups filled up with zeros
  const int32_t *a_sums;       // [rows][taps · groups]
} tile;

CK_INLINE void compute(const int bits, const int rows, const int panels, const tile *t) {
  const ck_gemm_u8wq *g = t->g;
  const wq_layout *l = t->l;
  const int bias = V_CODE_BIAS(bits);
  size_t all_groups = g->rows.taps * l->groups;
  wq_cursor c = wq_panel(l, g->packed, t->column);
  const int32_t *column_sums[4];
  CK_UNROLL for (int p = 0; p < panels; p++) {
    column_sums[p] = t->column_sums + (t->column / V_WIDTH + (size_t)p) * all_groups * V_WIDTH;
  }
  vf total[2 * ROWS];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) total[o] = v_set(0);

  const v_wide *a = t->a;
  size_t group = 0;
  for (size_t s = 0; s < all_groups; s++) {
    vf scale[4], shift[4];
    vi zero[4], sum[2 * ROWS];
    CK_UNROLL for (int o = 0; o < rows * panels; o++) sum[o] = vi_set(0);
    wq_numbers(l, &c, panels, scale, shift);
    if (l->zeros) {
      CK_UNROLL for (int p = 0; p < panels; p++) zero[p] = vi_add(vi_set(bias), v_to_int(shift[p]));
    }
    size_t units = ck_divide_up(wq_length(l, group), l->per_unit);
    group = group + 1 == l->groups ? 0 : group + 1;
    for (size_t u = 0; u < units; u++) {
      vi unit[4];
      wq_units(&c, panels, unit);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        CK_UNROLL for (int p = 0; p < panels; p++)
          sum[r * panels + p] = v_dot(bits, sum[r * panels + p], unit[p], a + (size_t)r * l->span);
      }
      a += 32 / bits;
    }
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->row + (size_t)r;
      vi a_zero = vi_set(g->a_zeros ? g->a_zeros[i] : g->a_zero);
      const int32_t sum_of_a = t->a_sums[(size_t)r * all_groups + s];
      vi a_sum = vi_set(sum_of_a), bias_sum = vi_set(bias * sum_of_a);
      CK_UNROLL for (int p = 0; p < panels; p++) {
        int o = r * panels + p;
        vi v = vi_mul(a_zero, vi_load(column_sums[p] + V_WIDTH * s));
        if (l->zeros)
          v = vi_add(v, vi_mul(zero[p], a_sum));
        else if (bias)
          v = vi_add(v, bias_sum);
        v = vi_sub(sum[o], v);
        total[o] = total[o] + v_from_int(v) * scale[p];
      }
    }
  }

  vf lower = v_set(g->lower), upper = v_set(g->upper);
  CK_UNROLL for (int p = 0; p < panels; p++) {
    size_t j = t->column + V_WIDTH * (size_t)p, left = t->end - j;
    int whole = left >= V_WIDTH;
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->row + (size_t)r;
      vf y = total[r * panels + p] * v_set(g->a_scales ? g->a_scales[i] : g->a_scale);
      if (g->bias_f) y = y + v_load_part(whole, g->bias_f + j, left);
      v_finish(y, NULL, 0, lower, upper, g->c + i * g->c_stride + j, whole, left);
    }
  }
}

#define KERNEL(bits, rows, panels) \
  static void tile_##bits##_##rows##x##panels(const tile *t) { compute(bits, rows, panels, t); }
#define KERNELS(bits)                                                                                 \
  KERNEL(bits, 1, 1) KERNEL(bits, 2, 1) KERNEL(bits, 4, 1) KERNEL(bits, 6, 1) KERNEL(bits, 1, 2)      \
  KERNEL(bits, 2, 2) KERNEL(bits, 4, 2) KERNEL(bits, 6, 2) KERNEL(bits, 1, 4)
KERNELS(8)
KERNELS(4)
KERNELS(2)

/// [bits][vectors 1, 2, 4][rows 1, 2, 4, 6]
typedef void (*kernel)(const tile *);
#define SET(b)                                                       \
  {{tile_##b##_1x1, tile_##b##_2x1, tile_##b##_4x1, tile_##b##_6x1}, \
   {tile_##b##_1x2, tile_##b##_2x2, tile_##b##_4x2, tile_##b##_6x2}, \
   {tile_##b##_1x4}}
static const kernel kernels[3][3][4] = {SET(8), SET(4), SET(2)};
static const size_t row_counts[4] = {1, 2, 4, 6};

/// Rows row..<row+count of codes, each group filled up with zeros, and the sums of the groups.
static void prepare(const ck_gemm_u8wq *g, const wq_layout *l, size_t row, size_t count, v_wide *a,
                    int32_t *a_sums) {
  for (size_t r = 0; r < count; r++) {
    for (size_t tap = 0; tap < g->rows.taps; tap++) {
      const uint8_t *from = ck_piece(&g->rows, row + r, tap, 1);
      for (size_t s = 0; s < l->groups; s++) {
        size_t length = wq_length(l, s), filled = ck_divide_up(length, l->per_unit) * l->per_unit;
        *a_sums++ = v_widen(from, length, filled, a);
        from += length;
        a += filled;
      }
    }
  }
}

static void gemm_u8wq(const ck_gemm_u8wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps;
  wq_layout l = wq_open(g->packed, g->n, taps, g->rows.k, g->bits, g->group);
  size_t per_row = l.span * sizeof(v_wide) + taps * l.groups * 4, room = scratch_bytes(taps, g->rows.k);
  tile t;
  t.g = g;
  t.l = &l;
  t.end = n1;
  t.column_sums = (const int32_t *)((const char *)g->packed + 64 + l.vectors * l.vector_bytes);
  const kernel(*set)[4] = kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    int choice = 3;
    while (choice && (row_counts[choice] > m1 - i || row_counts[choice] * per_row > room)) choice--;
    size_t rows = row_counts[choice];
    int32_t *a_sums = g->scratch;
    v_wide *a = (v_wide *)(a_sums + rows * taps * l.groups);
    prepare(g, &l, i, rows, a, a_sums);
    t.row = i;
    t.a = a;
    t.a_sums = a_sums;
    for (size_t j = n0; j < n1;) {
      const size_t vectors = wq_vectors(&l, j, n1);
      const int several = vectors >= 4 && rows == 1 ? 2 : vectors >= 2;
      t.column = j;
      set[several][choice](&t);
      j += V_WIDTH << several;
    }
    i += rows;
  }
}

static void fill_gemm_u8wq(ck_table *table) { table->gemm_u8wq = gemm_u8wq; }
