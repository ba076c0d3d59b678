#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN
#include "../vector/codes.h"

/// The table is four quarters of four registers; a code outside a quarter leaves what the others found.
static void lookup_u8(const uint8_t *x, size_t n, const uint8_t *table, uint8_t *y) {
  const uint8x16x4_t t0 = vld1q_u8_x4(table), t1 = vld1q_u8_x4(table + 64);
  const uint8x16x4_t t2 = vld1q_u8_x4(table + 128), t3 = vld1q_u8_x4(table + 192);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    uint8x16_t v = vld1q_u8(x + i), found = vqtbl4q_u8(t0, v);
    found = vqtbx4q_u8(found, t1, vsubq_u8(v, vdupq_n_u8(64)));
    found = vqtbx4q_u8(found, t2, vsubq_u8(v, vdupq_n_u8(128)));
    found = vqtbx4q_u8(found, t3, vsubq_u8(v, vdupq_n_u8(192)));
    vst1q_u8(y + i, found);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}
CK_NEON_END

void ck_neon_codes(ck_table *table) {
  fill_codes(table);
  table->lookup_u8 = lookup_u8;
}
#endif
