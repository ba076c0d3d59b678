// u8 × s8 matrix product in 16 bits: both sides are widened, pairs along k are multiplied and added to int32 exactly.
// (The instruction that multiplies bytes directly saturates.) The rows of a tile are widened into a buffer, taps side by
// side, some hundred elements of depth at a time.
//
// Packed: panels of 16 columns, [⌈taps · k / 2⌉][16][2], padded with zeros.
#include "epilogue.h"

#if defined(__x86_64__)

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
  if (x + 8 <= n) {
    _mm_storeu_si128((__m128i *)(to + x), _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)(from + x))));
    x += 8;
  }
  for (; x < n; x++) to[x] = from[x];
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

CK_INLINE void compute(const int rows, tile *t) {
  const ck_gemm_u8s8 *g = t->g;
  size_t depth = g->rows.taps * g->rows.k;
  const int8_t *b = (const int8_t *)g->packed + t->column * pair_count(g->rows.taps, g->rows.k) * 2;
  vi acc[ROWS][2];
  CK_UNROLL for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = vi_set(0);
  for (;;) {
    size_t pairs = (t->length + 1) / 2;
    for (size_t p = 0; p < pairs; p++, b += 2 * PANEL) {
      vi low = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)b));
      vi high = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + 16)));
      CK_UNROLL for (int r = 0; r < rows; r++) {
        int32_t pair;
        memcpy(&pair, t->wide[r] + 2 * p, 4);
        vi one = vi_set(pair);
        acc[r][0] = vi_add(acc[r][0], _mm256_madd_epi16(one, low));
        acc[r][1] = vi_add(acc[r][1], _mm256_madd_epi16(one, high));
      }
    }
    if (t->from + t->length >= depth) break;
    fill(t, (size_t)rows, t->from + t->length);
  }
  int32_t sums[ROWS * PANEL];
  CK_UNROLL for (int r = 0; r < rows; r++) {
    _mm256_storeu_si256((__m256i *)(sums + r * PANEL), acc[r][0]);
    _mm256_storeu_si256((__m256i *)(sums + r * PANEL + 8), acc[r][1]);
  }
  ck_avx2_store(&t->e, sums, PANEL, t->row, (size_t)rows, t->column, t->columns, t->row_sums);
}

#define KERNEL(rows) \
  static void tile_##rows(tile *t) { compute(rows, t); }
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
static void (*const kernels[ROWS])(tile *) = {tile_1, tile_2, tile_3, tile_4, tile_5, tile_6};

static void gemm(const ck_gemm_u8s8 *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  if (m0 >= m1 || n0 >= n1) return;
  size_t depth = g->rows.taps * g->rows.k, step = ck_even_tile(m1 - m0, ROWS);
  tile t;
  t.g = g;
  t.e = ck_epilogue_gemm(g);
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
      kernels[rows - 1](&t);
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
