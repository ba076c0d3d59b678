// Pooling and float depthwise convolution on NHWC: lanes are channels.
#include <math.h>

#pragma clang fp contract(off)

/// For each vector of channels of each row: `start`, `step` for every tap inside, `finish`.
#define CK_POOL(load, load_n, start, step, finish, finish_n)                    \
  for (size_t i = m0; i < m1; i++) {                                            \
    const int32_t *taps_of_row = offsets + i * taps;                            \
    for (size_t ch = 0; ch < channels; ch += V_WIDTH) {                         \
      size_t left = channels - ch;                                              \
      start;                                                                    \
      if (left >= V_WIDTH) {                                                    \
        for (size_t t = 0; t < taps; t++) {                                     \
          if (taps_of_row[t] < 0) continue;                                     \
          const void *x = a + taps_of_row[t] + ch;                              \
          load;                                                                 \
          step;                                                                 \
        }                                                                       \
        finish;                                                                 \
      } else {                                                                  \
        for (size_t t = 0; t < taps; t++) {                                     \
          if (taps_of_row[t] < 0) continue;                                     \
          const void *x = a + taps_of_row[t] + ch;                              \
          load_n;                                                               \
          step;                                                                 \
        }                                                                       \
        finish_n;                                                               \
      }                                                                         \
    }                                                                           \
  }

static void maxpool_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, float *c, size_t m0,
                        size_t m1) {
  CK_POOL(vf v = v_load(x), vf v = v_load_n(x, left), vf best = v_set(-INFINITY), best = v_max(best, v),
          v_store(c + i * channels + ch, best), v_store_n(c + i * channels + ch, left, best))
}

static void avgpool_f32(const float *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                        float *c, size_t m0, size_t m1) {
  CK_POOL(vf v = v_load(x), vf v = v_load_n(x, left), vf sum = v_set(0), sum = sum + v,
          v_store(c + i * channels + ch, sum / v_set((float)count[i])),
          v_store_n(c + i * channels + ch, left, sum / v_set((float)count[i])))
}

static void avgpool_u8(const uint8_t *a, const int32_t *offsets, size_t taps, size_t channels, const int32_t *count,
                       int32_t a_zero, double multiplier, int32_t zero, int32_t lower, int32_t upper, uint8_t *c,
                       size_t m0, size_t m1) {
  vf low = v_set((float)(lower - zero)), high = v_set((float)(upper - zero));
  vi y_zero = vi_set(zero), x_zero = vi_set(a_zero);
#define CK_CODE vi_add(v_to_int(v_min(v_max(v_from_int(sum) * v_set((float)(multiplier / count[i])), low), high)), y_zero)
  CK_POOL(vi v = v_load_u8(x), vi v = v_load_u8_n(x, left), vi sum = vi_set(0), sum = vi_add(sum, vi_sub(v, x_zero)),
          v_store_u8(c + i * channels + ch, CK_CODE), v_store_u8_n(c + i * channels + ch, left, CK_CODE))
#undef CK_CODE
}

static void fill_pooling(ck_table *table) {
  table->maxpool_f32 = maxpool_f32;
  table->avgpool_f32 = avgpool_f32;
  table->avgpool_u8 = avgpool_u8;
}
