// Products with group-scaled weights, the specification. Packed: a header, then codes as int8 [n][taps][k], scales
// and zeros [n][taps][groups]. A sum runs over one group first, then over the scaled groups in order.
#include "scalar.h"

typedef struct {
  const float *scales;
  const float *zeros;  // NULL when symmetric
  const int8_t *codes;
} view;

static size_t align(size_t bytes) { return (bytes + 63) / 64 * 64; }

static view open_packed(const void *packed, size_t n, size_t taps, size_t groups) {
  const char *at = packed;
  const size_t bytes = align(n * taps * groups * 4);
  uint32_t has_zeros;
  memcpy(&has_zeros, at, 4);
  view v;
  v.scales = (const float *)(at + 64);
  v.zeros = has_zeros ? (const float *)(at + 64 + bytes) : NULL;
  v.codes = (const int8_t *)(at + 64 + (has_zeros ? 2 : 1) * bytes);
  return v;
}

static size_t packed_bytes(const ck_wq *w) {
  const size_t groups = w->n * w->taps * ck_divide_up(w->k, w->group);
  return 64 + (w->zeros ? 2 : 1) * align(groups * 4) + align(w->n * w->taps * w->k);
}

static void pack(const ck_wq *w, void *packed) {
  const size_t groups = w->n * w->taps * ck_divide_up(w->k, w->group);
  uint32_t has_zeros = w->zeros != NULL;
  memset(packed, 0, 64);
  memcpy(packed, &has_zeros, 4);
  char *at = (char *)packed + 64;
  memcpy(at, w->scales, groups * 4);
  at += align(groups * 4);
  if (w->zeros) {
    memcpy(at, w->zeros, groups * 4);
    at += align(groups * 4);
  }
  memcpy(at, w->codes, w->n * w->taps * w->k);
}

static size_t scratch_bytes(size_t taps, size_t k) {
  (void)taps, (void)k;
  return 0;
}

static void gemm_wq(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps, k = g->rows.k, groups = ck_divide_up(k, g->group);
  view w = open_packed(g->packed, g->n, taps, groups);
  for (size_t i = m0; i < m1; i++)
    for (size_t j = n0; j < n1; j++) {
      float sum = 0;
      for (size_t t = 0; t < taps; t++) {
        const float *a = ck_piece(&g->rows, i, t, sizeof(float));
        const int8_t *codes = w.codes + (j * taps + t) * k;
        for (size_t s = 0; s < groups; s++) {
          size_t at = (j * taps + t) * groups + s, end = ck_min((s + 1) * g->group, k);
          float zero = w.zeros ? w.zeros[at] : 0;
          float part = 0;
          for (size_t x = s * g->group; x < end; x++) part += a[x] * ((float)codes[x] - zero);
          sum += part * w.scales[at];
        }
      }
      if (g->bias) sum += g->bias[j];
      if (g->residual) sum += g->residual[i * g->residual_stride + j];
      g->c[i * g->c_stride + j] = ck_clamp(sum, g->lower, g->upper);
    }
}

#pragma clang fp contract(off)

static void gemm_u8wq(const ck_gemm_u8wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  size_t taps = g->rows.taps, k = g->rows.k, groups = ck_divide_up(k, g->group);
  view w = open_packed(g->packed, g->n, taps, groups);
  for (size_t i = m0; i < m1; i++) {
    int32_t a_zero = g->a_zeros ? g->a_zeros[i] : g->a_zero;
    float a_scale = g->a_scales ? g->a_scales[i] : g->a_scale;
    for (size_t j = n0; j < n1; j++) {
      float sum = 0;
      for (size_t t = 0; t < taps; t++) {
        const uint8_t *a = ck_piece(&g->rows, i, t, 1);
        const int8_t *codes = w.codes + (j * taps + t) * k;
        for (size_t s = 0; s < groups; s++) {
          size_t at = (j * taps + t) * groups + s, end = ck_min((s + 1) * g->group, k);
          int32_t zero = w.zeros ? (int32_t)w.zeros[at] : 0, part = 0;
          for (size_t x = s * g->group; x < end; x++) part += (a[x] - a_zero) * (codes[x] - zero);
          float scaled = (float)part * w.scales[at];
          sum = sum + scaled;
        }
      }
      sum = sum * a_scale;
      if (g->bias_f) sum = sum + g->bias_f[j];
      g->c[i * g->c_stride + j] = ck_clamp(sum, g->lower, g->upper);
    }
  }
}

void ck_scalar_gemm_wq(ck_table *table) {
  table->packed_bytes_wq = packed_bytes;
  table->pack_wq = pack;
  table->wq_scratch_bytes = scratch_bytes;
  table->gemm_wq = gemm_wq;
  table->gemm_u8wq = gemm_u8wq;
}
