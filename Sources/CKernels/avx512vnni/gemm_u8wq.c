// uint8 rows times weights with group scales: an exact integer sum for each group on vpdpbusd, then
// total = total + scale · float(sum), group after group, without contraction, as the scalar level does it.
#include "wq.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)

enum { ROWS = 6 };

CK_AVX512_BEGIN

typedef struct {
  const ck_gemm_u8wq *g;
  const ck_wq_layout *l;
  const int32_t *column_sums;  // of the whole matrix
  size_t row, column, end;
  const uint8_t *a;            // [rows][span]: groups filled up with zeros
  const int32_t *a_sums;       // [rows][taps · groups]
} tile;

CK_INLINE void compute(const int bits, const int rows, const int panels, const tile *t) {
  const ck_gemm_u8wq *g = t->g;
  const ck_wq_layout *l = t->l;
  const int bias = bits == 8 ? 0 : 1 << (bits - 1);
  size_t all_groups = g->rows.taps * l->groups;
  const char *at[4];
  const int32_t *column_sums[4];
  CK_UNROLL for (int p = 0; p < panels; p++) {
    at[p] = ck_wq_panel(l, g->packed, t->column + 16 * (size_t)p);
    column_sums[p] = t->column_sums + (t->column / 16 + (size_t)p) * all_groups * 16;
  }
  __m512 total[2 * ROWS];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) total[o] = _mm512_setzero_ps();

  const uint8_t *a = t->a;
  size_t group = 0;
  for (size_t s = 0; s < all_groups; s++) {
    __m512 scale[4];
    __m512i zero[4], sum[2 * ROWS];
    CK_UNROLL for (int o = 0; o < rows * panels; o++) sum[o] = _mm512_setzero_si512();
    CK_UNROLL for (int p = 0; p < panels; p++) {
      scale[p] = _mm512_loadu_ps(at[p]);
      zero[p] = _mm512_set1_epi32(bias);
      if (l->zeros) zero[p] = _mm512_add_epi32(zero[p], _mm512_loadu_si512(at[p] + 64));
      at[p] += l->zeros ? 128 : 64;
    }
    size_t units = ck_divide_up(ck_wq_length(l, group), l->per_unit);
    group = group + 1 == l->groups ? 0 : group + 1;
    for (size_t u = 0; u < units; u++) {
      __m512i unit[4];
      CK_UNROLL for (int p = 0; p < panels; p++) {
        unit[p] = _mm512_loadu_si512(at[p]);
        at[p] += 64;
      }
      CK_UNROLL for (int field = 0; field < 8 / bits; field++) {
        __m512i w[4];
        CK_UNROLL for (int p = 0; p < panels; p++) {
          w[p] = bits == 8 ? unit[p]
                           : _mm512_and_si512(_mm512_srli_epi16(unit[p], (unsigned)(field * bits)),
                                              _mm512_set1_epi8((char)((1 << bits) - 1)));
        }
        CK_UNROLL for (int r = 0; r < rows; r++) {
          int32_t four;
          memcpy(&four, a + (size_t)r * l->span + 4 * field, 4);
          CK_UNROLL for (int p = 0; p < panels; p++) {
            sum[r * panels + p] = _mm512_dpbusd_epi32(sum[r * panels + p], _mm512_set1_epi32(four), w[p]);
          }
        }
      }
      a += 32 / bits;
    }
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->row + (size_t)r;
      __m512i a_zero = _mm512_set1_epi32(g->a_zeros ? g->a_zeros[i] : g->a_zero);
      __m512i a_sum = _mm512_set1_epi32(t->a_sums[(size_t)r * all_groups + s]);
      CK_UNROLL for (int p = 0; p < panels; p++) {
        int o = r * panels + p;
        __m512i v = _mm512_mullo_epi32(a_zero, _mm512_loadu_si512(column_sums[p] + 16 * s));
        if (bits < 8 || l->zeros) v = _mm512_add_epi32(v, _mm512_mullo_epi32(zero[p], a_sum));
        v = _mm512_sub_epi32(sum[o], v);
        total[o] = _mm512_add_ps(total[o], _mm512_mul_ps(_mm512_cvtepi32_ps(v), scale[p]));
      }
    }
  }

  __m512 lower = _mm512_set1_ps(g->lower), upper = _mm512_set1_ps(g->upper);
  CK_UNROLL for (int p = 0; p < panels; p++) {
    size_t j = t->column + 16 * (size_t)p;
    __mmask16 live = ck_mask16(t->end - j);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      size_t i = t->row + (size_t)r;
      __m512 y = _mm512_mul_ps(total[r * panels + p], _mm512_set1_ps(g->a_scales ? g->a_scales[i] : g->a_scale));
      if (g->bias_f) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(live, g->bias_f + j));
      y = _mm512_min_ps(upper, _mm512_max_ps(lower, y));
      _mm512_mask_storeu_ps(g->c + i * g->c_stride + j, live, y);
    }
  }
}

#define KERNEL(bits, rows, panels) \
  static void tile_##bits##_##rows##x##panels(const tile *t) { compute(bits, rows, panels, t); }
#define KERNELS(bits)                                                                                 \
  KERNEL(bits, 1, 1) KERNEL(bits, 2, 1) KERNEL(bits, 4, 1) KERNEL(bits, 6, 1) KERNEL(bits, 1, 4)      \
  KERNEL(bits, 2, 2) KERNEL(bits, 4, 2) KERNEL(bits, 6, 2)
KERNELS(8)
KERNELS(4)
KERNELS(2)

/// [bits][one or several panels][rows 1, 2, 4, 6]
typedef void (*kernel)(const tile *);
#define SET(b)                                                              \
  {{tile_##b##_1x1, tile_##b##_2x1, tile_##b##_4x1, tile_##b##_6x1},        \
   {tile_##b##_1x4, tile_##b##_2x2, tile_##b##_4x2, tile_##b##_6x2}}
static const kernel kernels[3][2][4] = {SET(8), SET(4), SET(2)};
static const size_t row_counts[4] = {1, 2, 4, 6};

/// Rows row..<row+count of codes, each group filled up with zeros, and the sums of the groups.
static void prepare(const ck_gemm_u8wq *g, const ck_wq_layout *l, size_t row, size_t count, uint8_t *a,
                    int32_t *a_sums) {
  for (size_t r = 0; r < count; r++) {
    for (size_t tap = 0; tap < g->rows.taps; tap++) {
      const uint8_t *from = ck_piece(&g->rows, row + r, tap, 1);
      for (size_t s = 0; s < l->groups; s++) {
        size_t length = ck_wq_length(l, s), filled = ck_divide_up(length, l->per_unit) * l->per_unit;
        __m512i sum = _mm512_setzero_si512();
        for (size_t x = 0; x < length; x += 64) {
          __mmask64 live = length - x >= 64 ? ~0ull : (1ull << (length - x)) - 1;
          __mmask64 place = filled - x >= 64 ? ~0ull : (1ull << (filled - x)) - 1;
          __m512i v = _mm512_maskz_loadu_epi8(live, from + x);
          _mm512_mask_storeu_epi8(a + x, place, v);
          sum = _mm512_add_epi64(sum, _mm512_sad_epu8(v, _mm512_setzero_si512()));
        }
        *a_sums++ = (int32_t)_mm512_reduce_add_epi64(sum);
        from += length;
        a += filled;
      }
    }
  }
}

void ck_avx512_gemm_wq_u8(const ck_gemm_u8wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps;
  ck_wq_layout l = ck_wq_open(taps, g->rows.k, g->bits, g->group, ck_wq_has_zeros(g->packed));
  size_t per_row = l.span + taps * l.groups * 4, room = ck_avx512_wq_scratch_bytes(taps, g->rows.k);
  tile t;
  t.g = g;
  t.l = &l;
  t.end = n1;
  t.column_sums = (const int32_t *)ck_wq_panel(&l, g->packed, ck_divide_up(g->n, 16) * 16);
  const kernel(*set)[4] = kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    int choice = 3;
    while (choice && (row_counts[choice] > m1 - i || row_counts[choice] * per_row > room)) choice--;
    size_t rows = row_counts[choice];
    int32_t *a_sums = g->scratch;
    uint8_t *a = (uint8_t *)(a_sums + rows * taps * l.groups);
    prepare(g, &l, i, rows, a, a_sums);
    t.row = i;
    t.a = a;
    t.a_sums = a_sums;
    size_t several = rows == 1 ? 64 : 32;
    for (size_t j = n0; j < n1;) {
      t.column = j;
      int together = n1 - j >= several;
      set[together][choice](&t);
      j += together ? several : 16;
    }
    i += rows;
  }
}

CK_AVX512_END

#endif
