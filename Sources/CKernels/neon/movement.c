// Transposes of 4 × 4 words and 16 × 16 bytes in registers: rounds of interleaving row i with the row half a block on.
#include "simd.h"

#if defined(__aarch64__)
CK_NEON_BEGIN

static void words_4x4(const uint32_t *x, size_t x_stride, uint32_t *y, size_t y_stride) {
  uint32x4_t r[4], t[4];
  for (size_t i = 0; i < 4; i++) r[i] = vld1q_u32(x + i * x_stride);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 2; i++) {
      t[2 * i] = vzip1q_u32(r[i], r[i + 2]);
      t[2 * i + 1] = vzip2q_u32(r[i], r[i + 2]);
    }
    memcpy(r, t, sizeof r);
  }
  for (size_t i = 0; i < 4; i++) vst1q_u32(y + i * y_stride, r[i]);
}

static void bytes_16x16(const uint8_t *x, size_t x_stride, uint8_t *y, size_t y_stride) {
  uint8x16_t r[16], t[16];
  for (size_t i = 0; i < 16; i++) r[i] = vld1q_u8(x + i * x_stride);
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 8; i++) {
      t[2 * i] = vzip1q_u8(r[i], r[i + 8]);
      t[2 * i + 1] = vzip2q_u8(r[i], r[i + 8]);
    }
    memcpy(r, t, sizeof r);
  }
  for (size_t i = 0; i < 16; i++) vst1q_u8(y + i * y_stride, r[i]);
}

static size_t word_pixels(const uint32_t *x, size_t plane, size_t count, uint32_t *y) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    uint32x4x3_t planes = {{vld1q_u32(x + i), vld1q_u32(x + plane + i), vld1q_u32(x + 2 * plane + i)}};
    vst3q_u32(y + 3 * i, planes);
  }
  return i;
}

static size_t byte_pixels(const uint8_t *x, size_t plane, size_t count, uint8_t *y) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    uint8x16x3_t planes = {{vld1q_u8(x + i), vld1q_u8(x + plane + i), vld1q_u8(x + 2 * plane + i)}};
    vst3q_u8(y + 3 * i, planes);
  }
  return i;
}

#include "../vector/movement.h"
TRANSPOSE(transpose_32, uint32_t, 4, words_4x4, word_pixels)
TRANSPOSE(transpose_8, uint8_t, 16, bytes_16x16, byte_pixels)

CK_NEON_END

void ck_neon_movement(ck_table *table) {
  table->transpose_32 = transpose_32;
  table->transpose_8 = transpose_8;
}
#endif
