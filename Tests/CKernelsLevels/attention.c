#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

typedef struct {
  size_t queries, heads, size, value_size, keys;
  int causal;
  size_t first, window;
  int mask;  // 0 none, 1 of every key, 2 one for all keys
  float softcap;
  int coded;
} attention_case;

static void check(attention_case c) {
  begin("attention_f32", "%zu queries of %zu heads, %zu and %zu features, %zu keys, causal %d from %zu, window %zu, mask %d, "
        "softcap %g, coded %d", c.queries, c.heads, c.size, c.value_size, c.keys, c.causal, c.first, c.window, c.mask,
        (double)c.softcap, c.coded);
  size_t rows = c.queries * c.heads, width = c.heads * c.size, out = c.heads * c.value_size;
  size_t k_stride = c.size + 3, v_stride = c.value_size + 1;
  ck_attention_f32 a = {0};
  a.q = floats(c.queries * width, -2, 2);
  a.q_query = width, a.q_head = c.size, a.y_query = out, a.y_head = c.value_size;
  a.heads = c.heads, a.size = c.size, a.value_size = c.value_size, a.keys = c.keys;
  a.k_stride = k_stride, a.v_stride = v_stride;
  size_t k_count = (c.keys - 1) * k_stride + c.size, v_count = (c.keys - 1) * v_stride + c.value_size;
  if (c.coded) {
    a.k_codes = bytes(k_count, 0, 255), a.v_codes = bytes(v_count, 0, 255);
    a.k_scales = floats(c.keys, 0.001f, 0.02f), a.v_scales = floats(c.keys, 0.001f, 0.02f);
  } else {
    a.k = floats(k_count, -2, 2), a.v = floats(v_count, -2, 2);
  }
  a.causal = c.causal, a.first = c.first, a.window = c.window;
  a.scale = 0.7f, a.softcap = c.softcap;
  if (c.mask) {
    size_t per_row = c.mask == 1 ? c.keys : 1;
    float *mask = floats(rows * per_row, -3, 3);
    for (size_t i = 0; i < rows * per_row; i++)
      if (below(5) == 0) mask[i] = -INFINITY;
    a.mask = mask, a.mask_query = c.heads * per_row, a.mask_head = per_row, a.mask_key = c.mask == 1;
  }
  float *found = take(rows * c.value_size * 4, 0x41), *expected = take(rows * c.value_size * 4, 0x41);
  for (int level = 0; level < 2; level++) {
    const ck_table *t = level ? &scalar : &ours;
    a.y = level ? expected : found;
    a.scratch = take((t->attention_scratch_bytes(c.size, c.value_size) + 63) / 64 * 64, 0x7f);
    if (level) {
      t->attention_f32(&a, 0, rows);
    } else {
      for (size_t r = 0; r < rows; r += 1 + r % 5 * 13) {
        size_t end = r + 1 + r % 5 * 13;
        t->attention_f32(&a, r, end < rows ? end : rows);
      }
    }
  }
  close_floats("", found, expected, rows * c.value_size, NULL, 2e-5f, 2);
  float *whole = take(rows * c.value_size * 4, 0x41);
  a.y = whole;
  a.scratch = take((ours.attention_scratch_bytes(c.size, c.value_size) + 63) / 64 * 64, 0x7f);
  ours.attention_f32(&a, 0, rows);
  same_floats("rows by themselves", found, whole, rows * c.value_size);
}

static void check_rotation(size_t size, size_t turned, int neighbours) {
  begin("rotate_f32", "%zu of %zu, neighbours %d", turned, size, neighbours);
  const float *x = floats(size, -3, 3), *cosines = floats(turned / 2, -1, 1), *sines = floats(turned / 2, -1, 1);
  float *found = take(size * 4, 0x41), *expected = take(size * 4, 0x41), *place = take(size * 4, 0);
  ours.rotate_f32(x, size, turned, neighbours, cosines, sines, found);
  scalar.rotate_f32(x, size, turned, neighbours, cosines, sines, expected);
  close_floats("", found, expected, size, NULL, 1e-6f, 3);
  memcpy(place, x, size * 4);
  ours.rotate_f32(place, size, turned, neighbours, cosines, sines, place);
  same_floats("in place", place, found, size);
}

static void check_rows(size_t m, size_t n, size_t k, int ends) {
  begin("rows_f32", "m %zu n %zu k %zu, bias and sum %d", m, n, k, ends);
  ck_gemm_f32 g = {0};
  float *magnitude = take(m * n * 4, 0);
  const float *a = floats(m * (k + 3), -1, 1);
  g.rows = (ck_rows){a, k + 3, NULL, 1, k, NULL};
  g.n = n, g.packed = floats(n * k, -1, 1), g.c_stride = n + 1, g.residual_stride = n;
  if (ends) g.bias = floats(n, -1, 1), g.residual = floats(m * n, -1, 1);
  g.lower = ends ? -1 : -INFINITY, g.upper = ends ? 2 : INFINITY;
  float *found = take(m * (n + 1) * 4, 0x41), *expected = take(m * (n + 1) * 4, 0x41);
  for (size_t i = 0; i < m * n; i++) magnitude[i] = (float)k + 2;
  g.c = found;
  for (size_t p = 0; p < 4; p++) {
    part r = part_of(p, m, n);
    ours.rows_f32(&g, r.m0, r.m1, r.n0, r.n1);
  }
  g.c = expected;
  scalar.rows_f32(&g, 0, m, 0, n);
  for (size_t i = 0; i < m; i++)
    close_floats("", found + i * (n + 1), expected + i * (n + 1), n, magnitude, 1e-6f, 0);
  float *whole = take(m * (n + 1) * 4, 0x41);
  g.c = whole;
  ours.rows_f32(&g, 0, m, 0, n);
  same_floats("split", whole, found, m * (n + 1));
}

void test_attention(void) {
  static const size_t keys[] = {1, 2, 3, 15, 16, 17, 63, 64, 65, 130};
  static const size_t sizes[] = {1, 4, 8, 15, 16, 17, 31, 32, 33, 64, 80};
  for (size_t i = 0; i < COUNT(keys); i++)
    for (size_t j = 0; j < COUNT(sizes); j++) {
      check((attention_case){1, 1, sizes[j], sizes[COUNT(sizes) - 1 - j], keys[i], 0, 0, 0, 0, 0, 0});
      check((attention_case){1, 3, sizes[j], sizes[j], keys[i], 0, 0, 0, 0, 0, 1});
      check((attention_case){keys[i], 2, sizes[j], sizes[j], keys[i], 1, 0, 0, 0, 0, 0});
    }
  for (size_t i = 0; i < COUNT(keys); i++) {
    size_t n = keys[i];
    for (int coded = 0; coded < 2; coded++) {
      check((attention_case){n, 2, 16, 24, n + 9, 1, 9, 0, 0, 3, coded});
      check((attention_case){n, 1, 16, 24, n + 70, 1, 70, 5, 0, 0, coded});
      check((attention_case){n, 4, 8, 8, n, 1, 0, 66, 1, 0, coded});
      check((attention_case){n, 3, 8, 8, 77, 0, 0, 0, 1, 20, coded});
      check((attention_case){n, 3, 8, 8, 77, 0, 0, 0, 2, 0, coded});
    }
  }
  for (size_t size = 2; size <= 80; size += size < 36 ? 2 : 11)
    for (int neighbours = 0; neighbours < 2; neighbours++) {
      check_rotation(size, size / 2 * 2, neighbours);
      check_rotation(size, size / 4 * 2, neighbours);
    }
  static const size_t depths[] = {1, 7, 8, 9, 15, 16, 17, 32, 33, 100, 1000};
  for (size_t m = 1; m <= 7; m++)
    for (size_t d = 0; d < COUNT(depths); d++)
      for (size_t n = 1; n < 40; n += 6) check_rows(m, n, depths[d], (int)(n % 2));
}
