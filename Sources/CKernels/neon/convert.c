// Half precision in the instructions for it, which round and keep NaN as the scalar level does. Bfloat is left to the
// scalar level: vectors belong to every aarch64, and the compiler makes them of those loops.
#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN

CK_INLINE vf widen(uint16x4_t x) { return vcvt_f32_f16(vreinterpret_f16_u16(x)); }
CK_INLINE uint16x4_t narrow(vf x) { return vreinterpret_u16_f16(vcvt_f16_f32(x)); }

static void f16_to_f32(const uint16_t *x, size_t n, float *y) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) v_store(y + i, widen(vld1_u16(x + i)));
  if (i < n) v_store_n(y + i, n - i, widen(vget_low_u16(vreinterpretq_u16_u8(v_load_bytes(x + i, 2 * (n - i))))));
}

static void f32_to_f16(const float *x, size_t n, uint16_t *y) {
  size_t i = 0;
  for (; i + 4 <= n; i += 4) vst1_u16(y + i, narrow(v_load(x + i)));
  if (i == n) return;
  uint16x4_t last = narrow(v_load_n(x + i, n - i));
  v_store_bytes(y + i, 2 * (n - i), vreinterpretq_u8_u16(vcombine_u16(last, last)));
}

CK_NEON_END

void ck_neon_convert(ck_table *table) {
  table->f16_to_f32 = f16_to_f32;
  table->f32_to_f16 = f32_to_f16;
}
#endif
