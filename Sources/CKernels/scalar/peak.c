// What plain C reaches: the same sums as the other levels, from registers where the compiler keeps them there.
#include "scalar.h"

enum { LANES = 32 };

static double peak_f32(size_t rounds) {
  float sums[LANES], a[LANES];
  for (int i = 0; i < LANES; i++) sums[i] = a[i] = 0.5f + (float)i / (2 * LANES);
  for (size_t r = 0; r < rounds; r++)
    for (int i = 0; i < LANES; i++) sums[i] = sums[i] * 0.25f + a[i];
  volatile float sink = 0;
  for (int i = 0; i < LANES; i++) sink += sums[i];
  return 2.0 * LANES * (double)rounds;
}

static double peak_u8s8(size_t rounds) {
  int32_t sums[LANES] = {0};
  volatile uint8_t from = 3;
  uint8_t a[LANES];
  int8_t b[LANES];
  for (int i = 0; i < LANES; i++) a[i] = from, b[i] = (int8_t)(i - (int)from);
  for (size_t r = 0; r < rounds; r++) {
    a[r % LANES] ^= 1;
    for (int i = 0; i < LANES; i++) sums[i] += a[i] * b[i];
  }
  volatile int32_t sink = 0;
  for (int i = 0; i < LANES; i++) sink += sums[i];
  return 2.0 * LANES * (double)rounds;
}

static uint64_t read_words(const uint64_t *words, size_t n) {
  uint64_t sums[8] = {0};
  for (size_t i = 0; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) sums[k] |= words[i + (size_t)k];
  uint64_t sum = 0;
  for (int k = 0; k < 8; k++) sum |= sums[k];
  return sum;
}

void ck_scalar_peak(ck_table *table) {
  table->peak_f32 = peak_f32;
  table->peak_u8s8 = peak_u8s8;
  table->read_words = read_words;
}
