// Depthwise convolution, the specification: one channel at a time.
#include "epilogue.h"
#include "scalar.h"

static void depthwise_f32(const ck_depthwise_f32 *d, size_t m0, size_t m1) {
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < d->channels; ch++) {
      float sum = 0;
      for (size_t t = 0; t < d->taps; t++) {
        int32_t offset = d->offsets[i * d->taps + t];
        float x = offset < 0 ? d->padding[ch] : d->a[(size_t)offset + ch];
        sum += x * d->weights[t * d->channels + ch];
      }
      if (d->bias) sum += d->bias[ch];
      if (d->residual) sum += d->residual[i * d->residual_stride + ch];
      d->c[i * d->c_stride + ch] = ck_clamp(sum, d->lower, d->upper);
    }
}

void ck_scalar_depthwise_u8s8(const ck_depthwise_u8s8 *d, size_t m0, size_t m1) {
  ck_epilogue e = ck_epilogue_depthwise(d);
  for (size_t i = m0; i < m1; i++)
    for (size_t ch = 0; ch < d->channels; ch++) {
      int32_t sum = 0, row_sum = 0;
      for (size_t t = 0; t < d->taps; t++) {
        int32_t offset = d->offsets[i * d->taps + t];
        int32_t x = offset < 0 ? d->padding[ch] : d->a[(size_t)offset + ch];
        row_sum += x;
        sum += x * d->weights[t * d->channels + ch];
      }
      ck_store(&e, i, ch, sum, row_sum);
    }
}

void ck_scalar_depthwise(ck_table *table) {
  table->depthwise_f32 = depthwise_f32;
  table->depthwise_u8s8 = ck_scalar_depthwise_u8s8;
}
