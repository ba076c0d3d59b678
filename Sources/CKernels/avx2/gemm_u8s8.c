// u8 × s8 matrix product in 16 bits: both sides are widened, pairs along k are multiplied and added to int32 exactly.
// (The instruction that multiplies bytes directly saturates.) The rows of a tile are widened into a buffer, taps side by
// side, some hundred elements of depth at a time.
//
// Packed: panels of 16 columns, [⌈taps · k / 2⌉][16][2], padded with zeros.
#include "epilogue.h"

#if defined(__x86_64__)

#pragma clang fp contract(off)

enum { PANEL = 16, ROWS = 6, DEPTH = 512 };

static size_t pair_count(size_t taps, size_t k) { return ck_divide_up(taps * k, 2); }

static size_t packed_bytes(size_t n, size_t taps, size_t k) {
  return ck_divide_up(n, PANEL) * PANEL * pair_count(taps, k) * 2;
}

static void pack(size_t n, size_t taps, size_t k, const int8_t *b, void *packed) {
  size_t depth = taps * k, pairs = pair_count(taps, k);
  memset(packed, 0, packed_bytes(n, taps, k));
  for (size_t j = 0; j < n; j++) {
    int8_t *to = (int8_t *)packed + j / PANEL * PANEL * pairs * 2 + j % PANEL * 2;
    for (size_t x = 0; x < depth; x++) to[x / 2 * PANEL * 2 + x % 2] = b[j * depth + x];
  }
}

CK_AVX2_BEGIN

typedef struct {
  const ck_gemm_u8s8 *g;
  ck_epilogue e;
  ck_quick quick;
  size_t row, column, columns;
  size_t from, length;  // the part of the depth that `wide` holds; `length` is even but for the last part
  _Alignas(32) int16_t wide[ROWS][DEPTH + 16];
  int32_t row_sums[ROWS];
} tile;

/// Widens n codes; may write up to 15 beyond.
CK_INLINE void widen(int16_t *to, const uint8_t *from, size_t n) {
  size_t x = 0;
  for (; x + 16 <= n; x += 16)
    _mm256_storeu_si256((__m256i *)(to + x), _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(from + x))));
  if (x == n) return;
  if (n < 8) {
    for (; x < n; x++) to[x] = from[x];
    return;
  }
  // The rest in eights, of which the last ends where the codes end.
  for (; x < n; x += 8) {
    size_t at = ck_min(x, n - 8);
    _mm_storeu_si128((__m128i *)(to + at), _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)(from + at))));
  }
}

/// Fills `wide` with the depth from `from` on.
static void fill(tile *t, size_t rows, size_t from) {
  const ck_rows *source = &t->g->rows;
  size_t k = source->k, depth = source->taps * k, length = ck_min(depth - from, DEPTH);
  for (size_t r = 0; r < rows; r++) {
    size_t tap = from / k, x = from % k;
    for (size_t done = 0; done < length; tap++, x = 0) {
      size_t n = ck_min(k - x, length - done);
      widen(t->wide[r] + done, (const uint8_t *)ck_piece(source, t->row + r, tap, 1) + x, n);
      done += n;
    }
    t->wide[r][length] = 0;
  }
  t->from = from;
  t->length = length;
}

/// Σ a of each row; goes through the whole depth, so `wide` must be filled again.
static void sum_rows(tile *t, size_t rows) {
  for (size_t r = 0; r < rows; r++) {
    int32_t sum = 0;
    for (size_t tap = 0; tap < t->g->rows.taps; tap++) {
      const uint8_t *a = ck_piece(&t->g->rows, t->row + r, tap, 1);
      for (size_t x = 0; x < t->g->rows.k; x++) sum += a[x];
    }
    t->row_sums[r] = sum;
  }
}

/// Sums to outputs as `kind` says; sums of quick kinds are corrected.
CK_INLINE void store(const int rows, const int vectors, const ck_quick kind, const tile *t, vi *acc) {
  const ck_epilogue e = t->e;
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    const size_t j = t->column + 8 * (size_t)v, left = t->columns - 8 * (size_t)v;
    const int whole = left >= 8;
    vf multiplier = kind == CK_QUICK_S32 ? v_set(0) : v_load_part(whole, e.multiplier + j, left);
    vf bias = kind == CK_QUICK_F32 && e.bias_f ? v_load_part(whole, e.bias_f + j, left) : v_set(0);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const size_t i = t->row + (size_t)r;
      vf scale = kind == CK_QUICK_F32 ? v_set(e.a_scales ? e.a_scales[i] : e.a_scale) * multiplier : multiplier;
      // Twice, so that `whole` is known: else narrow products take up to a tenth longer.
      if (whole)
        ck_quick_store(kind, &e, acc[r * vectors + v], scale, bias, i, j, 1, 8);
      else
        ck_quick_store(kind, &e, acc[r * vectors + v], scale, bias, i, j, 0, left);
    }
  }
}

/// `vectors` of eight columns hold those of the tile.
CK_INLINE void compute(const int rows, const int vectors, tile *t) {
  const ck_gemm_u8s8 *g = t->g;
  size_t depth = g->rows.taps * g->rows.k;
  const int8_t *b = (const int8_t *)g->packed + t->column * pair_count(g->rows.taps, g->rows.k) * 2;
  vi acc[2 * ROWS];
  CK_UNROLL for (int v = 0; v < vectors; v++) {
    const size_t j = t->column + 8 * (size_t)v, left = t->columns - 8 * (size_t)v;
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vi *start = acc + r * vectors + v;
      if (t->quick == CK_NOT_QUICK)
        *start = vi_set(0);
      else if (t->e.a_zeros)
        *start = ck_quick_correction(&t->e, j, left >= 8, left, t->e.a_zeros[t->row + (size_t)r]);
      else
        *start = r ? acc[v] : ck_quick_correction(&t->e, j, left >= 8, left, t->e.a_zero);
    }
  }
  for (;;) {
    size_t pairs = (t->length + 1) / 2;
    for (size_t p = 0; p < pairs; p++, b += 2 * PANEL) {
      vi w[2];
      CK_UNROLL for (int v = 0; v < vectors; v++)
        w[v] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + 16 * v)));
      CK_UNROLL for (int r = 0; r < rows; r++) {
        int32_t pair;
        memcpy(&pair, t->wide[r] + 2 * p, 4);
        vi one = vi_set(pair);
        CK_UNROLL for (int v = 0; v < vectors; v++)
          acc[r * vectors + v] = vi_add(acc[r * vectors + v], _mm256_madd_epi16(one, w[v]));
      }
    }
    if (t->from + t->length >= depth) break;
    fill(t, (size_t)rows, t->from + t->length);
  }
  switch (t->quick) {
    case CK_QUICK_U8: store(rows, vectors, CK_QUICK_U8, t, acc); return;
    case CK_QUICK_SUM: store(rows, vectors, CK_QUICK_SUM, t, acc); return;
    case CK_QUICK_F32: store(rows, vectors, CK_QUICK_F32, t, acc); return;
    case CK_QUICK_S32: store(rows, vectors, CK_QUICK_S32, t, acc); return;
    case CK_NOT_QUICK: break;
  }
  int32_t sums[ROWS * PANEL];
  CK_UNROLL for (int i = 0; i < rows * vectors; i++) vi_store(sums + 8 * i, acc[i]);
  ck_avx2_store(&t->e, sums, 8 * (size_t)vectors, t->row, (size_t)rows, t->column, t->columns, t->row_sums);
}

#define KERNEL(rows)                                        \
  static void narrow_##rows(tile *t) { compute(rows, 1, t); } \
  static void full_##rows(tile *t) { compute(rows, 2, t); }
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
/// [whether the columns need two vectors][rows - 1]
static void (*const kernels[2][ROWS])(tile *) = {{narrow_1, narrow_2, narrow_3, narrow_4, narrow_5, narrow_6},
                                                 {full_1, full_2, full_3, full_4, full_5, full_6}};

static void gemm(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (m0 >= m1 || n0 >= n1) return;
  size_t depth = g->rows.taps * g->rows.k, step = ck_even_tile(m1 - m0, ROWS);
  tile t;
  t.g = g;
  t.e = ck_epilogue_gemm(g);
  t.quick = ck_quick_kind(&t.e, n0, n1);
  t.length = 0;
  t.from = 0;
  for (size_t i = m0; i < m1; i += step) {
    size_t rows = ck_min(step, m1 - i);
    t.row = i;
    if (g->b_zero) sum_rows(&t, rows);
    for (size_t j = n0; j < n1; j += PANEL) {
      t.column = j;
      t.columns = ck_min(PANEL, n1 - j);
      if (depth && (j == n0 || depth > DEPTH)) fill(&t, rows, 0);
      kernels[t.columns > 8][rows - 1](&t);
    }
  }
}

CK_AVX2_END

void ck_avx2_gemm_u8s8(ck_table *table) {
  table->packed_bytes_s8 = packed_bytes;
  table->pack_s8 = pack;
  table->gemm_u8s8 = gemm;
}

#endif
