#include <math.h>
#include <string.h>

#include "support.h"

enum { ROWS = 3 };

static void check(size_t n) {
  begin("normalize", "n %zu", n);
  const float *x = floats(ROWS * n, -3, 5), *gain = floats(n, -1, 1), *bias = floats(n, -1, 1);
  float *found = take(ROWS * n * 4, 0x41), *expected = take(ROWS * n * 4, 0x41);
#define BOTH(what, entry, ...)                                                       \
  ours.entry(x, ROWS, n, __VA_ARGS__ found);                                         \
  scalar.entry(x, ROWS, n, __VA_ARGS__ expected);                                    \
  close_floats(what, found, expected, ROWS * n, NULL, 3e-6f, 1);
  BOTH("softmax_f32", softmax_f32, )
  BOTH("layernorm_f32", layernorm_f32, 0.1f, NULL, NULL, )
  BOTH("layernorm_f32 gain", layernorm_f32, 0.1f, gain, NULL, )
  BOTH("layernorm_f32 bias", layernorm_f32, 0.1f, NULL, bias, )
  BOTH("layernorm_f32 gain bias", layernorm_f32, 0.1f, gain, bias, )
  BOTH("rmsnorm_f32", rmsnorm_f32, 0.1f, NULL, )
  BOTH("rmsnorm_f32 gain", rmsnorm_f32, 0.1f, gain, )
  float sum = ours.sum_f32(x, ROWS * n), right = scalar.sum_f32(x, ROWS * n), magnitude = (float)(5 * ROWS * n);
  close_floats("sum_f32", &sum, &right, 1, &magnitude, 1e-6f, 0);
}

static void check_logits(size_t n) {
  begin("logits", "n %zu", n);
  const float *x = floats(n, -9, 9), *y = floats(n, -9, 9);
  ck_logits found, expected;
  ours.logits_f32(x, n, &found);
  scalar.logits_f32(x, n, &expected);
  same_floats("highest", &found.highest, &expected.highest, 2);
  float sums[] = {(float)found.best, (float)found.sum, (float)ours.logit_difference_f32(x, y, n, found.highest)};
  float right[] = {(float)expected.best, (float)expected.sum,
                   (float)scalar.logit_difference_f32(x, y, n, found.highest)};
  float magnitudes[] = {0, right[1], 18 * right[1]};
  close_floats("sums", sums, right, COUNT(sums), magnitudes, 1e-6f, 0);
}

static void check_masked(void) {
  begin("softmax_f32", "masked and large scores");
  const float scores[] = {-INFINITY, 1000, 1000, -INFINITY, -1000}, right[] = {0, 0.5f, 0.5f, 0, 0};
  float *x = take(sizeof scores, 0), *y = take(sizeof scores, 0);
  memcpy(x, scores, sizeof scores);
  ours.softmax_f32(x, 1, COUNT(scores), y);
  same_floats("", y, right, COUNT(scores));
}

void test_normalize(void) {
  for (size_t n = 1; n <= 70; n++) check(n), check_logits(n);
  check(127);
  check(1000);
  check_logits(1000);
  check_logits(5001);
  check_masked();
}
