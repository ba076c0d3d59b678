// Float rows times weights with group scales. Few rows (a language model writing) are bound by the speed of memory:
// codes become floats in registers, four panels in parallel, and a group is summed before it is scaled. With many the
// weights become floats once for all rows of a call. Which way is taken depends on the whole product, so that an element
// does not depend on how rows are split.
#include "finish.h"
#include "wq.h"

enum { FEW = 4 };

static size_t packed_bytes(size_t n, size_t taps, size_t k, size_t bits, size_t group) {
  wq_layout l = wq_open(taps, k, bits, group, 1);
  return 64 + ck_divide_up(n, V_WIDTH) * (l.panel_bytes + taps * l.groups * UNIT);
}

static void pack(size_t n, size_t taps, size_t k, size_t bits, size_t group, const int8_t *codes, const float *scales,
                 const int32_t *zeros, void *packed) {
  wq_layout l = wq_open(taps, k, bits, group, zeros != NULL);
  size_t panels = ck_divide_up(n, V_WIDTH);
  memset(packed, 0, 64 + panels * (l.panel_bytes + taps * l.groups * UNIT));
  *(unsigned char *)packed = zeros != NULL;
  int32_t *sums = (int32_t *)((char *)packed + 64 + panels * l.panel_bytes);
  for (size_t j = 0; j < n; j++) {
    char *to = (char *)wq_panel(&l, packed, j);
    size_t lane = j % V_WIDTH;
    for (size_t tap = 0; tap < taps; tap++)
      for (size_t g = 0; g < l.groups; g++) {
        size_t at = (j * taps + tap) * l.groups + g, length = wq_length(&l, g);
        memcpy(to + 4 * lane, scales + at, 4);
        to += UNIT;
        int32_t sum = 0;
        if (zeros) {
          memcpy(to + 4 * lane, zeros + at, 4);
          to += UNIT;
          sum = -(int32_t)length * zeros[at];
        }
        const int8_t *from = codes + (j * taps + tap) * k + g * group;
        for (size_t x = 0; x < length; x++) {
          unsigned code = (unsigned)(from[x] + V_CODE_BIAS((int)bits)) & ((1u << bits) - 1), lane_bits;
          char *unit = to + x / l.per_unit * UNIT + 4 * lane;
          memcpy(&lane_bits, unit, 4);
          lane_bits |= code << v_code_place((unsigned)bits, (unsigned)(x % l.per_unit));
          memcpy(unit, &lane_bits, 4);
          sum += from[x];
        }
        to += ck_divide_up(length, l.per_unit) * UNIT;
        sums[((j / V_WIDTH * taps + tap) * l.groups + g) * V_WIDTH + lane] = sum;
      }
  }
}

CK_INLINE void finish(const ck_gemm_wq *g, size_t i, size_t j, size_t end, vf y) {
  size_t left = end - j;
  int whole = left >= V_WIDTH;
  if (g->bias) y = y + v_load_part(whole, g->bias + j, left);
  v_finish(y, g->residual, i * g->residual_stride + j, v_set(g->lower), v_set(g->upper), g->c + i * g->c_stride + j,
           whole, left);
}

/// A few rows × V_WIDTH·panels columns, from the packed codes.
CK_INLINE void few(const int bits, const int rows, const int panels, const ck_gemm_wq *g, const wq_layout *l,
                   size_t i, size_t j, size_t end) {
  const char *at[4];
  CK_UNROLL for (int p = 0; p < panels; p++) at[p] = wq_panel(l, g->packed, j + V_WIDTH * (size_t)p);
  vf book = v_codebook(bits), acc[8];
  CK_UNROLL for (int o = 0; o < rows * panels; o++) acc[o] = v_set(0);

  for (size_t tap = 0; tap < g->rows.taps; tap++) {
    const float *a[FEW];
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] = ck_piece(&g->rows, i + (size_t)r, tap, sizeof(float));
    for (size_t s = 0; s < l->groups; s++) {
      vf scale[4], zero[4], part[8];
      CK_UNROLL for (int o = 0; o < rows * panels; o++) part[o] = v_set(0);
      CK_UNROLL for (int p = 0; p < panels; p++) {
        scale[p] = v_load((const float *)at[p]);
        zero[p] = l->zeros ? v_from_int(vi_load(at[p] + UNIT)) : v_set(0);
        at[p] += l->zeros ? 2 * UNIT : UNIT;
      }
      size_t length = wq_length(l, s);
#define UNIT(ZERO, COUNT)                                                                      \
  {                                                                                            \
    vi unit[4];                                                                           \
    CK_UNROLL for (int p = 0; p < panels; p++) {                                               \
      unit[p] = vi_load(at[p]);                                                     \
      at[p] += UNIT;                                                                             \
    }                                                                                          \
    CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {                             \
      if (x >= (COUNT)) break;                                                                 \
      CK_UNROLL for (int p = 0; p < panels; p++) {                                             \
        vf w = v_element(bits, unit[p], x, book);                                            \
        if (ZERO) w = w - zero[p];                                               \
        CK_UNROLL for (int r = 0; r < rows; r++) {                                             \
          part[r * panels + p] = v_fma(v_set(a[r][x]), w, part[r * panels + p]); \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
    CK_UNROLL for (int r = 0; r < rows; r++) a[r] += (COUNT);                                  \
  }
      size_t whole = length / (32 / bits), rest = length % (32 / bits);
      if (l->zeros) {
        for (size_t u = 0; u < whole; u++) UNIT(1, 32u / bits)
      } else {
        for (size_t u = 0; u < whole; u++) UNIT(0, 32u / bits)
      }
      if (rest) UNIT(1, rest)
#undef UNIT
      CK_UNROLL for (int r = 0; r < rows; r++) {
        CK_UNROLL for (int p = 0; p < panels; p++) {
          int o = r * panels + p;
          acc[o] = v_fma(part[o], scale[p], acc[o]);
        }
      }
    }
  }

  CK_UNROLL for (int p = 0; p < panels; p++) {
    CK_UNROLL for (int r = 0; r < rows; r++)
      finish(g, i + (size_t)r, j + V_WIDTH * (size_t)p, end, acc[r * panels + p]);
  }
}

typedef void (*few_kernel)(const ck_gemm_wq *, const wq_layout *, size_t, size_t, size_t);
#define FEW_KERNEL(bits, rows, panels)                                                                      \
  static void few_##bits##_##rows##x##panels(const ck_gemm_wq *g, const wq_layout *l, size_t i, size_t j, \
                                             size_t end) {                                                  \
    few(bits, rows, panels, g, l, i, j, end);                                                               \
  }
#define FEW_KERNELS(bits) \
  FEW_KERNEL(bits, 1, 4) FEW_KERNEL(bits, 1, 1) FEW_KERNEL(bits, 2, 2) FEW_KERNEL(bits, 2, 1) FEW_KERNEL(bits, 4, 1)
FEW_KERNELS(8)
FEW_KERNELS(4)
FEW_KERNELS(2)

#define FEW_SET(bits) \
  {few_##bits##_1x4, few_##bits##_1x1, few_##bits##_2x2, few_##bits##_2x1, few_##bits##_4x1}
static const few_kernel few_kernels[3][5] = {FEW_SET(8), FEW_SET(4), FEW_SET(2)};

static void gemm_few(const ck_gemm_wq *g, const wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const few_kernel *kernels = few_kernels[g->bits == 8 ? 0 : g->bits == 4 ? 1 : 2];
  for (size_t i = m0; i < m1;) {
    size_t rows = m1 - i >= 4 ? 4 : m1 - i >= 2 ? 2 : 1;
    for (size_t j = n0; j < n1;) {
      if (rows == 1 && n1 - j >= 4 * V_WIDTH) {
        kernels[0](g, l, i, j, n1);
        j += 4 * V_WIDTH;
      } else if (rows == 2 && n1 - j >= 2 * V_WIDTH) {
        kernels[2](g, l, i, j, n1);
        j += 2 * V_WIDTH;
      } else {
        kernels[rows == 1 ? 1 : rows == 2 ? 3 : 4](g, l, i, j, n1);
        j += V_WIDTH;
      }
    }
    i += rows;
  }
}

/// The weights of a panel as floats, every `step` floats; V_WIDTH columns. Whole units are written: what the last one of
/// a group has too much, the next group or the slack of scratch takes.
CK_INLINE void expand(const int bits, const wq_layout *l, size_t taps, const char *at, float *to, size_t step) {
  vf book = v_codebook(bits);
  for (size_t tap = 0; tap < taps; tap++)
    for (size_t s = 0; s < l->groups; s++) {
      vf scale = v_load((const float *)at), zero = l->zeros ? v_from_int(vi_load(at + UNIT)) : v_set(0);
      at += l->zeros ? 2 * UNIT : UNIT;
      for (size_t left = wq_length(l, s); left; at += UNIT) {
        vi unit = vi_load(at);
        CK_UNROLL for (unsigned x = 0; x < 32 / (unsigned)bits; x++) {
          v_store(to + step * x, (v_element(bits, unit, x, book) - zero) * scale);
        }
        size_t count = ck_min(left, 32 / (size_t)bits);
        to += step * count;
        left -= count;
      }
    }
}

/// Many rows: panel by panel the weights become floats, packed as the float product wants them.
static void gemm_many(const ck_gemm_wq *g, const wq_layout *l, size_t m0, size_t m1, size_t n0, size_t n1) {
  const size_t taps = g->rows.taps;
  ck_gemm_f32 f = {0};
  f.rows = g->rows;
  f.packed = g->scratch;
  f.c_stride = g->c_stride;
  f.residual_stride = g->residual_stride;
  f.lower = g->lower;
  f.upper = g->upper;
  for (size_t j = n0; j < n1; j += 2 * V_WIDTH) {
    f.n = ck_min(2 * V_WIDTH, n1 - j);
    const size_t step = f.n > V_WIDTH ? 2 * V_WIDTH : V_WIDTH;
    for (size_t p = 0; p < step; p += V_WIDTH) {
      const char *panel = wq_panel(l, g->packed, j + p);
      float *to = (float *)g->scratch + p;
      switch (g->bits) {
        case 8: expand(8, l, taps, panel, to, step); break;
        case 4: expand(4, l, taps, panel, to, step); break;
        default: expand(2, l, taps, panel, to, step);
      }
    }
    f.bias = g->bias ? g->bias + j : NULL;
    f.residual = g->residual ? g->residual + j : NULL;
    f.c = g->c + j;
    V_GEMM_F32(&f, m0, m1, 0, f.n);
  }
}

static void gemm_wq(const ck_gemm_wq *g, size_t m0, size_t m1, size_t n0, size_t n1) {
  wq_layout l = wq_open(g->rows.taps, g->rows.k, g->bits, g->group, wq_has_zeros(g->packed));
  if (g->m <= FEW)
    gemm_few(g, &l, m0, m1, n0, n1);
  else
    gemm_many(g, &l, m0, m1, n0, n1);
}

static void fill_gemm_wq(ck_table *table) {
  table->packed_bytes_wq = packed_bytes;
  table->pack_wq = pack;
  table->wq_scratch_bytes = scratch_bytes;
  table->gemm_wq = gemm_wq;
}
