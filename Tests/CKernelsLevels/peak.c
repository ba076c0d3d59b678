#include "support.h"

void test_peak(void) {
  begin("peak", "1000 rounds");
  expect("peak_f32 counts its work", ours.peak_f32(1000) > 2000 && ours.peak_f32(2000) == 2 * ours.peak_f32(1000));
  expect("peak_u8s8 counts its work", ours.peak_u8s8(1000) > 2000 && ours.peak_u8s8(2000) == 2 * ours.peak_u8s8(1000));
  // Steps are of up to 64 words: a whole number of these leaves nothing out, and no length reads too far.
  for (size_t n = 0; n <= 130; n++) {
    begin("read_words", "n %zu", n);
    uint64_t *words = take(n * 8, 0), all = 0;
    for (size_t i = 0; i < n; i++) all |= words[i] = random_bits() & random_bits() & random_bits() & random_bits();
    uint64_t found = ours.read_words(words, n);
    expect("", n % 64 ? (found | all) == all : found == all);
  }
}
