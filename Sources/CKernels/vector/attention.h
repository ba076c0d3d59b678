// Attention in tiles of keys: the scores of a tile become weights against the highest score so far, and what was summed
// before is scaled when a higher one comes (online softmax: Milakov & Gimelshein 2018; tiles: Dao et al. 2022). Tiles begin
// at fixed keys, so that a row does not depend on the rows that are computed with it.
#include <math.h>

#include "../internal.h"
#include "math.h"

enum { KEY_TILE = 64, ROW_TILE = 32, AT_ONCE = 4 };

/// Scratch memory of a call.
typedef struct {
  float *scores;             // [ROW_TILE, KEY_TILE]
  float *highest, *sum, *factor;  // [ROW_TILE]
  float *keys, *values;      // of a tile, where they are codes
} tile_memory;

static size_t scratch_bytes(size_t size, size_t value_size) {
  return (ROW_TILE * KEY_TILE + 3 * ROW_TILE + KEY_TILE * (size + value_size)) * sizeof(float);
}

static tile_memory memory_of(const ck_attention_f32 *a) {
  tile_memory m;
  m.scores = a->scratch;
  m.highest = m.scores + ROW_TILE * KEY_TILE;
  m.sum = m.highest + ROW_TILE;
  m.factor = m.sum + ROW_TILE;
  m.keys = m.factor + ROW_TILE;
  m.values = m.keys + KEY_TILE * a->size;
  return m;
}

/// Where row r of a block starts; those after the last are it again.
CK_INLINE const float *query_at(const ck_attention_f32 *a, size_t r) {
  return a->q + r / a->heads * a->q_query + r % a->heads * a->q_head;
}
CK_INLINE float *result_at(const ck_attention_f32 *a, size_t r) {
  return a->y + r / a->heads * a->y_query + r % a->heads * a->y_head;
}

static void decode(const uint8_t *codes, const float *scales, size_t stride, size_t j0, size_t count, size_t n, float *y) {
  vf middle = v_set(128);
  for (size_t j = 0; j < count; j++, y += n) {
    const uint8_t *from = codes + (j0 + j) * stride;
    vf scale = v_set(scales[j0 + j]);
    size_t i = 0;
    for (; i + V_WIDTH <= n; i += V_WIDTH) v_store(y + i, scale * (v_from_int(v_load_u8(from + i)) - middle));
    if (i < n) v_store_n(y + i, n - i, scale * (v_from_int(v_load_u8_n(from + i, n - i)) - middle));
  }
}

/// rows × 2 dot products; the second key may be the first again.
CK_INLINE void dots(const int rows, const float *const *q, const float *k0, const float *k1, size_t n, float *scores) {
  vf sums[2 * AT_ONCE];
  CK_UNROLL for (int o = 0; o < 2 * rows; o++) sums[o] = v_set(0);
  size_t x = 0;
  for (; x + V_WIDTH <= n; x += V_WIDTH) {
    vf u = v_load(k0 + x), v = v_load(k1 + x);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf one = v_load(q[r] + x);
      sums[2 * r] = v_fma(one, u, sums[2 * r]);
      sums[2 * r + 1] = v_fma(one, v, sums[2 * r + 1]);
    }
  }
  if (x < n) {
    vf u = v_load_n(k0 + x, n - x), v = v_load_n(k1 + x, n - x);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf one = v_load_n(q[r] + x, n - x);
      sums[2 * r] = v_fma(one, u, sums[2 * r]);
      sums[2 * r + 1] = v_fma(one, v, sums[2 * r + 1]);
    }
  }
  CK_UNROLL for (int r = 0; r < rows; r++) {
    scores[r * KEY_TILE] = v_sum(sums[2 * r]);
    scores[r * KEY_TILE + 1] = v_sum(sums[2 * r + 1]);
  }
}

/// Products of a block's rows with the keys from..<to of a tile.
static void score(const ck_attention_f32 *a, size_t r0, size_t rows, const float *k, size_t stride, size_t from, size_t to,
                  float *scores) {
  for (size_t r = 0; r < rows; r += AT_ONCE, scores += AT_ONCE * KEY_TILE) {
    size_t here = ck_min(AT_ONCE, rows - r);
    const float *q[AT_ONCE];
    for (size_t i = 0; i < AT_ONCE; i++) q[i] = query_at(a, r0 + r + ck_min(i, here - 1));
    for (size_t j = from; j < to; j += 2) {
      const float *one = k + j * stride, *other = j + 1 < to ? one + stride : one;
      if (here == 1)
        dots(1, q, one, other, a->size, scores + j);
      else
        dots(AT_ONCE, q, one, other, a->size, scores + j);
    }
  }
}

/// Scores of row r for the tile that begins at key j0 become weights; what they add to the row's sums is noted.
static void weigh(const ck_attention_f32 *a, size_t r, size_t j0, size_t count, float *s, float *highest, float *sum,
                  float *factor) {
  ck_seen seen = ck_seen_keys(a, r / a->heads);
  size_t whole = ck_divide_up(count, V_WIDTH) * V_WIDTH;
  size_t from = seen.from > j0 ? ck_min(seen.from - j0, whole) : 0;
  size_t to = seen.to > j0 ? ck_min(seen.to - j0, count) : 0;
  *factor = 1;
  if (from < to) {
    vf scale = v_set(a->scale), cap = v_set(a->softcap), part = v_set(1 / a->softcap);
    const float *mask = a->mask ? a->mask + r / a->heads * a->mask_query + r % a->heads * a->mask_head : NULL;
    for (size_t i = 0; i < whole; i += V_WIDTH) {
      vf v = v_load(s + i) * scale;
      if (a->softcap > 0) v = cap * v_tanh(v * part);
      if (mask) {
        const float *at = mask + (j0 + i) * a->mask_key;
        v = v + (!a->mask_key ? v_set(*mask) : i + V_WIDTH <= count ? v_load(at) : v_load_n(at, count - i));
      }
      v_store(s + i, v);
    }
  }
  for (size_t i = 0; i < from; i++) s[i] = -INFINITY;
  for (size_t i = to; i < whole; i++) s[i] = -INFINITY;
  vf most = v_set(*highest);
  for (size_t i = 0; i < whole; i += V_WIDTH) most = v_max(v_load(s + i), most);
  float top = v_highest(most);
  if (top == -INFINITY) {
    for (size_t i = 0; i < whole; i++) s[i] = s[i] == -INFINITY ? 0 : s[i];
    return;
  }
  vf sums = v_set(0), high = v_set(top);
  for (size_t i = 0; i < whole; i += V_WIDTH) {
    vf p = v_exp(v_load(s + i) - high);
    v_store(s + i, p);
    sums = sums + p;
  }
  if (top > *highest) *factor = *highest == -INFINITY ? 0 : expf(*highest - top);
  *sum = *sum * *factor + v_sum(sums);
  *highest = top;
}

/// `vectors` vectors of four rows of results: what was there times the row's factor, and the weighted values.
CK_INLINE void add_values(const int rows, const int vectors, float *const *y, const float *p, const float *factor,
                          const float *v, size_t stride, size_t from, size_t to, size_t at, size_t left) {
  int part = left < V_WIDTH;
  vf sums[2 * AT_ONCE];
  CK_UNROLL for (int r = 0; r < rows; r++) {
    CK_UNROLL for (int c = 0; c < vectors; c++) {
      const float *here = y[r] + at + V_WIDTH * (size_t)c;
      sums[r * vectors + c] = (part ? v_load_n(here, left) : v_load(here)) * v_set(factor[r]);
    }
  }
  for (size_t j = from; j < to; j++) {
    vf w[2];
    CK_UNROLL for (int c = 0; c < vectors; c++) {
      const float *here = v + j * stride + at + V_WIDTH * (size_t)c;
      w[c] = part ? v_load_n(here, left) : v_load(here);
    }
    CK_UNROLL for (int r = 0; r < rows; r++) {
      vf one = v_set(p[(size_t)r * KEY_TILE + j]);
      CK_UNROLL for (int c = 0; c < vectors; c++) sums[r * vectors + c] = v_fma(one, w[c], sums[r * vectors + c]);
    }
  }
  CK_UNROLL for (int r = 0; r < rows; r++) {
    CK_UNROLL for (int c = 0; c < vectors; c++) {
      float *here = y[r] + at + V_WIDTH * (size_t)c;
      if (part)
        v_store_n(here, left, sums[r * vectors + c]);
      else
        v_store(here, sums[r * vectors + c]);
    }
  }
}

CK_INLINE void add_rows(const int rows, const ck_attention_f32 *a, size_t r0, const float *p, const float *factor,
                        const float *v, size_t stride, size_t from, size_t to) {
  float *y[AT_ONCE];
  CK_UNROLL for (int r = 0; r < rows; r++) y[r] = result_at(a, r0 + (size_t)r);
  size_t n = a->value_size, i = 0;
  for (; i + 2 * V_WIDTH <= n; i += 2 * V_WIDTH)
    add_values(rows, 2, y, p, factor, v, stride, from, to, i, 2 * V_WIDTH);
  for (; i < n; i += V_WIDTH) add_values(rows, 1, y, p, factor, v, stride, from, to, i, n - i);
}

static void add_tile(const ck_attention_f32 *a, size_t r0, size_t rows, const tile_memory *m, const float *v, size_t stride,
                     size_t from, size_t to) {
  size_t r = 0;
  for (; r + AT_ONCE <= rows; r += AT_ONCE)
    add_rows(AT_ONCE, a, r0 + r, m->scores + r * KEY_TILE, m->factor + r, v, stride, from, to);
  for (; r < rows; r++) add_rows(1, a, r0 + r, m->scores + r * KEY_TILE, m->factor + r, v, stride, from, to);
}

static void block(const ck_attention_f32 *a, size_t r0, size_t rows) {
  tile_memory m = memory_of(a);
  for (size_t r = 0; r < rows; r++) {
    m.highest[r] = -INFINITY;
    m.sum[r] = 0;
    memset(result_at(a, r0 + r), 0, a->value_size * sizeof(float));
  }
  // Queries ascend, and so do the first and last key they see.
  size_t first = ck_seen_keys(a, r0 / a->heads).from, end = ck_seen_keys(a, (r0 + rows - 1) / a->heads).to;
  for (size_t j0 = first / KEY_TILE * KEY_TILE; j0 < end; j0 += KEY_TILE) {
    size_t count = ck_min(KEY_TILE, end - j0), from = first > j0 ? first - j0 : 0;
    const float *k = a->k ? a->k + j0 * a->k_stride : m.keys, *v = a->v ? a->v + j0 * a->v_stride : m.values;
    size_t k_stride = a->k ? a->k_stride : a->size, v_stride = a->v ? a->v_stride : a->value_size;
    if (!a->k) decode(a->k_codes, a->k_scales, a->k_stride, j0, count, a->size, m.keys);
    if (!a->v) decode(a->v_codes, a->v_scales, a->v_stride, j0, count, a->value_size, m.values);
    score(a, r0, rows, k, k_stride, from, count, m.scores);
    for (size_t r = 0; r < rows; r++)
      weigh(a, r0 + r, j0, count, m.scores + r * KEY_TILE, m.highest + r, m.sum + r, m.factor + r);
    add_tile(a, r0, rows, &m, v, v_stride, from, count);
  }
  for (size_t r = 0; r < rows; r++) {
    float *y = result_at(a, r0 + r);
    vf scale = v_set(m.sum[r] > 0 ? 1 / m.sum[r] : m.sum[r]);
    size_t i = 0;
    for (; i + V_WIDTH <= a->value_size; i += V_WIDTH) v_store(y + i, v_load(y + i) * scale);
    if (i < a->value_size)
      v_store_n(y + i, a->value_size - i, v_load_n(y + i, a->value_size - i) * scale);
  }
}

static void attention_f32(const ck_attention_f32 *a, size_t r0, size_t r1) {
  for (size_t r = r0; r < r1; r += ROW_TILE) block(a, r, ck_min(ROW_TILE, r1 - r));
}

static void rotate_halves(const float *x, size_t half, const float *cosines, const float *sines, float *y) {
  size_t i = 0;
  for (; i + V_WIDTH <= half; i += V_WIDTH) {
    vf a = v_load(x + i), b = v_load(x + half + i), c = v_load(cosines + i), s = v_load(sines + i);
    v_store(y + i, a * c - b * s);
    v_store(y + half + i, a * s + b * c);
  }
  for (; i < half; i++) {
    float a = x[i], b = x[half + i];
    y[i] = a * cosines[i] - b * sines[i];
    y[half + i] = a * sines[i] + b * cosines[i];
  }
}

static void rotate_f32(const float *x, size_t size, size_t turned, int neighbours, const float *cosines,
                       const float *sines, float *y) {
  if (neighbours) {
    for (size_t i = 0; i < turned / 2; i++) {
      float a = x[2 * i], b = x[2 * i + 1];
      y[2 * i] = a * cosines[i] - b * sines[i];
      y[2 * i + 1] = a * sines[i] + b * cosines[i];
    }
  } else {
    rotate_halves(x, turned / 2, cosines, sines, y);
  }
  if (y != x && size > turned) memcpy(y + turned, x + turned, (size - turned) * sizeof(float));
}

static void fill_attention(ck_table *table) {
  table->attention_scratch_bytes = scratch_bytes;
  table->attention_f32 = attention_f32;
  table->rotate_f32 = rotate_f32;
}
