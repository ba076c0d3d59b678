// u8 × s8 3×3 convolution of stride 1 as Winograd's F(4×4, 3×3) in whole numbers, exactly: 4×4 outputs from 6×6 inputs
// with 36 products for each pair of channels instead of 144, by the instruction that gemm_u8s8 uses too.
//
// The transforms of ../vector/conv3x3.h without its fractions. Codes are taken less 128, so that a transformed input is
// at most 100 · 128. Row i of the transform of the weights is multiplied by 24 (the last one by 6, and the output
// transform makes up for it), so that a transformed weight is at most 144 · 128. Both fit 16 bits. A transformed sum is
// then 576 times the sum modulo 2³²: times the inverse of 9 it is 64 times the sum, which a shift brings back if the sum
// fits 26 bits. More channels than keep to that make several sums.
//
// A block of tiles is transformed into [tile][point][k] for each part of the channels. Packed: for each part and each
// panel of 16 columns, [point][⌈k / 2⌉][16][2], padded with zeros.
#include "epilogue.h"

#if defined(__x86_64__)

enum {
  POINTS = 36,   // and what is summed at them makes…
  OUTPUTS = 16,  // …of a tile
  PANEL = 16,
  ROWS = 6,
  MOST = 227,    // channels of one sum: 9 · 227 · 128 · 128 < 2²⁵
  PART = 224,    // channels of a part where there are several
  BLOCK_BYTES = 256 * 1024,
  BLOCK_TILES = 8 * ROWS,
  NINTH = 0x38E38E39  // 9 times this is 1 modulo 2³²
};

/// Channels of a part, all but the last; even where there are several.
static size_t part_length(size_t k) {
  return k <= MOST ? k : ck_divide_up(ck_divide_up(k, ck_divide_up(k, PART)), 16) * 16;
}
static size_t part_pairs(size_t k) { return ck_divide_up(part_length(k), 2); }
static size_t part_count(size_t k) { return k ? ck_divide_up(k, part_length(k)) : 1; }

static size_t panel_size(size_t pairs) { return POINTS * pairs * PANEL * 2; }

static size_t packed_bytes(size_t n, size_t k) {
  return part_count(k) * ck_divide_up(n, PANEL) * panel_size(part_pairs(k)) * sizeof(int16_t);
}

/// Bytes of a row of padding.
static size_t padding_bytes(size_t k) { return ck_divide_up(k, 64) * 64; }
/// Numbers from one part of the inputs of `tiles` to the next; a store may reach 16 beyond the last.
static size_t inputs_size(size_t tiles, size_t k) { return tiles * POINTS * part_pairs(k) * 2 + 32; }

/// Tiles of a block: so many that what is made of them stays in the second cache.
static size_t block_tiles(size_t k) {
  size_t tile = POINTS * (part_count(k) * part_pairs(k) * 2 * sizeof(int16_t) + PANEL * sizeof(int32_t));
  size_t tiles = BLOCK_BYTES / tile;
  return tiles < ROWS ? ROWS : tiles > BLOCK_TILES ? BLOCK_TILES : tiles / ROWS * ROWS;
}

static size_t scratch_bytes(size_t n, size_t k) {
  (void)n;
  size_t tiles = block_tiles(k), totals = part_count(k) > 1 ? OUTPUTS : 0;
  return padding_bytes(k) + part_count(k) * inputs_size(tiles, k) * sizeof(int16_t) +
         tiles * (POINTS + totals) * PANEL * sizeof(int32_t);
}

static void transform_weights(const int8_t *b, size_t step, int16_t *to, size_t to_step) {
  static const int g[6][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4}, {1, 2, 4}, {1, -2, 4}, {0, 0, 6}};
  int half[6][3];
  for (size_t i = 0; i < 6; i++)
    for (size_t x = 0; x < 3; x++)
      half[i][x] = g[i][0] * b[x * step] + g[i][1] * b[(3 + x) * step] + g[i][2] * b[(6 + x) * step];
  for (size_t point = 0; point < POINTS; point++) {
    const int *column = g[point % 6], *row = half[point / 6];
    to[point * to_step] = (int16_t)(column[0] * row[0] + column[1] * row[1] + column[2] * row[2]);
  }
}

static void pack(size_t n, size_t k, const int8_t *b, void *packed) {
  size_t length = part_length(k), pairs = part_pairs(k), panels = ck_divide_up(n, PANEL);
  memset(packed, 0, packed_bytes(n, k));
  for (size_t j = 0; j < n; j++)
    for (size_t i = 0; i < k; i++) {
      size_t part = i / length, x = i % length;
      int16_t *panel = (int16_t *)packed + (part * panels + j / PANEL) * panel_size(pairs);
      transform_weights(b + j * 9 * k + i, k, panel + (x / 2 * PANEL + j % PANEL) * 2 + x % 2, pairs * PANEL * 2);
    }
}

CK_AVX2_BEGIN

typedef struct {
  const ck_conv3x3_u8s8 *w;
  ck_epilogue e;  // of codes less 128
  ck_quick quick;
  size_t across;  // tiles
  const uint8_t *padding;
  int16_t *inputs;
  int32_t *sums;    // [tile][point][16]
  int32_t *totals;  // [tile][4 · 4][16] of the parts before, where there are several
} work;

/// The first n of 16 codes, less 128, in 16 bits.
CK_INLINE vi load_codes(const uint8_t *from, size_t n) {
  __m128i codes;
  if (n >= 16) {
    codes = _mm_loadu_si128((const __m128i *)from);
  } else {
    uint8_t some[16] = {0};
    memcpy(some, from, n);
    codes = _mm_loadu_si128((const __m128i *)some);
  }
  return _mm256_cvtepi8_epi16(_mm_xor_si128(codes, _mm_set1_epi8(-128)));
}

/// Bᵀ d, in place.
CK_INLINE void transform_input(vi *d, const int step) {
  vi d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  vi far = _mm256_sub_epi16(d4, d2), near = _mm256_sub_epi16(d3, d1), twice = _mm256_add_epi16(near, near);
  vi even = _mm256_sub_epi16(d4, _mm256_slli_epi16(d2, 2)), odd = _mm256_sub_epi16(d3, _mm256_slli_epi16(d1, 2));
  d[0] = _mm256_add_epi16(_mm256_slli_epi16(_mm256_sub_epi16(d0, d2), 2), far);
  d[step] = _mm256_add_epi16(even, odd);
  d[2 * step] = _mm256_sub_epi16(even, odd);
  d[3 * step] = _mm256_add_epi16(far, twice);
  d[4 * step] = _mm256_sub_epi16(far, twice);
  d[5 * step] = _mm256_sub_epi16(_mm256_sub_epi16(d5, d3), _mm256_slli_epi16(near, 2));
}

/// The first n of 16 channels of a tile. Writes 16 to each point, in ascending order: what is too much is written over
/// by the next, or meets weights of zero.
CK_INLINE void transform_channels(const uint8_t *const *from, size_t ch, size_t n, int16_t *to, size_t step) {
  vi d[POINTS];
  CK_UNROLL for (size_t x = 0; x < 6; x++) {
    CK_UNROLL for (size_t y = 0; y < 6; y++) d[6 * y + x] = load_codes(from[6 * y + x] + ch, n);
    transform_input(d + x, 6);
  }
  CK_UNROLL for (size_t y = 0; y < 6; y++) {
    transform_input(d + 6 * y, 1);
    CK_UNROLL for (size_t x = 0; x < 6; x++) vi_store(to + (6 * y + x) * step, d[6 * y + x]);
  }
}

/// Where the 6×6 inputs of tile t are.
static void find_inputs(const work *s, size_t t, const uint8_t **from) {
  const ck_conv3x3_u8s8 *w = s->w;
  const ck_rows *image = &w->product.rows;
  ptrdiff_t y0 = (ptrdiff_t)(t / s->across * 4) - (ptrdiff_t)w->pad_top;
  ptrdiff_t x0 = (ptrdiff_t)(t % s->across * 4) - (ptrdiff_t)w->pad_left;
  for (ptrdiff_t y = y0; y < y0 + 6; y++)
    for (ptrdiff_t x = x0; x < x0 + 6; x++) {
      int inside = y >= 0 && y < (ptrdiff_t)w->height && x >= 0 && x < (ptrdiff_t)w->width;
      *from++ = inside ? (const uint8_t *)image->a + (size_t)(y * (ptrdiff_t)w->width + x) * image->k : s->padding;
    }
}

static void transform_tiles(const work *s, size_t t0, size_t tiles) {
  const size_t k = s->w->product.rows.k, length = part_length(k);
  const size_t step = part_pairs(k) * 2, part_step = inputs_size(tiles, k);
  for (size_t t = 0; t < tiles; t++) {
    const uint8_t *from[POINTS];
    find_inputs(s, t0 + t, from);
    for (size_t start = 0, part = 0; start < k; start += length, part++) {
      int16_t *to = s->inputs + part * part_step + t * POINTS * step;
      const size_t n = ck_min(length, k - start);
      if (n < 16) transform_channels(from, start, n, to, step);
      // The last 16 may have been done in part.
      for (size_t x = 0; n >= 16 && x < n; x += 16) {
        const size_t ch = ck_min(x, n - 16);
        transform_channels(from, start + ch, 16, to + ch, step);
      }
    }
  }
}

/// Products of one point: rows of a, `a_step` apart, with a panel.
CK_INLINE void multiply(const int rows, const int16_t *a, size_t a_step, const int16_t *b, size_t pairs,
                        int32_t *sums) {
  vi acc[ROWS][2];
  CK_UNROLL for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = vi_set(0);
  for (size_t p = 0; p < pairs; p++, a += 2, b += 2 * PANEL) {
    vi low = vi_load(b), high = vi_load(b + PANEL);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      int32_t pair;
      memcpy(&pair, a + (size_t)r * a_step, 4);
      vi one = vi_set(pair);
      acc[r][0] = vi_add(acc[r][0], _mm256_madd_epi16(one, low));
      acc[r][1] = vi_add(acc[r][1], _mm256_madd_epi16(one, high));
    }
  }
  CK_UNROLL for (int r = 0; r < rows; r++) {
    vi_store(sums + r * POINTS * PANEL, acc[r][0]);
    vi_store(sums + r * POINTS * PANEL + 8, acc[r][1]);
  }
}

#define KERNEL(rows)                                                                                           \
  static void rows_##rows(const int16_t *a, size_t a_step, const int16_t *b, size_t pairs, int32_t *sums) {    \
    multiply(rows, a, a_step, b, pairs, sums);                                                                 \
  }
KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
static void (*const kernels[ROWS])(const int16_t *, size_t, const int16_t *, size_t, int32_t *) = {
  rows_1, rows_2, rows_3, rows_4, rows_5, rows_6};

/// Aᵀ m, in place: the first four, 24 times as large.
CK_INLINE void transform_output(vi *m, const int step) {
  vi s = vi_add(m[step], m[2 * step]), d = vi_sub(m[step], m[2 * step]);
  vi s2 = vi_add(m[3 * step], m[4 * step]), d2 = vi_sub(m[3 * step], m[4 * step]);
  vi last = vi_left(vi_add(vi_add(d2, d2), m[5 * step]), 2);
  m[0] = vi_add(m[0], vi_add(s, s2));
  m[step] = vi_add(d, vi_add(d2, d2));
  m[2 * step] = vi_add(s, vi_left(s2, 2));
  m[3 * step] = vi_add(d, last);
}

/// How the sums of a part end: in registers as a quick kind says, in any way at all, or kept for the next part.
typedef enum { END_U8, END_SUM, END_F32, END_ANY, END_PART } ending;

#pragma clang fp contract(off)

/// The outputs of `tiles` from t0 on, the first n of columns j..<j+8. The sums of the parts before this one are in
/// `totals`, unless it is the first; with END_PART its own are added there.
CK_INLINE void finish_tiles(const ending end, const work *s, size_t t0, size_t tiles, int first, size_t j, size_t n) {
  // A byte that is stored could be anything that is pointed to.
  const ck_epilogue e = s->e;
  const size_t out_height = s->w->out_height, out_width = s->w->out_width, across = s->across;
  const int32_t *sums = s->sums + j % PANEL;
  const int quick = end != END_ANY && end != END_PART;
  const ck_quick kind = end == END_U8 ? CK_QUICK_U8 : end == END_SUM ? CK_QUICK_SUM : CK_QUICK_F32;
  const vi correction = quick ? ck_quick_correction(&e, j, 1, V_WIDTH, e.a_zero) : vi_set(0);
  vf scale = quick ? v_load(e.multiplier + j) : v_set(0);
  if (end == END_F32) scale = scale * v_set(e.a_scale);
  const vf bias = end == END_F32 && e.bias_f ? v_load(e.bias_f + j) : v_set(0);
  for (size_t t = 0; t < tiles; t++, sums += POINTS * PANEL) {
    vi m[POINTS];
    CK_UNROLL for (size_t x = 0; x < 6; x++) {
      CK_UNROLL for (size_t y = 0; y < 6; y++) m[6 * y + x] = vi_load(sums + (6 * y + x) * PANEL);
      transform_output(m + x, 6);
    }
    const size_t y0 = (t0 + t) / across * 4, x0 = (t0 + t) % across * 4;
    const size_t rows = ck_min(4, out_height - y0), columns = ck_min(4, out_width - x0);
    for (size_t y = 0; y < rows; y++) {
      transform_output(m + 6 * y, 1);
      for (size_t x = 0; x < columns; x++) {
        const size_t total = (t * OUTPUTS + 4 * y + x) * PANEL + j % PANEL, i = (y0 + y) * out_width + x0 + x;
        vi sum = vi_right(vi_mul(m[6 * y + x], vi_set(NINTH)), 6);
        if (!first) sum = vi_add(sum, vi_load(s->totals + total));
        if (end == END_PART) {
          vi_store(s->totals + total, sum);
        } else if (end == END_ANY) {
          int32_t some[V_WIDTH];
          vi_store(some, sum);
          ck_avx2_store(&e, some, V_WIDTH, i, 1, j, n, NULL);
        } else {
          ck_quick_store(kind, &e, vi_add(sum, correction), scale, bias, i, j, 1, V_WIDTH);
        }
      }
    }
  }
}

#define FINISH(name, end)                                                                             \
  static void name(const work *s, size_t t0, size_t tiles, int first, size_t j, size_t n) {           \
    finish_tiles(end, s, t0, tiles, first, j, n);                                                     \
  }
FINISH(finish_u8, END_U8)
FINISH(finish_sum, END_SUM)
FINISH(finish_f32, END_F32)
FINISH(finish_any, END_ANY)
FINISH(finish_part, END_PART)

static void finish_panel(const work *s, size_t t0, size_t tiles, size_t column, int first, int last) {
  const size_t columns = s->w->product.n;
  for (size_t j = column; j < ck_min(column + PANEL, columns); j += V_WIDTH) {
    const size_t n = ck_min(V_WIDTH, columns - j);
    const ck_quick kind = n < V_WIDTH ? CK_NOT_QUICK : s->quick;
    (!last                    ? finish_part
     : kind == CK_QUICK_U8  ? finish_u8
     : kind == CK_QUICK_SUM ? finish_sum
     : kind == CK_QUICK_F32 ? finish_f32
                            : finish_any)(s, t0, tiles, first, j, n);
  }
}

/// One panel of columns of the tiles that have been transformed.
static void panel(const work *s, size_t t0, size_t tiles, size_t column) {
  const ck_gemm_u8s8 *g = &s->w->product;
  const size_t k = g->rows.k, pairs = part_pairs(k), parts = part_count(k), panels = ck_divide_up(g->n, PANEL);
  const size_t group = ck_even_tile(tiles, ROWS);
  for (size_t part = 0; part < parts; part++) {
    const int16_t *inputs = s->inputs + part * inputs_size(tiles, k);
    const int16_t *b = (const int16_t *)g->packed + (part * panels + column / PANEL) * panel_size(pairs);
    const size_t used = ck_divide_up(ck_min(part_length(k), k - part * part_length(k)), 2);
    for (size_t point = 0; point < POINTS; point++)
      for (size_t t = 0; t < tiles; t += group)
        kernels[ck_min(group, tiles - t) - 1](inputs + (t * POINTS + point) * pairs * 2, POINTS * pairs * 2,
                                              b + point * pairs * PANEL * 2, used,
                                              s->sums + (t * POINTS + point) * PANEL);
    finish_panel(s, t0, tiles, column, part == 0, part + 1 == parts);
  }
}

static void conv3x3(const ck_conv3x3_u8s8 *w, size_t t0, size_t t1) {
  if (t0 >= t1) return;
  const ck_gemm_u8s8 *g = &w->product;
  const size_t k = g->rows.k, block = ck_even_tile(t1 - t0, block_tiles(k));
  work s = {.w = w, .e = ck_epilogue_gemm(g), .padding = w->scratch};
  s.quick = ck_quick_kind(&s.e, 0, g->n);
  s.e.a_zero -= 128;
  s.across = ck_divide_up(w->out_width, 4);
  s.inputs = (int16_t *)((char *)w->scratch + padding_bytes(k));
  s.sums = (int32_t *)(s.inputs + part_count(k) * inputs_size(block, k));
  s.totals = part_count(k) > 1 ? s.sums + block * POINTS * PANEL : NULL;
  memset(w->scratch, g->a_zero, k);
  for (size_t t = t0; t < t1; t += block) {
    const size_t tiles = ck_min(block, t1 - t);
    transform_tiles(&s, t, tiles);
    for (size_t column = 0; column < g->n; column += PANEL) panel(&s, t, tiles, column);
  }
}

CK_AVX2_END

void ck_avx2_conv3x3_u8s8(ck_table *table) {
  table->packed_bytes_3x3_u8s8 = packed_bytes;
  table->scratch_bytes_3x3_u8s8 = scratch_bytes;
  table->pack_3x3_u8s8 = pack;
  table->conv3x3_u8s8 = conv3x3;
}

#endif
